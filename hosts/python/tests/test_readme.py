"""The examples of README.md, run as they stand, in one interpreter."""

from __future__ import annotations

import os
import re
import tempfile
import unittest
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
DATABASE = os.environ.get("QUEUE_STORE_DATABASE")


class ReadmeTests(unittest.TestCase):
    def test_examples_run_in_order(self) -> None:
        blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
        self.assertGreaterEqual(len(blocks), 3)
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as directory:
            os.chdir(directory)
            try:
                Path("mail.eml").write_bytes(b"Subject: large\r\n\r\n" + b"x" * 100_000)
                names: dict[str, object] = {}
                for block in blocks:
                    # `hosts/conformance/postgres` runs the example that needs a database.
                    if DATABASE or "postgres://" not in block:
                        block = re.sub(r"postgres://[^?]*", DATABASE or "", block)
                        exec(compile(block, str(README), "exec"), names)
                self.assertEqual(Path("copy.eml").read_bytes(), Path("mail.eml").read_bytes())
                self.assertEqual(os.listdir("mails"), [])
            finally:
                os.chdir(before)


if __name__ == "__main__":
    unittest.main()
