"""The table of `hosts/conformance`, in both modules. hosts/conformance/README.md describes it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import asdict
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import queue_store
from queue_store import Attempt, Envelope, IdentifiedMail, Outcome, QueueError, Recipient, Timestamp, pure

ROOT = Path(__file__).parents[3]
DATABASE = os.environ.get("QUEUE_STORE_DATABASE")
"""The URL of a database in which the rows have their queues, instead of directories."""


class Session:
    """The state that the steps of a row share: the queue, the draft, and the values of earlier steps."""

    def __init__(self, table: dict[str, Any], host: str, Queue: type[queue_store.Queue], directory: str) -> None:
        self.mail, self.Queue, self.directory = table["mail"], Queue, directory
        self.values: dict[str, Any] = {**table["values"], "host": host}
        self.queue: queue_store.Queue
        self.draft: queue_store.Draft

    def run(self, steps: list[dict[str, Any]]) -> None:
        """Runs steps, and raises an AssertionError at the first with another answer than the table's."""
        for step in steps:
            call = getattr(self, "call_" + step["call"].replace("-", "_"))
            arguments = {
                name.replace("-", "_"): value if name == "steps" else self.resolve(value)
                for name, value in step.items()
                if name not in ("call", "result", "error", "as")
            }
            error, result = None, None
            try:
                if step["call"] == "shell" and "result" in step and DATABASE is not None:
                    # A look at files, which a database does not have.
                    result = self.resolve(step["result"])
                else:
                    result = call(**arguments)
            except Exception as exception:
                error = code(exception)
            assert error == step.get("error"), f"{step}: the error is {error}"
            if "result" in step:
                assert contains(result, self.resolve(step["result"])), f"{step}: the result is {str(result)[:1000]}"
            if "as" in step:
                self.values[step["as"]] = result

    def resolve(self, value: Any) -> Any:
        """Replaces names of values, and repetitions."""
        if isinstance(value, str) and value.startswith("$"):
            return self.resolve(self.values[value[1:]])
        if isinstance(value, list):
            return [self.resolve(element) for element in value]
        if isinstance(value, dict):
            if "repeat" in value:
                return self.resolve(value["repeat"]) * value["times"]
            return {name: self.resolve(field) for name, field in value.items()}
        return value

    def identified(self, mail: dict[str, Any]) -> dict[str, Any]:
        """Returns the keywords of a put: a mail whose missing fields are those of the table's."""
        mail = {**self.resolve(self.mail), **mail}
        return {name: KEYWORDS.get(name, lambda value: value)(value) for name, value in mail.items()}

    def call_open(self, **arguments: Any) -> None:
        if DATABASE is None:
            path = arguments.pop("path", "queue")
            self.queue = self.Queue(path and os.path.join(self.directory, path), **arguments)
        elif arguments:
            raise AssertionError("a database has no paths")
        else:
            separator = "&" if "?" in DATABASE else "?"
            self.queue = self.Queue(f"{DATABASE}{separator}queue={os.path.basename(self.directory)}")

    def call_put(self, **mail: Any) -> str:
        return self.queue.put(**self.identified(mail))

    def call_put_many(self, mails: list[dict[str, Any]]) -> list[dict[str, Any]]:
        identified = []
        for mail in map(self.identified, mails):
            identified.append(IdentifiedMail(Envelope(mail["sender"], mail["to"]), mail["body"], mail["id"]))
        return outcomes(self.queue.put_many(identified))

    def call_submit(self, **mail: Any) -> str:
        return self.queue.submit(**self.identified(mail))

    def call_new_id(self) -> str:
        return self.queue.new_id()

    def call_begin(self, **mail: Any) -> None:
        keywords = self.identified(mail)
        del keywords["body"]
        self.draft = self.queue.draft(**keywords)

    def call_write(self, bytes: str) -> None:
        self.draft.write(base64.b64decode(bytes))

    def call_commit(self) -> str:
        return self.draft.commit()

    def call_abandon(self) -> None:
        self.draft.close()

    def call_read(self, id: str, offset: int = 0) -> str:
        chunks = []
        with self.queue.body(id, offset) as body:
            while chunk := body.read(1000):
                chunks.append(chunk)
        return base64.b64encode(b"".join(chunks)).decode()

    def call_get(self, id: str) -> dict[str, Any]:
        item = self.queue.get(id)
        return {"id": item.id, **envelope(item.envelope), "body": base64.b64encode(item.body).decode()}

    def call_info(self, id: str) -> dict[str, Any]:
        info = self.queue.info(id)
        return {**kebab(asdict(info)), **envelope(info.envelope)}

    def call_revision(self, id: str) -> str:
        return self.queue.info(id).revision

    def call_list(self, **options: Any) -> list[dict[str, Any]]:
        entries = sorted(self.queue.items(**options), key=lambda entry: entry.id)
        return [
            {
                "id": entry.id,
                "state": entry.state,
                "problem": entry.problem and entry.problem.code,
                **(envelope(entry.envelope) if entry.envelope else {}),
            }
            for entry in entries
        ]

    def call_count(self) -> dict[str, int]:
        return asdict(self.queue.count())

    def call_verify(self, ids: list[str]) -> list[dict[str, Any]]:
        return outcomes(self.queue.verify(ids))

    def call_update(self, id: str, **change: Any) -> str:
        return self.queue.update(id, **{name: KEYWORDS.get(name, str)(value) for name, value in change.items()})

    def call_record_attempts(self, id: str, attempts: list[dict[str, Any]], if_revision: str | None = None) -> str:
        return self.queue.record_attempts(id, [Attempt(**attempt) for attempt in attempts], if_revision=if_revision)

    def call_set_state(self, id: str, state: str) -> None:
        raise_problem(self.queue.set_state([id], state))

    def call_set_state_many(self, ids: list[str], state: str) -> list[dict[str, Any]]:
        return outcomes(self.queue.set_state(ids, state))

    def call_remove(self, id: str) -> None:
        self.queue.remove(id)

    def call_remove_many(self, ids: list[str], states: list[str]) -> list[dict[str, Any]]:
        return outcomes(self.queue.remove_many(ids, states=states))

    def call_seal(self, ids: list[str]) -> list[dict[str, Any]]:
        return outcomes(self.queue.seal(ids))

    def call_recover(self, grace: int) -> dict[str, Any]:
        recovery = self.queue.recover(timedelta(seconds=grace))
        return {**kebab(asdict(recovery)), "problems": len(recovery.problems)}

    def call_needs_recovery(self) -> bool:
        return self.queue.needs_recovery

    def call_shell(self, script: str) -> str:
        return subprocess.check_output(
            script, shell=True, cwd=self.directory, text=True, stderr=subprocess.DEVNULL if DATABASE else None
        )

    def call_at_once(self, times: int, steps: list[dict[str, Any]]) -> None:
        def run(_: int) -> None:
            session = copy(self)
            session.values = dict(self.values)
            session.run(steps)

        with ThreadPoolExecutor(times) as threads:
            list(threads.map(run, range(times)))

    def call_fork(self, steps: list[dict[str, Any]]) -> None:
        process = os.fork()
        if process == 0:
            try:
                self.run(steps)
                os._exit(0)
            except BaseException as failure:
                os.write(2, f"in the child: {failure!r}\n".encode())
                os._exit(1)
        assert os.waitpid(process, 0)[1] == 0, "the child failed"


def recipient(fields: dict[str, Any]) -> Recipient:
    fields = {name.replace("-", "_"): value for name, value in fields.items()}
    return Recipient(**{**fields, "via": tuple(fields.get("via", ()))})


KEYWORDS: dict[str, Callable[[Any], Any]] = {
    "body": base64.b64decode,
    "to": tuple,
    "recipients": lambda recipients: [recipient(fields) for fields in recipients],
    "created_at": lambda time: Timestamp(**time),
}
"""The values of JSON as those of Python, by keyword."""


def code(error: Exception) -> str:
    """Returns the code of an error."""
    match error:
        case QueueError():
            return error.code
        case TypeError() | ValueError() | OverflowError():
            return "invalid-argument"
        case RuntimeError() if "fork" in str(error):
            return "forked"
        case OSError():
            return "directory"
    raise error


def envelope(envelope: Envelope) -> dict[str, Any]:
    fields = kebab(asdict(envelope))
    return {"sender": fields.pop("reverse-path"), **fields}


def outcomes(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    return [{"id": outcome.id, "problem": outcome.problem and outcome.problem.code} for outcome in outcomes]


def raise_problem(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.problem:
            raise outcome.problem


def kebab(value: Any) -> Any:
    """Names the fields of records as the contract does."""
    if isinstance(value, dict):
        return {name.replace("_", "-"): kebab(field) for name, field in value.items()}
    return [kebab(element) for element in value] if isinstance(value, (list, tuple)) else value


def contains(actual: Any, expected: Any) -> bool:
    """Returns whether a result has every field that is expected."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            name in actual and contains(actual[name], field) for name, field in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(actual, list) and len(actual) == len(expected) and all(map(contains, actual, expected))
    return actual == expected


def reason_to_skip(skip: dict[str, str], host: str) -> str | None:
    """Returns why a host, or the database, cannot do a row. The host `postgres` is Rust, with the reasons of both."""
    of_database = DATABASE is not None and "rust" not in skip
    return skip.get(host) or (skip.get("postgres") if of_database else None)


def run_row(row: dict[str, Any], table: dict[str, Any], host: str, Queue: type[queue_store.Queue]) -> tuple[str, str]:
    """Runs a row: "passed", "skipped", "missing" (a requirement) or "failed", and the reason.

    A row that the table skips runs too, and fails if it passes.
    """
    with tempfile.TemporaryDirectory(prefix="queue-store-") as directory:
        requires = row.get("requires")
        if requires and subprocess.call(requires["script"], shell=True, cwd=directory, stderr=subprocess.DEVNULL) != 0:
            return "missing", requires["reason"]
        skip = reason_to_skip(row.get("skip", {}), host)
        try:
            Session(table, host, Queue, directory).run(row["steps"])
        except Exception as failure:
            return ("skipped", skip) if skip else ("failed", f"{type(failure).__name__}: {failure}")
        finally:
            if "cleanup" in row:
                subprocess.check_call(row["cleanup"], shell=True, cwd=directory)
        return ("failed", "it passes, and the table skips it") if skip else ("passed", "")


class ConformanceTests:
    """The rows of the table, in a module."""

    host: str
    Queue: type[queue_store.Queue]

    def test_every_row_has_its_results(self) -> None:
        host = self.host if DATABASE is None else f"{self.host}-postgres"
        other = os.environ.get("QUEUE_STORE_CONFORMANCE")
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        table = json.loads(Path(other or ROOT / "hosts/conformance", "table.json").read_text())
        results = {}
        for row in table["rows"]:
            name = row["name"]
            results[name], reason = run_row(row, table, self.host, self.Queue)
            if results[name] != "passed":
                print(f"{host}: {results[name]}: {name}: {reason}", file=sys.__stderr__)
        directory = Path(other or target / "conformance")
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"version": self.version(), "rows": results}, indent=2)
        (directory / f"{host}.json").write_text(text + "\n")
        bad = {"failed", "missing"} if os.environ.get("QUEUE_STORE_REQUIRE_ALL") == "1" else {"failed"}
        self.assertEqual([name for name, result in results.items() if result in bad], [])

    def version(self) -> str:
        return version("queue-store")


class NativeTests(ConformanceTests, unittest.TestCase):
    host, Queue = "python", queue_store.Queue


@unittest.skipIf(DATABASE, "it opens directories alone")
class PureTests(ConformanceTests, unittest.TestCase):
    host, Queue = "python-pure", pure.Queue

    def version(self) -> str:
        return f"{super().version()}, wasmtime {version('wasmtime').partition('.')[0]}"


del ConformanceTests


if __name__ == "__main__":
    unittest.main()
