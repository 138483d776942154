"""Support for the tests."""

import os

from queue_store import QueueError, QueueStore

WASM = os.environ["QUEUE_STORE_COMPONENT"]


def open_host(preopens=None, mutable=True):
    """Creates an instance, which has the test's directory as `queue` unless other directories are given."""
    return QueueStore(WASM, preopens or {"queue": "queue"}, mutable)


def open_queue(host=None, path="queue"):
    """Opens a queue, in an instance of its own unless one is given."""
    return (host or open_host()).queue_store.Queue.open(path)


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


def identified(id, mail):
    return {"id": id, "mail": mail}


def options(**changes):
    return {"durability": None, "format": None, "max_items": None, "max_body_bytes": None} | changes


def no_change(**changes):
    fields = ["reverse_path", "to", "recipients", "created_at", "if_revision"]
    return dict.fromkeys(fields) | changes


def recovery(**changes):
    """The report of a recovery that found nothing to do."""
    fields = {
        "durable_items": 0,
        "damaged_items": 0,
        "temporary_removed": 0,
        "temporary_kept": 0,
        "rewritten": 0,
        "problems": [],
        "truncated": False,
    }
    return fields | changes


def listed(queue, states=(), detail="envelope"):
    """Every entry of a listing, sorted by id."""
    entries = []
    with queue.items(list(states), detail) as listing:
        while (page := listing.next(2)) is not None:
            assert 1 <= len(page) <= 2
            entries += page
    return sorted(entries, key=lambda entry: entry.id)


def equal(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def fields(record):
    """Turns a record, and the records in it, into dicts."""
    if isinstance(record, (list, tuple)):
        return type(record)(map(fields, record))
    return {name: fields(value) for name, value in vars(record).items()} if hasattr(record, "__dict__") else record


def refused(code, operation, path, function, *arguments):
    """Calls a function that must fail with this code, of this operation, on this path; returns the error."""
    try:
        value = function(*arguments)
    except QueueError as error:
        return has(error, code, operation, path)
    raise AssertionError(f"it returned {value!r}, and not `{code}`")


def has(error, code, operation, path):
    """Checks every field of an error. Where the path ends in `*`, the path of the error begins with it."""
    equal((error.code, error.operation), (code, operation))
    if path.endswith("*"):
        assert error.path.startswith(path[:-1]) and len(error.path) >= len(path), error.path
    else:
        equal(error.path, path)
    assert isinstance(error.detail, str) and error.detail, "it has no detail"
    if code != "corrupt":
        equal(error.position, None)
    return error


def problem(outcomes):
    """The problem of the only outcome, or None."""
    equal(len(outcomes), 1)
    return outcomes[0].problem


def names():
    return sorted(os.listdir("queue"))
