/**
 * A durable mail queue. The functions and records are those of the contract (`wit/` in the project), which documents
 * their guarantees in full.
 *
 * @example
 * import { Queue } from "queue-store";
 *
 * const queue = await Queue.open("mails");
 * const id = await queue.put("Subject: hello\r\n\r\nhello\r\n", { sender: "a@example.com", to: ["b@example.com"] });
 */

import type { Readable, Writable } from "node:stream";

/** ready: chasquid delivers it. held: invisible to chasquid. quarantined: set aside as damaged. */
export type State = "ready" | "held" | "quarantined";

/** full: survives power loss. content-only: not lost in part. none: survives only the process. */
export type Durability = "full" | "content-only" | "none";

/** text: chasquid reads it. binary: smaller and faster, for this library alone. */
export type Format = "text" | "binary";

/** The part of an item that was verified against its checksum. */
export type Integrity = "unchecked" | "envelope" | "whole";

/** The part of each item that a listing reads. */
export type Detail = "name" | "envelope" | "whole";

/** A body: bytes, or a string, which is encoded as UTF-8. */
export type Body = string | ArrayBufferView | ArrayBufferLike;

/** A time: seconds since 1970, and nanoseconds within the second. */
export interface Timestamp {
  seconds: number;
  nanos: number;
}

/** One delivery. */
export interface Recipient {
  address: string;
  /** 0 EMAIL, 1 PIPE, 2 FORWARD. */
  kind: number;
  /** 0 PENDING, 1 SENT, 2 FAILED. */
  status: number;
  lastFailureMessage: string;
  originalAddress: string;
  via: string[];
}

/** A delivery whose missing fields are EMAIL, PENDING and empty. */
export type NewRecipient = Pick<Recipient, "address"> & Partial<Recipient>;

/** Who sent a mail and who gets it. */
export interface Envelope {
  reversePath: string;
  to: string[];
  recipients: Recipient[];
  createdAt: Timestamp | null;
}

/** The envelope of a mail that is put. */
export interface MailOptions {
  /** The reverse-path; empty: the null reverse-path, which reads back as `<>`. */
  sender: string;
  /** The addresses of the envelope. Without `recipients`, each gets an EMAIL delivery. */
  to: Iterable<string>;
  recipients?: Iterable<NewRecipient>;
  /** When the mail was accepted; by default now. */
  createdAt?: Timestamp | Date;
  /** The id; by default a generated one. */
  id?: string;
}

/** How items are written. */
export interface WriteOptions {
  /** Default: full. */
  durability?: Durability;
  /** Default: text. */
  format?: Format;
  /** Refuses the mail with `queue-full` where the queue holds this many items. */
  maxItems?: number;
  /** Refuses a larger body with `too-large`. */
  maxBodyBytes?: number;
}

/** An item, verified whole. */
export interface Item {
  id: string;
  envelope: Envelope;
  body: Buffer;
}

/** The facts about an item. */
export interface ItemInfo {
  id: string;
  state: State;
  format: Format;
  integrity: Integrity;
  envelope: Envelope;
  /** Bytes. */
  fileSize: number;
  /** Bytes; null where only reading the body would tell it. */
  bodySize: number | null;
  /** Changes with each change. */
  revision: string;
  /** The field `ID`, where that is not the id. */
  recordedId: string | null;
}

/** An item of a listing. */
export interface Entry {
  id: string;
  state: State;
  /** null where the detail is "name", or the item is damaged. */
  info: ItemInfo | null;
  /** What is wrong with the item. */
  problem: QueueError | null;
}

/** What a call for several items did with one of them. */
export interface Outcome {
  id: string | null;
  /** null where it succeeded. */
  problem: QueueError | null;
}

/** Files in the directory, by kind. */
export interface Counts {
  ready: number;
  held: number;
  quarantined: number;
  temporary: number;
  foreign: number;
}

/** The report of a recovery. */
export interface Recovery {
  durableItems: number;
  damagedItems: number;
  temporaryRemoved: number;
  temporaryKept: number;
  rewritten: number;
  problems: QueueError[];
  /** There were more problems. */
  truncated: boolean;
}

/** The result of one delivery. */
export interface Attempt {
  /** The index of the recipient. */
  recipient: number;
  /** 0 PENDING, 1 SENT, 2 FAILED. */
  status: number;
  /** The message of a failure; by default empty. */
  message?: string;
}

/** New values of the parts of an envelope that change. */
export interface Change {
  sender?: string;
  to?: Iterable<string>;
  recipients?: Iterable<NewRecipient>;
  createdAt?: Timestamp | Date;
  /** Refuses the change with `conflict` where the item has another revision. */
  ifRevision?: string;
  durability?: Durability;
}

/** The codes of the contract; "directory": it cannot be opened or created; "component": see `QueueError`. */
export type ErrorCode =
  | "invalid-argument"
  | "not-found"
  | "exists"
  | "conflict"
  | "corrupt"
  | "checksum-mismatch"
  | "id-mismatch"
  | "too-large"
  | "queue-full"
  | "no-space"
  | "quota"
  | "read-only"
  | "access"
  | "unsupported"
  | "busy"
  | "io"
  | "aborted"
  | "indeterminate"
  | "needs-recovery"
  | "other"
  | "directory"
  | "component";

/**
 * An error of the queue. Callers decide by `code` alone; the message is one line for people.
 *
 * After `indeterminate` and `needs-recovery` the queue refuses changes until `recover`; after every other code of the
 * contract nothing was changed. "component": it needed more memory or time than it may have, or trapped, which is a bug
 * in it; the effect of the call is complete or absent, and may not survive power loss.
 */
export class QueueError extends Error {
  private constructor();
  readonly name: "QueueError";
  readonly code: ErrorCode;
  readonly operation: string;
  readonly path: string;
  readonly detail: string;
  /** The place where the text of an item stopped making sense: `offset` in bytes, from 0; line and column in characters, from 1. */
  readonly position: { offset: number; line: number; column: number } | null;
}

/**
 * The queue in a directory, or in a database of PostgreSQL. Calls may run at once, and none blocks the event loop: each takes a thread of Node's pool
 * (`UV_THREADPOOL_SIZE`, by default 4). Promises reject with `QueueError`, or with `TypeError` for a wrong argument, such as
 * a misspelt option.
 */
export class Queue {
  private constructor();

  /**
   * Opens the queue in a directory, or the one that a URL names: `postgres://user@host1,host2/database?queue=name`. By
   * default it creates the directory durably, with mode 0700, and recovers the queue, removing temporary files that are at
   * least 36 hours old. A database must exist, and gets the tables of queues, whatever `create` is.
   */
  static open(
    path: string | URL,
    options?: { create?: boolean; recover?: boolean; graceSeconds?: number },
  ): Promise<Queue>;

  /** The directory, as it was given; the URL without its password. */
  readonly path: string;

  /** Queues a mail. It survives power loss when the promise resolves to its id. */
  put(body: Body, options: MailOptions & WriteOptions): Promise<string>;

  /** Queues several mails with one fsync of the directory for all. */
  putMany(mails: Iterable<MailOptions & { body: Body }>, options?: WriteOptions): Promise<Outcome[]>;

  /** Begins a mail that is written as a stream. */
  draft(options: MailOptions & WriteOptions): Draft;

  /** Queues a mail from an untrusted source: addresses are taken from an allow-list. */
  submit(body: Body, options: { sender: string; to: Iterable<string> }): Promise<string>;

  /** Generates an id for a put, for a caller that must know it before the put can fail. */
  newId(): Promise<string>;

  /** Reads an item, verified whole. */
  get(id: string): Promise<Item>;

  /** Reads the facts about an item, without its body. */
  info(id: string): Promise<ItemInfo>;

  /** Opens the body of an item, from `offset` on. A stream that ends without an error was intact, if `offset` is 0. */
  body(id: string, options?: { offset?: number }): Readable;

  /** Lists every item with its envelope, in no order. */
  [Symbol.asyncIterator](): AsyncGenerator<Entry, void, undefined>;

  /** Lists the items in these states (none given: all), in no order. */
  items(options?: { states?: Iterable<State>; detail?: Detail }): AsyncGenerator<Entry, void, undefined>;

  /** Counts the files in the directory by kind. */
  count(): Promise<Counts>;

  /** Verifies whole items in any state. */
  verify(ids: Iterable<string>): Promise<Outcome[]>;

  /** Replaces parts of an item's envelope. Resolves to its new revision. */
  update(id: string, change: Change): Promise<string>;

  /** Records the results of deliveries. Resolves to the item's new revision. */
  recordAttempts(
    id: string,
    attempts: Iterable<Attempt>,
    options?: { ifRevision?: string; durability?: Durability },
  ): Promise<string>;

  /** Moves items to a state. */
  setState(ids: Iterable<string>, state: State): Promise<Outcome[]>;

  /** Makes an item invisible to chasquid until `release`. */
  hold(id: string): Promise<void>;

  /** Takes a hold back, and restores an item from quarantine. */
  release(id: string): Promise<void>;

  /** Sets an item aside, where even a damaged one harms no reader. */
  quarantine(id: string): Promise<void>;

  /** Removes an item in one of these states (none given: ready and held). */
  remove(id: string, options?: { states?: Iterable<State>; durability?: Durability }): Promise<void>;

  /** Removes items with one fsync of the directory for all. */
  removeMany(
    ids: Iterable<string>,
    options?: { states?: Iterable<State>; durability?: Durability },
  ): Promise<Outcome[]>;

  /** Writes new checksums for items that were edited by hand, or have none. */
  seal(ids: Iterable<string>): Promise<Outcome[]>;

  /**
   * Makes the queue's state definite, and opens it for changes: after `indeterminate` or `needs-recovery`. Temporary files
   * that are at least as old as the grace, by default 36 hours, are removed; 0 requires that no other process writes.
   */
  recover(options?: { graceSeconds?: number }): Promise<Recovery>;

  /** Whether the queue refuses changes until `recover`, because an fsync failed. */
  readonly needsRecovery: boolean;

  /** The limits of the component, by name. */
  limits(): Promise<Record<string, number>>;

  /** The counters of this queue since it was opened, by name. */
  counters(): Promise<Record<string, number>>;

  /** The component's name, its version, the contract and the format version. */
  about(): Promise<Record<string, string>>;

  /** Lets the queue go; later calls are a `TypeError`. Calls that run come to their ends. */
  close(): void;

  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A mail that is being written. When the stream has finished, the mail is durable and `id` is its id. Destroyed before
 * its end, it leaves nothing; so does the end of an `await using` block before the commit. Destroyed after its end, while
 * the commit goes on, it closes when that is over, and `id` tells how. An error that no listener of `error` takes is told by
 * `commit` and `pipeline` alone, and does not end the process.
 */
export class Draft extends Writable {
  private constructor();

  /** The id of the item; null before the stream has finished. */
  readonly id: string | null;

  /**
   * Ends the mail. Resolves to its id when it is durable. While a stream that has not ended is piped into the draft, it
   * destroys the draft and rejects. (An iterable that a `pipeline` writes is not noticed: await the `pipeline` first.)
   */
  commit(): Promise<string>;

  [Symbol.asyncDispose](): Promise<void>;
}
