//! The queue of a process: one that is forked opens it anew.

use crate::errors::raise;
use pyo3::prelude::*;
use queue_store_host::{Host, Queue};
use std::mem;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A queue, which each process that uses it opens.
pub(crate) struct Opened {
    path: PathBuf,
    queue: Mutex<(u32, Queue)>,
}

impl Opened {
    /// Opens the queue in a directory, and creates that durably if `create` is true and it does not exist.
    pub(crate) fn open(py: Python<'_>, path: PathBuf, create: bool) -> PyResult<Opened> {
        let host = host(py)?;
        let opened = |path: &Path| if create { host.create(path) } else { host.open(path) };
        let queue = py.detach(|| opened(&path)).map_err(|error| raise(py, error))?;
        Ok(Opened { path, queue: Mutex::new((process::id(), queue)) })
    }

    /// Returns the queue.
    pub(crate) fn queue(&self, py: Python<'_>) -> PyResult<Queue> {
        {
            let current = lock(&self.queue);
            if current.0 == process::id() {
                return Ok(current.1.clone());
            }
        }
        let host = host(py)?;
        let queue = py.detach(|| host.open(&self.path)).map_err(|error| raise(py, error))?;
        // Dropping what was inherited could wait for a lock that a thread of the parent holds.
        mem::forget(mem::replace(&mut *lock(&self.queue), (process::id(), queue.clone())));
        Ok(queue)
    }
}

/// Returns the host of this process. The interpreter's lock is held, which the thread that forks has: no child inherits a
/// lock of the host, or of this module.
fn host(py: Python<'_>) -> PyResult<Host> {
    Host::shared().map_err(|error| raise(py, error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
