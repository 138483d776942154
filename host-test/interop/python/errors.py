"""Every code of `types.error`, provoked for real and read with all of its fields.

`# needs:` names further requirements of a test, `# fault:` a system call that the kernel is told to fail (with
`strace`), as only a broken device does. Two codes never come from here, because wasmtime maps neither EDQUOT nor
EROFS: it reports both as EIO. `quota` and `read_only` check that, so that a change of wasmtime is noticed.
"""

import os
import subprocess
from pathlib import Path

from support import *


def invalid_argument():
    host = open_host({"queue": "queue", "proc": "/proc/self"})
    queue = open_queue(host)
    refused("invalid-argument", "", "", queue.put, None, mail(to=[], recipients=[]), None)
    refused("invalid-argument", "", "", queue.put, "a/b", mail(), None)
    refused("invalid-argument", "", "", queue.put, "x" * 242, mail(), None)
    for id in ["..", "", "a\\b", "a\0b"]:
        refused("invalid-argument", "", "", queue.get, id)
    with queue.items([], "name") as listing:
        refused("invalid-argument", "", "", listing.next, 0)
    refused("invalid-argument", "resolve", "queue/../queue", open_queue, host, "queue/../queue")
    # An error of the system: the files of procfs cannot be fsynced.
    refused("invalid-argument", "sync", "proc/status", host.durable_file.sync_file, "proc/status")
    equal(names(), [])


def not_found():
    host = open_host()
    queue = open_queue(host)
    refused("not-found", "stat", "queue/m:missing", queue.get, "missing")
    refused("not-found", "resolve", "elsewhere", open_queue, host, "elsewhere")
    refused("not-found", "resolve", "queue/below", open_queue, host, "queue/below")
    refused("not-found", "open", "queue/file", host.durable_file.read_file, "queue/file")
    has(problem(queue.remove(["missing"], [], None)), "not-found", "stat", "queue/m:missing")


def exists():
    host = open_host()
    queue = open_queue(host)
    queue.put("x", mail(), None)
    refused("exists", "link", "queue/m:x", queue.put, "x", mail(b"other"), None)
    equal(queue.get("x").body, b"body")
    Path("queue/file").write_bytes(b"old")
    write = host.durable_file.write_file
    refused("exists", "link", "queue/file", write, "queue/file", b"new", [], "create-new", "full")


def conflict():
    queue = open_queue()
    queue.put("x", mail(), None)
    change = no_change(if_revision="another")
    refused("conflict", "", "queue/m:x", queue.update, "x", change, None)
    # Two files with different content.
    queue.put("y", mail(b"text"), None)
    queue.put("z", mail(b"binary"), options(format="binary"))
    os.rename("queue/m=z", "queue/m=y")
    refused("conflict", "", "queue/m=y", queue.get, "y")
    submit = open_host({"one": "queue", "two": "."}).intake.submit
    refused("conflict", "resolve", "", submit, "", ["b@example.com"], b"")


def corrupt():
    host = open_host()
    queue = open_queue(host)
    Path("queue/m:x").write_bytes("ID: \"x\"\nfrom: \"ñ\" bcc: \"b@example.com\"\n".encode())
    error = refused("corrupt", "decode", "queue/m:x", queue.get, "x")
    # In bytes, lines and characters: the `ñ` is one character of two bytes.
    equal(fields(error.position), {"offset": 19, "line": 2, "column": 11})
    # Every item has a time.
    Path("queue/m:y").write_bytes(b'ID: "y" rcpt: {address: "b@example.com"}')
    error = refused("corrupt", "decode", "queue/m:y", queue.get, "y")
    equal(error.position, None)
    queue.put("z", mail(), None)
    os.truncate("queue/m:z", 100)
    refused("corrupt", "decode", "queue/m:z", queue.info, "z")
    has(problem(queue.verify(["z"])), "corrupt", "decode", "queue/m:z")
    # A damaged item is an entry of a listing, and keeps no other item from being listed.
    queue.put("good", mail(), None)
    equal([(entry.id, entry.problem and entry.problem.code) for entry in listed(queue)],
          [("good", None), ("x", "corrupt"), ("y", "corrupt"), ("z", "corrupt")])
    error = refused("corrupt", "decode", "", host.item_codec.decode, b"\n nonsense", "text")
    equal(fields(error.position), {"offset": 2, "line": 2, "column": 2})


def checksum_mismatch():
    queue = open_queue()
    queue.put("x", mail(), None)
    item = Path("queue/m:x")
    item.write_bytes(item.read_bytes().replace(b'"body"', b'"BODY"'))
    refused("checksum-mismatch", "decode", "queue/m:x", queue.get, "x")
    equal(problem(queue.seal(["x"])), None)
    equal(queue.get("x").body, b"BODY")


def id_mismatch():
    queue = open_queue()
    queue.put("x", mail(), None)
    os.rename("queue/m:x", "queue/m:y")
    equal(queue.info("y").recorded_id, "x")
    has(problem(queue.verify(["y"])), "id-mismatch", "decode", "queue/m:y")
    refused("id-mismatch", "decode", "queue/m:y", queue.update, "y", no_change(), None)
    [entry] = listed(queue)
    equal((entry.info.recorded_id, entry.problem.code), ("x", "id-mismatch"))
    equal(queue.recover(0).damaged_items, 1)


def too_large():
    host = open_host()
    queue = open_queue(host)
    refused("too-large", "", "", queue.put, None, mail(), options(max_body_bytes=3))
    with queue.begin(None, envelope(), None) as draft:
        refused("too-large", "", "", draft.write, bytes(65_537))
    long = envelope(reverse_path="a" * (4 << 20))
    refused("too-large", "encode", "", host.item_codec.encode, {"id": "x", "envelope": long, "body": b""}, "text")
    equal(names(), [])


def queue_full():
    queue = open_queue()
    queue.put(None, mail(), options(max_items=1))
    refused("queue-full", "", "queue", queue.put, None, mail(), options(max_items=1))
    outcomes = queue.put_many([identified(None, mail())], options(max_items=1))
    has(problem(outcomes), "queue-full", "", "queue")


# needs: mounts
def no_space():
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", "queue"], check=True)
    host = open_host()
    queue = open_queue(host)
    queue.put("x", mail(), None)
    refused("no-space", "write", "queue/.m:*", queue.put, None, mail(bytes(20_000)), None)
    # No file is left, and a smaller mail still fits.
    equal(names(), ["m:x"])
    queue.put("y", mail(), None)
    draft = queue.begin(None, envelope(), None)
    refused("no-space", "write", "queue/.m:*", draft.write, bytes(20_000))
    refused("aborted", "", "", host.queue_store.Draft.commit, draft)
    equal(names(), ["m:x", "m:y"])
    # Recovery and removal work on a full disk.
    Path("queue/filler").write_bytes(bytes(16_384 - 8_192))
    equal(queue.recover(0).durable_items, 2)
    equal(problem(queue.remove(["x"], [], None)), None)


# fault: pwrite64=EDQUOT
def quota():
    # wasmtime reports EDQUOT as EIO, so the code is `io` and not `quota`.
    refused("io", "write", "queue/.m:*", open_queue().put, None, mail(), None)
    equal(names(), [])


# needs: mounts
def read_only():
    open_queue().put("x", mail(), None)
    subprocess.run(["mount", "--bind", "queue", "queue"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", "queue"], check=True)
    queue = open_queue()
    # wasmtime reports EROFS as EIO, so the code is `io` and not `read-only`.
    refused("io", "create", "queue/.m:*", queue.put, None, mail(), None)
    has(problem(queue.remove(["x"], [], None)), "io", "unlink", "queue/m:x")
    equal(queue.get("x").body, b"body")


def access():
    queue = open_queue()
    queue.put("x", mail(), None)
    # A preopen that the host made read-only.
    read_only = open_queue(open_host(mutable=False))
    refused("access", "create", "queue/.m:*", read_only.put, None, mail(), None)
    equal(read_only.get("x").body, b"body")
    # A file that may not be read. Root reads everything, so it becomes another user first.
    os.chmod("queue/m:x", 0)
    if os.geteuid() == 0:
        os.seteuid(65_534)
    refused("access", "open", "queue/m:x", queue.get, "x")


def unsupported():
    host = open_host()
    queue = open_queue(host)
    queue.put("x", mail(), None)
    # A file that is not regular is not opened: the open of a FIFO would wait for a writer.
    os.mkfifo("queue/m:fifo")
    os.mkdir("queue/m:directory")
    os.symlink("m:x", "queue/m:link")
    for id in ["fifo", "directory", "link"]:
        refused("unsupported", "stat", f"queue/m:{id}", queue.get, id)
    refused("unsupported", "open", "queue/m:fifo", host.durable_file.read_file, "queue/m:fifo")
    item = Path("queue/m:x").read_bytes().replace(b"# queue-store 1\n", b"# queue-store 2\n")
    refused("unsupported", "decode", "", host.item_codec.decode, item, "text")


def busy():
    queue = open_queue()
    drafts = [queue.begin(None, envelope(), None) for _ in range(64)]
    refused("busy", "", "", queue.begin, None, envelope(), None)
    drafts.pop().close()
    drafts.append(queue.begin(None, envelope(), None))
    for draft in drafts:
        draft.close()
    equal(names(), [])


# fault: fsync=EIO
def io():
    host = open_host({"queue": "queue", "proc": "/proc/self"})
    refused("io", "sync", "queue/.m:*", open_queue(host).put, None, mail(), options(durability="content-only"))
    # The fsync is not retried, and the file is not kept.
    equal(names(), [])
    # Reading the memory at address 0 fails without an injected fault.
    refused("io", "read", "proc/mem", host.durable_file.read_file, "proc/mem")


def aborted():
    host = open_host()
    queue = open_queue(host)
    draft = queue.begin(None, envelope(), None)
    refused("too-large", "", "", draft.write, bytes(65_537))
    refused("aborted", "", "", draft.write, b"x")
    refused("aborted", "", "", host.queue_store.Draft.commit, draft)
    # A reader that met damage does not go on either.
    queue.put("x", mail(bytes(200_000)), None)
    item = Path("queue/m:x")
    item.write_bytes(item.read_bytes().replace(b'\\x00"', b'\\x01"'))
    with queue.read("x", 0) as reader:
        read = 0
        try:
            while (chunk := reader.read(65_536)) is not None:
                read += len(chunk)
            raise AssertionError("the end of a damaged body was reached")
        except QueueError as error:
            has(error, "checksum-mismatch", "decode", "queue/m:x")
        equal(read, 200_000)
        refused("aborted", "", "", reader.read, 65_536)


# fault: fsync=EIO on broken
def indeterminate():
    queue = open_queue()
    queue.remove([queue.put(None, mail(), None)], [], None)
    # From here on, the fsync of the directory fails.
    Path("queue").rename("broken")
    refused("indeterminate", "sync-directory", "queue", queue.put, None, mail(), None)
    # The mail is visible, and the queue is closed.
    [entry] = listed(queue)
    equal(queue.get(entry.id).body, b"body")
    refused("needs-recovery", "", "queue", queue.put, None, mail(), None)
    refused("needs-recovery", "sync-directory", "queue", queue.recover, 0)
    # Every process that opens the queue finds it closed, until it is recovered.
    Path("broken").rename("queue")
    queue = open_queue()
    equal(queue.needs_recovery(), True)
    refused("needs-recovery", "", "queue", queue.put_many, [identified(None, mail())], None)
    refused("needs-recovery", "", "queue", queue.put, "x", mail(), None)
    equal(fields(queue.recover(0)), recovery(durable_items=1, rewritten=1))
    queue.put("x", mail(), None)
    equal(sorted(names()), sorted([f"m:{entry.id}", "m:x"]))


def needs_recovery():
    queue = open_queue()
    queue.put("x", mail(), None)
    # A host calls this on the other queues of a directory when one answered `indeterminate`.
    queue.require_recovery()
    refused("needs-recovery", "", "queue", queue.put, None, mail(), None)
    refused("needs-recovery", "", "queue", queue.update, "x", no_change(), None)
    refused("needs-recovery", "", "queue", queue.remove, ["x"], [], None)
    equal(queue.get("x").body, b"body")
    equal(fields(queue.recover(0)), recovery(durable_items=1))
    queue.put(None, mail(), None)


# fault: fsync=EBADF
def other():
    # The few codes of WASI that have none in the contract are those of descriptors that are broken.
    error = refused("other", "sync", "queue/.m:*", open_queue().put, None, mail(), options(durability="content-only"))
    assert "descriptor" in error.detail, error.detail
