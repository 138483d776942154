"""Decodes texts with Python's `protobuf` until its input ends. First it writes its version.

A text is its length and its bytes. An answer is a verdict (a byte, 1: taken), and the message in binary, or the reason to
refuse the text, with its length before it. Lengths are 32 bits, the lowest byte first.
"""

import platform
import struct
import sys

import google.protobuf
from google.protobuf import text_format
from google.protobuf.internal import api_implementation
from protobuf_text import read


def answer_of(text):
    # A line that is not UTF-8 and a number that its enum cannot hold are refused with a `ValueError`.
    try:
        return True, read(text).SerializeToString()
    except (text_format.ParseError, ValueError) as error:
        return False, f"{type(error).__name__}: {error}".encode(errors="backslashreplace")


def serve(texts, answers):
    def answer(taken, content):
        answers.write(struct.pack("<BI", taken, len(content)) + content)
        answers.flush()

    version = f"protobuf {google.protobuf.__version__} ({api_implementation.Type()})"
    answer(True, f"{version} of Python {platform.python_version()}".encode())
    while length := texts.read(4):
        answer(*answer_of(texts.read(*struct.unpack("<I", length))))


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
