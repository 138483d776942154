"""What the tests share."""

import os

from queue_store import QueueError, QueueStore

WASM = os.environ["QUEUE_STORE_COMPONENT"]


def open_queue(preopens=None, mutable=True):
    """A new instance, which has the test's queue unless it is told otherwise."""
    return QueueStore(WASM, preopens or {"queue": "queue"}, mutable)


def recipient(address):
    return {
        "address": address,
        "kind": 0,
        "status": 0,
        "last_failure_message": "",
        "original_address": address,
        "via": [],
    }


def envelope(**changes):
    fields = {
        "reverse_path": "a@example.com",
        "to": ["b@example.com"],
        "recipients": [recipient("b@example.com")],
        "created_at": {"seconds": 1_760_785_824, "nanos": 123_456_789},
    }
    return fields | changes


def mail(body=b"body", **changes):
    return {"envelope": envelope(**changes), "body": body}


def options(**changes):
    return {"durability": None, "format": None, "max_items": None, "settings": []} | changes


def no_change(**changes):
    return {"reverse_path": None, "to": None, "recipients": None, "if_revision": None} | changes


def equal(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def fields(record):
    """A record, and what is in it, as dicts."""
    if isinstance(record, (list, tuple)):
        return type(record)(map(fields, record))
    return {name: fields(value) for name, value in vars(record).items()} if hasattr(record, "__dict__") else record


def refused(code, operation, path, function, *arguments):
    """Calls a function that must fail with this code, of this operation, on this path; returns the error."""
    try:
        value = function(*arguments)
    except QueueError as error:
        return says(error, code, operation, path)
    raise AssertionError(f"it returned {value!r}, and not `{code}`")


def says(error, code, operation, path):
    """Every field of an error can be read. A path that ends in `*` has anything there: a random name."""
    equal((error.code, error.operation), (code, operation))
    if path.endswith("*"):
        assert error.path.startswith(path[:-1]) and len(error.path) >= len(path), error.path
    else:
        equal(error.path, path)
    assert isinstance(error.detail, str) and error.detail, "it has no detail"
    if code != "corrupt":
        equal(error.at, None)
    return error


def outcome(outcomes):
    """The problem of the only outcome, or None."""
    equal(len(outcomes), 1)
    return outcomes[0].problem


def names():
    return sorted(os.listdir("queue"))
