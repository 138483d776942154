//! The queue of a process: one that is forked opens it anew.

use crate::errors::raise;
use pyo3::prelude::*;
use queue_store_host::{Host, Queue};
use queue_store_place::Place;
use std::ffi::OsString;
use std::mem;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A queue, which each process that uses it opens.
pub(crate) struct Opened {
    place: Place,
    queue: Mutex<(u32, Queue)>,
}

impl Opened {
    /// Opens the queue in a directory, or the one that a URL names. A missing directory is created durably if `create` is
    /// true.
    pub(crate) fn open(py: Python<'_>, place: OsString, create: bool) -> PyResult<Opened> {
        let place = Place::parse(place).map_err(|error| raise(py, error))?;
        let queue = open(py, &place, create)?;
        Ok(Opened { place, queue: Mutex::new((process::id(), queue)) })
    }

    /// Returns the queue.
    pub(crate) fn queue(&self, py: Python<'_>) -> PyResult<Queue> {
        {
            let current = lock(&self.queue);
            if current.0 == process::id() {
                return Ok(current.1.clone());
            }
        }
        let queue = open(py, &self.place, false)?;
        let mut current = lock(&self.queue);
        // Another thread may have opened it meanwhile.
        if current.0 != process::id() {
            // Dropping what was inherited could wait for a lock that a thread of the parent holds.
            mem::forget(mem::replace(&mut *current, (process::id(), queue)));
        }
        Ok(current.1.clone())
    }

    /// Returns the URL without its password; none for a directory.
    pub(crate) fn shown_url(&self) -> Option<String> {
        match &self.place {
            Place::Directory(_) => None,
            Place::Database(url) => Some(url.to_string()),
        }
    }
}

fn open(py: Python<'_>, place: &Place, create: bool) -> PyResult<Queue> {
    let opened = match place {
        Place::Directory(path) => {
            // The interpreter's lock is held here, which the thread that forks has: no child inherits a lock of the host.
            let host = Host::shared().map_err(|error| raise(py, error))?;
            py.detach(|| if create { host.create(path) } else { host.open(path) })
        }
        Place::Database(url) => py.detach(|| url.open()),
    };
    opened.map_err(|error| raise(py, error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
