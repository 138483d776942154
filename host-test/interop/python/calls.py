"""Every function of the contract, with every type that it takes and returns."""

import os
from pathlib import Path
from types import SimpleNamespace

from support import *

EVERY_BYTE = bytes(range(256))


def component_describes_itself():
    host = open_host()
    about = dict(host.introspection.about())
    equal((about["name"], about["contract"]), ("queue-store", "mail:queue@0.1.0"))
    equal(dict(host.introspection.limits())["max-chunk-bytes"], 65_536)
    equal(dict(host.introspection.counters())["puts"], 0)
    equal(len(host.queue_store.new_id()), 11)


def mail_is_put_listed_read_and_removed():
    queue = open_queue()
    id = queue.put(None, mail(EVERY_BYTE), None)
    equal(names(), [f"m:{id}"])
    equal(fields(queue.get(id)), {"id": id, "envelope": envelope(), "body": EVERY_BYTE})
    info = {
        "id": id,
        "state": "ready",
        "format": "text",
        "integrity": "envelope",
        "envelope": envelope(),
        "file_size": os.stat(f"queue/m:{id}").st_size,
        "body_size": 256,
        "recorded_id": None,
    }
    actual = fields(queue.info(id))
    assert actual.pop("revision")
    equal(actual, info)
    [entry] = listed(queue, ["ready"])
    equal((entry.id, entry.state, entry.problem), (id, "ready", None))
    assert fields(entry.info).items() >= info.items()
    equal(listed(queue, ["held", "quarantined"]), [])
    counts = {"ready": 1, "held": 0, "quarantined": 0, "temporary": 0, "foreign": 0}
    equal(fields(queue.count()), counts)
    equal(fields(queue.verify([id])), [{"id": id, "problem": None}])
    equal(fields(queue.recover(129_600)), recovery(durable_items=1))
    equal(fields(queue.remove([id], [], None)), [{"id": id, "problem": None}])
    equal(names(), [])


def empty_recipients_become_one_delivery_per_address():
    queue = open_queue()
    id = queue.put(None, mail(to=["b@example.com", "c@example.com"], recipients=[]), None)
    expected = [recipient("b@example.com"), recipient("c@example.com")]
    equal(fields(queue.get(id).envelope.recipients), expected)


def update_changes_the_envelope_and_keeps_the_body():
    queue = open_queue()
    queue.put("x", mail(EVERY_BYTE), options(durability="content-only", format="binary", max_items=1))
    info = queue.info("x")
    equal(info.format, "binary")
    # A record that came out goes in again.
    [delivery] = info.envelope.recipients
    delivery.status, delivery.last_failure_message = 2, "550 5.1.1 no such user \N{CONFUSED FACE}"
    time = {"seconds": -1, "nanos": 0}
    change = no_change(to=[], recipients=[delivery], created_at=time, if_revision=info.revision)
    revision = queue.update("x", change, "full")
    assert revision not in ("", info.revision)
    item = queue.get("x")
    equal((item.envelope.reverse_path, item.envelope.to, item.body), ("a@example.com", [], EVERY_BYTE))
    equal((item.envelope.recipients, fields(item.envelope.created_at)), ([delivery], time))


def attempts_are_recorded():
    queue = open_queue()
    queue.put("x", mail(recipients=[recipient("b@x"), recipient("c@x")]), None)
    revision = queue.info("x").revision
    attempts = [
        {"recipient": 1, "status": 2, "message": "first"},
        SimpleNamespace(recipient=1, status=1, message=""),
    ]
    revision = queue.record_attempts("x", attempts, revision, None)
    info = queue.info("x")
    equal((info.revision, [delivery.status for delivery in info.envelope.recipients]), (revision, [0, 1]))


def item_goes_through_every_state():
    queue = open_queue()

    def done(outcomes):
        equal(fields(outcomes), [{"id": "x", "problem": None}])

    queue.put("x", mail(), None)
    for state in ["held", "ready", "quarantined", "ready", "quarantined"]:
        done(queue.set_state(["x"], state))
        equal(queue.info("x").state, state)
        done(queue.seal(["x"]))
    equal([entry.id for entry in listed(queue, ["quarantined"], "name")], ["x"])
    done(queue.remove(["x"], ["quarantined"], "none"))
    equal(names(), [])


def several_mails_are_put_at_once():
    queue = open_queue()
    mails = [identified("x", mail(b"1")), identified(None, mail(b"2")), identified("x", mail(b"3")),
             identified("", mail())]
    outcomes = queue.put_many(mails, None)
    codes = [outcome.problem and outcome.problem.code for outcome in outcomes]
    equal(codes, [None, None, "exists", "invalid-argument"])
    equal(queue.get("x").body, b"1")
    equal(queue.get(outcomes[1].id).body, b"2")


def megabyte_is_streamed_in_and_out():
    host = open_host()
    queue, Draft = open_queue(host), host.queue_store.Draft
    body = os.urandom(1 << 20)
    for format in ["text", "binary"]:
        draft = queue.begin(format, envelope(), options(format=format))
        for offset in range(0, len(body), 65_536):
            equal(draft.write(body[offset:offset + 65_536]), None)
        equal(Draft.commit(draft), format)
        with queue.read(format, 0) as reader:
            equal(reader.info().body_size, len(body))
            chunks = []
            while (chunk := reader.read(65_536)) is not None:
                assert 1 <= len(chunk) <= 65_536
                chunks.append(chunk)
            assert b"".join(chunks) == body, f"another body came back from {format}"
            equal(reader.read(65_536), None)
            assert reader.info().integrity != "unchecked"
        with queue.read(format, len(body) - 10) as reader:
            equal(reader.read(65_536), body[-10:])


def draft_that_is_given_up_leaves_nothing():
    host = open_host()
    queue, Draft = open_queue(host), host.queue_store.Draft
    for give_up in [Draft.abandon, lambda draft: draft.close()]:
        draft = queue.begin("x", envelope(), None)
        draft.write(b"body")
        equal(len(names()), 1)
        equal(give_up(draft), None)
        equal(names(), [])


def draft_outlives_its_queue():
    host = open_host()
    with open_queue(host) as queue:
        draft = queue.begin("x", envelope(), None)
    draft.write(b"body")
    equal(host.queue_store.Draft.commit(draft), "x")
    equal(open_queue(host).get("x").body, b"body")


def listing_has_every_detail():
    queue = open_queue()
    queue.put_many([identified("x", mail()), identified("y", mail())], None)
    Path("queue/m:z").write_bytes(b"nonsense")
    for detail, integrity in [("name", None), ("envelope", "envelope"), ("whole", "whole")]:
        shown = {entry.id: (entry.info and entry.info.integrity, entry.problem and entry.problem.code)
                 for entry in listed(queue, ["ready"], detail)}
        damaged = None if detail == "name" else "corrupt"
        equal(shown, {"x": (integrity, None), "y": (integrity, None), "z": (None, damaged)})


def plugin_submits_and_streams():
    host = open_host({"any name": "queue"})
    queue, Submission = open_queue(host, "any name"), host.intake.Submission
    id = host.intake.submit("a@example.com", ["b@example.com"], b"body")
    submission = Submission.begin("", ["b@example.com"])
    equal(submission.write(b"streamed"), None)
    streamed = Submission.commit(submission)
    equal(queue.get(id).body, b"body")
    equal(queue.get(streamed).body, b"streamed")
    refused("invalid-argument", "", "", host.intake.submit, "", ["|reboot"], b"")
    Submission.begin("", ["b@example.com"]).close()
    equal(len(names()), 2)


def codec_keeps_everything():
    codec = open_host().item_codec
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


def file_is_written_durably():
    files = open_host().durable_file
    write = files.write_file
    operations = [
        {"kind": "sync-data", "modified": None},
        {"kind": "set-times", "modified": SimpleNamespace(seconds=1_000_000_000, nanos=5)},
        {"kind": "sync", "modified": None},
    ]
    equal(write("queue/file", EVERY_BYTE, operations, "create-new", "full"), None)
    equal(os.stat("queue/file").st_mtime_ns, 1_000_000_000_000_000_005)
    equal(write("queue/file", b"new", [], "replace", "content-only"), None)
    equal(files.sync_file("queue/file"), None)
    equal(files.read_file("queue/file"), b"new")
    equal(names(), ["file"])


def recovery_can_be_required():
    queue = open_queue()
    equal(queue.needs_recovery(), False)
    equal(queue.require_recovery(), None)
    equal(queue.needs_recovery(), True)
    queue.recover(0)
    equal(queue.needs_recovery(), False)


def foreign_files_are_left_alone():
    host = open_host()
    queue = open_queue(host)
    queue.put("x", mail(), None)
    Path(os.fsdecode(b"queue/m:\xff")).touch()
    Path("queue/.DS_Store").touch()
    os.mkdir("queue/subdirectory")
    os.symlink("/etc/passwd", "queue/m:escape")
    before = sorted(os.listdir(b"queue"))
    problems = {entry.id: entry.problem and entry.problem.code for entry in listed(queue)}
    equal(problems, {"escape": "unsupported", "x": None})
    counts = {"ready": 1, "held": 0, "quarantined": 0, "temporary": 0, "foreign": 4}
    equal(fields(queue.count()), counts)
    equal(queue.recover(0).durable_items, 1)
    equal(sorted(os.listdir(b"queue")), before)
    # A queue is not reached through a symbolic link either.
    os.symlink("subdirectory", "queue/link")
    equal(open_queue(host, "queue/subdirectory").count().ready, 0)
    refused("unsupported", "resolve", "queue/link", open_queue, host, "queue/link")
