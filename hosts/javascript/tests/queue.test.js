// The queue: what README.md says, and what a host must not break.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Queue, QueueError } from "./entry.js";

const MAIL = { sender: "a@example.com", to: ["b@example.com"] };

let directory, path, queue;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "queue-store-"));
  path = join(directory, "queue");
  queue = await Queue.open(path);
});

afterEach(() => rmSync(directory, { recursive: true }));

async function all(iterable) {
  const values = [];
  for await (const value of iterable) {
    values.push(value);
  }
  return values;
}

/** Resolves when a draft has its body. */
const written = (draft) => new Promise((resolve) => draft.write("body", resolve));

const code = (expected) => (error) => {
  assert(error instanceof QueueError, `${error}`);
  assert.equal(error.code, expected);
  assert.match(error.message, /^\P{Cc}+$/u);
  return true;
};

test("a mail is put and got", async () => {
  for (const size of [0, 1, 5000, 65_536, 65_537, 300_000]) {
    const body = randomBytes(size);
    const item = await queue.get(await queue.put(body, MAIL));
    assert.deepEqual(item.body, body);
    assert.deepEqual([item.envelope.reversePath, item.envelope.to], [MAIL.sender, MAIL.to]);
    assert.deepEqual(item.envelope.recipients.map(({ address }) => address), MAIL.to);
  }
});

test("a body is a string or bytes", async () => {
  const bytes = new Uint8Array([0, 1, 2, 3, 4]);
  for (const [body, expected] of [
    ["grüße", Buffer.from("grüße")],
    [bytes, Buffer.from(bytes)],
    [bytes.subarray(1, 3), Buffer.from([1, 2])],
    [bytes.buffer, Buffer.from(bytes)],
    [new DataView(bytes.buffer, 1, 2), Buffer.from([1, 2])],
  ]) {
    assert.deepEqual((await queue.get(await queue.put(body, MAIL))).body, expected);
  }
  for (const body of [undefined, null, 5, {}, ["x"], true]) {
    await assert.rejects(queue.put(body, MAIL), TypeError);
  }
  assert.equal((await queue.count()).ready, 5);
});

test("wrong arguments are type errors", async () => {
  for (const options of [
    { sender: "a@example.com", to: "b@example.com" },
    { sender: "a@example.com" },
    { sender: 5, to: [] },
    { ...MAIL, to: [5] },
    { ...MAIL, durability: "ful" },
    { ...MAIL, maxItems: -1 },
    { ...MAIL, maxItems: 1.5 },
    { ...MAIL, id: 5 },
    { ...MAIL, id: "\ud800" },
    { ...MAIL, sender: "\udc00@example.com" },
    { ...MAIL, to: ["b@example.com", "\ud800"] },
    { ...MAIL, durability: 5 },
    { ...MAIL, createdAt: new Date("garbage") },
    { ...MAIL, createdAt: { seconds: NaN, nanos: 0 } },
    { ...MAIL, recipients: [{ address: "b@example.com", status: "1" }] },
    { ...MAIL, recipients: [{ address: "b@example.com", kind: NaN }] },
  ]) {
    await assert.rejects(queue.put("", options), TypeError, JSON.stringify(options));
  }
  for (const id of [5, "\ud800"]) {
    await assert.rejects(queue.get(id), TypeError);
  }
  await assert.rejects(queue.put("\ud800", MAIL), TypeError);
  await assert.rejects(pipeline(Readable.from(["x", "\ud800"]), queue.draft(MAIL)), TypeError);
  await assert.rejects(queue.verify("x"), TypeError);
  for (const attempt of [{ recipient: NaN, status: 1 }, { recipient: 2 ** 32, status: 1 }, { recipient: 0 }]) {
    await assert.rejects(queue.recordAttempts("x", [attempt]), TypeError);
  }
  await assert.rejects(Queue.open(5), TypeError);
  assert.throws(() => new Queue(), TypeError);
  assert.deepEqual(readdirSync(path), []);
});

test("an unknown option is refused", async () => {
  await queue.put("", { ...MAIL, id: "x" });
  const [recipient, attempt] = [{ address: "b@example.com" }, { recipient: 0, status: 1 }];
  for (const [unknown, known, call] of [
    ["creat", "create, recover, graceSeconds", () => Queue.open(join(directory, "none"), { creat: false })],
    ["durabilty", "sender, to, .*, id, durability, .*", () => queue.put("", { ...MAIL, durabilty: "none" })],
    ["body", "sender, to, .*", async () => queue.draft({ ...MAIL, body: "" })],
    ["id", "sender, to", () => queue.submit("", { ...MAIL, id: "y" })],
    ["format", "sender, to, .*, body", () => queue.putMany([{ ...MAIL, body: "", format: "binary" }])],
    ["durabilty", "durability, format, .*", () => queue.putMany([], { durabilty: "none" })],
    ["ofset", "offset", async () => queue.body("x", { ofset: 1 })],
    ["state", "states, detail", () => all(queue.items({ state: ["held"] }))],
    ["too", "sender, to, .*, ifRevision, durability", () => queue.update("x", { too: ["c@example.com"] })],
    ["ifRevison", "ifRevision, durability", () => queue.recordAttempts("x", [], { ifRevison: "1" })],
    ["reason", "recipient, status, message", () => queue.recordAttempts("x", [{ ...attempt, reason: "" }])],
    ["addr", "address, kind, .*", () => queue.put("", { ...MAIL, recipients: [{ ...recipient, addr: "" }] })],
    ["via_", "address, kind, .*", () => queue.update("x", { recipients: [{ ...recipient, via_: [] }] })],
    ["nanoseconds", "seconds, nanos", () => queue.put("", { ...MAIL, createdAt: { seconds: 1, nanoseconds: 2 } })],
    ["state", "states, durability", () => queue.remove("x", { state: ["quarantined"] })],
    ["state", "states, durability", () => queue.removeMany(["x"], { state: ["quarantined"] })],
    ["grace", "graceSeconds", () => queue.recover({ grace: 0 })],
  ]) {
    const message = new RegExp(`^unknown (option|field) \`${unknown}\`: there are ${known}$`);
    await assert.rejects(call, { name: "TypeError", message }, `${call}`);
  }
  assert.deepEqual([readdirSync(directory), readdirSync(path)], [["queue"], ["m:x"]]);
  assert.deepEqual((await queue.info("x")).envelope.to, MAIL.to);
});

test("options and lists that are none are named", async () => {
  await queue.put("", { ...MAIL, id: "x" });
  const attempt = { recipient: 0, status: 1 };
  for (const [message, call] of [
    ["put needs { sender, to }", () => queue.put("")],
    ["draft needs { sender, to }", async () => queue.draft()],
    ["submit needs { sender, to }", () => queue.submit("")],
    ["update needs { sender, to, recipients or createdAt }", () => queue.update("x")],
    ["attempts is a list of attempts, and not undefined", () => queue.recordAttempts("x")],
    ["attempts is a list of attempts, and not an object of Object", () => queue.recordAttempts("x", attempt)],
    ["attempts is a list of attempts, and not the number 3", () => queue.recordAttempts("x", 3)],
    [
      "each of attempts is an object { recipient, status, message }, and not the number 3",
      () => queue.recordAttempts("x", [3]),
    ],
    ["mails is a list of mails, and not an object of Object", () => queue.putMany({})],
    ["recipients is a list of recipients, and not the number 3", () => queue.put("", { ...MAIL, recipients: 3 })],
    ["recipients is a list of recipients, and not the number 3", () => queue.update("x", { recipients: 3 })],
    ["options is an object { states, durability }, and not an object of Array", () => queue.remove("x", [])],
    ["id is a string, and not the number 5", () => queue.remove(5)],
  ]) {
    await assert.rejects(call, { name: "TypeError", message }, `${call}`);
  }
  await assert.rejects(queue.putMany([null]), { name: "TypeError", message: /^each of mails is an object { sender, / });
  assert.equal((await queue.info("x")).envelope.recipients[0].status, 0);
  assert.deepEqual(readdirSync(path), ["m:x"]);
});

test("options are checked before anything is written", async () => {
  for (const option of [{ create: "no" }, { create: () => true }, { recover: 1 }, { graceSeconds: -1 }]) {
    const [name] = Object.keys(option);
    await assert.rejects(Queue.open(join(directory, "new"), option), (error) => {
      assert(error instanceof TypeError && error.message.startsWith(name), `${error}`);
      return true;
    });
  }
  assert.deepEqual(readdirSync(directory), ["queue"]);
});

test("an empty path is refused", async () => {
  const before = readdirSync(".");
  for (const create of [true, false]) {
    await assert.rejects(Queue.open("", { create }), code("directory"));
  }
  assert.deepEqual(readdirSync("."), before);
});

test("every field of an envelope comes back", async () => {
  const recipient = {
    address: "p|cmd",
    kind: 1,
    status: 2,
    lastFailureMessage: "it failed: —",
    originalAddress: "c@example.com",
    via: ["x@example.com", "y@example.com"],
  };
  const createdAt = new Date("2026-01-02T03:04:05.678Z");
  await queue.put("", { sender: "", to: MAIL.to, recipients: [recipient], createdAt, id: "x", format: "binary" });
  const { fileSize, revision, ...info } = await queue.info("x");
  assert.deepEqual(info, {
    id: "x",
    state: "ready",
    format: "binary",
    integrity: "envelope",
    envelope: {
      reversePath: "<>",
      to: MAIL.to,
      recipients: [recipient],
      createdAt: { seconds: 1767323045, nanos: 678_000_000 },
    },
    bodySize: 0,
    recordedId: null,
  });
  assert(fileSize > 0 && revision !== "");
  const { to, recipients, createdAt: time } = info.envelope;
  await queue.update("x", { to, recipients, createdAt: time });
  assert.deepEqual((await queue.info("x")).envelope, info.envelope);
});

test("put-many has an outcome for each", async () => {
  const mail = { ...MAIL, body: "one", id: "x" };
  const [first, second, third] = await queue.putMany([mail, { ...mail, body: "two" }, { ...MAIL, body: "" }]);
  assert.deepEqual(first, { id: "x", problem: null });
  code("exists")(second.problem);
  assert.equal(third.problem, null);
  assert.equal(`${(await queue.get("x")).body}`, "one");
});

test("a draft and a body are streams", async () => {
  const body = randomBytes(700_000);
  const draft = queue.draft({ ...MAIL, id: "x" });
  await pipeline(Readable.from([body.subarray(0, 3), body.subarray(3)]), draft);
  assert.equal(draft.id, "x");
  assert.deepEqual(Buffer.concat(await queue.body("x").toArray()), body);
  assert.deepEqual(Buffer.concat(await queue.body("x", { offset: 699_990 }).toArray()), body.subarray(699_990));
  const text = queue.draft(MAIL);
  text.write("grüße ");
  text.write("6772c3bcc39f65", "hex");
  assert.equal(`${(await queue.get(await text.commit())).body}`, "grüße grüße");
});

test("a draft that fails leaves nothing", async () => {
  const failing = Readable.from(
    (async function* () {
      yield Buffer.alloc(100_000);
      throw new RangeError("of the source");
    })(),
  );
  await assert.rejects(pipeline(failing, queue.draft(MAIL)), RangeError);
  await assert.rejects(pipeline(Readable.from(["12"]), queue.draft({ ...MAIL, maxBodyBytes: 1 })), code("too-large"));
  await assert.rejects(queue.draft({ ...MAIL, id: "a/b" }).commit(), code("invalid-argument"));
  const draft = queue.draft(MAIL);
  draft.write("x");
  await draft[Symbol.asyncDispose]();
  await draft[Symbol.asyncDispose]();
  assert.equal(draft.id, null);
  assert.deepEqual(readdirSync(path), []);
});

test("puts that fail leave no draft open", async () => {
  for (let number = 0; number < 70; number++) {
    await assert.rejects(queue.put(Buffer.alloc(100_000), { ...MAIL, maxBodyBytes: 70_000 }), code("too-large"));
  }
  await queue.put(Buffer.alloc(100_000), MAIL);
  assert.equal(readdirSync(path).length, 1);
});

test("a body that is damaged or not there ends with an error", async () => {
  await queue.put("Subject: hello\r\n", { ...MAIL, id: "x" });
  const file = join(path, "m:x");
  writeFileSync(file, readFileSync(file, "latin1").replace("hello", "HELLO"), "latin1");
  await assert.rejects(queue.body("x").toArray(), code("checksum-mismatch"));
  await assert.rejects(queue.body("none").toArray(), code("not-found"));
  const stream = queue.body("x");
  stream.destroy();
  await once(stream, "close");
});

test("a listing tells items and damage", async () => {
  await queue.put("", { ...MAIL, id: "x" });
  await queue.put("", { ...MAIL, id: "y" });
  writeFileSync(join(path, "m:z"), "nonsense");
  await queue.hold("y");
  const entries = {};
  for await (const entry of queue) {
    entries[entry.id] = entry;
  }
  assert.deepEqual(entries.x.info.envelope.to, MAIL.to);
  assert.deepEqual([entries.x.state, entries.y.state, entries.x.problem], ["ready", "held", null]);
  code("corrupt")(entries.z.problem);
  assert.equal(entries.z.info, null);
  assert.equal(entries.z.problem.position.line, 1);
  const held = await all(queue.items({ states: ["held"], detail: "name" }));
  assert.deepEqual(held.map(({ id }) => id), ["y"]);
  for await (const { id } of queue) {
    assert.equal(typeof id, "string");
    break;
  }
  const counts = await queue.count();
  assert.deepEqual([counts.ready, counts.held, counts.foreign], [2, 1, 0]);
  const [good, bad] = await queue.verify(["x", "z"]);
  assert.equal(good.problem, null);
  code("corrupt")(bad.problem);
});

test("a listing is longer than a page", async () => {
  const mails = Array(1200).fill({ ...MAIL, body: "" });
  await queue.putMany(mails, { durability: "none" });
  await queue.putMany(mails, { durability: "none" });
  const ids = new Set((await all(queue.items({ detail: "name" }))).map(({ id }) => id));
  assert.equal(ids.size, 2400);
});

test("states change", async () => {
  await queue.put("", { ...MAIL, id: "x" });
  await queue.hold("x");
  await queue.release("x");
  await queue.quarantine("x");
  await assert.rejects(queue.remove("x"), code("not-found"));
  await queue.release("x");
  await queue.remove("x");
  await assert.rejects(queue.remove("x"), code("not-found"));
  const [outcome] = await queue.removeMany(["x"]);
  code("not-found")(outcome.problem);
});

test("an update is refused for another revision", async () => {
  await queue.put("", { ...MAIL, id: "x" });
  const { revision } = await queue.info("x");
  const attempt = { recipient: 0, status: 2, message: "no such user" };
  const next = await queue.recordAttempts("x", [attempt], { ifRevision: revision });
  assert.equal((await queue.info("x")).envelope.recipients[0].lastFailureMessage, "no such user");
  await assert.rejects(queue.update("x", { sender: "c@example.com", ifRevision: revision }), code("conflict"));
  await queue.update("x", { sender: "c@example.com", to: ["d@example.com"], ifRevision: next });
  const { envelope } = await queue.info("x");
  assert.deepEqual([envelope.reversePath, envelope.to], ["c@example.com", ["d@example.com"]]);
});

test("errors have the codes of the contract", async () => {
  await queue.put("", { ...MAIL, id: "x" });
  for (const [expected, call] of [
    ["exists", () => queue.put("", { ...MAIL, id: "x" })],
    ["not-found", () => queue.get("none")],
    ["not-found", () => queue.get("a\nb\u{85}c")],
    ["invalid-argument", () => queue.put("", { ...MAIL, id: "a/b" })],
    ["invalid-argument", () => queue.put("", { ...MAIL, to: [] })],
    ["too-large", () => queue.put("12", { ...MAIL, maxBodyBytes: 1 })],
    ["queue-full", () => queue.put("", { ...MAIL, maxItems: 1 })],
    ["invalid-argument", () => queue.submit("", { sender: "a", to: MAIL.to })],
    ["directory", () => Queue.open(join(directory, "none"), { create: false })],
    ["directory", () => Queue.open(join(path, "m:x", "below"))],
  ]) {
    await assert.rejects(call, code(expected));
  }
  assert.deepEqual(readdirSync(path), ["m:x"]);
  const made = join(directory, "made", "with", "parents");
  await Queue.open(pathToFileURL(made));
  assert.equal(statSync(made).mode & 0o777, 0o700);
});

test("a recovery opens a queue that another process marked", async () => {
  await queue.put("", { ...MAIL, id: "x" });
  mkdirSync(join(path, ".unsynced"));
  writeFileSync(join(path, ".unsynced", "mark:x"), "");
  const inode = statSync(join(path, "m:x")).ino;
  await assert.rejects(queue.remove("x"), code("needs-recovery"));
  assert(queue.needsRecovery);
  await assert.rejects(queue.put("", MAIL), code("needs-recovery"));
  const recovery = await queue.recover();
  assert.deepEqual([recovery.rewritten, recovery.problems], [1, []]);
  assert.notEqual(statSync(join(path, "m:x")).ino, inode);
  assert(!existsSync(join(path, ".unsynced")));
  await queue.put("", MAIL);
});

test("a draft that is destroyed while it commits tells its id", async () => {
  const draft = queue.draft({ ...MAIL, id: "x" });
  await written(draft);
  // It commits from here on.
  draft.end();
  await draft[Symbol.asyncDispose]();
  assert.equal(draft.id, "x");
  assert.equal(await draft.commit(), "x");
  assert.equal(`${(await queue.get("x")).body}`, "body");
  const failed = queue.draft({ ...MAIL, id: "x" });
  await assert.rejects(once(failed, "close"), code("exists"));
  await assert.rejects(failed.commit(), code("exists"));
});

test("a draft that is destroyed while its commit fails tells the failure", async () => {
  const [disposed, destroyed] = [1, 2].map(() => queue.draft({ ...MAIL, id: "x" }));
  await Promise.all([disposed, destroyed].map(written));
  await queue.put("first", { ...MAIL, id: "x" });
  disposed.end();
  await assert.rejects(disposed[Symbol.asyncDispose](), code("exists"));
  await assert.rejects(disposed.commit(), code("exists"));
  destroyed.end();
  destroyed.destroy(new RangeError("of the caller"));
  await assert.rejects(once(destroyed, "close"), code("exists"));
  await assert.rejects(destroyed.commit(), code("exists"));
  assert.equal(`${(await queue.get("x")).body}`, "first");
});

test("a commit of a draft that failed before is refused", { timeout: 10_000 }, async () => {
  await queue.put("first", { ...MAIL, id: "x" });
  const draft = queue.draft({ ...MAIL, id: "x" });
  draft.write("body");
  // Without a listener, the error would end the process here.
  await setTimeout(200);
  await assert.rejects(draft.commit(), code("exists"));
});

test("a commit of a draft into which a stream is piped is refused, and leaves nothing", { timeout: 10_000 }, async () => {
  const source = new PassThrough();
  source.write("half");
  const draft = source.pipe(queue.draft(MAIL));
  await assert.rejects(draft.commit(), /still piped into the draft/);
  assert.deepEqual(readdirSync(path), []);
  const ended = Readable.from(["whole"]);
  const whole = queue.draft(MAIL);
  ended.on("end", () => whole.commit());
  ended.pipe(whole, { end: false });
  await once(whole, "close");
  assert.equal((await queue.get(whole.id)).body.toString(), "whole");
  const unpiped = queue.draft(MAIL);
  source.pipe(unpiped);
  source.unpipe(unpiped);
  assert.equal(typeof (await unpiped.commit()), "string");
});

test("a commit of a draft that was given up is refused", { timeout: 10_000 }, async () => {
  const destroyed = queue.draft(MAIL);
  destroyed.destroy();
  await assert.rejects(destroyed.commit(), /the draft was destroyed/);
  await assert.rejects(destroyed.commit(), /the draft was destroyed/);
  const disposed = queue.draft(MAIL);
  disposed.write("x");
  await disposed[Symbol.asyncDispose]();
  await assert.rejects(disposed.commit(), /the draft was destroyed/);
  const failed = queue.draft(MAIL);
  failed.on("error", () => {});
  failed.destroy(new RangeError("of the caller"));
  await assert.rejects(failed.commit(), RangeError);
  await assert.rejects(failed.commit(), RangeError);
  assert.deepEqual(readdirSync(path), []);
});

test("a queue is closed while its calls run, which come to their ends", async () => {
  const puts = Array.from({ length: 4 }, () => queue.put("x", MAIL));
  queue.close();
  assert.equal(new Set(await Promise.all(puts)).size, 4);
  await assert.rejects(queue.put("y", MAIL));
});

test("a path without room for its parent is opened", async () => {
  let long = directory;
  while (long.length < 4094) {
    long += `/${"x".repeat(Math.min(200, 4093 - long.length))}`;
  }
  mkdirSync(long, { recursive: true });
  const opened = await Queue.open(long);
  await opened.put("body", MAIL);
  opened.close();
  // Not by `rmSync`, for which the path of the item is too long.
  execFileSync("rm", ["-r", join(directory, "x".repeat(200))]);
});

test("text of a draft is Unicode, however its encoding is named", async () => {
  for (const encoding of [undefined, "utf8", "utf-8", "UTF-8"]) {
    const draft = queue.draft(MAIL);
    draft.write("a\ud800b", encoding);
    await assert.rejects(draft.commit(), TypeError);
  }
  assert.deepEqual(readdirSync(path), []);
});

test("a path goes up from a symbolic link as in the kernel", async () => {
  mkdirSync(join(directory, "target", "inner"), { recursive: true });
  symlinkSync(join(directory, "target", "inner"), join(directory, "link"));
  (await Queue.open(`${directory}/link/../mails`)).close();
  assert(existsSync(join(directory, "target", "mails")));
});

test("a queue that was closed lets its directory go", async () => {
  const before = readdirSync("/proc/self/fd").length;
  for (let number = 0; number < 50; number++) {
    (await Queue.open(path)).close();
  }
  assert(readdirSync("/proc/self/fd").length < before + 10);
});

test("a directory that was replaced is let go with its last draft", async () => {
  const drafts = [];
  const replace = async (number) => {
    if (number % 2 === 0) {
      drafts.push(queue.draft(MAIL));
      await new Promise((resolve) => drafts.at(-1).write("x", resolve));
    }
    renameSync(path, `${path}.${number}`);
    mkdirSync(path);
    await queue.count();
  };
  await replace(0);
  const before = readdirSync("/proc/self/fd").length;
  for (let number = 1; number < 30; number++) {
    await replace(number);
  }
  await Promise.all(drafts.map((draft) => draft.commit()));
  assert(readdirSync("/proc/self/fd").length < before + 10);
});

test("drafts and bodies outlive the close of their queue", async () => {
  await queue.put("body", { ...MAIL, id: "x" });
  const draft = queue.draft({ ...MAIL, id: "y" });
  const body = queue.body("x");
  await Promise.all([new Promise((resolve) => draft.write("x", resolve)), once(body, "readable")]);
  queue.close();
  assert.equal(`${Buffer.concat(await body.toArray())}`, "body");
  assert.equal(await draft.commit(), "y");
});

test("a queue is the directory that its path names", async () => {
  const draft = queue.draft({ ...MAIL, id: "x" });
  await new Promise((resolve) => draft.write("x", resolve));
  renameSync(path, `${path}.renamed`);
  await assert.rejects(queue.count(), code("directory"));
  mkdirSync(path);
  await queue.put("", { ...MAIL, id: "y" });
  await draft.commit();
  assert.deepEqual([readdirSync(path), readdirSync(`${path}.renamed`)], [["m:y"], ["m:x"]]);
});

test("names that no item can have harm no other item", async () => {
  await queue.put("", { ...MAIL, id: "x" });
  for (const name of ["m:a\\b", "m:\xff"]) {
    writeFileSync(Buffer.from(join(path, name), "latin1"), "");
  }
  const { ready, foreign } = await queue.count();
  assert.deepEqual([ready, foreign], [2, 1], "a name that is not UTF-8 is foreign");
  const codes = Object.fromEntries((await all(queue)).map(({ id, problem }) => [id, problem?.code]));
  assert.deepEqual(codes, { x: undefined, "a\\b": "invalid-argument" });
});

test("a FIFO is no item, and blocks no call", async () => {
  execFileSync("mkfifo", [join(path, "m:x")]);
  await assert.rejects(queue.get("x"), code("unsupported"));
});

test("a recovery removes old temporary files", async () => {
  writeFileSync(join(path, ".m:old"), "x");
  assert.equal((await queue.recover()).temporaryKept, 1);
  assert.equal((await queue.recover({ graceSeconds: null })).temporaryKept, 1, "null is no grace of 0");
  assert.equal((await queue.recover({ graceSeconds: 0 })).temporaryRemoved, 1);
});

test("calls run at once and block no timer", async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const body = Buffer.alloc(20_000_000, "x");
  const puts = Array.from({ length: 8 }, () => queue.put(body, MAIL));
  assert.equal(new Set(await Promise.all(puts)).size, 8);
  clearInterval(timer);
  assert(ticks > 2, `${ticks} ticks`);
});

test("streams that were begun before the queue was closed go on", async () => {
  await queue.put("body", { ...MAIL, id: "x" });
  const [draft, body] = [queue.draft({ ...MAIL, id: "y" }), queue.body("x")];
  queue.close();
  draft.end("other");
  assert.equal(await draft.commit(), "y");
  assert.equal(`${Buffer.concat(await all(body))}`, "body");
});

test("a queue that was closed refuses calls", async () => {
  await queue[Symbol.asyncDispose]();
  await assert.rejects(queue.count(), TypeError);
  assert.throws(() => queue.draft(MAIL), TypeError);
  assert.throws(() => queue.body("x"), TypeError);
  assert(!queue.needsRecovery);
});

test("introspection", async () => {
  await queue.put("", MAIL);
  assert.equal((await queue.about()).contract, "mail:queue@0.1.0");
  assert.equal((await queue.limits())["max-batch"], 10_000);
  assert((await queue.counters())["file-syncs"] > 0);
  assert.notEqual(await queue.newId(), await queue.newId());
});
