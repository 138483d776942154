"""The queue as Python users see it, on any module that has the calls of the contract."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any

from . import _arguments
from ._types import (
    Attempt,
    Conflict,
    Counts,
    Damaged,
    Detail,
    Durability,
    Entry,
    Format,
    IdentifiedMail,
    InvalidArgument,
    Item,
    ItemInfo,
    NotFound,
    Outcome,
    QueueError,
    Recipient,
    Recovery,
    State,
    Timestamp,
)

GRACE = timedelta(hours=36)
"""The age at which a temporary file belongs to no process that still runs."""

Bytes = bytes | bytearray | memoryview


class BaseQueue:
    """The queue in a directory, or in a database of PostgreSQL: `postgres://user@host1,host2/database?queue=name`.

    Opening it creates the directory durably, with mode 0700, unless `create` is false, and recovers the queue unless
    `recover` is false. A database must exist, and gets the tables of queues in any case. Threads share a queue. A process
    that is forked may go on with it, and not with what was begun before: drafts, bodies and listings.

    Raises OSError where the directory cannot be created or opened, and `QueueError` where the queue cannot.
    """

    _calls: Any

    def __init__(
        self, path: str | os.PathLike[str], *, create: bool = True, recover: bool = True, grace: timedelta = GRACE
    ) -> None:
        place = _arguments.place(path)
        create, recover = _arguments.boolean(create, "create"), _arguments.boolean(recover, "recover")
        grace = _arguments.grace(grace)
        self._calls = self._open(place, create)
        self.path = self._calls.shown_url() if _arguments.is_database(place) else os.fspath(path)
        """The directory, as it was given; the URL without its password."""
        if recover:
            self.recover(grace)

    @staticmethod
    def _open(place: str, create: bool) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{type(self).__name__}({self.path!r})"

    def put(
        self,
        body: Bytes,
        *,
        sender: str,
        to: Iterable[str],
        recipients: Iterable[Recipient] = (),
        created_at: Timestamp | None = None,
        id: str | None = None,
        durability: Durability | None = None,
        format: Format | None = None,
        max_items: int | None = None,
        max_body_bytes: int | None = None,
    ) -> str:
        """Queues a mail and returns its id: `id`, or a generated one. The mail survives power loss from then on.

        Without `recipients`, each address of `to` gets an EMAIL delivery. An empty sender is the null reverse-path.
        Under an id that exists, `Exists` is raised, and that item is durable.
        """
        envelope = _arguments.envelope(sender, to, recipients, created_at)
        options = _arguments.write_options(durability, format, max_items, max_body_bytes)
        result: str = self._calls.put(_optional_id(id), envelope, _arguments.data(body), options)
        return result

    def put_many(
        self,
        mails: Iterable[IdentifiedMail],
        *,
        durability: Durability | None = None,
        format: Format | None = None,
        max_items: int | None = None,
        max_body_bytes: int | None = None,
    ) -> list[Outcome]:
        """Queues several mails with one fsync of the directory for all, and returns an outcome for each."""
        options = _arguments.write_options(durability, format, max_items, max_body_bytes)
        result: list[Outcome] = self._calls.put_many(_arguments.mails(mails), options)
        return result

    def draft(
        self,
        *,
        sender: str,
        to: Iterable[str],
        recipients: Iterable[Recipient] = (),
        created_at: Timestamp | None = None,
        id: str | None = None,
        durability: Durability | None = None,
        format: Format | None = None,
        max_items: int | None = None,
        max_body_bytes: int | None = None,
    ) -> Draft:
        """Begins a mail that is written as a file. The end of the `with` block queues it; an exception gives it up."""
        envelope = _arguments.envelope(sender, to, recipients, created_at)
        options = _arguments.write_options(durability, format, max_items, max_body_bytes)
        return Draft(self._calls.begin(_optional_id(id), envelope, options))

    def submit(self, body: Bytes, *, sender: str, to: Iterable[str]) -> str:
        """Queues a mail from an untrusted source, and returns its id: addresses are taken from an allow-list."""
        reverse_path, addresses = _arguments.string(sender, "sender"), _arguments.strings(to, "to")
        result: str = self._calls.submit(reverse_path, addresses, _arguments.data(body))
        return result

    def new_id(self) -> str:
        """Generates an id for a put, for a caller that must know it before the put can fail."""
        result: str = self._calls.new_id()
        return result

    def get(self, id: str) -> Item:
        """Returns an item, verified whole."""
        result: Item = self._calls.get(_id(id))
        return result

    def info(self, id: str) -> ItemInfo:
        """Returns the facts about an item without reading its body."""
        result: ItemInfo = self._calls.info(_id(id))
        return result

    def body(self, id: str, offset: int = 0) -> io.BufferedReader:
        """Opens the body of an item as a readable binary file.

        Read from offset 0 to its end without an exception, it is intact.
        """
        body = self._calls.read(_id(id), _arguments.u64(offset, "offset"))
        return io.BufferedReader(_Body(body), _Body.BUFFER)

    def __iter__(self) -> Iterator[Entry]:
        """Lists every item with its envelope, in no order."""
        return self.items()

    def __contains__(self, id: object) -> bool:
        """Returns whether there is an item of this id, in any state, damaged or not."""
        try:
            self.info(_id(id))
        except (NotFound, InvalidArgument):
            return False
        except (Conflict, Damaged):
            pass
        return True

    def items(self, states: Iterable[State] = (), detail: Detail = "envelope") -> Iterator[Entry]:
        """Lists the items in these states (none given: all), in no order. What is damaged has a `problem`."""
        return _Listing(self._calls.items(_arguments.states(states), _arguments.one_of(detail, "detail")))

    def count(self) -> Counts:
        """Counts the files in the directory by kind."""
        result: Counts = self._calls.count()
        return result

    def verify(self, ids: Iterable[str]) -> list[Outcome]:
        """Verifies whole items in any state."""
        result: list[Outcome] = self._calls.verify(_ids(ids))
        return result

    def update(
        self,
        id: str,
        *,
        sender: str | None = None,
        to: Iterable[str] | None = None,
        recipients: Iterable[Recipient] | None = None,
        created_at: Timestamp | None = None,
        if_revision: str | None = None,
        durability: Durability | None = None,
    ) -> str:
        """Replaces parts of an item's envelope, and returns its new revision.

        With `if_revision`, `Conflict` is raised where the item has another revision.
        """
        change = _arguments.change(sender, to, recipients, created_at, if_revision)
        result: str = self._calls.update(_id(id), change, _durability(durability))
        return result

    def record_attempts(
        self,
        id: str,
        attempts: Iterable[Attempt],
        *,
        if_revision: str | None = None,
        durability: Durability | None = None,
    ) -> str:
        """Records the results of deliveries, and returns the item's new revision."""
        revision = _arguments.optional(_arguments.string, if_revision, "if_revision")
        result: str = self._calls.record_attempts(
            _id(id), _arguments.attempts(attempts), revision, _durability(durability)
        )
        return result

    def set_state(self, ids: Iterable[str], state: State) -> list[Outcome]:
        """Moves items to a state: holds, releases, quarantines or restores them."""
        result: list[Outcome] = self._calls.set_state(_ids(ids), _arguments.one_of(state, "state"))
        return result

    def hold(self, id: str) -> None:
        """Makes an item invisible to chasquid until `release`."""
        _single(self.set_state([id], "held"))

    def release(self, id: str) -> None:
        """Takes a hold back, and restores an item from quarantine."""
        _single(self.set_state([id], "ready"))

    def quarantine(self, id: str) -> None:
        """Sets an item aside, where even a damaged one harms no reader."""
        _single(self.set_state([id], "quarantined"))

    def remove(self, id: str, *, states: Iterable[State] = (), durability: Durability | None = None) -> None:
        """Removes an item in one of these states (none given: ready and held)."""
        _single(self.remove_many([id], states=states, durability=durability))

    def remove_many(
        self, ids: Iterable[str], *, states: Iterable[State] = (), durability: Durability | None = None
    ) -> list[Outcome]:
        """Removes items with one fsync of the directory for all, and returns an outcome for each."""
        result: list[Outcome] = self._calls.remove(_ids(ids), _arguments.states(states), _durability(durability))
        return result

    def seal(self, ids: Iterable[str]) -> list[Outcome]:
        """Writes new checksums for items that were edited by hand, or have none."""
        result: list[Outcome] = self._calls.seal(_ids(ids))
        return result

    def recover(self, grace: timedelta = GRACE) -> Recovery:
        """Makes the queue's state definite, and opens it for changes: after `Indeterminate` or `NeedsRecovery`.

        Temporary files that are at least as old as `grace` are removed. `timedelta(0)` requires that no other process
        writes.
        """
        result: Recovery = self._calls.recover(_arguments.grace(grace))
        return result

    @property
    def needs_recovery(self) -> bool:
        """Whether the queue refuses changes until `recover`, because an fsync failed."""
        result: bool = self._calls.needs_recovery()
        return result

    def limits(self) -> dict[str, int]:
        """Returns the limits of the component, by name."""
        return dict(self._calls.limits())

    def counters(self) -> dict[str, int]:
        """Returns the counters of this queue since it was opened, by name."""
        return dict(self._calls.counters())

    def about(self) -> dict[str, str]:
        """Returns the component's name, its version, the contract and the format version."""
        return dict(self._calls.about())


class Draft(io.RawIOBase):
    """A mail that is being written: a writable binary file.

    Closed before it is committed, it leaves nothing, and the end of its `with` block raises a ValueError unless the block
    raised. After the commit, `id` is the id of the item.
    """

    def __init__(self, draft: Any) -> None:
        self._draft = draft
        self._was_given_up = False
        self.id: str | None = None

    def writable(self) -> bool:
        return not self.closed

    def write(self, data: Any) -> int:
        """Appends bytes, always all of them."""
        chunk = _arguments.data(data, "data")
        if self._draft is None:
            raise ValueError("I/O operation on closed file.")
        self._draft.write(chunk)
        return len(chunk)

    def commit(self) -> str:
        """Makes the mail durable, queues it and returns its id."""
        draft, self._draft = self._draft, None
        if draft is None:
            raise ValueError("the draft was committed or given up before")
        try:
            self.id = draft.commit()
        finally:
            self.close()
        return self.id

    def close(self) -> None:
        """Gives the mail up, unless it was committed."""
        draft, self._draft = getattr(self, "_draft", None), None
        super().close()
        if draft is not None:
            self._was_given_up = True
            draft.abandon()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._draft is not None:
            self.commit()
            return
        if kind is None and self._was_given_up:
            raise ValueError(
                "no mail was queued: the draft was closed within its block, by `close()` or by a file on top of it such as "
                "io.TextIOWrapper, whose `detach()` leaves the draft open"
            )
        try:
            self.close()
        except QueueError:
            # The exception of the block tells why.
            if kind is None:
                raise


class _Body(io.RawIOBase):
    """The body of an item."""

    BUFFER = 64 << 10

    def __init__(self, body: Any) -> None:
        self._body = body
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(self._body.read() or b"")
        length = min(len(buffer), len(self._rest))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length

    def readall(self) -> bytes:
        chunks = [bytes(self._rest)]
        self._rest = memoryview(b"")
        while chunk := self._body.read():
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._body.close()


class _Listing(Iterator[Entry]):
    """A listing. It is begun by the call that returns it, and not by the first step."""

    def __init__(self, listing: Any) -> None:
        self._listing = listing

    def __next__(self) -> Entry:
        entry: Entry | None = self._listing.next()
        if entry is None:
            raise StopIteration
        return entry


def _id(id: Any) -> str:
    return _arguments.string(id, "id")


def _optional_id(id: Any) -> str | None:
    return _arguments.optional(_arguments.string, id, "id")


def _ids(ids: Any) -> list[str]:
    return _arguments.strings(ids, "ids")


def _durability(durability: Any) -> str | None:
    return _arguments.optional(_arguments.one_of, durability, "durability")


def _single(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.problem is not None:
            raise outcome.problem
