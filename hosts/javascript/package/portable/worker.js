// The worker thread of a queue: the component, and the calls that the main thread has it make.
//
// An exception that is no error of the contract, such as a trap, is not caught: it ends the worker, with the instance and
// the descriptors of its files.

import { readFileSync, statSync } from "node:fs";
import { parentPort, threadId, workerData } from "node:worker_threads";
import { instantiate } from "./component/queue_store.js";
import { createDirectory } from "./directory.js";
import { system } from "./wasi.js";

const CHUNK_BYTES = 64 << 10;
const PAGE_ITEMS = 1000;

const { directory } = workerData;

/** The instance of the component and its queue, once a call needed them. */
let opened;

/** The open drafts, bodies and listings, by handles that no other worker gives out. */
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
    throw new Failure({ code: "directory", path: directory, detail: error.message });
  }
}

/** Returns the instance, a new one where another directory has the place of the one that was opened. */
function instance() {
  const { dev, ino } = withDirectory(() => statSync(directory, { bigint: true }));
  if (opened?.dev !== dev || opened.ino !== ino) {
    const isFirst = opened === undefined;
    const exports = instantiate(coreModule, withDirectory(() => system(directory)));
    opened = { dev, ino, ...exports, queue: exports.queueStore.Queue.open(directory) };
    if (isFirst && workerData.needsRecovery) {
      opened.queue.requireRecovery();
    }
  }
  return opened;
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
  resources.set(handle, resource);
  return handle;
}

function resource(handle) {
  const found = resources.get(handle);
  if (found === undefined) {
    throw new Failure({ code: "component", detail: "the component was lost since, and its drafts, bodies and listings with it" });
  }
  return found;
}

/** Returns a resource for its last call. */
function take(handle) {
  const found = resource(handle);
  resources.delete(handle);
  return found;
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
  put: (id, mail, body, options) => queue().put(id, { envelope: envelope(mail), body }, writeOptions(options)),
  putMany(mails, options) {
    const list = mails.map((mail) => ({ id: mail.id, mail: { envelope: envelope(mail.envelope), body: mail.body } }));
    return queue().putMany(list, writeOptions(options));
  },
  begin: (id, mail, options) => keep(queue().begin(id, envelope(mail), writeOptions(options))),
  write(handle, data) {
    const draft = resource(handle);
    for (let start = 0; start < data.length; start += CHUNK_BYTES) {
      draft.write(data.subarray(start, start + CHUNK_BYTES));
    }
  },
  commit(handle) {
    const draft = take(handle);
    return draft.constructor.commit(draft);
  },
  abandon(handle) {
    const draft = take(handle);
    draft.constructor.abandon(draft);
  },
  submit,
  get: (id) => queue().get(id),
  info: (id) => queue().info(id),
  read: (id, offset) => keep(queue().read(id, BigInt(offset))),
  readChunk: (handle) => resource(handle).read(CHUNK_BYTES),
  items: (states, detail) => keep(queue().items(states, detail)),
  next: (handle) => resource(handle).next(PAGE_ITEMS) ?? [],
  close(handle) {
    resources.get(handle)?.[Symbol.dispose]();
    resources.delete(handle);
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

/** Submits a mail. The intake of the component has a queue of its own, which is as closed as the other one. */
function submit(reversePath, to, body) {
  const { queue, intake } = instance();
  if (queue.needsRecovery()) {
    const detail = "an fsync failed before; the queue refuses changes until `recover`";
    throw new Failure({ code: "needs-recovery", path: directory, detail });
  }
  try {
    return intake.submit(reversePath, to, body);
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
