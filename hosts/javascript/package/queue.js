// The queue.

import { resolve } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import {
  attempt,
  bytes,
  count,
  envelope,
  oneOf,
  optionalOneOf,
  optionalString,
  recipient,
  string,
  strings,
  timestamp,
  writeOptions,
} from "./arguments.js";
import { Draft } from "./draft.js";
import { answer, problem, settle } from "./errors.js";
import { inTurn } from "./turns.js";

const GRACE_SECONDS = 36 * 3600;

/** The key of the constructor, which this module alone has. */
const OPENED = Symbol("opened");

/** Opens a queue of a class on a backend, which has the calls of the addon's `NativeQueue`. */
export async function openQueue(Queue, Backend, path, { create = true, recover = true, graceSeconds = GRACE_SECONDS } = {}) {
  const directory = path instanceof URL ? fileURLToPath(path) : string(path, "path");
  const backend = await answer(() => Backend.open(resolve(directory), create));
  const queue = new Queue(OPENED, backend, directory);
  try {
    if (recover) {
      await queue.recover({ graceSeconds });
    }
    return queue;
  } catch (error) {
    queue.close();
    throw error;
  }
}

/** The queue in a directory, but for `open`. */
export class BaseQueue {
  #backend;

  /** Use `Queue.open`. */
  constructor(key, backend, path) {
    if (key !== OPENED) {
      throw new TypeError("a queue is opened by: await Queue.open(path)");
    }
    this.#backend = backend;
    this.path = path;
  }

  #call(call) {
    const backend = this.#backend;
    if (backend === undefined) {
      throw new TypeError("the queue was closed");
    }
    return answer(() => call(backend));
  }

  async #batch(call) {
    return (await this.#call(call)).map((outcome) => ({ id: outcome.id ?? null, problem: problem(outcome.problem) }));
  }

  async put(body, options) {
    const { id } = options;
    const data = bytes(body);
    return this.#call((backend) => backend.put(optionalString(id, "id"), envelope(options), data, writeOptions(options)));
  }

  async putMany(mails, options = {}) {
    const list = Array.from(mails, (mail) => ({
      id: optionalString(mail.id, "id"),
      envelope: envelope(mail),
      body: bytes(mail.body),
    }));
    return this.#batch((backend) => backend.putMany(list, writeOptions(options)));
  }

  draft(options) {
    const [id, mail, write] = [optionalString(options.id, "id"), envelope(options), writeOptions(options)];
    return new Draft(() => this.#call((backend) => backend.begin(id, mail, write)));
  }

  async submit(body, { sender, to }) {
    const [data, recipients] = [bytes(body), strings(to, "to")];
    return this.#call((backend) => backend.submit(string(sender, "sender"), recipients, data));
  }

  async newId() {
    return this.#call((backend) => backend.newId());
  }

  async get(id) {
    const item = await this.#call((backend) => backend.get(string(id, "id")));
    return { ...item, envelope: withoutUndefined(item.envelope) };
  }

  async info(id) {
    return itemInfo(await this.#call((backend) => backend.info(string(id, "id"))));
  }

  body(id, { offset = 0 } = {}) {
    const start = count(offset, "offset") ?? 0;
    const turn = inTurn();
    let body;
    return new Readable({
      construct: (callback) =>
        settle(async () => (body = await this.#call((backend) => backend.read(string(id, "id"), start))), callback),
      async read() {
        try {
          this.push((await turn(() => answer(() => body.read()))) ?? null);
        } catch (error) {
          this.destroy(error);
        }
      },
      destroy(error, callback) {
        const done = () => callback(error);
        body === undefined ? done() : turn(() => body.close()).then(done, done);
      },
    });
  }

  [Symbol.asyncIterator]() {
    return this.items();
  }

  async *items({ states = [], detail = "envelope" } = {}) {
    const listing = await this.#call((backend) => backend.items(stateList(states), oneOf(detail, "detail")));
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
    return this.#call((backend) => backend.count());
  }

  async verify(ids) {
    return this.#batch((backend) => backend.verify(strings(ids, "ids")));
  }

  async update(id, { sender, to, recipients, createdAt, ifRevision, durability }) {
    const change = {
      reversePath: optionalString(sender, "sender"),
      to: to === undefined ? undefined : strings(to, "to"),
      recipients: recipients === undefined ? undefined : Array.from(recipients, recipient),
      createdAt: timestamp(createdAt),
      ifRevision: optionalString(ifRevision, "ifRevision"),
    };
    const durable = optionalOneOf(durability, "durability");
    return this.#call((backend) => backend.update(string(id, "id"), change, durable));
  }

  async recordAttempts(id, attempts, { ifRevision, durability } = {}) {
    const list = Array.from(attempts, attempt);
    const [revision, durable] = [optionalString(ifRevision, "ifRevision"), optionalOneOf(durability, "durability")];
    return this.#call((backend) => backend.recordAttempts(string(id, "id"), list, revision, durable));
  }

  async setState(ids, state) {
    return this.#batch((backend) => backend.setState(strings(ids, "ids"), oneOf(state, "state")));
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
    const durable = optionalOneOf(durability, "durability");
    return this.#batch((backend) => backend.remove(strings(ids, "ids"), stateList(states), durable));
  }

  async seal(ids) {
    return this.#batch((backend) => backend.seal(strings(ids, "ids")));
  }

  async recover({ graceSeconds = GRACE_SECONDS } = {}) {
    const seconds = Math.min(count(graceSeconds ?? GRACE_SECONDS, "graceSeconds"), 2 ** 32 - 1);
    const { problems, ...report } = await this.#call((backend) => backend.recover(seconds));
    return { ...report, problems: problems.map(problem) };
  }

  get needsRecovery() {
    return this.#backend?.needsRecovery() ?? false;
  }

  async limits() {
    return named(await this.#call((backend) => backend.limits()));
  }

  async counters() {
    return named(await this.#call((backend) => backend.counters()));
  }

  async about() {
    return named(await this.#call((backend) => backend.about()));
  }

  close() {
    this.#backend?.close();
    this.#backend = undefined;
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

function stateList(states) {
  return strings(states, "states").map((state) => oneOf(state, "state"));
}

function single(outcomes) {
  for (const outcome of outcomes) {
    if (outcome.problem) {
      throw outcome.problem;
    }
  }
}
