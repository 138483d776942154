"""A durable mail queue.

    from queue_store import Queue

    queue = Queue("/var/spool/example")
    id = queue.put(b"Subject: hello\\r\\n\\r\\nhello\\r\\n", sender="a@example.com", to=["b@example.com"])

The mail survives power loss when `put` returns. `queue_store.pure` has the same queue on the stock runtime `wasmtime`.
"""

from __future__ import annotations

from typing import Any

from ._queue import GRACE, BaseQueue, Draft
from ._types import (
    Attempt,
    ComponentError,
    Conflict,
    Counts,
    Damaged,
    Detail,
    Durability,
    Entry,
    Envelope,
    Exists,
    Format,
    IdentifiedMail,
    Indeterminate,
    Integrity,
    InvalidArgument,
    Item,
    ItemInfo,
    NeedsRecovery,
    NotFound,
    Outcome,
    Position,
    QueueError,
    Recipient,
    Recovery,
    State,
    Timestamp,
    TooLarge,
    TryAgainLater,
)

__all__ = [
    "GRACE",
    "Attempt",
    "ComponentError",
    "Conflict",
    "Counts",
    "Damaged",
    "Detail",
    "Draft",
    "Durability",
    "Entry",
    "Envelope",
    "Exists",
    "Format",
    "IdentifiedMail",
    "Indeterminate",
    "Integrity",
    "InvalidArgument",
    "Item",
    "ItemInfo",
    "NeedsRecovery",
    "NotFound",
    "Outcome",
    "Position",
    "Queue",
    "QueueError",
    "Recipient",
    "Recovery",
    "State",
    "Timestamp",
    "TooLarge",
    "TryAgainLater",
]


class Queue(BaseQueue):
    __doc__ = BaseQueue.__doc__

    @staticmethod
    def _open(place: str, create: bool) -> Any:
        from . import _native

        return _native.NativeQueue(place, create)
