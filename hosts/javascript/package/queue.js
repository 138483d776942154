// The queue.

import { isAbsolute } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import {
  attempts,
  boolean,
  bytes,
  count,
  envelope,
  isDatabase,
  mails,
  oneOf,
  optionalOneOf,
  optionalString,
  options,
  recipients,
  requiredOptions,
  string,
  strings,
  timestamp,
  writeOptions,
} from "./arguments.js";
import { Draft } from "./draft.js";
import { QueueError, answer, problem, settle } from "./errors.js";
import { inTurn } from "./turns.js";

const GRACE_SECONDS = 36 * 3600;

/** Returns an absolute path. Not by `resolve`, which takes `link/..` for the directory that has the link. */
function absolute(path) {
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`;
}

/** The key of the constructor, which this module alone has. */
const OPENED = Symbol("opened");

/** Opens a queue of a class on a backend, which has the calls of the addon's `NativeQueue`. */
export async function openQueue(Queue, Backend, path, given) {
  const { create = true, recover = true, graceSeconds = GRACE_SECONDS } = options(given, "open");
  boolean(create, "create");
  boolean(recover, "recover");
  count(graceSeconds, "graceSeconds");
  const place = path instanceof URL ? textOf(path) : string(path, "path");
  if (place === "") {
    // The working directory would become the queue.
    throw new QueueError({ code: "directory", detail: "the path of the queue is empty" });
  }
  const isInDatabase = isDatabase(place);
  const backend = await answer(() => Backend.open(isInDatabase ? place : absolute(place), create));
  const queue = new Queue(OPENED, backend, isInDatabase ? backend.shownUrl() : place);
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

function textOf(url) {
  return url.protocol !== "file:" && isDatabase(url.href) ? url.href : fileURLToPath(url);
}

/** The queue in a directory or a database, but for `open`. */
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

  /** Makes the call by which a stream begins: now, since the queue may be closed before the stream awaits it. */
  #begin(call) {
    const begun = this.#call(call);
    begun.catch(() => {});
    return begun;
  }

  async #batch(call) {
    return (await this.#call(call)).map((outcome) => ({ id: outcome.id ?? null, problem: problem(outcome.problem) }));
  }

  async put(body, given) {
    const put = requiredOptions(given, "put", "sender, to");
    const data = bytes(body);
    return this.#call((backend) => backend.put(optionalString(put.id, "id"), envelope(put), data, writeOptions(put)));
  }

  async putMany(values, given) {
    const [list, write] = [mails(values), writeOptions(options(given, "putMany"))];
    return this.#batch((backend) => backend.putMany(list, write));
  }

  draft(given) {
    const draft = requiredOptions(given, "draft", "sender, to");
    const [id, mail, write] = [optionalString(draft.id, "id"), envelope(draft), writeOptions(draft)];
    return new Draft(this.#begin((backend) => backend.begin(id, mail, write)));
  }

  async submit(body, given) {
    const { sender, to } = requiredOptions(given, "submit", "sender, to");
    const [data, addresses] = [bytes(body), strings(to, "to")];
    return this.#call((backend) => backend.submit(string(sender, "sender"), addresses, data));
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

  body(id, given) {
    const start = count(options(given, "body").offset, "offset") ?? 0;
    const name = string(id, "id");
    const begun = this.#begin((backend) => backend.read(name, start));
    const turn = inTurn();
    let body;
    return new Readable({
      construct: (callback) => settle(async () => (body = await begun), callback),
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

  async *items(given) {
    const { states = [], detail = "envelope" } = options(given, "items");
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

  async update(id, given) {
    const update = requiredOptions(given, "update", "sender, to, recipients or createdAt");
    const change = {
      reversePath: optionalString(update.sender, "sender"),
      to: update.to === undefined ? undefined : strings(update.to, "to"),
      recipients: update.recipients === undefined ? undefined : recipients(update.recipients),
      createdAt: timestamp(update.createdAt),
      ifRevision: optionalString(update.ifRevision, "ifRevision"),
    };
    const durable = optionalOneOf(update.durability, "durability");
    return this.#call((backend) => backend.update(string(id, "id"), change, durable));
  }

  async recordAttempts(id, values, given) {
    const { ifRevision, durability } = options(given, "recordAttempts");
    const list = attempts(values);
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

  async remove(id, given) {
    single(await this.removeMany([string(id, "id")], given));
  }

  async removeMany(ids, given) {
    const { states = [], durability } = options(given, "removeMany");
    const durable = optionalOneOf(durability, "durability");
    return this.#batch((backend) => backend.remove(strings(ids, "ids"), stateList(states), durable));
  }

  async seal(ids) {
    return this.#batch((backend) => backend.seal(strings(ids, "ids")));
  }

  async recover(given) {
    const { graceSeconds } = options(given, "recover");
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
    const backend = this.#backend;
    this.#backend = undefined;
    backend?.close();
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
