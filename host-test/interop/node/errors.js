// Every code of `types.error`, provoked for real and read with all of its fields.
//
// `needs:` names further requirements of a test, `fault:` a system call that the kernel is told to fail (with
// `strace`), as only a broken device does. Where reads or writes fail, `reportErrors` is called first; `limits.js` has
// the cases without it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { reportErrors } from "./queue_store.js";
import { bytes, envelope, has, listed, mail, names, openHost, openQueue } from "./support.js";
import { problem, recovery, refused, text } from "./support.js";

export function invalidArgument() {
  const host = openHost({ queue: "queue", proc: "/proc/self" });
  const queue = openQueue(host);
  refused("invalid-argument", "", "", () => queue.put(undefined, mail("", { to: [], recipients: [] })));
  refused("invalid-argument", "", "", () => queue.put("a/b", mail()));
  refused("invalid-argument", "", "", () => queue.put("x".repeat(242), mail()));
  for (const id of ["..", "", "a\\b", "a\0b"]) {
    refused("invalid-argument", "", "", () => queue.get(id));
  }
  refused("invalid-argument", "", "", () => queue.items([], "name").next(0));
  refused("invalid-argument", "resolve", "queue/../queue", () => openQueue(host, "queue/../queue"));
  // An error of the system: the files of procfs cannot be fsynced.
  refused("invalid-argument", "sync", "proc/status", () => host.durableFile.syncFile("proc/status"));
  assert.deepEqual(names(), []);
}

export function notFound() {
  const host = openHost();
  const queue = openQueue(host);
  refused("not-found", "stat", "queue/m:missing", () => queue.get("missing"));
  refused("not-found", "resolve", "elsewhere", () => openQueue(host, "elsewhere"));
  refused("not-found", "resolve", "queue/below", () => openQueue(host, "queue/below"));
  refused("not-found", "open", "queue/file", () => host.durableFile.readFile("queue/file"));
  has(problem(queue.remove(["missing"], [])), "not-found", "stat", "queue/m:missing");
}

export function exists() {
  const host = openHost();
  const queue = openQueue(host);
  queue.put("x", mail());
  refused("exists", "link", "queue/m:x", () => queue.put("x", mail("other")));
  assert.equal(text(queue.get("x").body), "body");
  fs.writeFileSync("queue/file", "old");
  const write = () => host.durableFile.writeFile("queue/file", bytes("new"), [], "create-new", "full");
  refused("exists", "link", "queue/file", write);
}

export function conflict() {
  const queue = openQueue();
  queue.put("x", mail());
  refused("conflict", "", "queue/m:x", () => queue.update("x", { ifRevision: "another" }));
  // Two files with different content.
  queue.put("y", mail("text"));
  queue.put("z", mail("binary"), { format: "binary" });
  fs.renameSync("queue/m=z", "queue/m=y");
  refused("conflict", "", "queue/m=y", () => queue.get("y"));
  const { intake } = openHost({ one: "queue", two: "." });
  refused("conflict", "resolve", "", () => intake.submit("", ["b@example.com"], bytes("")));
}

export function corrupt() {
  const host = openHost();
  const queue = openQueue(host);
  fs.writeFileSync("queue/m:x", 'ID: "x"\nfrom: "ñ" bcc: "b@example.com"\n');
  const error = refused("corrupt", "decode", "queue/m:x", () => queue.get("x"));
  // In bytes, lines and characters: the `ñ` is one character of two bytes.
  assert.deepEqual(error.position, { offset: 19n, line: 2n, column: 11n });
  // Every item has a time.
  fs.writeFileSync("queue/m:y", 'ID: "y" rcpt: {address: "b@example.com"}');
  const incomplete = refused("corrupt", "decode", "queue/m:y", () => queue.get("y"));
  assert.equal(incomplete.position, undefined);
  queue.put("z", mail());
  fs.truncateSync("queue/m:z", 100);
  refused("corrupt", "decode", "queue/m:z", () => queue.info("z"));
  has(problem(queue.verify(["z"])), "corrupt", "decode", "queue/m:z");
  // A damaged item is an entry of a listing, and keeps no other item from being listed.
  queue.put("good", mail());
  const codes = listed(queue).map((entry) => [entry.id, entry.problem?.code]);
  assert.deepEqual(codes, [["good", undefined], ["x", "corrupt"], ["y", "corrupt"], ["z", "corrupt"]]);
  const decoded = refused("corrupt", "decode", "", () => host.itemCodec.decode(bytes("\n nonsense"), "text"));
  assert.deepEqual(decoded.position, { offset: 2n, line: 2n, column: 2n });
}

export function checksumMismatch() {
  const queue = openQueue();
  queue.put("x", mail());
  fs.writeFileSync("queue/m:x", fs.readFileSync("queue/m:x", "utf8").replace('"body"', '"BODY"'));
  refused("checksum-mismatch", "decode", "queue/m:x", () => queue.get("x"));
  assert.equal(problem(queue.seal(["x"])), undefined);
  assert.equal(text(queue.get("x").body), "BODY");
}

export function idMismatch() {
  const queue = openQueue();
  queue.put("x", mail());
  fs.renameSync("queue/m:x", "queue/m:y");
  assert.equal(queue.info("y").recordedId, "x");
  has(problem(queue.verify(["y"])), "id-mismatch", "decode", "queue/m:y");
  refused("id-mismatch", "decode", "queue/m:y", () => queue.update("y", {}));
  const [entry] = listed(queue);
  assert.deepEqual([entry.info.recordedId, entry.problem.code], ["x", "id-mismatch"]);
  assert.equal(queue.recover(0).damagedItems, 1n);
}

export function tooLarge() {
  const host = openHost();
  const queue = openQueue(host);
  refused("too-large", "", "", () => queue.put(undefined, mail(), { maxBodyBytes: 3n }));
  const draft = queue.begin(undefined, envelope());
  refused("too-large", "", "", () => draft.write(new Uint8Array(65_537)));
  draft[Symbol.dispose]();
  const long = envelope({ reversePath: "a".repeat(4 << 20) });
  const encode = () => host.itemCodec.encode({ id: "x", envelope: long, body: new Uint8Array() }, "text");
  refused("too-large", "encode", "", encode);
  assert.deepEqual(names(), []);
}

export function queueFull() {
  const queue = openQueue();
  const one = { maxItems: 1n };
  queue.put(undefined, mail(), one);
  refused("queue-full", "", "queue", () => queue.put(undefined, mail(), one));
  has(problem(queue.putMany([{ mail: mail() }], one)), "queue-full", "", "queue");
}

// needs: mounts
export function noSpace() {
  reportErrors();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", "queue"]);
  const host = openHost();
  const queue = openQueue(host);
  queue.put("x", mail());
  const large = mail(new Uint8Array(20_000));
  refused("no-space", "write", "queue/.m:*", () => queue.put(undefined, large));
  // No file is left, and a smaller mail still fits.
  assert.deepEqual(names(), ["m:x"]);
  queue.put("y", mail());
  const draft = queue.begin(undefined, envelope());
  refused("no-space", "write", "queue/.m:*", () => draft.write(large.body));
  refused("aborted", "", "", () => host.queueStore.Draft.commit(draft));
  assert.deepEqual(names(), ["m:x", "m:y"]);
  // Recovery and removal work on a full disk.
  fs.writeFileSync("queue/filler", new Uint8Array(16_384 - 8_192));
  assert.equal(queue.recover(0).durableItems, 2n);
  assert.equal(problem(queue.remove(["x"], [])), undefined);
}

// fault: pwrite64=EDQUOT
export function quota() {
  reportErrors();
  const queue = openQueue();
  refused("quota", "write", "queue/.m:*", () => queue.put(undefined, mail()));
  assert.deepEqual(names(), []);
}

// needs: mounts
export function readOnly() {
  openQueue().put("x", mail());
  execFileSync("mount", ["--bind", "queue", "queue"]);
  execFileSync("mount", ["-o", "remount,bind,ro", "queue"]);
  const queue = openQueue();
  refused("read-only", "create", "queue/.m:*", () => queue.put(undefined, mail()));
  has(problem(queue.remove(["x"], [])), "read-only", "unlink", "queue/m:x");
  assert.equal(text(queue.get("x").body), "body");
}

export function access() {
  const queue = openQueue();
  queue.put("x", mail());
  fs.chmodSync("queue/m:x", 0);
  fs.chmodSync("queue", 0o555);
  // Root reads everything, so it becomes another user first.
  if (process.geteuid() === 0) {
    process.seteuid(65_534);
  }
  refused("access", "open", "queue/m:x", () => queue.get("x"));
  refused("access", "create", "queue/.m:*", () => queue.put(undefined, mail()));
}

export function unsupported() {
  const host = openHost();
  const queue = openQueue(host);
  queue.put("x", mail());
  // A file that is not regular is not opened: the open of a FIFO would wait for a writer.
  execFileSync("mkfifo", ["queue/m:fifo"]);
  fs.mkdirSync("queue/m:directory");
  fs.symlinkSync("m:x", "queue/m:link");
  for (const id of ["fifo", "directory", "link"]) {
    refused("unsupported", "stat", `queue/m:${id}`, () => queue.get(id));
  }
  refused("unsupported", "open", "queue/m:fifo", () => host.durableFile.readFile("queue/m:fifo"));
  const item = fs.readFileSync("queue/m:x", "utf8").replace("# queue-store 1\n", "# queue-store 2\n");
  refused("unsupported", "decode", "", () => host.itemCodec.decode(bytes(item), "text"));
}

export function busy() {
  const queue = openQueue();
  const drafts = Array.from({ length: 64 }, () => queue.begin(undefined, envelope()));
  refused("busy", "", "", () => queue.begin(undefined, envelope()));
  drafts.pop()[Symbol.dispose]();
  drafts.push(queue.begin(undefined, envelope()));
  for (const draft of drafts) {
    draft[Symbol.dispose]();
  }
  assert.deepEqual(names(), []);
}

// fault: fsync=EIO
export function io() {
  const host = openHost({ queue: "queue", proc: "/proc/self" });
  const queue = openQueue(host);
  refused("io", "sync", "queue/.m:*", () => queue.put(undefined, mail(), { durability: "content-only" }));
  // The fsync is not retried, and the file is not kept.
  assert.deepEqual(names(), []);
  // Reading the memory at address 0 fails without an injected fault.
  reportErrors();
  refused("io", "read", "proc/mem", () => host.durableFile.readFile("proc/mem"));
}

export function aborted() {
  const host = openHost();
  const queue = openQueue(host);
  const draft = queue.begin(undefined, envelope());
  refused("too-large", "", "", () => draft.write(new Uint8Array(65_537)));
  refused("aborted", "", "", () => draft.write(bytes("x")));
  refused("aborted", "", "", () => host.queueStore.Draft.commit(draft));
  // A reader that met damage does not go on either.
  queue.put("x", mail(new Uint8Array(200_000)));
  fs.writeFileSync("queue/m:x", fs.readFileSync("queue/m:x", "utf8").replace('\\x00"', '\\x01"'));
  const reader = queue.read("x", 0n);
  let read = 0;
  const readAll = () => {
    for (let chunk; (chunk = reader.read(65_536)) !== undefined; read += chunk.length);
  };
  refused("checksum-mismatch", "decode", "queue/m:x", readAll);
  assert.equal(read, 200_000);
  refused("aborted", "", "", () => reader.read(65_536));
}

// fault: fsync=EIO on broken
export function indeterminate() {
  const queue = openQueue();
  queue.remove([queue.put(undefined, mail())], []);
  // From here on, the fsync of the directory fails. The shim opens directories by their paths.
  fs.renameSync("queue", "broken");
  fs.symlinkSync("broken", "queue");
  refused("indeterminate", "sync-directory", "queue", () => queue.put(undefined, mail()));
  // The mail is visible, and the queue is closed.
  const [{ id }] = listed(queue);
  assert.equal(text(queue.get(id).body), "body");
  refused("needs-recovery", "", "queue", () => queue.put(undefined, mail()));
  refused("needs-recovery", "sync-directory", "queue", () => queue.recover(0));
  // Every process that opens the queue finds it closed, until it is recovered.
  fs.unlinkSync("queue");
  fs.renameSync("broken", "queue");
  const other = openQueue();
  assert.equal(other.needsRecovery(), true);
  refused("needs-recovery", "", "queue", () => other.putMany([{ mail: mail() }]));
  refused("needs-recovery", "", "queue", () => other.put("x", mail()));
  assert.deepEqual(other.recover(0), recovery({ durableItems: 1n, rewritten: 1n }));
  other.put("x", mail());
  assert.deepEqual(names(), [`m:${id}`, "m:x"].sort());
}

export function needsRecovery() {
  const queue = openQueue();
  queue.put("x", mail());
  // A host calls this on the other queues of a directory when one answered `indeterminate`.
  queue.requireRecovery();
  refused("needs-recovery", "", "queue", () => queue.put(undefined, mail()));
  refused("needs-recovery", "", "queue", () => queue.update("x", {}));
  refused("needs-recovery", "", "queue", () => queue.remove(["x"], []));
  assert.equal(text(queue.get("x").body), "body");
  assert.deepEqual(queue.recover(0), recovery({ durableItems: 1n }));
  queue.put(undefined, mail());
}

// fault: fsync=ENODEV
export function other() {
  const queue = openQueue();
  const error = refused("other", "sync", "queue/.m:*", () => queue.put(undefined, mail(), { durability: "content-only" }));
  assert.match(error.detail, /device/);
}
