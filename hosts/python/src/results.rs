//! Results for Python: objects of the dataclasses of `queue_store._types`, and its exceptions.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple};
use queue_store_host::types::{
    Counts, Entry, Envelope, Error, Item, ItemInfo, Outcome, Position, Recipient, Recovery, Timestamp,
};

/// An object of Python.
pub(crate) type Object<'py> = PyResult<Bound<'py, PyAny>>;

/// Makes an object of a class of `queue_store._types` from its fields.
pub(crate) fn make<'py>(
    py: Python<'py>,
    class: &str,
    fields: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> Object<'py> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let import = || Ok::<_, PyErr>(py.import("queue_store._types")?.unbind());
    MODULE.get_or_try_init(py, import)?.bind(py).getattr(class)?.call1(fields.into_pyobject(py)?)
}

/// Makes an object of each value.
pub(crate) fn list<'py, T>(
    py: Python<'py>,
    values: Vec<T>,
    make: impl Fn(Python<'py>, T) -> Object<'py>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    values.into_iter().map(|value| make(py, value)).collect()
}

fn optional<'py, T>(
    py: Python<'py>,
    value: Option<T>,
    make: impl Fn(Python<'py>, T) -> Object<'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    value.map(|value| make(py, value)).transpose()
}

fn timestamp(py: Python<'_>, Timestamp { seconds, nanos }: Timestamp) -> Object<'_> {
    make(py, "Timestamp", (seconds, nanos))
}

fn recipient(py: Python<'_>, recipient: Recipient) -> Object<'_> {
    let Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
    let via = PyTuple::new(py, via)?;
    make(py, "Recipient", (address, kind, status, last_failure_message, original_address, via))
}

fn envelope(py: Python<'_>, Envelope { reverse_path, to, recipients, created_at }: Envelope) -> Object<'_> {
    let recipients = PyTuple::new(py, list(py, recipients, recipient)?)?;
    make(py, "Envelope", (reverse_path, PyTuple::new(py, to)?, recipients, optional(py, created_at, timestamp)?))
}

pub(crate) fn item(py: Python<'_>, Item { id, envelope: whole, body }: Item) -> Object<'_> {
    make(py, "Item", (id, envelope(py, whole)?, PyBytes::new(py, &body)))
}

pub(crate) fn item_info(py: Python<'_>, info: ItemInfo) -> Object<'_> {
    let ItemInfo { id, state, format, integrity, envelope: whole, file_size, body_size, revision, recorded_id } = info;
    let (state, format, integrity) = (state.name(), format.name(), integrity.name());
    let whole = envelope(py, whole)?;
    make(py, "ItemInfo", (id, state, format, integrity, whole, file_size, body_size, revision, recorded_id))
}

pub(crate) fn entry(py: Python<'_>, Entry { id, state, info, problem }: Entry) -> Object<'_> {
    make(py, "Entry", (id, state.name(), optional(py, info, item_info)?, optional(py, problem, error)?))
}

pub(crate) fn outcome(py: Python<'_>, Outcome { id, problem }: Outcome) -> Object<'_> {
    make(py, "Outcome", (id, optional(py, problem, error)?))
}

pub(crate) fn counts(py: Python<'_>, counts: Counts) -> Object<'_> {
    let Counts { ready, held, quarantined, temporary, foreign } = counts;
    make(py, "Counts", (ready, held, quarantined, temporary, foreign))
}

pub(crate) fn recovery(py: Python<'_>, recovery: Recovery) -> Object<'_> {
    let Recovery { durable_items, damaged_items, temporary_removed, temporary_kept, rewritten, problems, truncated } =
        recovery;
    let problems = PyTuple::new(py, list(py, problems, error)?)?;
    let fields = (durable_items, damaged_items, temporary_removed, temporary_kept, rewritten, problems, truncated);
    make(py, "Recovery", fields)
}

/// Makes the exception of an error of the contract.
pub(crate) fn error(py: Python<'_>, Error { code, operation, path, detail, position }: Error) -> Object<'_> {
    let position =
        optional(py, position, |py, Position { offset, line, column }| make(py, "Position", (offset, line, column)))?;
    make(py, "queue_error", (code.name(), operation, path, detail, position))
}
