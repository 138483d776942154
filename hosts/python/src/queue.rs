//! The calls of a queue.

use crate::arguments::{Attempt, Envelope, EnvelopeChange, IdentifiedMail, WriteOptions, durability, list, named};
use crate::errors::raise;
use crate::opened::Opened;
use crate::resources::{NativeBody, NativeDraft, NativeListing};
use crate::results::{self, Object};
use pyo3::prelude::*;
use queue_store_host::types::{Detail, Mail, Outcome, State};
use queue_store_host::{Queue, Result};
use std::ffi::OsString;
use std::time::Duration;

/// A queue: the methods of the contract's resource `queue`.
#[pyclass(frozen, module = "queue_store._native")]
pub(crate) struct NativeQueue(Opened);

impl NativeQueue {
    /// Makes a call without the interpreter's lock.
    fn call<T: Send>(&self, py: Python<'_>, call: impl FnOnce(&Queue) -> Result<T> + Send) -> PyResult<T> {
        let queue = self.0.queue(py)?;
        py.detach(|| call(&queue)).map_err(|error| raise(py, error))
    }

    /// Makes a call that has an outcome for each item.
    fn call_batch<'py>(
        &self,
        py: Python<'py>,
        call: impl FnOnce(&Queue) -> Result<Vec<Outcome>> + Send,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        results::list(py, self.call(py, call)?, results::outcome)
    }
}

/// Returns the states that have these names.
fn states(names: &[String]) -> PyResult<Vec<State>> {
    names.iter().map(|name| named(name)).collect()
}

#[pymethods]
impl NativeQueue {
    #[new]
    fn new(py: Python<'_>, place: OsString, create: bool) -> PyResult<NativeQueue> {
        Opened::open(py, place, create).map(NativeQueue)
    }

    fn shown_url(&self) -> Option<String> {
        self.0.shown_url()
    }

    fn new_id(&self, py: Python<'_>) -> PyResult<String> {
        self.call(py, Queue::new_id)
    }

    fn put(
        &self,
        py: Python<'_>,
        id: Option<String>,
        envelope: Envelope,
        body: Vec<u8>,
        options: WriteOptions,
    ) -> PyResult<String> {
        let (mail, options) = (Mail { envelope: envelope.into(), body }, options.try_into()?);
        self.call(py, |queue| queue.put_with(id.as_deref(), &mail, &options))
    }

    fn put_many<'py>(
        &self,
        py: Python<'py>,
        mails: Vec<IdentifiedMail>,
        options: WriteOptions,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let (mails, options) = (list(mails), options.try_into()?);
        self.call_batch(py, |queue| queue.put_many(&mails, &options))
    }

    fn begin(
        &self,
        py: Python<'_>,
        id: Option<String>,
        envelope: Envelope,
        options: WriteOptions,
    ) -> PyResult<NativeDraft> {
        let (envelope, options) = (envelope.into(), options.try_into()?);
        self.call(py, |queue| queue.draft(id.as_deref(), &envelope, &options)).map(NativeDraft::new)
    }

    fn submit(&self, py: Python<'_>, reverse_path: String, to: Vec<String>, body: Vec<u8>) -> PyResult<String> {
        self.call(py, |queue| queue.submit(&reverse_path, &to, &body))
    }

    fn get<'py>(&self, py: Python<'py>, id: String) -> Object<'py> {
        results::item(py, self.call(py, |queue| queue.get(id))?)
    }

    fn info<'py>(&self, py: Python<'py>, id: String) -> Object<'py> {
        results::item_info(py, self.call(py, |queue| queue.info(id))?)
    }

    fn read(&self, py: Python<'_>, id: String, offset: u64) -> PyResult<NativeBody> {
        self.call(py, |queue| queue.read(id, offset)).map(NativeBody::new)
    }

    fn items(&self, py: Python<'_>, states: Vec<String>, detail: &str) -> PyResult<NativeListing> {
        let (states, detail) = (self::states(&states)?, named::<Detail>(detail)?);
        self.call(py, |queue| queue.items(&states, detail)).map(NativeListing::new)
    }

    fn count<'py>(&self, py: Python<'py>) -> Object<'py> {
        results::counts(py, self.call(py, Queue::count)?)
    }

    fn verify<'py>(&self, py: Python<'py>, ids: Vec<String>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.call_batch(py, |queue| queue.verify(&ids))
    }

    fn update(&self, py: Python<'_>, id: String, change: EnvelopeChange, durability: Option<&str>) -> PyResult<String> {
        let (change, durability) = (change.into(), self::durability(durability)?);
        self.call(py, |queue| queue.update(id, &change, durability))
    }

    fn record_attempts(
        &self,
        py: Python<'_>,
        id: String,
        attempts: Vec<Attempt>,
        if_revision: Option<String>,
        durability: Option<&str>,
    ) -> PyResult<String> {
        let (attempts, durability) =
            (list::<_, queue_store_host::types::Attempt>(attempts), self::durability(durability)?);
        self.call(py, |queue| queue.record_attempts(id, &attempts, if_revision.as_deref(), durability))
    }

    fn set_state<'py>(&self, py: Python<'py>, ids: Vec<String>, state: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let state = named(state)?;
        self.call_batch(py, |queue| queue.set_state(&ids, state))
    }

    fn remove<'py>(
        &self,
        py: Python<'py>,
        ids: Vec<String>,
        states: Vec<String>,
        durability: Option<&str>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let (states, durability) = (self::states(&states)?, self::durability(durability)?);
        self.call_batch(py, |queue| queue.remove(&ids, &states, durability))
    }

    fn seal<'py>(&self, py: Python<'py>, ids: Vec<String>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.call_batch(py, |queue| queue.seal(&ids))
    }

    fn recover<'py>(&self, py: Python<'py>, grace: Duration) -> Object<'py> {
        results::recovery(py, self.call(py, |queue| queue.recover(grace))?)
    }

    fn needs_recovery(&self, py: Python<'_>) -> PyResult<bool> {
        self.call(py, |queue| Ok(queue.needs_recovery()))
    }

    fn limits(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        self.call(py, Queue::limits)
    }

    fn counters(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        self.call(py, Queue::counters)
    }

    fn about(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        self.call(py, Queue::about)
    }
}
