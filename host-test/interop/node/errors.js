// Every code of `types.error`, provoked for real and read with all of its fields.
//
// `needs:` says what else a test needs, `fault:` which system call the kernel is told to fail (with `strace`): what
// only a broken device does. Where reads or writes fail, the shim is mended first (`reportErrors`); what it does
// without that is in `limits.js`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { reportErrors } from "./queue_store.js";
import { bytes, envelope, mail, names, openQueue, options, problem, refused, says, text } from "./support.js";

export function invalidArgument() {
  const { queueStore, durableFile } = openQueue({ queue: "queue", proc: "/proc/self" });
  refused("invalid-argument", "none", "", () => queueStore.put("queue", undefined, mail("", { recipients: [] })));
  refused("invalid-argument", "none", "", () => queueStore.put("queue", "a/b", mail()));
  for (const id of ["..", "", "a\\b", "a\0b"]) {
    refused("invalid-argument", "none", "", () => queueStore.get("queue", id));
  }
  refused("invalid-argument", "none", "", () => queueStore.listIds("queue", [], undefined, 0));
  refused("invalid-argument", "resolve", "queue/../queue", () => queueStore.count("queue/../queue"));
  // What the system takes for invalid: the files of procfs cannot be synced.
  refused("invalid-argument", "sync", "proc/status", () => durableFile.syncFile("proc/status"));
  assert.deepEqual(names(), []);
}

export function notFound() {
  const { queueStore, durableFile } = openQueue();
  refused("not-found", "stat", "queue/m:nobody", () => queueStore.get("queue", "nobody"));
  refused("not-found", "resolve", "elsewhere", () => queueStore.count("elsewhere"));
  refused("not-found", "resolve", "queue/below", () => queueStore.count("queue/below"));
  refused("not-found", "open", "queue/file", () => durableFile.readFile("queue/file"));
  says(problem(queueStore.remove("queue", ["nobody"])), "not-found", "stat", "queue/m:nobody");
}

export function exists() {
  const { queueStore, durableFile } = openQueue();
  queueStore.put("queue", "x", mail());
  refused("exists", "link", "queue/m:x", () => queueStore.put("queue", "x", mail("other")));
  assert.equal(text(queueStore.get("queue", "x").body), "body");
  fs.writeFileSync("queue/file", "old");
  const write = () => durableFile.writeFile("queue/file", bytes("new"), [], "create-new", "full");
  refused("exists", "link", "queue/file", write);
}

export function conflict() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail());
  refused("conflict", "none", "queue/m:x", () => queueStore.update("queue", "x", { ifRevision: "another" }));
  // Two files with different content.
  queueStore.put("queue", "y", mail("text"));
  queueStore.put("queue", "z", mail("binary"), options({ format: "binary" }));
  fs.renameSync("queue/m=z", "queue/m=y");
  refused("conflict", "none", "queue/m=y", () => queueStore.get("queue", "y"));
  const { intake } = openQueue({ one: "queue", two: "." });
  refused("conflict", "resolve", "", () => intake.submit(mail("body", { createdAt: undefined })));
}

export function corrupt() {
  const { queueStore, itemCodec } = openQueue();
  fs.writeFileSync("queue/m:x", 'ID: "x"\nfrom: "ñ" bcc: "b@example.com"\n');
  const error = refused("corrupt", "decode", "queue/m:x", () => queueStore.get("queue", "x"));
  // In bytes, in lines, and in characters: the `ñ` is one of two bytes.
  assert.deepEqual(error.at, { offset: 19n, line: 2n, column: 11n });
  // Every item has a time.
  fs.writeFileSync("queue/m:y", 'ID: "y" rcpt: {address: "b@example.com"}');
  const incomplete = refused("corrupt", "decode", "queue/m:y", () => queueStore.get("queue", "y"));
  assert.equal(incomplete.at, undefined);
  // Cut.
  queueStore.put("queue", "z", mail());
  fs.truncateSync("queue/m:z", 100);
  refused("corrupt", "decode", "queue/m:z", () => queueStore.info("queue", "z"));
  says(problem(queueStore.verify("queue", ["z"])), "corrupt", "decode", "queue/m:z");
  // A damaged item is an entry of a listing, and keeps nothing from being listed.
  queueStore.put("queue", "good", mail());
  const { entries } = queueStore.listItems("queue", [], undefined, 10);
  const codes = entries.map((entry) => [entry.id, entry.problem?.code]);
  assert.deepEqual(codes, [["good", undefined], ["x", "corrupt"], ["y", "corrupt"], ["z", "corrupt"]]);
  const decoded = refused("corrupt", "decode", "", () => itemCodec.decode(bytes("\n nonsense"), "text"));
  assert.deepEqual(decoded.at, { offset: 2n, line: 2n, column: 2n });
}

export function checksumMismatch() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail());
  fs.writeFileSync("queue/m:x", fs.readFileSync("queue/m:x", "utf8").replace('"body"', '"BODY"'));
  refused("checksum-mismatch", "decode", "queue/m:x", () => queueStore.get("queue", "x"));
  assert.equal(problem(queueStore.seal("queue", ["x"])), undefined);
  assert.equal(text(queueStore.get("queue", "x").body), "BODY");
}

export function tooLarge() {
  const { queueStore, queueStream, itemCodec } = openQueue();
  const limited = options({ settings: [["max-body-bytes", "3"]] });
  refused("too-large", "none", "", () => queueStore.put("queue", undefined, mail(), limited));
  const draft = queueStream.Draft.begin("queue", undefined, envelope());
  refused("too-large", "none", "", () => draft.write(new Uint8Array(65_537)));
  draft[Symbol.dispose]();
  const long = envelope({ reversePath: "a".repeat(4 << 20) });
  const encode = () => itemCodec.encode({ id: "x", envelope: long, body: new Uint8Array() }, "text");
  refused("too-large", "encode", "", encode);
  assert.deepEqual(names(), []);
}

export function queueFull() {
  const { queueStore } = openQueue();
  const one = options({ maxItems: 1n });
  queueStore.put("queue", undefined, mail(), one);
  refused("queue-full", "none", "queue", () => queueStore.put("queue", undefined, mail(), one));
  // An outcome of a batch says the same.
  says(problem(queueStore.putMany("queue", [[undefined, mail()]], one)), "queue-full", "none", "queue");
}

// needs: mounts
export function noSpace() {
  reportErrors();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", "queue"]);
  const { queueStore, queueStream } = openQueue();
  queueStore.put("queue", "x", mail());
  const large = mail(new Uint8Array(20_000));
  refused("no-space", "write", "queue/.m:*", () => queueStore.put("queue", undefined, large));
  // Nothing is left, and nothing is in the way of what is small enough.
  assert.deepEqual(names(), ["m:x"]);
  queueStore.put("queue", "y", mail());
  // A stream notices in between.
  const draft = queueStream.Draft.begin("queue", undefined, envelope());
  refused("no-space", "write", "queue/.m:*", () => draft.write(large.body));
  refused("aborted", "none", "", () => queueStream.Draft.commit(draft));
  assert.deepEqual(names(), ["m:x", "m:y"]);
  // Recovery and removal work on a full disk.
  fs.writeFileSync("queue/filler", new Uint8Array(16_384 - 8_192));
  assert.equal(queueStore.recover("queue", 0n).items, 2n);
  assert.equal(problem(queueStore.remove("queue", ["x"])), undefined);
}

// fault: pwrite64=EDQUOT
export function quota() {
  reportErrors();
  const { queueStore } = openQueue();
  refused("quota", "write", "queue/.m:*", () => queueStore.put("queue", undefined, mail()));
  assert.deepEqual(names(), []);
}

// needs: mounts
export function readOnly() {
  openQueue().queueStore.put("queue", "x", mail());
  execFileSync("mount", ["--bind", "queue", "queue"]);
  execFileSync("mount", ["-o", "remount,bind,ro", "queue"]);
  const { queueStore } = openQueue();
  refused("read-only", "create", "queue/.m:*", () => queueStore.put("queue", undefined, mail()));
  says(problem(queueStore.remove("queue", ["x"])), "read-only", "unlink", "queue/m:x");
  assert.equal(text(queueStore.get("queue", "x").body), "body");
}

export function access() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail());
  fs.chmodSync("queue/m:x", 0);
  fs.chmodSync("queue", 0o555);
  // Root reads everything, so it becomes somebody else first.
  if (process.geteuid() === 0) {
    process.seteuid(65_534);
  }
  refused("access", "open", "queue/m:x", () => queueStore.get("queue", "x"));
  refused("access", "create", "queue/.m:*", () => queueStore.put("queue", undefined, mail()));
}

export function unsupported() {
  const { queueStore, durableFile, itemCodec } = openQueue();
  const unheardOf = options({ settings: [["unheard-of", "1"]] });
  refused("unsupported", "none", "", () => queueStore.put("queue", undefined, mail(), unheardOf));
  queueStore.put("queue", "x", mail());
  const binary = options({ format: "binary" });
  refused("unsupported", "none", "queue/m:x", () => queueStore.update("queue", "x", {}, binary));
  // What is not a regular file is not opened: to open a FIFO would wait for a writer.
  execFileSync("mkfifo", ["queue/m:fifo"]);
  fs.mkdirSync("queue/m:directory");
  fs.symlinkSync("m:x", "queue/m:link");
  for (const id of ["fifo", "directory", "link"]) {
    refused("unsupported", "stat", `queue/m:${id}`, () => queueStore.get("queue", id));
  }
  refused("unsupported", "open", "queue/m:fifo", () => durableFile.readFile("queue/m:fifo"));
  const item = fs.readFileSync("queue/m:x", "utf8").replace("# queue-store 1\n", "# queue-store 2\n");
  refused("unsupported", "decode", "", () => itemCodec.decode(bytes(item), "text"));
}

export function busy() {
  const { Draft } = openQueue().queueStream;
  const drafts = Array.from({ length: 64 }, () => Draft.begin("queue", undefined, envelope()));
  refused("busy", "none", "", () => Draft.begin("queue", undefined, envelope()));
  drafts.pop()[Symbol.dispose]();
  drafts.push(Draft.begin("queue", undefined, envelope()));
  for (const draft of drafts) {
    draft[Symbol.dispose]();
  }
  assert.deepEqual(names(), []);
}

// fault: fsync=EIO
export function io() {
  const { queueStore, durableFile } = openQueue({ queue: "queue", proc: "/proc/self" });
  refused("io", "sync", "queue/.m:*", () => queueStore.put("queue", undefined, mail()));
  // It is not tried again, and the file is not kept.
  assert.deepEqual(names(), []);
  // No fault is needed to fail to read the memory at address 0.
  reportErrors();
  refused("io", "read", "proc/mem", () => durableFile.readFile("proc/mem"));
}

export function aborted() {
  const { queueStore, queueStream } = openQueue();
  const draft = queueStream.Draft.begin("queue", undefined, envelope());
  refused("too-large", "none", "", () => draft.write(new Uint8Array(65_537)));
  refused("aborted", "none", "", () => draft.write(bytes("x")));
  refused("aborted", "none", "", () => queueStream.Draft.commit(draft));
  // A reader that met damage does not go on either.
  queueStore.put("queue", "x", mail(new Uint8Array(200_000)));
  fs.writeFileSync("queue/m:x", fs.readFileSync("queue/m:x", "utf8").replace('\\x00"', '\\x01"'));
  const body = queueStream.Body.open("queue", "x", 0n);
  let read = 0;
  const readAll = () => {
    for (let chunk; (chunk = body.read(65_536)) !== undefined; read += chunk.length);
  };
  refused("checksum-mismatch", "decode", "queue/m:x", readAll);
  assert.equal(read, 200_000);
  refused("aborted", "none", "", () => body.read(65_536));
}

// fault: fsync=EIO on queue
export function indeterminate() {
  const { queueStore } = openQueue();
  refused("indeterminate", "sync-directory", "queue", () => queueStore.put("queue", undefined, mail()));
  // It is visible, and the queue is closed.
  const [id] = queueStore.listIds("queue", [], undefined, 10).ids;
  assert.equal(text(queueStore.get("queue", id).body), "body");
  refused("needs-recovery", "none", "queue", () => queueStore.put("queue", undefined, mail()));
  refused("needs-recovery", "sync-directory", "queue", () => queueStore.recover("queue", 0n));
  const outcomes = openQueue().queueStore.putMany("queue", [[undefined, mail()], [undefined, mail()]]);
  assert.deepEqual(outcomes.map((outcome) => outcome.problem.code), ["indeterminate", "indeterminate"]);
  // For an id that is given, the names that are there are made durable first, and nothing was done.
  refused("io", "sync-directory", "queue", () => openQueue().queueStore.put("queue", "x", mail()));
  refused("not-found", "stat", "queue/m:x", () => queueStore.get("queue", "x"));
}

export function needsRecovery() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail());
  // What a host tells an instance whose sibling answered `indeterminate`.
  queueStore.requireRecovery("queue");
  refused("needs-recovery", "none", "queue", () => queueStore.put("queue", undefined, mail()));
  refused("needs-recovery", "none", "queue", () => queueStore.update("queue", "x", {}));
  refused("needs-recovery", "none", "queue", () => queueStore.remove("queue", ["x"]));
  assert.equal(text(queueStore.get("queue", "x").body), "body");
  const recovery = { items: 1n, swept: 0n, kept: 0n, settled: 0n, problems: [], truncated: false };
  assert.deepEqual(queueStore.recover("queue", 0n), recovery);
  queueStore.put("queue", undefined, mail());
}

// fault: fsync=ENODEV
export function other() {
  const { queueStore } = openQueue();
  const error = refused("other", "sync", "queue/.m:*", () => queueStore.put("queue", undefined, mail()));
  assert.match(error.detail, /device/);
}
