"""A plugin: checks a mail, adds a Received field, and queues it."""

# The interpreter is frozen with the modules that are imported here, and has no others: `email.parser` needs the first two.
import email.header
import email.message
from email.parser import BytesHeaderParser
from email.utils import formatdate

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import intake


class Filter(exports.Filter):
    def receive(self, session, reverse_path, to, message):
        if not to:
            raise Err("554 no valid recipients")
        if b"\r\n\r\n" not in message:
            raise Err("554 no header")
        if BytesHeaderParser().parsebytes(message)["From"] is None:
            raise Err("554 no From field")
        received = f"Received: from {session.helo} ([{session.ip}])\r\n\tby mx.example.com; {formatdate()}\r\n"
        try:
            return intake.submit(reverse_path, to, received.encode() + message)
        except Err as error:
            raise Err(f"451 {error.value.code.name}: {error.value.detail}")
