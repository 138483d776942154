"""The queue in Python: `QueueStore("queue_store.wasm", {"queue": "/var/spool/mail"})`.

The functions, records and resources are those of the contract (`wit/`), with `_` for `-`:

    store.queue_store.put("queue", None, mail, None)
    store.queue_stream.draft_begin("queue", None, envelope, None)

Records go in as a dict or as an object with attributes, and come out as an object with attributes. What the contract
returns as an error is raised as a `QueueError`.
"""

from types import SimpleNamespace

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, ResultType, Variant


class QueueError(Exception):
    """`types.error` of the contract: what `code` says is what a caller decides by."""

    def __init__(self, error):
        super().__init__(f"{error.code} ({error.operation} {error.path}): {error.detail}")
        self.code, self.operation, self.path = error.code, error.operation, error.path
        self.detail, self.at = error.detail, error.at


class QueueStore:
    """An instance of the component, which has the directories `preopens`: a guest name and a path for each."""

    def __init__(self, wasm, preopens, mutable=True):
        engine = Engine()
        linker = Linker(engine)
        linker.add_wasip2()
        wasi = WasiConfig()
        for name, path in preopens.items():
            wasi.preopen_dir(path, name, mutable)
        self.store = Store(engine)
        self.store.set_wasi(wasi)
        self.instance = linker.instantiate(self.store, Component.from_file(engine, wasm))
        for name in ["queue-store", "queue-stream", "intake", "item-codec", "durable-file"]:
            setattr(self, name.replace("-", "_"), _Interface(self, f"mail:queue/{name}@0.1.0"))

    def drop(self, resource):
        """Drops a draft, a submission, a reader or a listing that no call consumed. Python does not do it by itself."""
        resource.drop(self.store)


class _Interface:
    def __init__(self, host, name):
        self._host = host
        self._index = host.instance.get_export_index(host.store, name)

    def __getattr__(self, attribute):
        name, (resource, _, method) = attribute.replace("_", "-"), attribute.partition("_")
        for export in [name, f"[static]{resource}.{method}", f"[method]{resource}.{method}"]:
            index = self._host.instance.get_export_index(self._host.store, export, self._index)
            if index is not None:
                function = self._host.instance.get_func(self._host.store, index)
                return lambda *arguments: _call(self._host.store, function, arguments)
        raise AttributeError(name)


def _call(store, function, arguments):
    value = function(store, *map(_lower, arguments))
    if not isinstance(function.type(store).result, ResultType):
        return _lift(value)
    # Where success is a record too, wasmtime tells the two apart by a tag; otherwise a record can only be the error.
    failed = value.tag == "err" if isinstance(value, Variant) else isinstance(value, Record)
    value = _lift(value.payload if isinstance(value, Variant) else value)
    if failed:
        raise QueueError(value)
    return value


def _lower(value):
    if isinstance(value, SimpleNamespace):
        value = vars(value)
    if isinstance(value, dict):
        # An optional record has to be a `Record`, which takes no arguments.
        record = Record()
        vars(record).update({name.replace("_", "-"): _lower(field) for name, field in value.items()})
        return record
    if isinstance(value, (list, tuple)):
        return type(value)(map(_lower, value))
    return value


def _lift(value):
    if isinstance(value, Record):
        return SimpleNamespace(**{name.replace("-", "_"): _lift(field) for name, field in vars(value).items()})
    if isinstance(value, (list, tuple)):
        return type(value)(map(_lift, value))
    return value
