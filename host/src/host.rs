//! The entrance to the library: loads the component and opens queues.

use crate::directory;
use crate::directory_store::DirectoryStore;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pool::Pool;
use crate::queue::Queue;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{mem, process};

/// The loaded component. A process needs one; queues share it.
///
/// Its functions take milliseconds and are meant for the start of a program, so they may be called in async tasks too.
#[derive(Clone)]
pub struct Host {
    engine: Arc<Engine>,
}

/// The host of the process with this id, for [`Host::shared`].
static SHARED: Mutex<Option<(u32, Host)>> = Mutex::new(None);

impl Host {
    /// Returns the host of this process, with the default limits. The first call loads the component, also the first in a
    /// process that was forked.
    ///
    /// # Errors
    ///
    /// Those of [`Host::new`].
    pub fn shared() -> Result<Host> {
        // Locked for moments: a child that is forked within one never gets the lock.
        let lock = || SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((process, host)) = &*lock()
            && *process == process::id()
        {
            return Ok(host.clone());
        }
        let host = Host::new()?;
        // Dropping what a process inherited could wait for a lock that a thread of its parent holds.
        mem::forget(lock().replace((process::id(), host.clone())));
        Ok(host)
    }

    /// Loads the component.
    ///
    /// # Errors
    ///
    /// [`Error::Component`] if this machine cannot run it; [`Error::Busy`] if the system is out of descriptors, threads or
    /// memory.
    pub fn new() -> Result<Host> {
        Host::with_limits(Limits::default())
    }

    /// Loads the component, with limits.
    ///
    /// # Errors
    ///
    /// [`Error::Component`] if this machine cannot run it; [`Error::Busy`] if the system is out of descriptors, threads or
    /// memory.
    pub fn with_limits(limits: Limits) -> Result<Host> {
        Ok(Host { engine: Arc::new(Engine::new(limits)?) })
    }

    /// Opens the queue in a directory that exists.
    ///
    /// # Errors
    ///
    /// [`Error::Directory`] if the directory cannot be opened; those of `queue.open` in the contract.
    pub fn open(&self, directory: impl AsRef<Path>) -> Result<Queue> {
        self.engine.check_process()?;
        let directory = directory.as_ref();
        require_directory(directory).map_err(|source| Error::of_directory(directory, source))?;
        Ok(Queue::from_store(Arc::new(DirectoryStore::new(Pool::open(&self.engine, directory)?))))
    }

    /// Opens the queue in a directory, which is created durably, with mode 0700, if it does not exist.
    /// The entry of one that exists is fsynced too, where its parent can be opened and takes an fsync: a process that was
    /// killed may have created it. A new one whose entry cannot be fsynced is removed again.
    ///
    /// # Errors
    ///
    /// [`Error::Directory`] if the directory cannot be created or opened; those of `queue.open` in the contract.
    pub fn create(&self, directory: impl AsRef<Path>) -> Result<Queue> {
        self.engine.check_process()?;
        let directory = directory.as_ref();
        directory::create(directory).map_err(|source| Error::of_directory(directory, source))?;
        self.open(directory)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Host").field("limits", &self.engine.limits).finish_non_exhaustive()
    }
}

fn require_directory(path: &Path) -> io::Result<()> {
    if path.metadata()?.is_dir() { Ok(()) } else { Err(ErrorKind::NotADirectory.into()) }
}
