"""Arguments of users, checked for both modules: each error names the argument and its value."""

from __future__ import annotations

import errno
import os
import re
import reprlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar, get_args

from ._types import (
    Attempt,
    Detail,
    Durability,
    Envelope,
    EnvelopeChange,
    Format,
    IdentifiedMail,
    Recipient,
    State,
    Timestamp,
    WriteOptions,
)

T = TypeVar("T")

_NAMES: dict[str, tuple[str, ...]] = {
    "durability": get_args(Durability),
    "format": get_args(Format),
    "state": get_args(State),
    "detail": get_args(Detail),
}


def place(path: Any) -> str:
    """Returns the absolute path of a queue's directory, or the URL of a queue in a database as it is."""
    name = os.fspath(path)
    if not name:
        # The working directory would become the queue.
        raise FileNotFoundError(errno.ENOENT, "the path of the queue is empty", name)
    text = os.fsdecode(name)
    # Not `os.path.abspath`, which takes `link/..` for the directory that has the link.
    return text if is_database(text) or os.path.isabs(text) else os.path.join(os.getcwd(), text)


def is_database(text: str) -> bool:
    """Returns whether text is taken for the URL of a database, also of another one than PostgreSQL or with wrong slashes."""
    return re.match("postgres(ql)?:|[a-z][a-z0-9+.-]*://", text, re.ASCII | re.IGNORECASE) is not None


def string(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is a string, and not {_describe(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{name} is a string of Unicode, and not one with a lone surrogate") from error
    return value


def strings(values: Any, name: str) -> list[str]:
    if isinstance(values, str):
        raise TypeError(f"{name} is a list of strings, and not one string: [{reprlib.repr(values)}]")
    return _list(values, name, "strings", string)


def optional(check: Callable[[Any, str], T], value: Any, name: str) -> T | None:
    return None if value is None else check(value, name)


def data(value: Any, name: str = "body") -> bytes:
    """Returns the bytes of a body, or of a part of it."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        raise TypeError(f"{name} is bytes, and not a string: encode the text first, for instance with .encode()")
    try:
        return memoryview(value).tobytes()
    except TypeError:
        raise TypeError(f"{name} is bytes, a bytearray or a memoryview, and not {_describe(value)}") from None


def integer(value: Any, name: str, bits: int, *, signed: bool) -> int:
    """Returns an integer that fits its type of the contract."""
    if not isinstance(value, int):
        raise TypeError(f"{name} is an integer, and not {_describe(value)}")
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not least <= value <= most:
        raise OverflowError(f"{name} is an integer from {least} to {most}, and not {value}")
    return value


def u64(value: Any, name: str) -> int:
    return integer(value, name, 64, signed=False)


def one_of(value: Any, name: str) -> str:
    """Returns a name of one of the contract's enums. An unknown name would cost the pure module an instance."""
    names = _NAMES[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is one of {', '.join(names)}, and not {_describe(value)}")
    if value not in names:
        raise ValueError(f"{name} is one of {', '.join(names)}, and not {_describe(value)}")
    return value


def states(values: Any) -> list[str]:
    return [one_of(value, "state") for value in strings(values, "states")]


def boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} is True or False, and not {_describe(value)}")
    return value


def grace(value: Any) -> timedelta:
    if not isinstance(value, timedelta):
        raise TypeError(f"grace is a timedelta, and not {_describe(value)}")
    if value < timedelta(0):
        raise ValueError(f"grace is negative: {value}")
    return value


def timestamp(value: Any, name: str) -> Timestamp:
    if isinstance(value, datetime):
        raise TypeError(f"{name} is a Timestamp, and not a datetime: use Timestamp.from_datetime")
    time = _instance(value, name, Timestamp)
    integer(time.seconds, f"{name}.seconds", 64, signed=True)
    integer(time.nanos, f"{name}.nanos", 32, signed=True)
    return time


def envelope(sender: Any, to: Any, recipients: Any, created_at: Any) -> Envelope:
    return Envelope(
        string(sender, "sender"),
        tuple(strings(to, "to")),
        _recipients(recipients, "recipients"),
        optional(timestamp, created_at, "created_at"),
    )


def change(sender: Any, to: Any, recipients: Any, created_at: Any, if_revision: Any) -> EnvelopeChange:
    addresses = optional(strings, to, "to")
    return EnvelopeChange(
        optional(string, sender, "sender"),
        None if addresses is None else tuple(addresses),
        optional(_recipients, recipients, "recipients"),
        optional(timestamp, created_at, "created_at"),
        optional(string, if_revision, "if_revision"),
    )


def write_options(durability: Any, format: Any, max_items: Any, max_body_bytes: Any) -> WriteOptions:
    optional(one_of, durability, "durability")
    optional(one_of, format, "format")
    items, body_bytes = optional(u64, max_items, "max_items"), optional(u64, max_body_bytes, "max_body_bytes")
    return WriteOptions(durability, format, items, body_bytes)


def mails(values: Any) -> list[IdentifiedMail]:
    return _list(values, "mails", "IdentifiedMail", _mail)


def attempts(values: Any) -> list[Attempt]:
    return _list(values, "attempts", "Attempt", _attempt)


def _mail(value: Any, name: str) -> IdentifiedMail:
    mail = _instance(value, name, IdentifiedMail)
    given = _instance(mail.envelope, "envelope", Envelope)
    checked = Envelope(
        string(given.reverse_path, "reverse_path"),
        tuple(strings(given.to, "to")),
        _recipients(given.recipients, "recipients"),
        optional(timestamp, given.created_at, "created_at"),
    )
    return IdentifiedMail(checked, data(mail.body), optional(string, mail.id, "id"))


def _recipients(values: Any, name: str) -> tuple[Recipient, ...]:
    return tuple(_list(values, name, "Recipient", _recipient))


def _recipient(value: Any, name: str) -> Recipient:
    recipient = _instance(value, name, Recipient)
    for field in ("address", "last_failure_message", "original_address"):
        string(getattr(recipient, field), field)
    for field in ("kind", "status"):
        integer(getattr(recipient, field), field, 32, signed=True)
    strings(recipient.via, "via")
    return recipient


def _attempt(value: Any, name: str) -> Attempt:
    attempt = _instance(value, name, Attempt)
    integer(attempt.recipient, "recipient", 32, signed=False)
    integer(attempt.status, "status", 32, signed=True)
    string(attempt.message, "message")
    return attempt


def _instance(value: Any, name: str, kind: type[T]) -> T:
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEI" else "a"
        raise TypeError(f"{name} is {article} {kind.__name__}, and not {_describe(value)}")
    return value


def _list(values: Any, name: str, kind: str, check: Callable[[Any, str], T]) -> list[T]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"{name} is a list of {kind}, and not {_describe(values)}")
    return [check(value, f"each of {name}") for value in values]


def _describe(value: Any) -> str:
    return "None" if value is None else f"the {type(value).__name__} {reprlib.repr(value)}"
