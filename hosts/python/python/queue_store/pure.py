"""The queue of `queue_store` on the package `wasmtime`, without native code of this project.

It proves that the component needs nothing but a runtime. The classes, errors and
guarantees are those of `queue_store`. What differs: it is slower; `counters` are those of one instance; wasmtime does not
survive a fork, so in a child of a process that opened a queue, every call raises a RuntimeError, also of a new queue.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any

from wasmtime import Config, Engine, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker, Record, ResultType, Variant

from . import _bytes
from ._arguments import is_database
from ._integers import CheckedStore
from ._queue import BaseQueue, Draft
from ._types import (
    Attempt,
    ComponentError,
    Counts,
    Entry,
    Envelope,
    EnvelopeChange,
    IdentifiedMail,
    Indeterminate,
    Item,
    ItemInfo,
    NeedsRecovery,
    Outcome,
    Position,
    QueueError,
    Recipient,
    Recovery,
    Timestamp,
    TooLarge,
    WriteOptions,
    queue_error,
)

__all__ = ["Queue"]

_GUEST_PATH = "queue"
_CHUNK_BYTES = 64 << 10
_MAX_BODY_BYTES = 64 << 20
_MAX_GRACE = timedelta(seconds=2**32 - 1)
_PAGE_ITEMS = 1000
# Descriptors that wasmtime takes for its threads, with some for the first call; without them it ends the process.
_RUNTIME_DESCRIPTORS = 10
_CALL_DESCRIPTORS = 2
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Queue(BaseQueue):
    __doc__ = BaseQueue.__doc__

    @staticmethod
    def _open(place: str, create: bool) -> Any:
        if is_database(place):
            raise QueueError(
                "unsupported",
                "open",
                detail="a URL is no directory: open the one of a database with `queue_store.Queue`; "
                f"a directory of that name is ./{place.partition(':')[0]}:",
            )
        try:
            place.encode()
        except UnicodeEncodeError:
            raise ValueError(f"wasmtime takes no path that is not UTF-8, use `queue_store.Queue`: {place!r}") from None
        try:
            return _Calls(place, create)
        except OSError as error:
            if error.errno in _EXHAUSTED:
                raise _exhausted() from error
            raise


class _Runtime:
    """The compiled component, one for the process."""

    # The process that uses wasmtime, noted before the lock is taken: a thread of the parent may hold the lock at a fork.
    _process: int | None = None
    _lock = threading.Lock()
    _only: _Runtime | None = None

    def __init__(self) -> None:
        self.engine = Engine(Config())
        self.component = Component(self.engine, files(__package__).joinpath("queue_store.wasm").read_bytes())
        self.linker = Linker(self.engine)
        self.linker.add_wasip2()

    @classmethod
    def get(cls) -> _Runtime:
        cls._process = cls._process or os.getpid()
        cls.check_process()
        with cls._lock:
            if cls._only is None:
                _check_descriptors(_RUNTIME_DESCRIPTORS)
                cls._only = cls()
            return cls._only

    @classmethod
    def is_of_this_process(cls) -> bool:
        return cls._process == os.getpid()

    @classmethod
    def check_process(cls) -> None:
        if not cls.is_of_this_process():
            raise RuntimeError(
                "wasmtime does not survive a fork: start the process anew, as multiprocessing does with 'spawn', "
                "or use `queue_store.Queue`"
            )


class _Instance:
    """An instance of the component, which one thread uses at a time, with its queue."""

    def __init__(self, runtime: _Runtime, path: str) -> None:
        self.store = CheckedStore(runtime.engine)
        self.directory = _identity(path)
        wasi = WasiConfig()
        wasi.preopen_dir(path, _GUEST_PATH)
        self.store.set_wasi(wasi)
        self._instance = runtime.linker.instantiate(self.store, runtime.component)
        self._functions: dict[tuple[str, str], Any] = {}
        # Whether its queue refuses changes, and whether that is because an fsync failed in it.
        self.closed = self.unsynced = False
        # The recoveries of the queue before it was taken last.
        self.recoveries = 0
        self.queue = self.call("queue-store", "[static]queue.open", _GUEST_PATH)

    def call(self, interface: str, name: str, *arguments: Any) -> Any:
        """Calls a function of the contract; records are dicts and dataclasses, and come back as dicts."""
        function, is_fallible = self._function(interface, name)
        value = function(self.store, *map(_lower, arguments))
        if not is_fallible:
            return _lift(value)
        # Where success is a record too, wasmtime tells the two apart by a tag; otherwise a record can only be the error.
        failed = value.tag == "err" if isinstance(value, Variant) else isinstance(value, Record)
        value = _lift(value.payload if isinstance(value, Variant) else value)
        if failed:
            raise _error(value)
        return value

    def needs_recovery(self) -> bool:
        result: bool = self.call("queue-store", "[method]queue.needs-recovery", self.queue)
        return result

    def _function(self, interface: str, name: str) -> tuple[Any, bool]:
        found = self._functions.get((interface, name))
        if found is None:
            index = self._instance.get_export_index(self.store, f"mail:queue/{interface}@0.1.0")
            index = self._instance.get_export_index(self.store, name, index)
            assert index is not None, name
            function = self._instance.get_func(self.store, index)
            assert function is not None, name
            _bytes.remember_types(function, self.store)
            found = function, isinstance(function.type(self.store).result, ResultType)
            self._functions[interface, name] = found
        return found


class _Calls:
    """The calls of a queue, on as many instances as threads call at once."""

    def __init__(self, path: str, create: bool) -> None:
        self.runtime = _Runtime.get()
        if create:
            _create_directory(path)
        self._path = path
        # Held during a recovery, which takes all unsynced instances: another one would open the queue without them.
        self._recovery = threading.Lock()
        # Reentrant, since the garbage collector may close a draft, which gives its instance back, at any place.
        self._lock = threading.RLock()
        self._directory = _identity(path)
        self._idle: list[_Instance] = []
        # Instances in which an fsync failed: they know which items are unsynced, and recover the queue.
        self._unsynced: list[_Instance] = []
        self._closed = False
        self._recoveries = 0
        with self.lease():
            pass

    @contextmanager
    def lease(self, instance: _Instance | None = None) -> Iterator[_Instance]:
        """Takes an instance until the end of the block. One that trapped, or was interrupted, is not used again."""
        instance = instance or self.take()
        try:
            yield instance
        except QueueError as error:
            self.note(instance, error)
            self.give_back(instance)
            raise
        except WasmtimeError as error:
            raise ComponentError(_reason(error)) from error
        except BaseException:
            # Even if it was interrupted, only it knows which items are unsynced; also of the call whose answer was lost.
            with suppress(WasmtimeError):
                if self.runtime.is_of_this_process() and not instance.closed and instance.needs_recovery():
                    instance.closed = instance.unsynced = True
            if instance.unsynced:
                self.give_back(instance)
            raise
        else:
            self.give_back(instance)

    def take(self) -> _Instance:
        self.runtime.check_process()
        # To wasmtime, an fsync for which there is no descriptor is one that failed.
        _check_descriptors(_CALL_DESCRIPTORS)
        self.forget_replaced_directory()
        with self._lock:
            instance = self._idle.pop() if self._idle else None
            recoveries = self._recoveries
        if instance is None:
            try:
                instance = _Instance(self.runtime, self._path)
            except WasmtimeError as error:
                _identity(self._path)
                raise ComponentError(_reason(error)) from error
            if instance.needs_recovery():
                instance.closed = self._closed = True
        instance.recoveries = recoveries
        self.close_if_closed(instance)
        return instance

    def forget_replaced_directory(self) -> None:
        """Drops the instances, and the state of the queue, if another directory has the place of the one they opened."""
        directory = _identity(self._path)
        with self._lock:
            if directory != self._directory:
                self._directory, self._closed = directory, False
                self._idle.clear()
                self._unsynced.clear()

    def close_if_closed(self, instance: _Instance) -> None:
        """Has an instance refuse changes where an fsync failed in another one."""
        if self._closed and not instance.closed:
            instance.call("queue-store", "[method]queue.require-recovery", instance.queue)
            instance.closed = True

    def give_back(self, instance: _Instance) -> None:
        """Keeps an instance for the next call, or the next recovery. One of a replaced directory is dropped."""
        with self._lock:
            if instance.directory != self._directory:
                return
            if instance.unsynced:
                self._unsynced.append(instance)
                self._closed = True
            elif instance.recoveries == self._recoveries:
                self._idle.append(instance)
            # One that was taken before a recovery would refuse changes still.

    def note(self, instance: _Instance, error: QueueError) -> None:
        """Notes a failed fsync. The queue closes in every instance when this one is given back."""
        if isinstance(error, (Indeterminate, NeedsRecovery)) and not instance.closed:
            instance.closed = instance.unsynced = True

    def _call(self, name: str, *arguments: Any) -> Any:
        with self.lease() as instance:
            return instance.call("queue-store", f"[method]queue.{name}", instance.queue, *arguments)

    def _call_batch(self, name: str, *arguments: Any) -> list[Outcome]:
        with self.lease() as instance:
            outcomes = instance.call("queue-store", f"[method]queue.{name}", instance.queue, *arguments)
            result = [Outcome(outcome["id"], _optional(_error, outcome["problem"])) for outcome in outcomes]
            for outcome in result:
                if outcome.problem is not None:
                    self.note(instance, outcome.problem)
            return result

    def new_id(self) -> str:
        with self.lease() as instance:
            result: str = instance.call("queue-store", "new-id")
            return result

    def put(self, id: str | None, envelope: Envelope, body: bytes, options: WriteOptions) -> str:
        if len(body) > _CHUNK_BYTES:
            max_bytes = _MAX_BODY_BYTES if options.max_body_bytes is None else options.max_body_bytes
            options = replace(options, max_body_bytes=min(max_bytes, _MAX_BODY_BYTES))
            with Draft(self.begin(id, envelope, options)) as draft:
                draft.write(body)
                return draft.commit()
        result: str = self._call("put", id, {"envelope": envelope, "body": body}, options)
        return result

    def put_many(self, mails: list[IdentifiedMail], options: WriteOptions) -> list[Outcome]:
        lowered = [{"id": mail.id, "mail": {"envelope": mail.envelope, "body": mail.body}} for mail in mails]
        return self._call_batch("put-many", lowered, options)

    def begin(self, id: str | None, envelope: Envelope, options: WriteOptions) -> _Draft:
        return _Draft(self, "[method]queue.begin", id, envelope, options)

    def submit(self, reverse_path: str, to: list[str], body: bytes) -> str:
        with self.lease() as instance:
            if instance.closed:
                raise NeedsRecovery("needs-recovery", "", self._path, "an fsync failed before; recover the queue first")
            result: str = instance.call("intake", "submit", reverse_path, to, body)
            return result

    def get(self, id: str) -> Item:
        # In chunks: wasmtime passes less than 3 MiB in one piece.
        with closing(self.read(id, 0)) as body:
            envelope, chunks, length = body.envelope(), [], 0
            while (chunk := body.read()) is not None:
                chunks.append(chunk)
                length += len(chunk)
                if length > _MAX_BODY_BYTES:
                    raise TooLarge("too-large", "read", "", f"the body of {id} is too long for one piece: use `body`")
        return Item(id, envelope, b"".join(chunks))

    def info(self, id: str) -> ItemInfo:
        return _item_info(self._call("info", id))

    def read(self, id: str, offset: int) -> _Body:
        return _Body(self, "[method]queue.read", id, offset)

    def items(self, states: list[str], detail: str) -> _Listing:
        return _Listing(self, states, detail)

    def count(self) -> Counts:
        return Counts(**self._call("count"))

    def verify(self, ids: list[str]) -> list[Outcome]:
        return self._call_batch("verify", ids)

    def update(self, id: str, change: EnvelopeChange, durability: str | None) -> str:
        result: str = self._call("update", id, change, durability)
        return result

    def record_attempts(self, id: str, attempts: list[Attempt], if_revision: str | None, durability: str | None) -> str:
        result: str = self._call("record-attempts", id, attempts, if_revision, durability)
        return result

    def set_state(self, ids: list[str], state: str) -> list[Outcome]:
        return self._call_batch("set-state", ids, state)

    def remove(self, ids: list[str], states: list[str], durability: str | None) -> list[Outcome]:
        return self._call_batch("remove", ids, states, durability)

    def seal(self, ids: list[str]) -> list[Outcome]:
        return self._call_batch("seal", ids)

    def recover(self, grace: timedelta) -> Recovery:
        self.runtime.check_process()
        grace_seconds = -(-min(grace, _MAX_GRACE) // timedelta(seconds=1))
        with self._recovery:
            return self._recover(grace_seconds)

    def _recover(self, grace_seconds: int) -> Recovery:
        """Recovers the queue: with every instance in which an fsync failed, or else with any."""
        self.forget_replaced_directory()
        with self._lock:
            waiting, self._unsynced = self._unsynced, []
        if not waiting:
            waiting.append(self.take())
        removed, rewritten = 0, 0
        problems: list[QueueError] = []
        try:
            while waiting:
                with self.lease(waiting.pop()) as instance:
                    report = self._recover_with(instance, grace_seconds)
                removed, rewritten = removed + report["temporary_removed"], rewritten + report["rewritten"]
                # Each recovers the whole queue, so the last one reports its state, and the others why they are closed still.
                if instance.unsynced or not waiting:
                    problems.extend(map(_error, report["problems"]))
        finally:
            for instance in waiting:
                self.give_back(instance)
        with self._lock:
            self._idle.clear()
            self._recoveries += 1
            self._closed = bool(self._unsynced)
        return Recovery(**{**report, "temporary_removed": removed, "rewritten": rewritten, "problems": tuple(problems)})

    def _recover_with(self, instance: _Instance, grace_seconds: int) -> dict[str, Any]:
        try:
            report: dict[str, Any] = instance.call(
                "queue-store", "[method]queue.recover", instance.queue, grace_seconds
            )
        except (Indeterminate, NeedsRecovery):
            # An fsync failed in this instance, also where it was closed because of another.
            instance.closed = instance.unsynced = True
            raise
        needs_recovery = instance.call("queue-store", "[method]queue.needs-recovery", instance.queue)
        instance.closed = instance.unsynced = needs_recovery
        return report

    def needs_recovery(self) -> bool:
        self.runtime.check_process()
        return self._closed

    def limits(self) -> list[tuple[str, int]]:
        result: list[tuple[str, int]] = self._introspect("limits")
        return result

    def counters(self) -> list[tuple[str, int]]:
        result: list[tuple[str, int]] = self._introspect("counters")
        return result

    def about(self) -> list[tuple[str, str]]:
        result: list[tuple[str, str]] = self._introspect("about")
        return result

    def _introspect(self, name: str) -> Any:
        with self.lease() as instance:
            return instance.call("introspection", name)


class _Resource:
    """A resource of the contract, which keeps its instance until it is closed. Threads take turns."""

    def __init__(self, calls: _Calls, function: str, *arguments: Any) -> None:
        self._calls: _Calls | None = calls
        self._runtime = calls.runtime
        # Reentrant, since the garbage collector may close another resource at any place.
        self._lock = threading.RLock()
        # Whether its instance trapped.
        self._is_lost = False
        self._lease = calls.lease()
        self._instance = self._lease.__enter__()
        self._handle: Any = self._guarded(function, self._instance.queue, *arguments)

    def _turn(self) -> Any:
        """Returns the lock, in the process that opened the resource: elsewhere, a thread of the parent may hold it."""
        self._runtime.check_process()
        return self._lock

    def _call(self, function: str, *arguments: Any) -> Any:
        if self._is_lost:
            raise QueueError("aborted", detail="an earlier call of it failed: begin a new one")
        if self._calls is None:
            raise ValueError("I/O operation on closed file.")
        return self._guarded(function, self._handle, *arguments)

    def _guarded(self, function: str, *arguments: Any) -> Any:
        try:
            return self._instance.call("queue-store", function, *arguments)
        except BaseException as error:
            if not isinstance(error, QueueError) or function.startswith(("[static]", "[method]queue.")):
                # The resource is gone, and `lease` decides about the instance.
                self._calls = None
                self._is_lost = not isinstance(error, QueueError)
                if not isinstance(error, (QueueError, WasmtimeError)):
                    # An interrupt comes between two calls. Dropped, a draft leaves nothing.
                    with suppress(Exception):
                        self._handle.drop(self._instance.store)
                self._lease.__exit__(type(error), error, error.__traceback__)
            raise

    def close(self) -> None:
        # A resource that this process inherited is the parent's, and stays.
        if not self._runtime.is_of_this_process():
            return
        with self._lock:
            calls, self._calls = self._calls, None
            if calls is not None:
                self._handle.drop(self._instance.store)
                self._lease.__exit__(None, None, None)


class _Draft(_Resource):
    def write(self, data: bytes) -> None:
        with self._turn():
            for start in range(0, len(data), _CHUNK_BYTES):
                self._call("[method]draft.write", data[start : start + _CHUNK_BYTES])

    def commit(self) -> str:
        with self._turn():
            if self._calls is not None:
                self._calls.close_if_closed(self._instance)
            result: str = self._call("[static]draft.commit")
            self._consumed()
            return result

    def abandon(self) -> None:
        # A draft that this process inherited is the parent's, and stays.
        if not self._runtime.is_of_this_process():
            return
        with self._lock:
            if self._calls is not None:
                self._call("[static]draft.abandon")
                self._consumed()

    def _consumed(self) -> None:
        self._calls = None
        self._lease.__exit__(None, None, None)


class _Body(_Resource):
    def envelope(self) -> Envelope:
        with self._turn():
            return _item_info(self._call("[method]body-reader.info")).envelope

    def read(self) -> bytes | None:
        with self._turn():
            result: bytes | None = self._call("[method]body-reader.read", _CHUNK_BYTES)
            return result


class _Listing(_Resource):
    def __init__(self, calls: _Calls, states: list[str], detail: str) -> None:
        super().__init__(calls, "[method]queue.items", states, detail)
        self._page: list[Any] = []
        self._is_done = False

    def next(self) -> Entry | None:
        with self._turn():
            if not self._page:
                if self._is_done:
                    return None
                page = self._call("[method]listing.next", _PAGE_ITEMS)
                if page is None:
                    self._is_done = True
                    self.close()
                    return None
                self._page = page[::-1]
            entry = self._page.pop()
        info = _optional(_item_info, entry["info"])
        return Entry(entry["id"], entry["state"], info, _optional(_error, entry["problem"]))


def _identity(path: str) -> tuple[int, int]:
    """Returns the numbers by which the system knows a directory."""
    status = os.stat(path)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return status.st_dev, status.st_ino


def _create_directory(path: str) -> None:
    """Creates a directory and those above it, each durably. One that exists stays as it is."""
    if os.path.isdir(path):
        _sync_existing_entry(path)
        return
    parent = os.path.dirname(path)
    _create_directory(parent)
    is_new = True
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        # Another process created it meanwhile, unless it is a file.
        _identity(path)
        is_new = False
    try:
        _sync(parent)
    except OSError:
        if is_new:
            # A later fsync could succeed without writing the entry.
            with suppress(OSError):
                os.rmdir(path)
        raise


def _sync_existing_entry(path: str) -> None:
    """Fsyncs the entry of a directory that exists: a process that was killed may have created it, and not have fsynced it.

    Goes on where the parent cannot be opened, or takes no fsync.
    """
    # The parent of the directory itself, where the path is a symbolic link.
    try:
        _sync(os.path.join(path, ".."))
    except OSError as error:
        passed_over = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENAMETOOLONG, errno.ENOTSUP, errno.EROFS)
        if error.errno not in passed_over:
            raise


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: WasmtimeError) -> str:
    """Returns the innermost cause of an error, without the backtrace of a trap."""
    text, _, causes = str(error).strip().partition("\n\nCaused by:\n")
    innermost = causes.partition("\n\n")[0].rpartition("\n")[2].strip()
    # Several causes are numbered.
    return re.sub(r"^\d+: ", "", innermost) or text.partition("\n")[0]


def _optional(make: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else make(value)


def _error(error: dict[str, Any]) -> QueueError:
    position = _optional(lambda position: Position(**position), error["position"])
    return queue_error(error["code"], error["operation"], error["path"], error["detail"], position)


def _check_descriptors(count: int) -> None:
    """Raises `TryAgainLater` where the process can open fewer files."""
    opened: list[int] = []
    try:
        while len(opened) < count:
            opened.append(os.open("/", os.O_PATH))
    except OSError as error:
        if error.errno in _EXHAUSTED:
            raise _exhausted() from error
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _exhausted() -> QueueError:
    return queue_error("busy", "open", "", "the process is out of descriptors or memory", None)


def _envelope(envelope: dict[str, Any]) -> Envelope:
    recipients = tuple(
        Recipient(**{**recipient, "via": tuple(recipient["via"])}) for recipient in envelope["recipients"]
    )
    created_at = _optional(lambda time: Timestamp(**time), envelope["created_at"])
    return Envelope(envelope["reverse_path"], tuple(envelope["to"]), recipients, created_at)


def _item_info(info: dict[str, Any]) -> ItemInfo:
    return ItemInfo(**{**info, "envelope": _envelope(info["envelope"])})


def _lower(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        value = vars(value)
    if isinstance(value, dict):
        # An optional record has to be a `Record`, which takes no arguments.
        record = Record()
        vars(record).update({name.replace("_", "-"): _lower(field) for name, field in value.items()})
        return record
    if isinstance(value, (list, tuple)):
        return [_lower(element) for element in value]
    return value


def _lift(value: Any) -> Any:
    if isinstance(value, Record):
        return {name.replace("-", "_"): _lift(field) for name, field in vars(value).items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return type(value)(map(_lift, value))  # type: ignore[call-arg]
    return value
