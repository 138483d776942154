"""The queue, in both modules: what README.md says, and what a host must not break."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import gc
import io
import os
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from unittest import mock

import queue_store
from queue_store import (
    Attempt,
    ComponentError,
    Conflict,
    Damaged,
    Envelope,
    Exists,
    IdentifiedMail,
    InvalidArgument,
    NeedsRecovery,
    NotFound,
    Recipient,
    Timestamp,
    TooLarge,
    TryAgainLater,
    pure,
)

SENDER, TO = "a@example.com", ["b@example.com"]

FAILED_FSYNC = NeedsRecovery("needs-recovery", "", "queue", "an fsync failed")

# The cause that wasmtime tells of `unreachable`, without its backtrace.
TRAP = "^wasm trap: wasm `unreachable` instruction executed$"


class QueueTests:
    """The tests of a class of queues."""

    Queue: type[queue_store.Queue]

    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="queue-store-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / "queue"
        self.queue = self.Queue(self.path)

    def put(self, body: bytes = b"body", **keywords: object) -> str:
        return self.queue.put(body, sender=SENDER, to=TO, **keywords)

    def names(self) -> list[str]:
        return sorted(os.listdir(self.path))

    def test_mail_is_put_and_got(self) -> None:
        for size in [0, 1, 5000, 65_536, 65_537, 300_000]:
            body = os.urandom(size)
            item = self.queue.get(self.put(body))
            self.assertEqual(item.body, body)
            self.assertEqual((item.envelope.reverse_path, item.envelope.to), (SENDER, tuple(TO)))
            self.assertEqual([recipient.address for recipient in item.envelope.recipients], TO)

    def test_body_is_any_buffer_and_no_string(self) -> None:
        for body in [bytearray(b"body"), memoryview(b"body")]:
            self.assertEqual(self.queue.get(self.put(body)).body, b"body")
        with self.assertRaisesRegex(TypeError, "body is bytes, and not a string"):
            self.put("body")
        with self.assertRaisesRegex(TypeError, "list of strings"):
            self.queue.put(b"body", sender=SENDER, to="b@example.com")
        with self.assertRaises(TypeError):
            self.put(5)
        self.assertEqual(self.queue.count().ready, 2)

    def test_wrong_arguments_are_named(self) -> None:
        envelope = Envelope(SENDER, tuple(TO))
        for text, call in {
            "sender is a string, and not None": lambda: self.queue.put(b"", sender=None, to=TO),
            "to is a list of strings, and not None": lambda: self.queue.put(b"", sender=SENDER, to=None),
            "each of to is a string, and not the int 1": lambda: self.queue.draft(sender=SENDER, to=[1]),
            "each of recipients is a Recipient, and not the str 'x'": lambda: self.put(recipients=["x"]),
            "address is a string, and not None": lambda: self.put(recipients=[Recipient(None)]),
            "kind is an integer, and not the str '1'": lambda: self.put(recipients=[Recipient("b@example.com", "1")]),
            "created_at is a Timestamp, and not a datetime: use Timestamp.from_datetime": lambda: self.put(
                created_at=datetime.now()
            ),
            "created_at is a Timestamp, and not the int 5": lambda: self.queue.update("x", created_at=5),
            "id is a string, and not the int 3": lambda: self.queue.get(3),
            "id is a string, and not the int 4": lambda: self.put(id=4),
            "each of ids is a string, and not the int 5": lambda: self.queue.verify([5]),
            "body is bytes, a bytearray or a memoryview, and not None": lambda: self.put(None),
            "durability is one of full, content-only, none, and not the int 1": lambda: self.put(durability=1),
            "max_items is an integer, and not the float 1.5": lambda: self.put(max_items=1.5),
            "offset is an integer, and not None": lambda: self.queue.body("x", None),
            "grace is a timedelta, and not the int 5": lambda: self.queue.recover(5),
            "mails is a list of IdentifiedMail, and not the int 5": lambda: self.queue.put_many(5),
            "each of mails is an IdentifiedMail, and not the bytes b''": lambda: self.queue.put_many([b""]),
            "envelope is an Envelope, and not None": lambda: self.queue.put_many([IdentifiedMail(None, b"")]),
            "body is bytes, a bytearray or a memoryview, and not the int 5": lambda: self.queue.put_many(
                [IdentifiedMail(envelope, 5)]
            ),
            "attempts is a list of Attempt, and not the Attempt": lambda: self.queue.record_attempts(
                "x", Attempt(0, 1)
            ),
            "each of attempts is an Attempt, and not the int 0": lambda: self.queue.record_attempts("x", [0]),
            "reverse_path is a string, and not None": lambda: self.queue.put_many(
                [IdentifiedMail(Envelope(None, ()), b"")]
            ),
        }.items():
            with self.subTest(text), self.assertRaisesRegex(TypeError, f"^{re.escape(text)}"):
                call()
        for text, call in {
            "sender is a string of Unicode": lambda: self.queue.put(b"", sender="\ud800", to=TO),
            "durability is one of full, content-only, none, and not the str 'ful'": lambda: self.put(durability="ful"),
            "state is one of ready, held, quarantined, and not the str 'sent'": lambda: self.queue.items(["sent"]),
        }.items():
            with self.subTest(text), self.assertRaisesRegex(ValueError, f"^{re.escape(text)}"):
                call()
        self.assertEqual(self.names(), [])

    def test_id_is_in_its_queue(self) -> None:
        self.put(id="x")
        self.put(id="y")
        self.queue.quarantine("y")
        (self.path / "m:z").write_bytes(b"nonsense")
        for id, is_in in {"x": True, "y": True, "z": True, "none": False, "a/b": False, "": False}.items():
            with self.subTest(id):
                self.assertIs(id in self.queue, is_in)
        with self.assertRaisesRegex(TypeError, "id is a string, and not the Entry"):
            next(iter(self.queue)) in self.queue  # noqa: B015

    def test_every_field_of_an_envelope_comes_back(self) -> None:
        recipient = Recipient("p|cmd", 1, 2, "it failed: \u2014", "c@example.com", ("x@example.com", "y@example.com"))
        created_at = Timestamp.from_datetime(datetime(2026, 1, 2, 3, 4, 5, 678_000, timezone.utc))
        id = self.queue.put(
            b"", sender="", to=TO, recipients=[recipient], created_at=created_at, id="x", format="binary"
        )
        info = self.queue.info(id)
        self.assertEqual(info.envelope, Envelope("<>", tuple(TO), (recipient,), created_at))
        self.assertEqual((info.id, info.state, info.format, info.integrity), ("x", "ready", "binary", "envelope"))
        self.assertEqual((info.body_size, info.recorded_id), (0, None))
        self.assertEqual(info.envelope.created_at.to_datetime().microsecond, 678_000)

    def test_time_with_any_number_of_nanoseconds_is_one(self) -> None:
        for nanos, time in [(-1, "1969-12-31T23:59:59.999999+00:00"), (2_000_000_001, "1970-01-01T00:00:02+00:00")]:
            id = self.queue.put(b"", sender=SENDER, to=TO, created_at=Timestamp(0, nanos))
            self.assertEqual(self.queue.info(id).envelope.created_at.to_datetime().isoformat(), time)

    def test_put_many_has_an_outcome_for_each(self) -> None:
        envelope = Envelope(SENDER, tuple(TO))
        mails = [
            IdentifiedMail(envelope, b"one", "x"),
            IdentifiedMail(envelope, b"two", "x"),
            IdentifiedMail(envelope, b""),
        ]
        first, second, third = self.queue.put_many(mails)
        self.assertEqual((first.id, first.problem), ("x", None))
        self.assertIsInstance(second.problem, Exists)
        self.assertIsNone(third.problem)
        self.assertEqual(self.queue.get("x").body, b"one")

    def test_draft_is_a_file_that_the_block_commits(self) -> None:
        body = os.urandom(300_000)
        source = self.directory / "source"
        source.write_bytes(body)
        with open(source, "rb") as mail, self.queue.draft(sender=SENDER, to=TO, id="x") as draft:
            shutil.copyfileobj(mail, draft)
        self.assertEqual(draft.id, "x")
        self.assertTrue(draft.closed)
        with self.queue.body("x") as reader:
            self.assertEqual((reader.read(1), reader.readable()), (body[:1], True))
            self.assertEqual(reader.read(), body[1:])
        with self.queue.body("x", offset=299_990) as reader:
            self.assertEqual(reader.read(100), body[299_990:])

    def test_draft_of_a_block_that_raises_leaves_nothing(self) -> None:
        with self.assertRaises(KeyError), self.queue.draft(sender=SENDER, to=TO) as draft:
            draft.write(b"x" * 100_000)
            raise KeyError
        self.assertIsNone(draft.id)
        self.assertEqual(self.names(), [])
        with self.assertRaises(ValueError):
            draft.write(b"more")
        with self.assertRaises(ValueError):
            draft.commit()

    def test_block_whose_draft_was_closed_raises(self) -> None:
        def close(draft: queue_store.Draft) -> None:
            draft.close()

        def close_text(draft: queue_store.Draft) -> None:
            with io.TextIOWrapper(draft) as text:
                text.write("body")

        def forget_text(draft: queue_store.Draft) -> None:
            io.TextIOWrapper(draft).write("body")
            gc.collect()

        for close_early in [close, close_text, forget_text]:
            with self.subTest(close_early.__name__):
                draft = self.queue.draft(sender=SENDER, to=TO)
                with self.assertRaisesRegex(ValueError, "no mail was queued: the draft was closed"), draft:
                    close_early(draft)
                with self.assertRaises(KeyError), self.queue.draft(sender=SENDER, to=TO) as draft:
                    close_early(draft)
                    raise KeyError
        self.assertEqual(self.names(), [])

    def test_block_whose_draft_was_committed_ends(self) -> None:
        with self.queue.draft(sender=SENDER, to=TO, id="x") as draft:
            draft.commit()
            draft.close()
        # A commit that failed raised its own exception.
        with self.queue.draft(sender=SENDER, to=TO, id="y") as draft, self.assertRaises(Exists):
            self.put(id="y")
            draft.commit()
        with self.queue.draft(sender=SENDER, to=TO, id="z") as draft:
            text = io.TextIOWrapper(draft)
            text.write("body")
            text.detach()
        self.assertEqual(self.names(), ["m:x", "m:y", "m:z"])

    def test_forgotten_draft_leaves_nothing(self) -> None:
        self.queue.draft(sender=SENDER, to=TO).write(b"x")
        gc.collect()
        self.assertEqual(self.names(), [])

    def test_listing_tells_items_and_damage(self) -> None:
        self.put(id="x")
        self.put(id="y")
        (self.path / "m:z").write_bytes(b"nonsense")
        self.queue.hold("y")
        entries = {entry.id: entry for entry in self.queue}
        self.assertEqual(entries["x"].envelope.to, tuple(TO))
        self.assertEqual((entries["x"].state, entries["y"].state), ("ready", "held"))
        self.assertIsInstance(entries["z"].problem, Damaged)
        self.assertIsNone(entries["z"].info)
        self.assertEqual([entry.id for entry in self.queue.items(["held"], "name")], ["y"])
        counts = self.queue.count()
        self.assertEqual((counts.ready, counts.held, counts.foreign), (2, 1, 0))
        outcomes = {outcome.id: outcome.problem for outcome in self.queue.verify(["x", "z"])}
        self.assertIsNone(outcomes["x"])
        self.assertEqual(outcomes["z"].code, "corrupt")
        self.assertEqual(outcomes["z"].position.line, 1)

    def test_listing_is_longer_than_a_page(self) -> None:
        envelope = Envelope(SENDER, tuple(TO))
        for _ in range(2):
            self.queue.put_many([IdentifiedMail(envelope, b"")] * 1200, durability="none")
        self.assertEqual(len({entry.id for entry in self.queue.items(detail="name")}), 2400)

    def test_states_change(self) -> None:
        self.put(id="x")
        self.queue.hold("x")
        self.queue.release("x")
        self.queue.quarantine("x")
        with self.assertRaises(NotFound):
            self.queue.remove("x")
        self.queue.release("x")
        self.queue.remove("x")
        with self.assertRaises(NotFound) as raised:
            self.queue.remove("x")
        self.assertEqual(raised.exception.code, "not-found")
        [outcome] = self.queue.remove_many(["x"])
        self.assertIsInstance(outcome.problem, NotFound)

    def test_update_is_refused_for_another_revision(self) -> None:
        self.put(id="x")
        old = self.queue.info("x").revision
        new = self.queue.record_attempts("x", [Attempt(0, 2, "no such user")], if_revision=old)
        self.assertEqual(self.queue.info("x").revision, new)
        self.assertEqual(self.queue.info("x").envelope.recipients[0].last_failure_message, "no such user")
        with self.assertRaises(Conflict):
            self.queue.update("x", sender="c@example.com", if_revision=old)
        self.queue.update("x", sender="c@example.com", to=["d@example.com"], created_at=Timestamp(7), if_revision=new)
        envelope = self.queue.info("x").envelope
        self.assertEqual(
            (envelope.reverse_path, envelope.to, envelope.created_at),
            ("c@example.com", ("d@example.com",), Timestamp(7)),
        )

    def test_errors_have_classes_and_one_line(self) -> None:
        self.put(id="x")
        for kind, code, call in [
            (Exists, "exists", lambda: self.put(id="x")),
            (NotFound, "not-found", lambda: self.queue.get("none")),
            (NotFound, "not-found", lambda: self.queue.get("a\nb\x85c")),
            (InvalidArgument, "invalid-argument", lambda: self.put(id="a/b")),
            (InvalidArgument, "invalid-argument", lambda: self.queue.put(b"", sender=SENDER, to=[])),
            (TooLarge, "too-large", lambda: self.put(b"12", max_body_bytes=1)),
            (TryAgainLater, "queue-full", lambda: self.put(max_items=1)),
            (InvalidArgument, "invalid-argument", lambda: self.queue.submit(b"", sender="a", to=TO)),
        ]:
            with self.subTest(code), self.assertRaises(kind) as raised:
                call()
            self.assertEqual(raised.exception.code, code)
            self.assertEqual(len(str(raised.exception).splitlines()), 1)
            self.assertTrue(str(raised.exception))
        self.assertEqual(self.names(), ["m:x"])

    def test_directory_that_cannot_be_opened_is_an_os_error(self) -> None:
        with self.assertRaises(FileNotFoundError):
            self.Queue(self.directory / "none", create=False)
        file = self.directory / "file"
        file.write_bytes(b"")
        for path, create in [(file, True), (file, False), (file / "below", True), (file / "below", False)]:
            with self.subTest(path.name, create=create), self.assertRaises(NotADirectoryError) as raised:
                self.Queue(path, create=create)
            self.assertEqual(raised.exception.errno, errno.ENOTDIR)
            self.assertTrue(raised.exception.filename.startswith(str(file)))
        self.Queue(self.directory / "made" / "with" / "parents")
        self.assertEqual((self.directory / "made" / "with" / "parents").stat().st_mode & 0o777, 0o700)

    def test_calls_without_descriptors_are_to_be_tried_later(self) -> None:
        self.put(id="x")
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        unused = os.dup(0)
        os.close(unused)
        for name, call in {
            "put": self.put,
            "get": lambda: self.queue.get("x"),
            "list": lambda: list(self.queue),
        }.items():
            resource.setrlimit(resource.RLIMIT_NOFILE, (unused, limits[1]))
            try:
                call()
                error = None
            except queue_store.QueueError as raised:
                error = raised
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            self.assertIsInstance(error, TryAgainLater, name)
            self.assertIn("descriptors", str(error))
        self.assertEqual(self.names(), ["m:x"])

    def test_options_are_checked_before_anything_is_written(self) -> None:
        for options in [{"create": "no"}, {"recover": 1}, {"grace": 5}]:
            with self.assertRaises(TypeError) as raised:
                self.Queue(self.directory / "new", **options)
            self.assertIn(next(iter(options)), str(raised.exception))
        self.assertEqual(os.listdir(self.directory), ["queue"])

    def test_item_of_some_megabytes_is_got_in_one_piece(self) -> None:
        body = os.urandom(6 << 20)
        item = self.queue.get(self.put(body, id="x"))
        self.assertEqual((item.id, item.envelope.reverse_path, item.body), ("x", SENDER, body))

    def test_longest_grace_removes_nothing(self) -> None:
        draft = self.queue.draft(sender=SENDER, to=TO)
        self.assertEqual(self.queue.recover(timedelta.max).temporary_kept, 1)
        draft.close()

    def test_path_without_room_for_its_parent_is_opened(self) -> None:
        path = str(self.directory)
        while len(path) < 4094:
            path += "/" + "x" * min(200, 4093 - len(path))
        os.makedirs(path)
        self.Queue(path).put(b"body", sender=SENDER, to=TO)

    def test_path_goes_up_from_a_symbolic_link_as_in_the_kernel(self) -> None:
        inner = self.directory / "target" / "inner"
        inner.mkdir(parents=True)
        (self.directory / "link").symlink_to(inner)
        self.Queue(f"{self.directory}/link/../mails")
        self.assertTrue((self.directory / "target" / "mails").exists())

    def test_empty_path_is_refused(self) -> None:
        for path in ["", b""]:
            for create in [True, False]:
                with self.assertRaisesRegex(FileNotFoundError, "the path of the queue is empty"):
                    self.Queue(path, create=create)

    def test_recovery_opens_a_queue_that_another_process_marked(self) -> None:
        self.put(id="x")
        (self.path / ".unsynced").mkdir()
        (self.path / ".unsynced" / "mark:x").touch()
        inode = (self.path / "m:x").stat().st_ino
        with self.assertRaises(NeedsRecovery):
            self.queue.remove("x")
        self.assertTrue(self.queue.needs_recovery)
        with self.assertRaises(NeedsRecovery):
            self.put()
        other = self.Queue(self.path, recover=False)
        with self.assertRaises(NeedsRecovery):
            other.put(b"", sender=SENDER, to=TO)
        recovery = self.queue.recover()
        self.assertEqual((recovery.rewritten, recovery.problems), (1, ()))
        self.assertNotEqual((self.path / "m:x").stat().st_ino, inode)
        self.assertFalse(self.queue.needs_recovery)
        self.put()

    def test_listing_that_is_open_during_a_recovery_ends(self) -> None:
        self.put(id="x")
        (self.path / ".unsynced").mkdir()
        (self.path / ".unsynced" / "mark:x").touch()
        with self.assertRaises(NeedsRecovery):
            self.queue.remove("x")
        listing = self.queue.items()
        self.queue.recover()
        self.assertEqual([entry.id for entry in listing], ["x"])
        for _ in range(3):
            self.put()

    def test_draft_that_is_open_when_the_queue_closes_is_not_acknowledged(self) -> None:
        self.put(id="x")
        draft = self.queue.draft(sender=SENDER, to=TO, id="y")
        (self.path / ".unsynced").mkdir()
        (self.path / ".unsynced" / "mark:x").touch()
        with self.assertRaises(NeedsRecovery):
            self.queue.remove("x")
        with self.assertRaises(NeedsRecovery):
            draft.commit()
        self.queue.recover()
        self.put(id="y")

    def test_replaced_directory_is_an_open_queue(self) -> None:
        for number, reopen in enumerate([self.put, self.queue.recover]):
            self.put(id="x")
            (self.path / ".unsynced").mkdir()
            (self.path / ".unsynced" / "mark:x").touch()
            with self.assertRaises(NeedsRecovery):
                self.queue.remove("x")
            # It stays beside the new one, whose inode would be the same otherwise.
            self.path.rename(self.directory / f"replaced-{number}")
            self.Queue(self.path).put(b"", sender=SENDER, to=TO, id="y")
            reopen()
            self.assertFalse(self.queue.needs_recovery)
            self.put(id="z")
            self.assertLessEqual({"m:y", "m:z"}, set(self.names()))
            self.assertEqual((self.directory / f"replaced-{number}" / ".unsynced" / "mark:x").stat().st_size, 0)

    def test_replaced_directory_is_used(self) -> None:
        self.put(id="x")
        listing = self.queue.items()
        self.assertEqual(self.queue.count().ready, 1)
        self.path.rename(self.directory / "replaced")
        self.Queue(self.path).put(b"", sender=SENDER, to=TO, id="y")
        self.assertEqual(self.queue.get("y").body, b"")
        self.assertEqual([entry.id for entry in listing], ["x"])
        for number in range(3):
            self.put(id=str(number))
        self.assertEqual(self.names(), ["m:0", "m:1", "m:2", "m:y"])

    def test_number_that_does_not_fit_its_type_is_refused(self) -> None:
        self.put(id="x")
        (self.path / ".m:another-writer").touch()
        for name, call in {
            "recipient": lambda: self.queue.record_attempts("x", [Attempt(2**32, 1, "")]),
            "negative recipient": lambda: self.queue.record_attempts("x", [Attempt(-1, 1, "")]),
            "status": lambda: self.queue.record_attempts("x", [Attempt(0, 2**31, "")]),
            "kind": lambda: self.put(recipients=[Recipient("b@example.com", -(2**31) - 1)]),
            "seconds": lambda: self.put(created_at=Timestamp(2**64 + 5, 0)),
            "nanos": lambda: self.queue.update("x", created_at=Timestamp(0, 2**32)),
            "negative items": lambda: self.put(max_items=-1),
            "items": lambda: self.put(max_items=2**64),
            "bytes": lambda: self.put(max_body_bytes=2**64 + 100),
            "offset": lambda: self.queue.body("x", 2**64),
            "grace": lambda: self.queue.recover(timedelta(seconds=-(2**32))),
            "least grace": lambda: self.queue.recover(timedelta(microseconds=-1)),
        }.items():
            with self.subTest(name), self.assertRaises((TypeError, ValueError, OverflowError)):
                call()
        self.assertEqual(self.names(), [".m:another-writer", "m:x"])
        self.assertEqual(
            self.queue.info("x").envelope.recipients, (Recipient("b@example.com", original_address="b@example.com"),)
        )
        self.put(id="y", max_items=2**64 - 1, created_at=Timestamp(-(2**63), 0))
        self.assertEqual(self.queue.info("y").envelope.created_at, Timestamp(-(2**63), 0))

    def test_errors_can_be_pickled(self) -> None:
        with self.assertRaises(NotFound) as raised:
            self.queue.get("none")
        for error in [raised.exception, ComponentError("it trapped")]:
            copy = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(copy), copy.code, str(copy)), (type(error), error.code, str(error)))

    def test_recovery_removes_old_temporary_files(self) -> None:
        (self.path / ".m:old").write_bytes(b"x")
        self.assertEqual(self.queue.recover().temporary_kept, 1)
        self.assertEqual(self.queue.recover(timedelta(0)).temporary_removed, 1)

    def test_threads_share_a_queue(self) -> None:
        failures = []

        def work(number: int) -> None:
            try:
                for call in range(20):
                    body = f"{call} of {number}".encode() * 100
                    with self.queue.draft(sender=SENDER, to=TO) as draft:
                        draft.write(body)
                    for id in [draft.id, self.put(body)]:
                        if self.queue.get(id).body != body:
                            raise AssertionError(id)
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.queue.count().ready, 8 * 20 * 2)

    def test_threads_take_turns_with_a_draft_and_a_listing(self) -> None:
        def in_threads(work: Callable[[], int]) -> int:
            with ThreadPoolExecutor(4) as threads:
                return sum(future.result() for future in [threads.submit(work) for _ in range(4)])

        with self.queue.draft(sender=SENDER, to=TO, id="x") as draft:
            written = in_threads(lambda: sum(draft.write(b"x" * 100_000) for _ in range(10)))
        self.assertEqual((written, len(self.queue.get("x").body)), (4_000_000, 4_000_000))
        self.queue.remove("x")
        mails = [IdentifiedMail(Envelope(SENDER, TO), b"") for _ in range(1000)]
        for _ in range(3):
            self.queue.put_many(mails)
        listing = iter(self.queue)
        self.assertEqual(in_threads(lambda: sum(1 for _ in listing)), 3000)

    def test_asyncio_uses_threads(self) -> None:
        async def put_all() -> list[str]:
            puts = (asyncio.to_thread(self.put, str(number).encode()) for number in range(20))
            return await asyncio.gather(*puts)

        self.assertEqual(len(set(asyncio.run(put_all()))), 20)

    def test_introspection(self) -> None:
        self.put()
        self.assertEqual(self.queue.about()["contract"], "mail:queue@0.1.0")
        self.assertEqual(self.queue.limits()["max-batch"], 10_000)
        self.assertGreater(self.queue.counters()["file-syncs"], 0)
        self.assertNotEqual(self.queue.new_id(), self.queue.new_id())

    def run_forked(self, child: object) -> None:
        process = os.fork()
        if process == 0:
            try:
                child()
                os._exit(0)
            except BaseException as failure:
                print(f"in the child: {failure!r}")
                os._exit(1)
        self.assertEqual(os.waitpid(process, 0)[1], 0)


class NativeTests(QueueTests, unittest.TestCase):
    Queue = queue_store.Queue

    def test_child_closes_a_draft_that_a_thread_of_its_parent_writes(self) -> None:
        draft = self.queue.draft(sender=SENDER, to=TO, id="x")
        body = b"x" * 30_000_000
        thread = threading.Thread(target=draft.write, args=(body,))
        thread.start()
        for _ in range(20):
            self.run_forked(draft.close)
        thread.join()
        draft.commit()
        self.assertEqual(self.queue.get("x").body, body)

    def test_child_goes_on_with_the_queue_and_leaves_the_drafts_of_its_parent(self) -> None:
        draft = self.queue.draft(sender=SENDER, to=TO, id="parent")
        draft.write(b"parent")

        def child() -> None:
            with self.assertRaisesRegex(RuntimeError, "forked"):
                draft.write(b"child")
            draft.close()
            self.put(b"child", id="child")

        self.run_forked(child)
        draft.commit()
        self.assertEqual((self.queue.get("parent").body, self.queue.get("child").body), (b"parent", b"child"))

    def test_absolute_path_needs_no_working_directory(self) -> None:
        gone = self.directory / "gone"
        gone.mkdir()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(gone)
        gone.rmdir()
        self.Queue(self.path).put(b"", sender=SENDER, to=TO)

    def test_calls_let_other_threads_run(self) -> None:
        body, done = b"x" * 50_000_000, []

        def work() -> None:
            self.put(body)
            done.append("put")

        # The interpreter takes its lock from no thread then: this one goes on when the other releases it.
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1000)
        try:
            thread = threading.Thread(target=work)
            thread.start()
            self.assertEqual(done, [])
        finally:
            sys.setswitchinterval(interval)
            thread.join()


class PureTests(QueueTests, unittest.TestCase):
    Queue = pure.Queue

    def test_child_is_told_that_wasmtime_does_not_survive_a_fork(self) -> None:
        draft = self.queue.draft(sender=SENDER, to=TO)

        def child() -> None:
            draft.close()
            with self.assertRaisesRegex(RuntimeError, "does not survive a fork"):
                self.put()
            with self.assertRaisesRegex(RuntimeError, "does not survive a fork"):
                pure.Queue(self.path)

        self.run_forked(child)
        draft.commit()
        self.put()

    def test_child_does_not_wait_for_a_thread_of_its_parent(self) -> None:
        def child() -> None:
            signal.alarm(20)
            for call in [
                lambda: pure.Queue(self.path),
                self.put,
                self.queue.recover,
                lambda: self.queue.needs_recovery,
            ]:
                with self.assertRaisesRegex(RuntimeError, "does not survive a fork"):
                    call()

        calls = self.queue._calls
        with pure._Runtime._lock, calls._lock, calls._recovery:
            self.run_forked(child)

    def test_calls_of_other_packages_keep_their_integers(self) -> None:
        from wasmtime import Store
        from wasmtime import _ffi as ffi
        from wasmtime.component import _types

        value = ffi.wasmtime_component_val_t()
        _types.U32().convert_to_c(Store(), -1, ctypes.pointer(value))
        self.assertEqual(value.of.u32, 2**32 - 1)

    def with_failed_fsyncs(self, *replacements: object) -> list[object]:
        """Makes instances in which an fsync failed, and returns them. Each has a function in place of its `call`."""
        calls = self.queue._calls
        with ExitStack() as leases:
            instances = [leases.enter_context(calls.lease()) for _ in replacements]
            for instance, replacement in zip(instances, replacements, strict=True):
                calls.note(instance, FAILED_FSYNC)
                instance.call = partial(replacement, instance.call)
        return instances

    @staticmethod
    def succeed(call: object, *arguments: object) -> object:
        return call(*arguments)

    def test_recovery_opens_the_queue_when_every_instance_is_synced(self) -> None:
        problem = {"code": "io", "operation": "write", "path": "m:x", "detail": "it failed", "position": None}

        def fail(call: object, interface: str, name: str, *arguments: object) -> object:
            result = call(interface, name, *arguments)
            if name == "[method]queue.recover":
                result["problems"] = [problem]
            return name.endswith("needs-recovery") or result

        for replacements in [(fail, self.succeed), (self.succeed, fail)]:
            self.queue = self.Queue(self.path)
            failing = self.with_failed_fsyncs(*replacements)[replacements.index(fail)]
            self.assertEqual([error.code for error in self.queue.recover().problems], ["io"])
            self.assertTrue(self.queue.needs_recovery)
            with self.assertRaises(NeedsRecovery):
                self.put()
            failing.call = failing.call.args[0]
            self.assertEqual(self.queue.recover().problems, ())
            self.assertFalse(self.queue.needs_recovery)
            self.put()

    def test_fsync_that_fails_during_a_recovery_closes_the_queue(self) -> None:
        lease = ExitStack()
        slow = lease.enter_context(self.queue._calls.lease())

        def recover(call: object, *arguments: object) -> object:
            instance.call = call
            self.queue._calls.note(slow, FAILED_FSYNC)
            lease.close()
            return call(*arguments)

        [instance] = self.with_failed_fsyncs(recover)
        self.queue.recover()
        self.assertTrue(self.queue.needs_recovery)
        with self.assertRaises(NeedsRecovery):
            self.put()
        self.queue.recover()
        self.put()

    def test_failed_fsync_in_a_replaced_directory_closes_no_other(self) -> None:
        calls = self.queue._calls
        with self.assertRaises(NeedsRecovery), calls.lease():
            self.path.rename(self.directory / "replaced")
            self.path.mkdir()
            self.put()
            raise FAILED_FSYNC
        self.assertFalse(self.queue.needs_recovery)
        self.put()

    def test_other_recovery_waits_for_the_unsynced_instances(self) -> None:
        def recover(call: object, *arguments: object) -> object:
            instance.call = call
            other.start()
            other.join(0.5)
            self.assertTrue(self.queue.needs_recovery)
            return call(*arguments)

        other = threading.Thread(target=self.queue.recover)
        [instance] = self.with_failed_fsyncs(recover)
        self.queue.recover()
        other.join()
        self.put()

    def test_instance_of_a_recovery_that_fails_recovers_again(self) -> None:
        def interrupt(*_: object) -> object:
            raise KeyboardInterrupt

        [interrupted] = self.with_failed_fsyncs(interrupt)
        with self.assertRaises(KeyboardInterrupt):
            self.queue.recover()
        self.assertEqual(self.queue._calls._unsynced, [interrupted])

        def fail(*_: object) -> object:
            raise FAILED_FSYNC

        (self.path / ".unsynced").mkdir()
        (self.path / ".unsynced" / "mark:x").touch()
        self.queue = self.Queue(self.path, recover=False)
        [closed] = self.queue._calls._idle
        closed.call = partial(fail, closed.call)
        with self.assertRaises(NeedsRecovery):
            self.queue.recover()
        self.assertEqual(self.queue._calls._unsynced, [closed])

    def test_draft_can_be_collected_at_any_place(self) -> None:
        draft = self.queue.draft(sender=SENDER, to=TO)
        signal.alarm(20)
        with self.queue._calls._lock:
            draft.close()
        signal.alarm(0)

    @staticmethod
    def trap(*_: object) -> object:
        """Runs a component that traps."""
        from wasmtime import Store
        from wasmtime.component import Component, Linker

        engine = pure._Runtime.get().engine
        store = Store(engine)
        trapping = """(component
            (core module $m (func (export "f") unreachable))
            (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))"""
        instance = Linker(engine).instantiate(store, Component(engine, trapping))
        return instance.get_func(store, instance.get_export_index(store, "f"))(store)

    def test_recovery_goes_on_after_an_instance_trapped(self) -> None:
        [_, synced] = self.with_failed_fsyncs(self.trap, self.succeed)
        with self.assertRaisesRegex(ComponentError, TRAP):
            self.queue.recover()
        self.assertEqual(self.queue._calls._unsynced, [synced])
        self.assertTrue(self.queue.needs_recovery)
        with self.assertRaises(NeedsRecovery):
            self.put()
        self.queue.recover()
        self.assertFalse(self.queue.needs_recovery)
        self.put()

    def test_listing_whose_instance_trapped_is_aborted(self) -> None:
        from wasmtime import WasmtimeError

        self.put()
        listing = iter(self.queue)
        trap = mock.patch.object(pure._Instance, "call", side_effect=WasmtimeError("wasm trap: unreachable"))
        with trap, self.assertRaises(ComponentError):
            next(listing)
        with self.assertRaises(queue_store.QueueError) as raised:
            next(listing)
        self.assertEqual(raised.exception.code, "aborted")

    def test_fsync_that_fails_in_an_interrupted_call_closes_the_queue(self) -> None:
        call = pure._Instance.call

        def interrupt(instance: pure._Instance, interface: str, name: str, *arguments: object) -> object:
            if name != "[method]queue.put":
                return call(instance, interface, name, *arguments)
            # As after a failed fsync, of which no mark was left.
            call(instance, interface, "[method]queue.require-recovery", instance.queue)
            raise KeyboardInterrupt

        with mock.patch.object(pure._Instance, "call", interrupt), self.assertRaises(KeyboardInterrupt):
            self.put()
        self.assertTrue(self.queue.needs_recovery)
        with self.assertRaises(NeedsRecovery):
            self.put()
        self.queue.recover()
        self.put()

    def test_draft_that_is_interrupted_leaves_nothing(self) -> None:
        with self.assertRaises(KeyboardInterrupt), self.queue.draft(sender=SENDER, to=TO) as draft:
            draft.write(b"x")
            self.assertEqual(len(self.names()), 1)
            with mock.patch.object(pure._Instance, "call", side_effect=KeyboardInterrupt):
                draft.write(b"x")
        self.assertEqual(self.names(), [])
        self.put()

    def test_first_opening_without_descriptors_is_to_be_tried_later(self) -> None:
        program = (
            "import os, resource, sys; from queue_store import TryAgainLater, pure\n"
            "unused = os.dup(0); os.close(unused)\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (unused + int(sys.argv[2]), 1000))\n"
            "try: pure.Queue(sys.argv[1])\n"
            "except TryAgainLater: print('later')"
        )
        for free in range(12):
            command = [sys.executable, "-c", program, self.path, str(free)]
            run = subprocess.run(command, check=False, capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stderr), (0, ""), free)
            self.assertEqual(run.stdout, "later\n" if free < 10 else "", free)

    def test_path_that_is_not_utf_8_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "UTF-8"):
            pure.Queue(self.directory / os.fsdecode(b"\xff"))
        self.assertEqual(os.listdir(self.directory), ["queue"])

    def test_instance_that_traps_is_replaced(self) -> None:
        with self.assertRaisesRegex(ComponentError, TRAP), self.queue._calls.lease():
            self.trap()
        self.assertEqual(self.queue._calls._idle, [])
        self.put()


del QueueTests


if __name__ == "__main__":
    unittest.main()
