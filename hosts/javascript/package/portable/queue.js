// The calls of the addon's classes, made in a worker thread.

import { isDatabase } from "../arguments.js";
import { QueueError } from "../errors.js";
import { Thread } from "./thread.js";

/** Ends the thread of a queue that was collected before it was closed. */
const unclosed = new FinalizationRegistry((thread) => thread.release());

/** A queue: as `NativeQueue`. */
export class PortableQueue {
  #thread;

  constructor(thread) {
    this.#thread = thread;
    unclosed.register(this, thread, this);
  }

  /** Opens the queue in a directory, and creates that durably if `create` is true and it does not exist. */
  static async open(directory, create) {
    if (isDatabase(directory)) {
      throw new QueueError({
        code: "unsupported",
        operation: "open",
        detail:
          "a URL is no directory: open the one of a database with `queue-store`; a directory of that name is " +
          `./${directory.split(":")[0]}:`,
      });
    }
    const thread = new Thread(directory);
    try {
      await thread.call("open", [create]);
    } catch (error) {
      thread.release();
      throw error;
    }
    return new PortableQueue(thread);
  }

  newId() {
    return this.#thread.call("newId");
  }

  put(id, envelope, body, options) {
    const data = copy(body);
    return this.#thread.call("put", [id, envelope, data, options], [data.buffer]);
  }

  putMany(mails, options) {
    const list = mails.map((mail) => ({ ...mail, body: copy(mail.body) }));
    return this.#thread.call("putMany", [list, options], list.map(({ body }) => body.buffer));
  }

  begin(id, envelope, options) {
    return this.#resource(PortableDraft, "begin", id, envelope, options);
  }

  submit(reversePath, to, body) {
    const data = copy(body);
    return this.#thread.call("submit", [reversePath, to, data], [data.buffer]);
  }

  async get(id) {
    const item = await this.#thread.call("get", [id]);
    return { ...item, body: buffer(item.body) };
  }

  info(id) {
    return this.#thread.call("info", [id]);
  }

  read(id, offset) {
    return this.#resource(PortableBody, "read", id, offset);
  }

  items(states, detail) {
    return this.#resource(PortableListing, "items", states, detail);
  }

  count() {
    return this.#thread.call("count");
  }

  verify(ids) {
    return this.#thread.call("verify", [ids]);
  }

  update(id, change, durability) {
    return this.#thread.call("update", [id, change, durability]);
  }

  recordAttempts(id, attempts, ifRevision, durability) {
    return this.#thread.call("recordAttempts", [id, attempts, ifRevision, durability]);
  }

  setState(ids, state) {
    return this.#thread.call("setState", [ids, state]);
  }

  remove(ids, states, durability) {
    return this.#thread.call("remove", [ids, states, durability]);
  }

  seal(ids) {
    return this.#thread.call("seal", [ids]);
  }

  recover(graceSeconds) {
    return this.#thread.call("recover", [graceSeconds]);
  }

  needsRecovery() {
    return this.#thread.needsRecovery;
  }

  limits() {
    return this.#thread.call("limits");
  }

  counters() {
    return this.#thread.call("counters");
  }

  about() {
    return this.#thread.call("about");
  }

  /** Ends the thread, when the calls that run are over and the resources are closed. */
  close() {
    unclosed.unregister(this);
    this.#thread.release();
  }

  async #resource(Resource, name, ...operands) {
    this.#thread.retain();
    try {
      return new Resource(this.#thread, await this.#thread.call(name, operands));
    } catch (error) {
      this.#thread.release();
      throw error;
    }
  }
}

/** Gives back what was collected before its end. */
const collected = new FinalizationRegistry(({ thread, handle, giveUp }) => {
  thread
    .call(giveUp, [handle])
    .catch(() => {})
    .finally(() => thread.release());
});

/** A draft, a body or a listing. */
class PortableResource {
  /** The call that gives it up. */
  static giveUp = "close";

  #thread;
  #handle;

  constructor(thread, handle) {
    this.#thread = thread;
    this.#handle = handle;
    collected.register(this, { thread, handle, giveUp: new.target.giveUp }, this);
  }

  call(name, operands = [], transfer = []) {
    return this.#thread.call(name, [this.#handle, ...operands], transfer);
  }

  /** Makes the last call of the resource. */
  async end(name) {
    collected.unregister(this);
    try {
      return await this.call(name);
    } finally {
      this.#thread.release();
    }
  }
}

class PortableDraft extends PortableResource {
  static giveUp = "abandon";

  write(chunk) {
    const data = copy(chunk);
    return this.call("write", [data], [data.buffer]);
  }

  commit() {
    return this.end("commit");
  }

  abandon() {
    return this.end("abandon");
  }
}

class PortableBody extends PortableResource {
  async read() {
    const chunk = await this.call("readChunk");
    return chunk && buffer(chunk);
  }

  close() {
    return this.end("close");
  }
}

class PortableListing extends PortableResource {
  next() {
    return this.call("next");
  }

  close() {
    return this.end("close");
  }
}

/** Returns a copy that can be moved to another thread: the bytes of a caller stay its own. */
function copy(bytes) {
  return new Uint8Array(bytes);
}

function buffer(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
