//! The resources of a queue: drafts, bodies and listings.

use crate::errors::raise;
use crate::results;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use queue_store_host::{BodyReader, Draft, Error, Listing, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, process};

/// A resource of the process that opened it, until a call consumes it. Two threads that call it at once take turns.
struct Resource<T> {
    process: u32,
    value: Mutex<Option<T>>,
}

impl<T: Send> Resource<T> {
    fn new(value: T) -> Resource<T> {
        Resource { process: process::id(), value: Mutex::new(Some(value)) }
    }

    /// Whether the process was forked from the one that opened the resource, and a thread that does not exist here may hold
    /// its lock.
    fn is_inherited(&self) -> bool {
        self.process != process::id()
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call without the interpreter's lock.
    fn call<R: Send>(&self, py: Python<'_>, call: impl FnOnce(&mut T) -> Result<R> + Send) -> PyResult<R> {
        if self.is_inherited() {
            return Err(raise(py, Error::Forked));
        }
        py.detach(|| self.lock().as_mut().map(call)).ok_or_else(closed)?.map_err(|error| raise(py, error))
    }

    /// Makes a call that consumes the resource.
    fn consume<R: Send>(&self, py: Python<'_>, call: impl FnOnce(T) -> Result<R> + Send) -> PyResult<R> {
        if self.is_inherited() {
            return Err(raise(py, Error::Forked));
        }
        let called = py.detach(|| {
            let value = self.lock().take();
            value.map(call)
        });
        called.ok_or_else(closed)?.map_err(|error| raise(py, error))
    }

    /// Drops the resource. One that is inherited stays the parent's.
    fn close(&self, py: Python<'_>) {
        if !self.is_inherited() {
            py.detach(|| drop(self.lock().take()));
        }
    }
}

impl<T> Drop for Resource<T> {
    fn drop(&mut self) {
        if self.process != process::id() {
            mem::forget(self.value.get_mut().map(Option::take));
        }
    }
}

/// Makes the exception of Python's files.
fn closed() -> PyErr {
    PyValueError::new_err("I/O operation on closed file.")
}

/// A draft.
#[pyclass(frozen, module = "queue_store._native")]
pub(crate) struct NativeDraft(Resource<Draft>);

impl NativeDraft {
    pub(crate) fn new(draft: Draft) -> NativeDraft {
        NativeDraft(Resource::new(draft))
    }
}

#[pymethods]
impl NativeDraft {
    fn write(&self, py: Python<'_>, chunk: &[u8]) -> PyResult<()> {
        self.0.call(py, |draft| draft.append(chunk))
    }

    fn commit(&self, py: Python<'_>) -> PyResult<String> {
        self.0.consume(py, Draft::commit)
    }

    fn abandon(&self, py: Python<'_>) -> PyResult<()> {
        // An inherited draft is the parent's, and stays.
        if self.0.is_inherited() { Ok(()) } else { self.0.consume(py, Draft::abandon) }
    }
}

/// A body that is read.
#[pyclass(frozen, module = "queue_store._native")]
pub(crate) struct NativeBody(Resource<BodyReader>);

impl NativeBody {
    pub(crate) fn new(body: BodyReader) -> NativeBody {
        NativeBody(Resource::new(body))
    }
}

#[pymethods]
impl NativeBody {
    /// Returns the next bytes; none at the end, where the body was verified.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let chunk = self.0.call(py, BodyReader::next_chunk)?;
        Ok(chunk.map(|chunk| PyBytes::new(py, &chunk)))
    }

    fn close(&self, py: Python<'_>) {
        self.0.close(py);
    }
}

/// A listing.
#[pyclass(frozen, module = "queue_store._native")]
pub(crate) struct NativeListing(Resource<Listing>);

impl NativeListing {
    pub(crate) fn new(listing: Listing) -> NativeListing {
        NativeListing(Resource::new(listing))
    }
}

#[pymethods]
impl NativeListing {
    /// Returns the next item; none at the end.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let entry = self.0.call(py, Listing::next_entry)?;
        entry.map(|entry| results::entry(py, entry)).transpose()
    }

    fn close(&self, py: Python<'_>) {
        self.0.close(py);
    }
}
