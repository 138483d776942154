"""The records of the contract, and its errors as exceptions. `wit/types.wit` documents each field in full."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Literal

State = Literal["ready", "held", "quarantined"]
"""ready: chasquid delivers it. held: `hold` made it invisible to chasquid. quarantined: set aside as damaged."""

Durability = Literal["full", "content-only", "none"]
"""full: survives power loss when the call returns. content-only: not lost in part. none: survives only the process."""

Format = Literal["text", "binary"]
"""text: chasquid reads it. binary: smaller and faster, for this library alone."""

Integrity = Literal["unchecked", "envelope", "whole"]
"""The part of an item that was verified against its checksum."""

Detail = Literal["name", "envelope", "whole"]
"""The part of each item that a listing reads."""


@dataclass(frozen=True)
class Timestamp:
    """A time: seconds since 1970, and nanoseconds within the second."""

    seconds: int
    nanos: int = 0

    def to_datetime(self) -> datetime:
        """Returns the time in UTC, rounded down to a microsecond. Raises an OverflowError outside of the years 1 to 9999."""
        # Any number of nanoseconds: the queue keeps what other programs wrote.
        elapsed = timedelta(seconds=self.seconds, microseconds=self.nanos // 1000)
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + elapsed

    @classmethod
    def from_datetime(cls, time: datetime) -> Timestamp:
        """Returns the timestamp of a time, which must have a time zone."""
        if time.tzinfo is None:
            raise ValueError("a time needs a time zone: datetime.now(timezone.utc)")
        return cls(int(time.replace(microsecond=0).timestamp()), time.microsecond * 1000)


@dataclass(frozen=True)
class Recipient:
    """One delivery. `kind`: 0 EMAIL, 1 PIPE, 2 FORWARD. `status`: 0 PENDING, 1 SENT, 2 FAILED."""

    address: str
    kind: int = 0
    status: int = 0
    last_failure_message: str = ""
    original_address: str = ""
    via: tuple[str, ...] = ()


@dataclass(frozen=True)
class Envelope:
    """Who sent a mail and who gets it. Empty `recipients` mean one EMAIL delivery for each address of `to`."""

    reverse_path: str
    to: tuple[str, ...]
    recipients: tuple[Recipient, ...] = ()
    created_at: Timestamp | None = None


@dataclass(frozen=True)
class IdentifiedMail:
    """A mail for `Queue.put_many`. Without an id it gets a generated one."""

    envelope: Envelope
    body: bytes = field(repr=False)
    id: str | None = None


@dataclass(frozen=True)
class WriteOptions:
    """How an item is written. None is the default: full durability, text, any number of items, the limit of a body."""

    durability: Durability | None = None
    format: Format | None = None
    max_items: int | None = None
    max_body_bytes: int | None = None


@dataclass(frozen=True)
class EnvelopeChange:
    """New values of the parts of an envelope that change."""

    reverse_path: str | None = None
    to: tuple[str, ...] | None = None
    recipients: tuple[Recipient, ...] | None = None
    created_at: Timestamp | None = None
    if_revision: str | None = None


@dataclass(frozen=True)
class Attempt:
    """The result of one delivery: the index of the recipient, its new `status` (0 PENDING, 1 SENT, 2 FAILED), and the
    message of a failure."""

    recipient: int
    status: int
    message: str = ""


@dataclass(frozen=True)
class Item:
    """An item, verified whole."""

    id: str
    envelope: Envelope
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class ItemInfo:
    """The facts about an item. `body_size` is None where only reading the body would tell it. `revision` changes with
    each change. `recorded_id` is the field `ID` where that is not the id."""

    id: str
    state: State
    format: Format
    integrity: Integrity
    envelope: Envelope
    file_size: int
    body_size: int | None
    revision: str
    recorded_id: str | None


@dataclass(frozen=True)
class Entry:
    """An item of a listing. `info` is None where the detail is "name" or the item is damaged; `problem` tells why."""

    id: str
    state: State
    info: ItemInfo | None
    problem: QueueError | None

    @property
    def envelope(self) -> Envelope | None:
        """The envelope, if it was read."""
        return self.info.envelope if self.info else None


@dataclass(frozen=True)
class Outcome:
    """What a call for several items did with one of them: `problem` is None where it succeeded."""

    id: str | None
    problem: QueueError | None


@dataclass(frozen=True)
class Counts:
    """Files in the directory, by kind."""

    ready: int
    held: int
    quarantined: int
    temporary: int
    foreign: int


@dataclass(frozen=True)
class Recovery:
    """The report of a recovery."""

    durable_items: int
    damaged_items: int
    temporary_removed: int
    temporary_kept: int
    rewritten: int
    problems: tuple[QueueError, ...]
    truncated: bool


@dataclass(frozen=True)
class Position:
    """A place in the text of an item; the offset in bytes, from 0; the line and the column, in characters, from 1."""

    offset: int
    line: int
    column: int


# Characters that end a line, and others that steer a terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class QueueError(Exception):
    """An error of the queue. `code` is the error code of the contract (`wit/types.wit`, `error-code`).

    After `Indeterminate` and `NeedsRecovery` the queue refuses changes until `Queue.recover`; after every other code
    nothing was changed. `operation`, `path`, `detail` and `position` are for people and logs.
    """

    def __init__(
        self, code: str, operation: str = "", path: str = "", detail: str = "", position: Position | None = None
    ) -> None:
        super().__init__(code, operation, path, detail, position)
        self.code, self.operation, self.path = code, operation, path
        self.detail, self.position = detail, position

    def __str__(self) -> str:
        place = f" (line {self.position.line}, column {self.position.column})" if self.position else ""
        text = f"{self.path}: {self.detail}{place}" if self.path else f"{self.detail}{place}"
        return _CONTROL.sub(lambda control: control[0].encode("unicode_escape").decode(), text)


class InvalidArgument(QueueError):
    """The call cannot succeed with these arguments."""


class NotFound(QueueError):
    """There is no such item."""


class Exists(QueueError):
    """The id is taken by an item that survives power loss. After a retry, that is the success of the first try."""


class Conflict(QueueError):
    """The item's state forbids the call, it was replaced meanwhile, or several files have the id."""


class Damaged(QueueError):
    """The item is damaged: `corrupt`, `checksum-mismatch` or `id-mismatch`."""


class TooLarge(QueueError):
    """Larger than a limit."""


class TryAgainLater(QueueError):
    """No room now: `queue-full`, `no-space`, `quota` or `busy`."""


class Indeterminate(QueueError):
    """The effect is visible, or may be, and may not survive power loss. Recover, then look."""


class NeedsRecovery(QueueError):
    """An fsync failed, in this call or before it. This call changed nothing."""


class ComponentError(QueueError):
    """The component needed more memory or time than it may have, or trapped, which is a bug in it. As after the death of
    a process, the effect of the call is complete or absent, and may not survive power loss. `code` is "component"."""

    def __init__(self, detail: str) -> None:
        super().__init__("component", detail=detail)

    def __reduce__(self) -> tuple[type[ComponentError], tuple[str]]:
        return type(self), (self.detail,)


_CLASSES = {
    "invalid-argument": InvalidArgument,
    "not-found": NotFound,
    "exists": Exists,
    "conflict": Conflict,
    "corrupt": Damaged,
    "checksum-mismatch": Damaged,
    "id-mismatch": Damaged,
    "too-large": TooLarge,
    "queue-full": TryAgainLater,
    "no-space": TryAgainLater,
    "quota": TryAgainLater,
    "busy": TryAgainLater,
    "indeterminate": Indeterminate,
    "needs-recovery": NeedsRecovery,
}


def queue_error(code: str, operation: str, path: str, detail: str, position: Position | None) -> QueueError:
    """Makes the exception of an error of the contract."""
    return _CLASSES.get(code, QueueError)(code, operation, path, detail, position)
