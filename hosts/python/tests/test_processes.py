"""An acknowledged mail survives a killed process; a put waits for its fsyncs."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import queue_store
from queue_store import pure

PUTS = """
import sys
from {module} import Queue

queue = Queue(sys.argv[1], recover=False)
for number in range(int(sys.argv[2])):
    body = f"mail {{number}} ".encode() * 1000
    print(queue.put(body, sender="a@example.com", to=["b@example.com"]), number, flush=True)
"""


class ProcessTests:
    """The tests of a module."""

    module: str
    Queue: type[queue_store.Queue]

    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="queue-store-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.queue = self.Queue(self.directory / "queue")

    def puts(self, number: int) -> list[str]:
        return [sys.executable, "-c", PUTS.format(module=self.module), str(self.directory / "queue"), str(number)]

    def test_acknowledged_mails_survive_kills(self) -> None:
        acknowledged = {}
        for _ in range(10):
            process = subprocess.Popen(self.puts(1_000_000), stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(random.uniform(0, 0.1))
            process.kill()
            output = first + process.stdout.read()
            process.stdout.close()
            process.wait()
            # The last line may be cut.
            for line in output.split("\n")[:-1]:
                id, number = line.split()
                acknowledged[id] = f"mail {number} ".encode() * 1000
        self.assertGreater(len(acknowledged), 10)
        self.queue.recover()
        for id, body in acknowledged.items():
            self.assertEqual(self.queue.get(id).body, body)
        self.assertTrue(all(entry.problem is None for entry in self.queue.items(detail="whole")))

    def require_strace(self) -> None:
        if shutil.which("strace") is None:
            if os.environ.get("QUEUE_STORE_REQUIRE_ALL") == "1":
                self.fail("strace is missing")
            self.skipTest("strace is missing")

    def test_directory_whose_entry_was_not_fsynced_is_removed(self) -> None:
        self.require_strace()
        fault = ["-P", str(self.directory), "-e", "inject=fsync:error=EIO"]
        strace = ["strace", "-f", "-qq", "-o", os.devnull, *fault]
        source = f"import sys; from {self.module} import Queue; Queue(sys.argv[1])"
        created = self.directory / "created"
        program = [sys.executable, "-c", source, str(created)]
        process = subprocess.run([*strace, *program], check=False, capture_output=True, text=True)
        self.assertRegex(process.stderr.splitlines()[-1], r"OSError: .*Input/output error")
        self.assertFalse(created.exists(), "a later fsync could succeed without writing the entry")

    def test_put_fsyncs_the_file_and_then_the_directory(self) -> None:
        self.require_strace()
        log = self.directory / "log"
        calls = "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,write"
        strace = ["strace", "-f", "-qq", "-y", "-s", "64", "-e", calls, "-o", str(log)]
        subprocess.run(strace + self.puts(1), check=True, stdout=subprocess.PIPE)
        root = re.escape(str(self.directory / "queue"))
        patterns = {
            "file": rf"f(data)?sync\(\d+<{root}/\.m:[^/>]*>\) = 0",
            "name": r"(link|rename)(at2?)?\(.*m:.* = 0",
            "directory": rf"fsync\(\d+<{root}>\) = 0",
            "answer": r"write\(1<[^>]*>, \"[\w-]{11}\b",
        }
        seen = [
            name
            for line in log.read_text().splitlines()
            for name, pattern in patterns.items()
            if re.search(pattern, line)
        ]
        # The directory is fsynced before the first change, too.
        self.assertEqual(seen, ["directory", "file", "name", "directory", "answer"])


class NativeTests(ProcessTests, unittest.TestCase):
    module, Queue = "queue_store", queue_store.Queue


class PureTests(ProcessTests, unittest.TestCase):
    module, Queue = "queue_store.pure", pure.Queue


del ProcessTests


if __name__ == "__main__":
    unittest.main()
