"""Every code of `types.error`, provoked for real and read with all of its fields.

`# needs:` says what else a test needs, `# fault:` which system call the kernel is told to fail (with `strace`): what
only a broken device does. Two codes never come from here, because wasmtime maps neither EDQUOT nor EROFS: it reports
both as EIO. `quota` and `read_only` hold it to that, so that it is noticed when that changes.
"""

import os
import subprocess
from pathlib import Path

from support import *


def invalid_argument():
    host = open_queue({"queue": "queue", "proc": "/proc/self"})
    queue = host.queue_store
    refused("invalid-argument", "none", "", queue.put, "queue", None, mail(recipients=[]), None)
    refused("invalid-argument", "none", "", queue.put, "queue", "a/b", mail(), None)
    refused("invalid-argument", "none", "", queue.get, "queue", "..")
    refused("invalid-argument", "none", "", queue.get, "queue", "")
    refused("invalid-argument", "none", "", queue.get, "queue", "a\\b")
    refused("invalid-argument", "none", "", queue.get, "queue", "a\0b")
    refused("invalid-argument", "none", "", queue.list_ids, "queue", [], None, 0)
    refused("invalid-argument", "resolve", "queue/../queue", queue.count, "queue/../queue")
    # What the system takes for invalid: the files of procfs cannot be synced.
    refused("invalid-argument", "sync", "proc/status", host.durable_file.sync_file, "proc/status")
    equal(names(), [])


def not_found():
    host = open_queue()
    refused("not-found", "stat", "queue/m:nobody", host.queue_store.get, "queue", "nobody")
    refused("not-found", "resolve", "elsewhere", host.queue_store.count, "elsewhere")
    refused("not-found", "resolve", "queue/below", host.queue_store.count, "queue/below")
    refused("not-found", "open", "queue/file", host.durable_file.read_file, "queue/file")
    problem = outcome(host.queue_store.remove("queue", ["nobody"], None))
    says(problem, "not-found", "stat", "queue/m:nobody")


def exists():
    host = open_queue()
    host.queue_store.put("queue", "x", mail(), None)
    refused("exists", "link", "queue/m:x", host.queue_store.put, "queue", "x", mail(b"other"), None)
    equal(host.queue_store.get("queue", "x").body, b"body")
    Path("queue/file").write_bytes(b"old")
    write = host.durable_file.write_file
    refused("exists", "link", "queue/file", write, "queue/file", b"new", [], "create-new", "full")


def conflict():
    queue = open_queue().queue_store
    queue.put("queue", "x", mail(), None)
    change = no_change(if_revision="another")
    refused("conflict", "none", "queue/m:x", queue.update, "queue", "x", change, None)
    # Two files with different content.
    queue.put("queue", "y", mail(b"text"), None)
    queue.put("queue", "z", mail(b"binary"), options(format="binary"))
    os.rename("queue/m=z", "queue/m=y")
    refused("conflict", "none", "queue/m=y", queue.get, "queue", "y")
    refused("conflict", "resolve", "", open_queue({"one": "queue", "two": "."}).intake.submit, mail(created_at=None))


def corrupt():
    host = open_queue()
    Path("queue/m:x").write_bytes("ID: \"x\"\nfrom: \"ñ\" bcc: \"b@example.com\"\n".encode())
    error = refused("corrupt", "decode", "queue/m:x", host.queue_store.get, "queue", "x")
    # In bytes, in lines, and in characters: the `ñ` is one of two bytes.
    equal(fields(error.at), {"offset": 19, "line": 2, "column": 11})
    # Every item has a time.
    Path("queue/m:y").write_bytes(b'ID: "y" rcpt: {address: "b@example.com"}')
    error = refused("corrupt", "decode", "queue/m:y", host.queue_store.get, "queue", "y")
    equal(error.at, None)
    # Cut.
    host.queue_store.put("queue", "z", mail(), None)
    os.truncate("queue/m:z", 100)
    refused("corrupt", "decode", "queue/m:z", host.queue_store.info, "queue", "z")
    problem = outcome(host.queue_store.verify("queue", ["z"]))
    says(problem, "corrupt", "decode", "queue/m:z")
    # A damaged item is an entry of a listing, and keeps nothing from being listed.
    host.queue_store.put("queue", "good", mail(), None)
    entries = host.queue_store.list_items("queue", [], None, 10).entries
    equal([(entry.id, entry.problem and entry.problem.code) for entry in entries],
          [("good", None), ("x", "corrupt"), ("y", "corrupt"), ("z", "corrupt")])
    error = refused("corrupt", "decode", "", host.item_codec.decode, b"\n nonsense", "text")
    equal(fields(error.at), {"offset": 2, "line": 2, "column": 2})


def checksum_mismatch():
    queue = open_queue().queue_store
    queue.put("queue", "x", mail(), None)
    item = Path("queue/m:x")
    item.write_bytes(item.read_bytes().replace(b'"body"', b'"BODY"'))
    refused("checksum-mismatch", "decode", "queue/m:x", queue.get, "queue", "x")
    equal(outcome(queue.seal("queue", ["x"])), None)
    equal(queue.get("queue", "x").body, b"BODY")


def too_large():
    host = open_queue()
    limited = options(settings=[("max-body-bytes", "3")])
    refused("too-large", "none", "", host.queue_store.put, "queue", None, mail(), limited)
    draft = host.queue_stream.draft_begin("queue", None, envelope(), None)
    refused("too-large", "none", "", host.queue_stream.draft_write, draft, bytes(65_537))
    host.drop(draft)
    long = envelope(reverse_path="a" * (4 << 20))
    refused("too-large", "encode", "", host.item_codec.encode, {"id": "x", "envelope": long, "body": b""}, "text")
    equal(names(), [])


def queue_full():
    queue = open_queue().queue_store
    queue.put("queue", None, mail(), options(max_items=1))
    refused("queue-full", "none", "queue", queue.put, "queue", None, mail(), options(max_items=1))
    # An outcome of a batch says the same.
    problem = outcome(queue.put_many("queue", [(None, mail())], options(max_items=1)))
    says(problem, "queue-full", "none", "queue")


# needs: mounts
def no_space():
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", "queue"], check=True)
    host = open_queue()
    queue = host.queue_store
    queue.put("queue", "x", mail(), None)
    refused("no-space", "write", "queue/.m:*", queue.put, "queue", None, mail(bytes(20_000)), None)
    # Nothing is left, and nothing is in the way of what is small enough.
    equal(names(), ["m:x"])
    queue.put("queue", "y", mail(), None)
    # A stream notices in between.
    draft = host.queue_stream.draft_begin("queue", None, envelope(), None)
    refused("no-space", "write", "queue/.m:*", host.queue_stream.draft_write, draft, bytes(20_000))
    refused("aborted", "none", "", host.queue_stream.draft_commit, draft)
    equal(names(), ["m:x", "m:y"])
    # Recovery and removal work on a full disk.
    Path("queue/filler").write_bytes(bytes(16_384 - 8_192))
    equal(fields(queue.recover("queue", 0))["items"], 2)
    equal(outcome(queue.remove("queue", ["x"], None)), None)


# fault: pwrite64=EDQUOT
def quota():
    # wasmtime reports EDQUOT as EIO, so the code is `io` and not `quota`.
    refused("io", "write", "queue/.m:*", open_queue().queue_store.put, "queue", None, mail(), None)
    equal(names(), [])


# needs: mounts
def read_only():
    open_queue().queue_store.put("queue", "x", mail(), None)
    subprocess.run(["mount", "--bind", "queue", "queue"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", "queue"], check=True)
    host = open_queue()
    # wasmtime reports EROFS as EIO, so the code is `io` and not `read-only`.
    refused("io", "create", "queue/.m:*", host.queue_store.put, "queue", None, mail(), None)
    problem = outcome(host.queue_store.remove("queue", ["x"], None))
    says(problem, "io", "unlink", "queue/m:x")
    equal(host.queue_store.get("queue", "x").body, b"body")


def access():
    host = open_queue()
    host.queue_store.put("queue", "x", mail(), None)
    # A preopen that the host made read-only.
    read_only = open_queue(mutable=False)
    refused("access", "create", "queue/.m:*", read_only.queue_store.put, "queue", None, mail(), None)
    equal(read_only.queue_store.get("queue", "x").body, b"body")
    # A file that may not be read. Root reads everything, so it becomes somebody else first.
    os.chmod("queue/m:x", 0)
    if os.geteuid() == 0:
        os.seteuid(65_534)
    refused("access", "open", "queue/m:x", host.queue_store.get, "queue", "x")


def unsupported():
    host = open_queue()
    queue = host.queue_store
    refused("unsupported", "none", "", queue.put, "queue", None, mail(), options(settings=[("unheard-of", "1")]))
    queue.put("queue", "x", mail(), None)
    refused("unsupported", "none", "queue/m:x", queue.update, "queue", "x", no_change(), options(format="binary"))
    # What is not a regular file is not opened: to open a FIFO would wait for a writer.
    os.mkfifo("queue/m:fifo")
    os.mkdir("queue/m:directory")
    os.symlink("m:x", "queue/m:link")
    for id in ["fifo", "directory", "link"]:
        refused("unsupported", "stat", f"queue/m:{id}", queue.get, "queue", id)
    refused("unsupported", "open", "queue/m:fifo", host.durable_file.read_file, "queue/m:fifo")
    item = Path("queue/m:x").read_bytes().replace(b"# queue-store 1\n", b"# queue-store 2\n")
    refused("unsupported", "decode", "", host.item_codec.decode, item, "text")


def busy():
    host = open_queue()
    begin = host.queue_stream.draft_begin
    drafts = [begin("queue", None, envelope(), None) for _ in range(64)]
    refused("busy", "none", "", begin, "queue", None, envelope(), None)
    host.drop(drafts.pop())
    drafts.append(begin("queue", None, envelope(), None))
    for draft in drafts:
        host.drop(draft)
    equal(names(), [])


# fault: fsync=EIO
def io():
    host = open_queue({"queue": "queue", "proc": "/proc/self"})
    refused("io", "sync", "queue/.m:*", host.queue_store.put, "queue", None, mail(), None)
    # It is not tried again, and the file is not kept.
    equal(names(), [])
    # No fault is needed to fail to read the memory at address 0.
    refused("io", "read", "proc/mem", host.durable_file.read_file, "proc/mem")


def aborted():
    host = open_queue()
    draft = host.queue_stream.draft_begin("queue", None, envelope(), None)
    refused("too-large", "none", "", host.queue_stream.draft_write, draft, bytes(65_537))
    refused("aborted", "none", "", host.queue_stream.draft_write, draft, b"x")
    refused("aborted", "none", "", host.queue_stream.draft_commit, draft)
    # A reader that met damage does not go on either.
    host.queue_store.put("queue", "x", mail(bytes(200_000)), None)
    item = Path("queue/m:x")
    item.write_bytes(item.read_bytes().replace(b'\\x00"', b'\\x01"'))
    body = host.queue_stream.body_open("queue", "x", 0)
    read = 0
    try:
        while (chunk := host.queue_stream.body_read(body, 65_536)) is not None:
            read += len(chunk)
        raise AssertionError("the end of a damaged body was reached")
    except QueueError as error:
        says(error, "checksum-mismatch", "decode", "queue/m:x")
    equal(read, 200_000)
    refused("aborted", "none", "", host.queue_stream.body_read, body, 65_536)
    host.drop(body)


# fault: fsync=EIO on queue
def indeterminate():
    queue = open_queue().queue_store
    refused("indeterminate", "sync-directory", "queue", queue.put, "queue", None, mail(), None)
    # It is visible, and the queue is closed.
    [id] = queue.list_ids("queue", [], None, 10).ids
    equal(queue.get("queue", id).body, b"body")
    refused("needs-recovery", "none", "queue", queue.put, "queue", None, mail(), None)
    refused("needs-recovery", "sync-directory", "queue", queue.recover, "queue", 0)
    queue = open_queue().queue_store
    outcomes = queue.put_many("queue", [(None, mail()), (None, mail())], None)
    equal([outcome.problem.code for outcome in outcomes], ["indeterminate"] * 2)
    # For an id that is given, the names that are there are made durable first, and nothing was done.
    refused("io", "sync-directory", "queue", open_queue().queue_store.put, "queue", "x", mail(), None)
    refused("not-found", "stat", "queue/m:x", queue.get, "queue", "x")


def needs_recovery():
    queue = open_queue().queue_store
    queue.put("queue", "x", mail(), None)
    # What a host tells an instance whose sibling answered `indeterminate`.
    queue.require_recovery("queue")
    refused("needs-recovery", "none", "queue", queue.put, "queue", None, mail(), None)
    refused("needs-recovery", "none", "queue", queue.update, "queue", "x", no_change(), None)
    refused("needs-recovery", "none", "queue", queue.remove, "queue", ["x"], None)
    equal(queue.get("queue", "x").body, b"body")
    recovery = {"items": 1, "swept": 0, "kept": 0, "settled": 0, "problems": [], "truncated": False}
    equal(fields(queue.recover("queue", 0)), recovery)
    queue.put("queue", None, mail(), None)


# fault: fsync=EBADF
def other():
    # The few codes of WASI that have none in the contract are those of descriptors that are broken.
    error = refused("other", "sync", "queue/.m:*", open_queue().queue_store.put, "queue", None, mail(), None)
    assert "descriptor" in error.detail, error.detail
