// The known limits of this host: when a test here fails, `docs/hosts/stock-runtimes.md` is out of date.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { constants } from "node:os";
import { reportErrors } from "./queue_store.js";
import { bytes, envelope, listed, mail, names, openHost, openQueue, recipient, refused, text } from "./support.js";

// needs: mounts
export function fullDiskEscapesAndStaysFull() {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", "queue"]);
  escapes(constants.errno.ENOSPC, () => openQueue().put(undefined, mail(new Uint8Array(20_000))));
  // The temporary file is left, and recovery removes it; but it is still open, so its space is not free yet.
  assert.equal(names().length, 1);
  assert.equal(openQueue().recover(0).temporaryRemoved, 1n);
  assert.deepEqual(names(), []);
  escapes(constants.errno.ENOSPC, () => openQueue().put(undefined, mail()));
}

export function failedReadEscapes() {
  const { durableFile } = openHost({ proc: "/proc/self" });
  escapes(constants.errno.EIO, () => durableFile.readFile("proc/mem"));
}

// fault: openat=EMFILE on queue/m:x
export function unknownErrorEscapes() {
  const queue = openQueue();
  queue.put("x", mail());
  escapes(constants.errno.EMFILE, () => queue.get("x"));
  reportErrors();
  refused("busy", "open", "queue/m:x", () => queue.get("x"));
}

// fault: fsync=EDQUOT on broken
export function escapedDirectorySyncDoesNotCloseTheQueue() {
  const queue = openQueue();
  queue.remove([queue.put(undefined, mail())], []);
  fs.renameSync("queue", "broken");
  fs.symlinkSync("broken", "queue");
  escapes(constants.errno.EDQUOT, () => queue.put(undefined, mail()));
  assert.equal(names().length, 1);
  // The code should have been `indeterminate`, and `needs-recovery` now.
  escapes(constants.errno.EDQUOT, () => queue.put(undefined, mail()));
  reportErrors();
  const other = openQueue();
  refused("needs-recovery", "sync-directory", "queue", () => other.put(undefined, mail()));
  refused("needs-recovery", "", "queue", () => other.put(undefined, mail()));
}

// fault: fsync=EPERM
export function syncWithoutPermissionPassesForDone() {
  // The shim drops EPERM. No file system of Linux answers a sync with it.
  openQueue().put("x", mail());
  assert.deepEqual(names(), ["m:x"]);
}

export function bodyThatIsAStringIsStoredEmpty() {
  const queue = openQueue();
  queue.put("x", { envelope: envelope(), body: "text" });
  assert.equal(queue.get("x").body.length, 0);
  // Other views are taken for the bytes below them; a `Buffer` is fine, and an array is checked.
  queue.put("y", mail(new Uint16Array([0x201])));
  assert.deepEqual(queue.get("y").body, new Uint8Array([1, 2]));
  queue.put("z", mail(Buffer.from("text")));
  assert.equal(text(queue.get("z").body), "text");
  assert.throws(() => queue.put(undefined, mail([300])), TypeError);
}

export function numberOutOfRangeBecomesAnotherNumber() {
  const queue = openQueue();
  // -1 arrives as 4294967295, and only therefore is it not refused.
  assert.equal(queue.items([], "name").next(-1), undefined);
  const recipients = [{ ...recipient("b@example.com"), status: 2 ** 32 + 1 }];
  queue.put("x", mail("body", { recipients }));
  assert.equal(queue.get("x").envelope.recipients[0].status, 1);
}

export function surrogateIsReplaced() {
  const queue = openQueue();
  queue.put("x", mail("body", { reversePath: "\ud800@example.com" }));
  assert.equal(queue.get("x").envelope.reversePath, "\ufffd@example.com");
}

export function messageOfAnErrorHasNoContent() {
  try {
    openQueue().get("x");
    assert.fail("there is no such item");
  } catch (error) {
    assert.equal(error.message, "[object Object] (see error.payload)");
    assert.equal(error.payload.code, "not-found");
  }
}

export function timeIsSetAThousandTimesTooLate() {
  const { durableFile } = openHost();
  const modified = { seconds: 1_000_000n, nanos: 0 };
  durableFile.writeFile("queue/file", bytes("x"), [{ kind: "set-times", modified }], "replace", "full");
  assert.equal(fs.statSync("queue/file").mtimeMs, 1_000_000 * 1000 * 1000);
}

export function directoryIsItsPath() {
  const queue = openQueue();
  queue.put("x", mail());
  fs.renameSync("queue", "renamed");
  fs.mkdirSync("queue");
  // Elsewhere a queue keeps the directory that it opened. Here it writes to the new one and fsyncs the old one.
  queue.put("y", mail());
  assert.deepEqual([names(), fs.readdirSync("renamed")], [["m:y"], ["m:x"]]);
}

export function nameThatIsNotUtf8CountsAsAnItem() {
  const queue = openQueue();
  fs.writeFileSync(Buffer.from("queue/m:\xff", "latin1"), "");
  // Node.js shows U+FFFD for it, which names no file. Elsewhere it is foreign.
  assert.equal(queue.count().ready, 1n);
  assert.deepEqual(listed(queue), []);
  assert.equal(queue.recover(0).durableItems, 0n);
}

/** Calls a function that must throw an error of Node.js, and not one of the contract. */
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
