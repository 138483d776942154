// What is known not to work in this host, held to be so: when a test here fails, `docs/embedding.md` is out of date.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { constants } from "node:os";
import { reportErrors } from "./queue_store.js";
import { bytes, envelope, mail, names, openQueue, recipient, refused, text } from "./support.js";

// needs: mounts
export function aFullDiskEscapesAndStaysFull() {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", "queue"]);
  escapes(constants.errno.ENOSPC, () => openQueue().queueStore.put("queue", undefined, mail(new Uint8Array(20_000))));
  // The temporary file is left, and recovery removes it; but it is still open, so its space is not free yet.
  assert.equal(names().length, 1);
  assert.equal(openQueue().queueStore.recover("queue", 0n).swept, 1n);
  assert.deepEqual(names(), []);
  escapes(constants.errno.ENOSPC, () => openQueue().queueStore.put("queue", undefined, mail()));
}

export function aReadThatFailsEscapes() {
  const { durableFile } = openQueue({ proc: "/proc/self" });
  escapes(constants.errno.EIO, () => durableFile.readFile("proc/mem"));
}

// fault: openat=EMFILE on queue/m:x
export function anErrorThatTheShimDoesNotKnowEscapes() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail());
  escapes(constants.errno.EMFILE, () => queueStore.get("queue", "x"));
  reportErrors();
  refused("busy", "open", "queue/m:x", () => queueStore.get("queue", "x"));
}

// fault: fsync=EDQUOT on queue
export function aDirectorySyncThatEscapesDoesNotCloseTheQueue() {
  const { queueStore } = openQueue();
  escapes(constants.errno.EDQUOT, () => queueStore.put("queue", undefined, mail()));
  assert.equal(names().length, 1);
  // It should have said `indeterminate`, and to this it should say `needs-recovery`.
  escapes(constants.errno.EDQUOT, () => queueStore.put("queue", undefined, mail()));
  reportErrors();
  const { queueStore: mended } = openQueue();
  refused("indeterminate", "sync-directory", "queue", () => mended.put("queue", undefined, mail()));
  refused("needs-recovery", "none", "queue", () => mended.put("queue", undefined, mail()));
}

// fault: fsync=EPERM
export function aSyncThatIsNotPermittedPassesForDone() {
  // The shim drops EPERM. No file system of Linux answers a sync with it.
  openQueue().queueStore.put("queue", "x", mail());
  assert.deepEqual(names(), ["m:x"]);
}

export function aBodyThatIsAStringIsStoredAsNothing() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", { envelope: envelope(), body: "text" });
  assert.equal(queueStore.get("queue", "x").body.length, 0);
  // Other views are taken for the bytes below them; a `Buffer` is fine, and an array is checked.
  queueStore.put("queue", "y", mail(new Uint16Array([0x201])));
  assert.deepEqual(queueStore.get("queue", "y").body, new Uint8Array([1, 2]));
  queueStore.put("queue", "z", mail(Buffer.from("text")));
  assert.equal(text(queueStore.get("queue", "z").body), "text");
  assert.throws(() => queueStore.put("queue", undefined, mail([300])), TypeError);
}

export function aNumberOutOfRangeIsAnotherNumber() {
  const { queueStore } = openQueue();
  // -1 arrives as 4294967295, and only for that is it not refused.
  assert.deepEqual(queueStore.listIds("queue", [], undefined, -1).ids, []);
  const recipients = [{ ...recipient("b@example.com"), status: 2 ** 32 + 1 }];
  queueStore.put("queue", "x", mail("body", { recipients }));
  assert.equal(queueStore.get("queue", "x").envelope.recipients[0].status, 1);
}

export function aSurrogateIsReplaced() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail("body", { reversePath: "\ud800@example.com" }));
  assert.equal(queueStore.get("queue", "x").envelope.reversePath, "\ufffd@example.com");
}

export function theMessageOfAnErrorSaysNothing() {
  try {
    openQueue().queueStore.get("queue", "x");
    assert.fail("there is no such item");
  } catch (error) {
    assert.equal(error.message, "[object Object] (see error.payload)");
    assert.equal(error.payload.code, "not-found");
  }
}

export function aTimeThatIsSetIsAThousandTimesTooLate() {
  const { durableFile } = openQueue();
  const modified = { seconds: 1_000_000n, nanos: 0 };
  durableFile.writeFile("queue/file", bytes("x"), [{ kind: "set-times", modified }], "replace", "full");
  assert.equal(fs.statSync("queue/file").mtimeMs, 1_000_000 * 1000 * 1000);
}

export function aDirectoryIsWhatHasItsPath() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail());
  fs.renameSync("queue", "renamed");
  fs.mkdirSync("queue");
  // Elsewhere an instance keeps the directory that it opened. Here it writes to the new one and syncs the old one.
  queueStore.put("queue", "y", mail());
  assert.deepEqual([names(), fs.readdirSync("renamed")], [["m:y"], ["m:x"]]);
}

export function aNameThatIsNotUtf8IsCountedAsAnItem() {
  const { queueStore } = openQueue();
  fs.writeFileSync(Buffer.from("queue/m:\xff", "latin1"), "");
  // Node.js shows U+FFFD for it, which names no file. Elsewhere it is foreign.
  assert.equal(queueStore.count("queue").ready, 1n);
  assert.deepEqual(queueStore.listItems("queue", [], undefined, 10).entries, []);
  assert.equal(queueStore.recover("queue", 0n).items, 0n);
}

/** Calls something that must throw what Node.js throws, and not an error of the contract. */
function escapes(errno, call) {
  try {
    call();
  } catch (error) {
    assert.equal(error.payload, undefined);
    assert.equal(error.errno, -errno, error);
    return;
  }
  assert.fail("nothing was thrown");
}
