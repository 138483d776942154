// Queues in a database. The tests that need one run by `hosts/conformance/postgres`, which starts a cluster.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { inspect } from "node:util";
import { IS_PORTABLE, Queue, QueueError } from "./entry.js";

const DATABASE = process.env.QUEUE_STORE_DATABASE;
const MAIL = { sender: "a@example.com", to: ["b@example.com"] };

const testWithDatabase = (name, run) =>
  test(name, { skip: (DATABASE === undefined && "there is no database: hosts/conformance/postgres starts one") || IS_PORTABLE }, run);

const urlOf = (name) => `${DATABASE}?queue=javascript-${name}-${process.pid}`;

let directory, before;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "queue-store-"));
  before = process.cwd();
  process.chdir(directory);
});

afterEach(() => {
  process.chdir(before);
  rmSync(directory, { recursive: true });
});

test("a password is in no error", async () => {
  for (const [url, code] of [
    ["postgres://q:secret@127.0.0.1:1/mail?timeout=1", "io"],
    [new URL("postgres://q:secret@127.0.0.1:1/mail?timeout=1"), "io"],
    ["postgres://q:p@secret@127.0.0.1:1/mail?timeout=1", "invalid-argument"],
    ["postgres://q:secret@127.0.0.1:x/mail", "invalid-argument"],
    ["postgres:/q:secret@127.0.0.1:1/mail", "invalid-argument"],
    ["POSTGRES://q:secret@127.0.0.1:1/mail", "invalid-argument"],
    ["mysql://q:secret@127.0.0.1:1/mail", "invalid-argument"],
    [new URL("mysql://q:secret@127.0.0.1:1/mail"), "invalid-argument"],
  ]) {
    await assert.rejects(Queue.open(url), (error) => {
      assert(error instanceof QueueError, `${error}`);
      assert.equal(error.code, IS_PORTABLE ? "unsupported" : code, error.message);
      assert(!inspect(error).includes("secret"), inspect(error));
      return true;
    });
  }
  assert.deepEqual(readdirSync("."), []);
});

test("a directory of that name is opened by a dot", async () => {
  const queue = await Queue.open("./postgres://db/mail");
  const id = await queue.put("body", MAIL);
  assert.deepEqual(readdirSync("postgres:/db/mail"), [`m:${id}`]);
  assert.equal(queue.path, "./postgres://db/mail");
  queue.close();
});

testWithDatabase("a password is not shown", async () => {
  const queue = await Queue.open(urlOf("shown").replace("://queue@", "://queue:secret@"));
  assert.equal(queue.path, urlOf("shown"));
  assert(!inspect(queue, { showHidden: true, depth: 9 }).includes("secret"));
  queue.close();
});

testWithDatabase("a mail is put, read and removed", async () => {
  const queue = await Queue.open(urlOf("mail"), { create: false });
  const id = await queue.put("body", MAIL);
  const again = await Queue.open(urlOf("mail"));
  assert.equal((await again.get(id)).body.toString(), "body");
  await again.remove(id);
  await assert.rejects(queue.get(id), { code: "not-found" });
  assert.equal(queue.needsRecovery, false);
  queue.close();
  await assert.rejects(queue.get(id), TypeError);
  again.close();
});

testWithDatabase("a missing database is not found", async () => {
  const url = DATABASE.replace(/[^/]*$/, "none");
  await assert.rejects(Queue.open(url), (error) => error instanceof QueueError && error.code === "not-found");
});
