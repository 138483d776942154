"""Queues in a database. The tests that need one run by `hosts/conformance/postgres`, which starts a cluster."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
import unittest
from datetime import timedelta
from pathlib import Path

from queue_store import Exists, Indeterminate, InvalidArgument, NotFound, Queue, QueueError, pure

CLUSTER = Path(__file__).parents[3] / "postgres/cluster"
DATABASE, DIRECTORY = os.environ.get("QUEUE_STORE_DATABASE"), os.environ.get("QUEUE_STORE_CLUSTER")

MAIL = {"sender": "a@example.com", "to": ["b@example.com"]}


class PlaceTests(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="queue-store-")
        self.addCleanup(directory.cleanup)
        before = os.getcwd()
        os.chdir(directory.name)
        self.addCleanup(os.chdir, before)

    def test_password_is_in_no_error(self) -> None:
        for url, code in [
            ("postgres://q:secret@127.0.0.1:1/mail?timeout=1", "io"),
            (b"postgres://q@127.0.0.1:1/mail?timeout=1&password=secret", "io"),
            ("postgres://q:p@secret@127.0.0.1:1/mail?timeout=1", "invalid-argument"),
            ("postgres://q:secret@127.0.0.1:x/mail", "invalid-argument"),
            (b"postgres://q:secret\xff@127.0.0.1:1/mail", "invalid-argument"),
            (Path("postgres://q:secret@127.0.0.1:1/mail"), "invalid-argument"),
            ("POSTGRES://q:secret@127.0.0.1:1/mail", "invalid-argument"),
            ("mysql://q:secret@127.0.0.1:1/mail", "invalid-argument"),
        ]:
            for Class, expected in [(Queue, code), (pure.Queue, "unsupported")]:
                with self.subTest(url, Class=Class), self.assertRaises(QueueError) as raised:
                    Class(url)
                self.assertEqual(raised.exception.code, expected, raised.exception)
                self.assertNotIn("secret", f"{raised.exception} {raised.exception!r}")
        self.assertEqual(os.listdir(), [])

    def test_directory_of_that_name_is_opened_by_a_dot(self) -> None:
        for Class in [Queue, pure.Queue]:
            queue = Class("./postgres://db/mail")
            id = queue.put(b"body", **MAIL)
            self.assertEqual(os.listdir("postgres:/db/mail"), [f"m:{id}"])
            self.assertEqual(queue.path, "./postgres://db/mail")
            queue.remove(id)


@unittest.skipUnless(DATABASE and DIRECTORY, "there is no cluster: hosts/conformance/postgres starts one")
class DatabaseTests(unittest.TestCase):
    def url(self, name: str, options: str = "") -> str:
        return f"{DATABASE}?queue=python-{name}-{os.getpid()}{options}"

    def cluster(self, verb: str, node: int) -> subprocess.CompletedProcess[str]:
        command = [str(CLUSTER), verb, str(DIRECTORY), str(node)]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    def rename(self, table: str, name: str) -> None:
        """Takes a table away, or gives it back: what reads it fails in between."""
        primary = f"{DATABASE}?target_session_attrs=read-write"
        statement = f"ALTER TABLE queue_store.{table} RENAME TO {name}"
        subprocess.run(["psql", "--quiet", primary, "--command", statement], check=True)

    def test_password_is_not_shown(self) -> None:
        url = self.url("shown").replace("://queue@", "://queue:secret@")
        for given in [url, url.encode()]:
            queue = Queue(given)
            self.assertEqual(queue.path, self.url("shown"))
            self.assertEqual(repr(queue), f"queue_store.Queue({self.url('shown')!r})")
            self.assertNotIn("secret", repr(vars(queue)))

    def test_opening_recovers(self) -> None:
        url = self.url("recovery")
        draft = Queue(url).draft(**MAIL)
        draft.write(b"x" * 1_000_000)
        for grace, temporary in [(timedelta(hours=36), 1), (timedelta(0), 0)]:
            self.assertEqual(Queue(url, grace=grace).count().temporary, temporary)
        self.assertEqual(Queue(url, create=False, recover=False).count().ready, 0)
        with self.assertRaises(QueueError) as raised:
            draft.commit()
        self.assertEqual(raised.exception.code, "aborted")

    def test_listing_that_failed_is_not_taken_for_the_whole(self) -> None:
        queue = Queue(self.url("listing"))
        queue.put(b"body", **MAIL)
        listing = iter(queue)
        self.rename("item", "renamed")
        try:
            with self.assertRaises(QueueError):
                next(listing)
        finally:
            self.rename("renamed", "item")
        with self.assertRaises(QueueError) as raised:
            next(listing)
        self.assertEqual(raised.exception.code, "aborted")
        self.assertEqual(len(list(queue)), 1)

    def test_queue_of_a_missing_database_is_not_found(self) -> None:
        with self.assertRaises(NotFound):
            Queue(f"{self.url('none').rpartition('/')[0]}/none")
        with self.assertRaisesRegex(InvalidArgument, "colour"):
            Queue(self.url("option", "&colour=red"))

    def test_child_goes_on_with_the_queue_of_its_parent(self) -> None:
        queue = Queue(self.url("fork"))
        draft = queue.draft(**MAIL, id="parent")
        draft.write(b"parent")
        child = os.fork()
        if child == 0:
            try:
                for call in [lambda: draft.write(b"child"), draft.commit]:
                    with self.assertRaisesRegex(RuntimeError, "forked"):
                        call()
                queue.put(b"child", **MAIL, id="child")
                # The end of the interpreter drops what the child inherited.
                del draft, queue
                os._exit(0)
            except BaseException as failure:
                os.write(2, f"in the child: {failure!r}\n".encode())
                os._exit(1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        draft.commit()
        self.assertEqual([queue.get(id).body for id in ("parent", "child")], [b"parent", b"child"])

    def test_puts_go_on_after_the_death_of_the_primary(self) -> None:
        queue = Queue(self.url("primary", "&timeout=2"))
        primary = next(node for node in range(3) if self.cluster("promote", node).stderr.endswith("already\n"))
        acknowledged: set[str] = set()
        errors: list[tuple[str, QueueError]] = []
        failures: list[BaseException] = []
        ended = threading.Event()

        def put() -> None:
            while not ended.is_set():
                id = queue.new_id()
                try:
                    acknowledged.add(queue.put(id.encode() * 100, **MAIL, id=id))
                except QueueError as error:
                    errors.append((id, error))
                except BaseException as failure:
                    failures.append(failure)
                    return

        threads = [threading.Thread(target=put) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            self.wait(lambda: len(acknowledged) > 20)
            self.assertEqual(self.cluster("kill", primary).returncode, 0)
            self.wait(lambda: any(error.code == "io" for _, error in errors))
            others = [node for node in range(3) if node != primary]
            promotions = [self.cluster("promote", node) for node in others]
            self.assertIn(0, [promotion.returncode for promotion in promotions], promotions)
            before = len(acknowledged)
            self.wait(lambda: len(acknowledged) > before + 20)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
            self.cluster("rejoin", primary)
        self.assertEqual(failures, [])
        self.assertFalse(queue.needs_recovery)
        for id, error in errors:
            self.assertIn(error.code, ("io", "indeterminate"), error)
            self.assertEqual(isinstance(error, Indeterminate), error.code == "indeterminate")
            # The retry after an error in doubt: under the same id there is one item.
            try:
                self.assertEqual(queue.put(id.encode() * 100, **MAIL, id=id), id)
            except Exists:
                self.assertIsInstance(error, Indeterminate)
            acknowledged.add(id)
        for id in acknowledged:
            self.assertEqual(queue.get(id).body, id.encode() * 100)
        self.assertEqual(queue.count().ready, len(acknowledged))

    def wait(self, condition: object) -> None:
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, "it takes too long")
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main()
