"""The queue in Python: `QueueStore("queue_store.wasm", {"queue": "/var/spool/mail"})`.

The functions, records and resources are those of the contract (`wit/`). A function has `_` for `-`, and a resource is a
class of its interface:

    queue = store.queue_store.Queue.open("queue")
    id = queue.put(None, mail, None)
    draft = queue.begin(None, envelope, None)

Records go in as a dict or as an object with attributes, and come out as an object with attributes. An error of the
contract is raised as a `QueueError`.
"""

from types import SimpleNamespace

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, ResourceAny, ResultType, Variant

# The resource that a function returns.
_RETURNED = {
    "[static]queue.open": "queue",
    "[method]queue.begin": "draft",
    "[method]queue.read": "body-reader",
    "[method]queue.items": "listing",
    "[static]submission.begin": "submission",
}


class QueueError(Exception):
    """`types.error` of the contract. A caller decides by `code` alone."""

    def __init__(self, error):
        super().__init__(f"{error.code} ({error.operation} {error.path}): {error.detail}")
        self.code, self.operation, self.path = error.code, error.operation, error.path
        self.detail, self.position = error.detail, error.position


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
        for name in ["queue-store", "intake", "item-codec", "durable-file", "introspection"]:
            setattr(self, name.replace("-", "_"), _Interface(self, name))


class Resource:
    """A resource of the contract. Python does not drop it by itself: `close` does, and so does the end of a `with`."""

    def __init__(self, interface, name, handle):
        self._interface, self._name, self._handle = interface, name, handle

    def __getattr__(self, attribute):
        function = self._interface._function(f"[method]{self._name}.{attribute.replace('_', '-')}")
        return lambda *arguments: function(self, *arguments)

    def close(self):
        """Drops the resource, unless a call consumed it."""
        if self._handle is not None:
            self._handle.drop(self._interface._host.store)
            self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Interface:
    def __init__(self, host, name):
        self._host = host
        self._index = host.instance.get_export_index(host.store, f"mail:queue/{name}@0.1.0")

    def __getattr__(self, attribute):
        if attribute[0].isupper():
            return _ResourceClass(self, attribute.lower())
        return self._function(attribute.replace("_", "-"))

    def _function(self, name):
        host = self._host
        index = host.instance.get_export_index(host.store, name, self._index)
        if index is None:
            raise AttributeError(name)
        function = host.instance.get_func(host.store, index)

        def call(*arguments):
            try:
                value = _call(host.store, function, arguments)
            finally:
                if name.startswith("[static]"):
                    # A function that takes a resource, and is no method of it, consumes it, also when it fails.
                    for argument in arguments:
                        if isinstance(argument, Resource):
                            argument._handle = None
            return Resource(self, _RETURNED[name], value) if isinstance(value, ResourceAny) else value

        return call


class _ResourceClass:
    """The functions of a resource that are no methods: `Queue.open`, `Draft.commit`."""

    def __init__(self, interface, name):
        self._interface, self._name = interface, name

    def __getattr__(self, attribute):
        return self._interface._function(f"[static]{self._name}.{attribute.replace('_', '-')}")


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
    if isinstance(value, Resource):
        return value._handle
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
