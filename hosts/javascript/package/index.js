// The durable mail queue: see index.d.ts for the documentation of everything that is exported.

export { Draft } from "./draft.js";
export { QueueError } from "./errors.js";
export { Queue } from "./queue.js";
