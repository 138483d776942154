"""A plugin that is a command: reads a mail from standard input, adds a field, and queues it."""

import sys

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import intake


class Run(exports.Run):
    def run(self) -> None:
        reverse_path, *to = sys.argv[1:]
        message = b"X-Checked: yes\r\n" + sys.stdin.buffer.read()
        try:
            print(intake.submit(reverse_path, to, message))
        except Err as error:
            print(error.value.detail, file=sys.stderr)
            raise Err(None) from error
