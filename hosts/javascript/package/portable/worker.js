// The worker thread of a queue: the component, and the calls that the main thread has it make.
//
// An exception that is no error of the contract, such as a trap, is not caught: it ends the worker, with the instance and
// the descriptors of its files.

import { readFileSync, statSync } from "node:fs";
import { parentPort, threadId, workerData } from "node:worker_threads";
import { isExhaustion } from "../errors.js";
import { instantiate } from "./component/queue_store.js";
import { createDirectory } from "./directory.js";
import { system } from "./wasi.js";

const CHUNK_BYTES = 64 << 10;
const PAGE_ITEMS = 1000;
/** The memory that the Rust library gives a component. */
const MAX_BATCH_BYTES = 256 << 20;

const TOO_LARGE = {
  code: "too-large",
  detail: "the body is larger than `max-body-bytes`, or than `max-list-body-bytes` where it comes in one piece",
};

const { directory } = workerData;

/** The instance of the component and its queue, once a call needed them. */
let opened;

/** The open drafts, bodies and listings with their instances, by handles that no other worker gives out. */
const resources = new Map();
let resourcesBegun = 0;

/** An error with the fields of the contract's record `error`, as the component's are thrown. */
class Failure extends Error {
  constructor(payload) {
    super(payload.detail);
    this.payload = payload;
  }
}

/** Does something with the queue's directory. */
function withDirectory(work) {
  try {
    return work();
  } catch (error) {
    const code = isExhaustion(error.message) ? "busy" : "directory";
    throw new Failure({ code, path: directory, detail: error.message });
  }
}

/** Returns the instance, a new one where another directory has the place of the one that was opened. */
function instance() {
  const { dev, ino } = withDirectory(() => statSync(directory, { bigint: true }));
  if (opened?.dev !== dev || opened.ino !== ino) {
    const replaced = opened;
    opened = { dev, ino, ...open() };
    if (replaced !== undefined) {
      closeUnused(replaced);
    } else if (workerData.needsRecovery) {
      opened.queue.requireRecovery();
    }
  }
  return opened;
}

/** Opens the queue in a new instance. */
function open() {
  const { imports, close } = withDirectory(() => system(directory));
  try {
    const exports = instantiate(coreModule, imports);
    return { ...exports, queue: exports.queueStore.Queue.open(directory), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Closes the descriptors of an instance that was replaced and has no resource. */
function closeUnused(instance) {
  if (instance !== opened && ![...resources.values()].some(({ owner }) => owner === instance)) {
    instance.close();
  }
}

function coreModule(name) {
  return new WebAssembly.Module(readFileSync(new URL(`./component/${name}`, import.meta.url)));
}

function queue() {
  return instance().queue;
}

/** Keeps a resource, and returns its handle. */
function keep(resource) {
  const handle = `${threadId}.${++resourcesBegun}`;
  resources.set(handle, { resource, owner: opened });
  return handle;
}

function found(handle) {
  const found = resources.get(handle);
  if (found === undefined) {
    throw new Failure({ code: "component", detail: "the component was lost since, and its drafts, bodies and listings with it" });
  }
  return found;
}

function resource(handle) {
  return found(handle).resource;
}

/** Makes the last call of a resource. */
function end(handle, last) {
  const { resource, owner } = found(handle);
  resources.delete(handle);
  try {
    return last(resource);
  } finally {
    closeUnused(owner);
  }
}

/** The calls: those of the addon's classes. */
const calls = {
  open(create) {
    if (create) {
      withDirectory(() => createDirectory(directory));
    }
    queue();
  },
  newId: () => instance().queueStore.newId(),
  put(id, mail, body, options) {
    if (body.length <= CHUNK_BYTES) {
      return queue().put(id, { envelope: envelope(mail), body }, writeOptions(options));
    }
    if (body.length > maxListBodyBytes()) {
      throw new Failure(TOO_LARGE);
    }
    return writeAndCommit(queue().begin(id, envelope(mail), writeOptions(options)), body);
  },
  putMany,
  begin: (id, mail, options) => keep(queue().begin(id, envelope(mail), writeOptions(options))),
  write: (handle, data) => write(resource(handle), data),
  commit: (handle) => end(handle, commit),
  abandon: (handle) => end(handle, (draft) => draft.constructor.abandon(draft)),
  submit,
  get: (id) => queue().get(id),
  info: (id) => queue().info(id),
  read: (id, offset) => keep(queue().read(id, BigInt(offset))),
  readChunk: (handle) => resource(handle).read(CHUNK_BYTES),
  items: (states, detail) => keep(queue().items(states, detail)),
  next: (handle) => resource(handle).next(PAGE_ITEMS) ?? [],
  close(handle) {
    if (resources.has(handle)) {
      end(handle, (resource) => resource[Symbol.dispose]());
    }
  },
  count: () => queue().count(),
  verify: (ids) => queue().verify(ids),
  update(id, change, durability) {
    return queue().update(id, { ...change, createdAt: timestamp(change.createdAt) }, durability);
  },
  recordAttempts: (id, attempts, ifRevision, durability) => queue().recordAttempts(id, attempts, ifRevision, durability),
  setState: (ids, state) => queue().setState(ids, state),
  remove: (ids, states, durability) => queue().remove(ids, states, durability),
  seal: (ids) => queue().seal(ids),
  recover: (graceSeconds) => queue().recover(graceSeconds),
  limits: () => named(instance().introspection.limits()),
  counters: () => named(instance().introspection.counters()),
  about: () => named(instance().introspection.about()),
};

/**
 * Puts several mails. Bodies that the component would refuse, or has no memory for, do not reach it: with a trap, the
 * open drafts would be lost.
 */
function putMany(mails, options) {
  const limit = maxListBodyBytes();
  const isTooLarge = ({ body }) => body.length > limit;
  const list = mails
    .filter((mail) => !isTooLarge(mail))
    .map((mail) => ({ id: mail.id, mail: { envelope: envelope(mail.envelope), body: mail.body } }));
  if (list.reduce((bytes, { mail }) => bytes + mail.body.length, 0) > MAX_BATCH_BYTES) {
    throw new Failure({ code: "component", detail: `the bodies of a call have more than ${MAX_BATCH_BYTES} bytes` });
  }
  const outcomes = queue().putMany(list, writeOptions(options)).values();
  return mails.map((mail) => (isTooLarge(mail) ? { id: mail.id, problem: TOO_LARGE } : outcomes.next().value));
}

/** Returns how many bytes a body has at most that comes in one piece. */
function maxListBodyBytes() {
  return Number(Object.fromEntries(instance().introspection.limits())["max-list-body-bytes"]);
}

/** Appends bytes to a draft or a submission. */
function write(draft, bytes) {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    draft.write(bytes.subarray(start, start + CHUNK_BYTES));
  }
}

function commit(draft) {
  return draft.constructor.commit(draft);
}

/** Writes a body to a draft or a submission, and commits it. The memory of the component has one chunk of it. */
function writeAndCommit(draft, body) {
  try {
    write(draft, body);
  } catch (error) {
    draft[Symbol.dispose]();
    throw error;
  }
  return commit(draft);
}

/** Submits a mail. The intake of the component has a queue of its own, which is as closed as the other one. */
function submit(reversePath, to, body) {
  const { queue, intake } = instance();
  if (queue.needsRecovery()) {
    const detail = "an fsync failed before; the queue refuses changes until `recover`";
    throw new Failure({ code: "needs-recovery", path: directory, detail });
  }
  try {
    return body.length <= CHUNK_BYTES
      ? intake.submit(reversePath, to, body)
      : writeAndCommit(intake.Submission.begin(reversePath, to), body);
  } catch (error) {
    if (["indeterminate", "needs-recovery"].includes(error.payload?.code)) {
      queue.requireRecovery();
    }
    throw error;
  }
}

function envelope({ createdAt, ...fields }) {
  return { ...fields, createdAt: timestamp(createdAt) };
}

function timestamp(time) {
  return time && { ...time, seconds: BigInt(time.seconds) };
}

function writeOptions({ maxItems, maxBodyBytes, ...fields }) {
  const integer = (count) => (count === undefined ? undefined : BigInt(count));
  return { ...fields, maxItems: integer(maxItems), maxBodyBytes: integer(maxBodyBytes) };
}

function named(list) {
  return list.map(([name, value]) => ({ name, value }));
}

/** Returns a value of the component as the addon would: its integers are numbers. Adds the buffers of bytes to `transfer`. */
function plain(value, transfer) {
  if (typeof value === "bigint") {
    return Number(value);
  }
  if (value instanceof Uint8Array) {
    transfer.push(value.buffer);
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((element) => plain(element, transfer));
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field, transfer)]));
  }
  return value;
}

parentPort.on("message", ({ name, operands }) => {
  const transfer = [];
  const answer = {};
  try {
    answer.value = plain(calls[name](...operands), transfer);
  } catch (error) {
    if (error.payload === undefined) {
      throw error;
    }
    answer.problem = plain(error.payload, transfer);
  }
  answer.needsRecovery = opened?.queue.needsRecovery() ?? workerData.needsRecovery;
  parentPort.postMessage(answer, transfer);
});
