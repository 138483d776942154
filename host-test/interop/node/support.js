// Support for the tests.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { openQueueStore } from "./queue_store.js";

/** Creates an instance, which has the test's directory as `queue` unless other directories are given. */
export function openHost(preopens = { queue: "queue" }) {
  return openQueueStore(preopens);
}

/** Opens a queue, in an instance of its own unless one is given. */
export function openQueue(host = openHost(), path = "queue") {
  return host.queueStore.Queue.open(path);
}

export function recipient(address) {
  return { address, kind: 0, status: 0, lastFailureMessage: "", originalAddress: address, via: [] };
}

export function envelope(changes = {}) {
  return {
    reversePath: "a@example.com",
    to: ["b@example.com"],
    recipients: [recipient("b@example.com")],
    createdAt: { seconds: 1_760_785_824n, nanos: 123_456_789 },
    ...changes,
  };
}

export function mail(body = "body", changes = {}) {
  return { envelope: envelope(changes), body: typeof body === "string" ? bytes(body) : body };
}

/** The report of a recovery that found nothing to do. */
export function recovery(changes = {}) {
  return {
    durableItems: 0n,
    damagedItems: 0n,
    temporaryRemoved: 0n,
    temporaryKept: 0n,
    rewritten: 0n,
    problems: [],
    truncated: false,
    ...changes,
  };
}

/** Every entry of a listing, sorted by id. */
export function listed(queue, states = [], detail = "envelope") {
  const listing = queue.items(states, detail);
  const entries = [];
  for (let page; (page = listing.next(2)) !== undefined; entries.push(...page)) {
    assert.ok(page.length >= 1 && page.length <= 2);
  }
  listing[Symbol.dispose]();
  return entries.sort((one, other) => (one.id < other.id ? -1 : 1));
}

export function bytes(text) {
  return new TextEncoder().encode(text);
}

export function text(bytes) {
  return new TextDecoder().decode(bytes);
}

/** Calls a function that must fail with this code, of this operation, on this path; returns the error. */
export function refused(code, operation, path, call) {
  let value;
  try {
    value = call();
  } catch (error) {
    // An error of the contract has its record as `payload`; anything else is a failure of the test.
    if (error?.payload === undefined) {
      throw error;
    }
    return has(error.payload, code, operation, path);
  }
  assert.fail(`it returned ${JSON.stringify(value)}, and not ${code}`);
}

/** Checks every field of an error. Where the path ends in `*`, the path of the error begins with it. */
export function has(error, code, operation, path) {
  assert.deepEqual([error.code, error.operation], [code, operation]);
  if (path.endsWith("*")) {
    assert.ok(error.path.startsWith(path.slice(0, -1)) && error.path.length >= path.length, error.path);
  } else {
    assert.equal(error.path, path);
  }
  assert.ok(typeof error.detail === "string" && error.detail !== "", "it has no detail");
  if (code !== "corrupt") {
    assert.equal(error.position, undefined);
  }
  return error;
}

/** The problem of the only outcome. */
export function problem(outcomes) {
  assert.equal(outcomes.length, 1);
  return outcomes[0].problem;
}

export function names() {
  return readdirSync("queue").sort();
}
