/**
 * The queue of `queue-store` without native code: the component, transpiled to JavaScript and WebAssembly, in a worker
 * thread of each queue. The classes, errors and guarantees are the same. What differs: it is slower, and the calls of one
 * queue run one after another; its drafts, bodies and listings share one instance, so that the 65th open draft or body and
 * the 17th listing are "busy" (a `put` of more than 64 KiB takes a draft); an error "component" takes all of them with it;
 * the memory and time of the component have no limits, and `counters` begin anew after such an error.
 *
 * @example
 * import { Queue } from "queue-store/portable";
 *
 * await using queue = await Queue.open("mails");
 */

export * from "./index.js";
