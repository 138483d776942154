// The worker thread of a queue, as the main thread sees it.

import { Worker } from "node:worker_threads";
import { QueueError, isExhaustion } from "../errors.js";
import { inTurn } from "../turns.js";

/** A worker thread with the component. It makes one call at a time. One that died is replaced by the next call. */
export class Thread {
  #directory;
  #worker;
  /** Settles the call that the worker makes. */
  #running;
  #inTurn = inTurn();
  /** The queue, and its open drafts, bodies and listings. */
  #users = 1;

  /** Whether the queue refuses changes, as of the last call. */
  needsRecovery = false;

  constructor(directory) {
    this.#directory = directory;
  }

  /** Makes a call in the worker. The buffers in `transfer` are moved to it. */
  call(name, operands = [], transfer = []) {
    return this.#inTurn(async () => {
      const worker = (this.#worker ??= this.#start());
      // The process ends when only idle workers are left.
      worker.ref();
      try {
        const { value, problem, needsRecovery } = await new Promise((resolve, reject) => {
          this.#running = { resolve, reject };
          worker.postMessage({ name, operands }, transfer);
        });
        this.needsRecovery = needsRecovery;
        if (problem !== undefined) {
          throw new QueueError(problem);
        }
        return value;
      } finally {
        worker.unref();
      }
    });
  }

  /** Keeps the worker until `release`. */
  retain() {
    this.#users++;
  }

  /** Ends the worker after the calls that were made, if this was its last user. */
  release() {
    if (--this.#users === 0) {
      this.#inTurn(() => this.#worker?.terminate());
    }
  }

  #start() {
    const { needsRecovery } = this;
    const worker = newWorker({ directory: this.#directory, needsRecovery });
    worker.on("message", (answer) => {
      // A late answer of a lost worker is none to a call of the next one.
      if (this.#worker === worker) {
        this.#running.resolve(answer);
      }
    });
    // A trap of the component is an uncaught exception of the worker, which ends it.
    worker.on("error", (error) => this.#lose(worker, failure(error)));
    worker.on("exit", () => this.#lose(worker, { code: "component", detail: "the worker thread of the component was ended" }));
    return worker;
  }

  #lose(worker, fields) {
    if (this.#worker === worker) {
      this.#worker = undefined;
      this.#running?.reject(new QueueError(fields));
    }
  }
}

function newWorker(workerData) {
  try {
    return new Worker(new URL("./worker.js", import.meta.url), { name: "queue-store", execArgv: [], workerData });
  } catch (error) {
    throw new QueueError(failure(error));
  }
}

/** Returns the fields of the error by which a worker ended. */
function failure(error) {
  const message = error?.message ?? `${error}`;
  return isExhaustion(message)
    ? { code: "busy", detail: `the process is out of descriptors, threads or memory: ${message}` }
    : { code: "component", detail: `the component failed: ${message}` };
}
