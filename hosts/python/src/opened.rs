//! The queue of a process: one that is forked opens it anew.

use crate::errors::raise;
use pyo3::prelude::*;
use queue_store_host::{Host, Queue};
use std::mem;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The host of the process with this id. The locks of this module are held only together with the interpreter's, which
/// the thread that forks has: no child inherits them locked.
static HOST: Mutex<Option<(u32, Host)>> = Mutex::new(None);

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

fn host(py: Python<'_>) -> PyResult<Host> {
    if let Some((process, host)) = &*lock(&HOST)
        && *process == process::id()
    {
        return Ok(host.clone());
    }
    let host = py.detach(Host::new).map_err(|error| raise(py, error))?;
    mem::forget(lock(&HOST).replace((process::id(), host.clone())));
    Ok(host)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
