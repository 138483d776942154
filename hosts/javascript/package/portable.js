// The durable mail queue without native code: see portable.d.ts.

import { PortableQueue } from "./portable/queue.js";
import { BaseQueue, openQueue } from "./queue.js";

export { Draft } from "./draft.js";
export { QueueError } from "./errors.js";

export class Queue extends BaseQueue {
  static async open(path, options) {
    return openQueue(Queue, PortableQueue, path, options);
  }
}
