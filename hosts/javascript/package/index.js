// The durable mail queue: see index.d.ts for the documentation of everything that is exported.

import { NativeQueue } from "./native.js";
import { BaseQueue, openQueue } from "./queue.js";

export { Draft } from "./draft.js";
export { QueueError } from "./errors.js";

export class Queue extends BaseQueue {
  static async open(path, options) {
    return openQueue(Queue, NativeQueue, path, options);
  }
}
