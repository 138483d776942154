//! One instance of the component, with one directory and nothing else.

use crate::bindings;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::state::{OutOfTime, State};
use crate::types;
use std::path::Path;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

/// The answer of the component to a call.
pub(crate) type Answer<T> = std::result::Result<T, types::Error>;

/// One instance of the component.
pub(crate) struct Instance {
    store: Store<State>,
    exports: bindings::Queue,
    engine: Arc<Engine>,
    /// The name of the directory to the component, which its errors show.
    name: Arc<str>,
    /// The queue, once a call needed it.
    queue: Option<ResourceAny>,
    /// Whether the queue is known to refuse changes: it was closed, it was opened so, or an fsync of its own failed.
    pub(crate) closed: bool,
}

/// The exports of an instance, to be called.
pub(crate) struct Call<'a> {
    pub(crate) store: &'a mut Store<State>,
    pub(crate) exports: &'a bindings::Queue,
}

impl Instance {
    /// Makes an instance that has the directory, and calls it `name`.
    pub(crate) fn new(engine: &Arc<Engine>, directory: &Path, name: &Arc<str>) -> Result<Instance> {
        let state = State::new(engine.limits, directory, name).map_err(|error| match error.downcast() {
            Ok(source) => Error::of_directory(directory, source),
            Err(error) => error.into(),
        })?;
        let mut store = Store::new(&engine.wasmtime, state);
        store.limiter(|state| state);
        store.epoch_deadline_callback(|mut store| store.data_mut().tick());
        store.set_epoch_deadline(1);
        let exports = match engine.component.instantiate(&mut store) {
            Ok(exports) => exports,
            Err(_) if store.data().out_of_memory => return Err(Error::OutOfMemory(engine.limits.memory_bytes)),
            Err(error) => return Err(error.into()),
        };
        Ok(Instance { store, exports, engine: engine.clone(), name: name.clone(), queue: None, closed: false })
    }

    /// Calls the instance. After an error, which is no answer of the component, the instance is unusable.
    pub(crate) fn call<T>(&mut self, call: impl FnOnce(Call<'_>) -> wasmtime::Result<T>) -> Result<T> {
        let _ticking = self.engine.ticker.run();
        self.store.data_mut().begin_call();
        self.store.set_epoch_deadline(1);
        let limits = self.engine.limits;
        call(Call { store: &mut self.store, exports: &self.exports }).map_err(|error| {
            if error.downcast_ref::<OutOfTime>().is_some() {
                Error::OutOfTime(limits.time)
            } else if self.store.data().out_of_memory {
                Error::OutOfMemory(limits.memory_bytes)
            } else {
                Error::Component(error)
            }
        })
    }

    /// Sets whether the calls from here on may compute for any time.
    pub(crate) fn set_unlimited(&mut self, unlimited: bool) {
        self.store.data_mut().set_unlimited(unlimited);
    }

    /// Returns the queue, which the first use opens. A queue that refuses changes from the beginning counts as closed.
    pub(crate) fn queue(&mut self) -> Result<Answer<ResourceAny>> {
        if let Some(queue) = self.queue {
            return Ok(Ok(queue));
        }
        let name = self.name.clone();
        let (opened, closed) = self.call(|Call { store, exports }| {
            let queue = exports.mail_queue_queue_store().queue();
            match queue.call_open(&mut *store, &name)? {
                Ok(opened) => Ok((Ok(opened), queue.call_needs_recovery(store, opened)?)),
                Err(error) => Ok((Err(error), false)),
            }
        })?;
        self.queue = opened.as_ref().ok().copied();
        self.closed = closed;
        Ok(opened)
    }

    /// Whether a call needed the queue before.
    pub(crate) fn is_open(&self) -> bool {
        self.queue.is_some()
    }

    /// Closes the queue for changes until it is recovered.
    pub(crate) fn close(&mut self, queue: ResourceAny) -> Result<()> {
        self.closed = true;
        self.call(|Call { store, exports }| {
            exports.mail_queue_queue_store().queue().call_require_recovery(store, queue)
        })
    }

    /// Returns the counters since the instance began.
    pub(crate) fn counters(&mut self) -> Result<Vec<(String, u64)>> {
        self.call(|Call { store, exports }| exports.mail_queue_introspection().call_counters(store))
    }

    /// Drops a resource of the instance.
    pub(crate) fn drop_resource(&mut self, resource: ResourceAny) -> Result<()> {
        self.call(|Call { store, .. }| resource.resource_drop(store))
    }

    /// Whether the instance has little enough memory to be kept.
    pub(crate) fn is_small(&self) -> bool {
        self.store.data().memory_bytes <= self.engine.limits.kept_memory_bytes
    }
}
