"""Every function of the contract, with every type that it takes and returns."""

import os
from pathlib import Path
from types import SimpleNamespace

from support import *

EVERY_BYTE = bytes(range(256))


def the_component_says_what_it_is():
    queue = open_queue().queue_store
    about = dict(queue.about())
    equal((about["name"], about["contract"]), ("queue-store", "mail:queue@0.1.0"))
    equal(dict(queue.limits())["max-chunk-bytes"], 65_536)
    equal(dict(queue.counters())["puts"], 0)
    equal(len(queue.new_id()), 11)


def a_mail_is_put_listed_read_and_removed():
    queue = open_queue().queue_store
    id = queue.put("queue", None, mail(EVERY_BYTE), None)
    equal(names(), [f"m:{id}"])
    equal(fields(queue.list_ids("queue", [], None, 10)), {"ids": [id], "next": None})
    equal(fields(queue.get("queue", id)), {"id": id, "envelope": envelope(), "body": EVERY_BYTE})
    info = {
        "id": id,
        "state": "ready",
        "format": "text",
        "integrity": "envelope",
        "envelope": envelope(),
        "file_size": os.stat(f"queue/m:{id}").st_size,
        "body_size": 256,
        "attributes": [],
    }
    shown = fields(queue.info("queue", id))
    assert shown.pop("revision")
    equal(shown, info)
    [entry] = queue.list_items("queue", ["ready"], None, 10).entries
    equal((entry.id, entry.state, entry.problem), (id, "ready", None))
    assert fields(entry.info).items() >= info.items()
    equal(queue.list_items("queue", ["held", "quarantined"], None, 10).entries, [])
    counts = {"ready": 1, "held": 0, "quarantined": 0, "temporary": 0, "foreign": 0}
    equal(fields(queue.count("queue")), counts)
    equal(fields(queue.verify("queue", [id])), [{"id": id, "problem": None}])
    recovery = {"items": 1, "swept": 0, "kept": 0, "settled": 0, "problems": [], "truncated": False}
    equal(fields(queue.recover("queue", 129_600)), recovery)
    equal(fields(queue.remove("queue", [id], None)), [{"id": id, "problem": None}])
    equal(names(), [])


def an_update_changes_the_envelope_and_keeps_the_body():
    queue = open_queue().queue_store
    queue.put("queue", "x", mail(EVERY_BYTE), options(durability="file", format="binary", max_items=1))
    info = queue.info("queue", "x")
    equal(info.format, "binary")
    # What came out goes in again.
    [delivery] = info.envelope.recipients
    delivery.status, delivery.last_failure_message = 2, "550 5.1.1 no such user \N{CONFUSED FACE}"
    change = no_change(to=[], recipients=[delivery], if_revision=info.revision)
    revision = queue.update("queue", "x", change, options(format="binary"))
    assert revision not in ("", info.revision)
    item = queue.get("queue", "x")
    equal((item.envelope.reverse_path, item.envelope.to, item.body), ("a@example.com", [], EVERY_BYTE))
    equal(item.envelope.recipients, [delivery])


def an_item_goes_through_every_state():
    queue = open_queue().queue_store

    def done(outcomes):
        equal(fields(outcomes), [{"id": "x", "problem": None}])

    queue.put("queue", "x", mail(), None)
    done(queue.hold("queue", ["x"]))
    equal(queue.info("queue", "x").state, "held")
    done(queue.release("queue", ["x"]))
    equal(queue.info("queue", "x").state, "ready")
    done(queue.quarantine("queue", ["x"]))
    equal(queue.list_ids("queue", ["quarantined"], None, 10).ids, ["x"])
    done(queue.restore("queue", ["x"]))
    done(queue.seal("queue", ["x"]))
    done(queue.quarantine("queue", ["x"]))
    done(queue.discard("queue", ["x"], "none"))
    equal(names(), [])


def several_are_put_at_once():
    queue = open_queue().queue_store
    mails = [("x", mail(b"1")), (None, mail(b"2")), ("x", mail(b"3")), ("", mail())]
    outcomes = queue.put_many("queue", mails, None)
    codes = [outcome.problem and outcome.problem.code for outcome in outcomes]
    equal(codes, [None, None, "exists", "invalid-argument"])
    equal(queue.get("queue", "x").body, b"1")
    equal(queue.get("queue", outcomes[1].id).body, b"2")


def pages_follow_each_other():
    queue = open_queue().queue_store
    ids = [f"id-{number:02}" for number in range(7)]
    queue.put_many("queue", [(id, mail()) for id in reversed(ids)], options(durability="none"))
    for function, of_page in [(queue.list_ids, lambda page: page.ids),
                              (queue.list_items, lambda page: [entry.id for entry in page.entries])]:
        after, seen = None, []
        while True:
            page = function("queue", [], after, 3)
            seen += of_page(page)
            after = page.next
            if after is None:
                break
        equal(seen, ids)


def a_megabyte_is_streamed_in_and_out():
    host = open_queue()
    stream = host.queue_stream
    body = os.urandom(1 << 20)
    for format in ["text", "binary"]:
        draft = stream.draft_begin("queue", format, envelope(), options(format=format))
        for offset in range(0, len(body), 65_536):
            equal(stream.draft_write(draft, body[offset:offset + 65_536]), None)
        equal(stream.draft_commit(draft), format)
        reader = stream.body_open("queue", format, 0)
        equal(stream.body_info(reader).body_size, len(body))
        chunks = []
        while (chunk := stream.body_read(reader, 65_536)) is not None:
            assert 1 <= len(chunk) <= 65_536
            chunks.append(chunk)
        assert b"".join(chunks) == body, f"another body came back from {format}"
        # None again, at the end: all was checked.
        equal(stream.body_read(reader, 65_536), None)
        assert stream.body_info(reader).integrity != "unchecked"
        host.drop(reader)
        reader = stream.body_open("queue", format, len(body) - 10)
        equal(stream.body_read(reader, 65_536), body[-10:])
        host.drop(reader)


def a_draft_that_is_given_up_leaves_nothing():
    host = open_queue()
    for give_up in [host.queue_stream.draft_abandon, host.drop]:
        draft = host.queue_stream.draft_begin("queue", "x", envelope(), None)
        host.queue_stream.draft_write(draft, b"body")
        equal(len(names()), 1)
        equal(give_up(draft), None)
        equal(names(), [])


def a_listing_shows_every_detail():
    host = open_queue()
    host.queue_store.put_many("queue", [("x", mail()), ("y", mail())], None)
    Path("queue/m:z").write_bytes(b"nonsense")
    for detail, integrity in [("name", None), ("envelope", "envelope"), ("whole", "whole")]:
        listing = host.queue_stream.listing_open("queue", ["ready"], detail)
        entries = []
        while page := host.queue_stream.listing_next(listing, 2):
            entries += page
        host.drop(listing)
        shown = {entry.id: (entry.info and entry.info.integrity, entry.problem and entry.problem.code)
                 for entry in entries}
        damaged = None if detail == "name" else "corrupt"
        equal(shown, {"x": (integrity, None), "y": (integrity, None), "z": (None, damaged)})


def a_plugin_submits_and_streams():
    host = open_queue({"any name": "queue"})
    id = host.intake.submit(mail(created_at=None))
    submission = host.intake.submission_begin(envelope(created_at=None))
    equal(host.intake.submission_write(submission, b"streamed"), None)
    streamed = host.intake.submission_commit(submission)
    equal(host.queue_store.get("any name", id).body, b"body")
    equal(host.queue_store.get("any name", streamed).body, b"streamed")
    pipe = mail(recipients=[recipient("|reboot")], created_at=None)
    refused("invalid-argument", "none", "", host.intake.submit, pipe)
    host.drop(host.intake.submission_begin(envelope(created_at=None)))
    equal(len(names()), 2)


def the_codec_keeps_everything():
    codec = open_queue().item_codec
    odd = {
        "address": "\N{SNOWMAN}@example.com \" \\ \r \n \t \0 \x7f \x85 \U0010FFFF",
        "kind": -(2**31),
        "status": 2**31 - 1,
        "last_failure_message": "",
        "original_address": "",
        "via": ["", "mx"],
    }
    for seconds, nanos in [(-(2**63), -(2**31)), (2**63 - 1, 2**31 - 1), (0, 0)]:
        item = {
            "id": "",
            "envelope": envelope(to=[], recipients=[odd, odd], created_at={"seconds": seconds, "nanos": nanos}),
            "body": EVERY_BYTE,
        }
        for format in ["text", "binary"]:
            equal(fields(codec.decode(codec.encode(item, format), format)), item)
    item["envelope"]["created_at"] = None
    equal(fields(codec.decode(codec.encode(item, "text"), "text")), item)


def a_file_is_written_durably():
    files = open_queue().durable_file
    write = files.write_file
    operations = [
        {"kind": "sync-data", "modified": None},
        {"kind": "set-times", "modified": SimpleNamespace(seconds=1_000_000_000, nanos=5)},
        {"kind": "sync", "modified": None},
    ]
    equal(write("queue/file", EVERY_BYTE, operations, "create-new", "full"), None)
    equal(os.stat("queue/file").st_mtime_ns, 1_000_000_000_000_000_005)
    equal(write("queue/file", b"new", [], "replace", "file"), None)
    equal(files.sync_file("queue/file"), None)
    equal(files.read_file("queue/file"), b"new")
    equal(names(), ["file"])


def what_is_no_item_of_the_queue_is_left_alone():
    queue = open_queue().queue_store
    queue.put("queue", "x", mail(), None)
    Path(os.fsdecode(b"queue/m:\xff")).touch()
    Path("queue/.DS_Store").touch()
    os.mkdir("queue/subdirectory")
    os.symlink("/etc/passwd", "queue/m:escape")
    before = sorted(os.listdir(b"queue"))
    problems = {entry.id: entry.problem and entry.problem.code for entry in
                queue.list_items("queue", [], None, 10).entries}
    equal(problems, {"escape": "unsupported", "x": None})
    counts = {"ready": 1, "held": 0, "quarantined": 0, "temporary": 0, "foreign": 4}
    equal(fields(queue.count("queue")), counts)
    equal(queue.recover("queue", 0).items, 1)
    equal(sorted(os.listdir(b"queue")), before)
    # A queue is not reached through a symbolic link either.
    os.symlink("subdirectory", "queue/link")
    equal(queue.count("queue/subdirectory").ready, 0)
    refused("unsupported", "resolve", "queue/link", queue.count, "queue/link")
