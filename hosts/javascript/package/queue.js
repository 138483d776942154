// The queue.

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { attempt, bytes, count, envelope, optionalString, recipient, string, strings, timestamp, writeOptions } from "./arguments.js";
import { Draft } from "./draft.js";
import { answer, problem, settle } from "./errors.js";

const { NativeQueue } = createRequire(import.meta.url)("./queue_store.node");

const GRACE_SECONDS = 36 * 3600;

/** The queue in a directory. */
export class Queue {
  #native;

  /** Use `Queue.open`. */
  constructor(native, path) {
    if (!(native instanceof NativeQueue)) {
      throw new TypeError("a queue is opened by: await Queue.open(path)");
    }
    this.#native = native;
    this.path = path;
  }

  static async open(path, { create = true, recover = true, graceSeconds = GRACE_SECONDS } = {}) {
    const directory = path instanceof URL ? fileURLToPath(path) : string(path, "path");
    const native = await answer(() => NativeQueue.open(resolve(directory), create));
    const queue = new Queue(native, directory);
    if (recover) {
      await queue.recover({ graceSeconds });
    }
    return queue;
  }

  #call(call) {
    const native = this.#native;
    if (native === undefined) {
      throw new TypeError("the queue was closed");
    }
    return answer(() => call(native));
  }

  async #batch(call) {
    return (await this.#call(call)).map((outcome) => ({ id: outcome.id ?? null, problem: problem(outcome.problem) }));
  }

  async put(body, options) {
    const { id } = options;
    const data = bytes(body);
    return this.#call((native) => native.put(optionalString(id, "id"), envelope(options), data, writeOptions(options)));
  }

  async putMany(mails, options = {}) {
    const list = Array.from(mails, (mail) => ({
      id: optionalString(mail.id, "id"),
      envelope: envelope(mail),
      body: bytes(mail.body),
    }));
    return this.#batch((native) => native.putMany(list, writeOptions(options)));
  }

  draft(options) {
    const [id, mail, write] = [optionalString(options.id, "id"), envelope(options), writeOptions(options)];
    return new Draft(() => this.#call((native) => native.begin(id, mail, write)));
  }

  async submit(body, { sender, to }) {
    const [data, recipients] = [bytes(body), strings(to, "to")];
    return this.#call((native) => native.submit(string(sender, "sender"), recipients, data));
  }

  async newId() {
    return this.#call((native) => native.newId());
  }

  async get(id) {
    const item = await this.#call((native) => native.get(string(id, "id")));
    return { ...item, envelope: withoutUndefined(item.envelope) };
  }

  async info(id) {
    return itemInfo(await this.#call((native) => native.info(string(id, "id"))));
  }

  body(id, { offset = 0 } = {}) {
    count(offset, "offset");
    let body;
    return new Readable({
      construct: (callback) =>
        settle(async () => (body = await this.#call((native) => native.read(string(id, "id"), offset))), callback),
      async read() {
        try {
          this.push((await answer(() => body.read())) ?? null);
        } catch (error) {
          this.destroy(error);
        }
      },
      destroy(error, callback) {
        const done = () => callback(error);
        body === undefined ? done() : body.close().then(done, done);
      },
    });
  }

  [Symbol.asyncIterator]() {
    return this.items();
  }

  async *items({ states = [], detail = "envelope" } = {}) {
    const listing = await this.#call((native) => native.items(strings(states, "states"), string(detail, "detail")));
    try {
      for (;;) {
        const page = await answer(() => listing.next());
        if (page.length === 0) {
          return;
        }
        yield* page.map(({ id, state, info, problem: fields }) => ({
          id,
          state,
          info: info ? itemInfo(info) : null,
          problem: problem(fields),
        }));
      }
    } finally {
      await listing.close();
    }
  }

  async count() {
    return this.#call((native) => native.count());
  }

  async verify(ids) {
    return this.#batch((native) => native.verify(strings(ids, "ids")));
  }

  async update(id, { sender, to, recipients, createdAt, ifRevision, durability }) {
    const change = {
      reversePath: optionalString(sender, "sender"),
      to: to === undefined ? undefined : strings(to, "to"),
      recipients: recipients === undefined ? undefined : Array.from(recipients, recipient),
      createdAt: timestamp(createdAt),
      ifRevision: optionalString(ifRevision, "ifRevision"),
    };
    const durable = optionalString(durability, "durability");
    return this.#call((native) => native.update(string(id, "id"), change, durable));
  }

  async recordAttempts(id, attempts, { ifRevision, durability } = {}) {
    const list = Array.from(attempts, attempt);
    const [revision, durable] = [optionalString(ifRevision, "ifRevision"), optionalString(durability, "durability")];
    return this.#call((native) => native.recordAttempts(string(id, "id"), list, revision, durable));
  }

  async setState(ids, state) {
    return this.#batch((native) => native.setState(strings(ids, "ids"), string(state, "state")));
  }

  async hold(id) {
    single(await this.setState([id], "held"));
  }

  async release(id) {
    single(await this.setState([id], "ready"));
  }

  async quarantine(id) {
    single(await this.setState([id], "quarantined"));
  }

  async remove(id, options) {
    single(await this.removeMany([id], options));
  }

  async removeMany(ids, { states = [], durability } = {}) {
    const durable = optionalString(durability, "durability");
    return this.#batch((native) => native.remove(strings(ids, "ids"), strings(states, "states"), durable));
  }

  async seal(ids) {
    return this.#batch((native) => native.seal(strings(ids, "ids")));
  }

  async recover({ graceSeconds = GRACE_SECONDS } = {}) {
    const seconds = Math.min(count(graceSeconds ?? GRACE_SECONDS, "graceSeconds"), 2 ** 32 - 1);
    const { problems, ...report } = await this.#call((native) => native.recover(seconds));
    return { ...report, problems: problems.map(problem) };
  }

  get needsRecovery() {
    return this.#native?.needsRecovery() ?? false;
  }

  async limits() {
    return named(await this.#call((native) => native.limits()));
  }

  async counters() {
    return named(await this.#call((native) => native.counters()));
  }

  async about() {
    return named(await this.#call((native) => native.about()));
  }

  close() {
    this.#native?.close();
    this.#native = undefined;
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }
}

function itemInfo({ bodySize = null, recordedId = null, envelope, ...info }) {
  return { ...info, envelope: withoutUndefined(envelope), bodySize, recordedId };
}

function withoutUndefined({ createdAt = null, ...envelope }) {
  return { ...envelope, createdAt };
}

function named(list) {
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

function single(outcomes) {
  for (const outcome of outcomes) {
    if (outcome.problem) {
      throw outcome.problem;
    }
  }
}
