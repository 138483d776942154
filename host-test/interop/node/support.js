// What the tests share.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { openQueueStore } from "./queue_store.js";

/** A new instance, which has the test's queue unless it is told otherwise. */
export function openQueue(preopens = { queue: "queue" }) {
  return openQueueStore(preopens);
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

export function options(changes = {}) {
  return { settings: [], ...changes };
}

export function bytes(text) {
  return new TextEncoder().encode(text);
}

export function text(bytes) {
  return new TextDecoder().decode(bytes);
}

/** Calls something that must fail with this code, of this operation, on this path; returns the error. */
export function refused(code, operation, path, call) {
  let value;
  try {
    value = call();
  } catch (error) {
    // An error of the contract has its record as `payload`; anything else is a failure of the test.
    if (error?.payload === undefined) {
      throw error;
    }
    return says(error.payload, code, operation, path);
  }
  assert.fail(`it returned ${JSON.stringify(value)}, and not ${code}`);
}

/** Every field of an error can be read. A path that ends in `*` has anything there: a random name. */
export function says(error, code, operation, path) {
  assert.deepEqual([error.code, error.operation], [code, operation]);
  if (path.endsWith("*")) {
    assert.ok(error.path.startsWith(path.slice(0, -1)) && error.path.length >= path.length, error.path);
  } else {
    assert.equal(error.path, path);
  }
  assert.ok(typeof error.detail === "string" && error.detail !== "", "it has no detail");
  if (code !== "corrupt") {
    assert.equal(error.at, undefined);
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
