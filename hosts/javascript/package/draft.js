// A mail that is written as a stream.

import { Writable } from "node:stream";
import { bytes } from "./arguments.js";
import { answer, settle } from "./errors.js";
import { inTurn } from "./turns.js";

/** A mail that is being written. */
export class Draft extends Writable {
  #begun;
  #draft;
  #committed;
  #failure;
  #sources = new Set();
  #inTurn = inTurn();

  /** The id of the item, once the stream has finished. */
  id = null;

  /** Takes the promise of the backend's draft. */
  constructor(begun) {
    // The next call writes all chunks that come during a call. Fewer calls are faster, since waking a thread takes longer
    // than writing a chunk.
    super({ decodeStrings: false, highWaterMark: 1 << 20 });
    this.#begun = begun;
    // `commit` throws the error, which may come before it is called. Without a listener, it would end the process.
    this.on("error", () => {});
    this.on("pipe", (source) => this.#sources.add(source));
    this.on("unpipe", (source) => this.#sources.delete(source));
  }

  /** Calls the draft after its earlier calls, so that it occupies one thread of Node's pool at most. */
  #call(call) {
    const draft = this.#draft;
    return this.#inTurn(() => answer(() => call(draft)));
  }

  async _construct(callback) {
    await settle(async () => (this.#draft = await this.#begun), callback);
  }

  async _write(chunk, encoding, callback) {
    await settle(() => this.#append(encode(chunk, encoding)), callback);
  }

  async _writev(chunks, callback) {
    const data = () => Buffer.concat(chunks.map(({ chunk, encoding }) => encode(chunk, encoding)));
    await settle(() => this.#append(data()), callback);
  }

  #append(data) {
    return this.#call((draft) => draft.write(data));
  }

  async _final(callback) {
    const draft = this.#draft;
    this.#draft = undefined;
    // A destruction from here on waits for it: a commit cannot be taken back.
    this.#committed = answer(() => draft.commit()).then((id) => (this.id = id));
    await settle(() => this.#committed, callback);
  }

  async _destroy(error, callback) {
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft !== undefined) {
      await settle(
        () => this.#inTurn(() => answer(() => draft.abandon())),
        (failure) => callback(error ?? failure),
      );
    } else {
      await this.#committed?.catch((failure) => (this.#failure = failure));
      // The outcome of the commit matters more than the reason to destroy the stream.
      callback(this.#failure ?? error);
    }
  }

  /** Ends the mail, and resolves to its id when it is durable. */
  async commit() {
    if (!this.closed) {
      const closed = new Promise((resolve) => this.once("close", resolve));
      if (!this.writableEnded) {
        this.#endOrRefuse();
      }
      await closed;
    }
    if (this.id === null) {
      throw this.#failure ?? this.errored ?? new Error("the draft was destroyed");
    }
    return this.id;
  }

  /** Ends the stream; or destroys it where a source has more to write, since half a mail is none. */
  #endOrRefuse() {
    if ([...this.#sources].some(({ readableEnded }) => readableEnded === false)) {
      this.destroy(new Error("a stream is still piped into the draft: await its `pipeline` instead of `commit`"));
    } else {
      this.end();
    }
  }

  /** Gives the mail up, unless it was committed. */
  async [Symbol.asyncDispose]() {
    if (this.closed) {
      return;
    }
    const closed = new Promise((resolve) => this.once("close", resolve));
    if (!this.writableFinished) {
      this.destroy();
    }
    await closed;
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }
}

function encode(chunk, encoding) {
  return typeof chunk === "string" && !/^utf-?8$/i.test(encoding) ? Buffer.from(chunk, encoding) : bytes(chunk);
}
