//! Calls that block, in any thread that is none of an async runtime, and what they leave open.

use crate::convert::failure;
use crate::database::Database;
use crate::sql_error::error;
use queue_store::error::Cause;
use queue_store::limits::{MAX_DRAFTS, MAX_LISTINGS, MAX_READERS};
use queue_store_host::types::ErrorCode;
use queue_store_host::{Error, Result, refuse_in_task};
use std::mem;
use std::process;
use std::sync::Arc;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Threads that pass messages between sessions and servers.
const THREADS: usize = 2;

/// The database, and the threads of its sessions.
///
/// Invariant: both are present until it is dropped.
pub(crate) struct Core {
    database: Option<Arc<Database>>,
    runtime: Option<Runtime>,
    process: u32,
    pub(crate) drafts: Permits,
    pub(crate) readers: Permits,
    pub(crate) listings: Permits,
}

impl Core {
    /// Starts the threads, and prepares the database.
    pub(crate) fn new(database: impl FnOnce(Handle) -> Result<Database>) -> Result<Core> {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("queue-store").enable_all().build();
        let runtime = runtime.map_err(|cause| error(ErrorCode::Busy, format!("no threads: {cause}")))?;
        let database = Arc::new(database(runtime.handle().clone())?);
        Ok(Core {
            database: Some(database),
            runtime: Some(runtime),
            process: process::id(),
            drafts: Permits::new("max-drafts", MAX_DRAFTS),
            readers: Permits::new("max-readers", MAX_READERS),
            listings: Permits::new("max-listings", MAX_LISTINGS),
        })
    }

    /// Fails in a process that was forked from the one that opened the queue, and in a task of an async runtime.
    pub(crate) fn check_caller(&self) -> Result<()> {
        refuse_in_task()?;
        if self.is_own_process() { Ok(()) } else { Err(Error::Forked) }
    }

    fn is_own_process(&self) -> bool {
        self.process == process::id()
    }

    /// Runs a call to its end.
    pub(crate) fn block<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.check_caller()?;
        // Not `Runtime::block_on`, which panics where the caller blocks in another runtime, as the calls of plugins do.
        let _entered = self.runtime.as_ref().expect("it is present until the drop").enter();
        pollster::block_on(call)
    }

    /// Takes one of those that may be open, and fails with `busy` where there is none.
    pub(crate) fn permit(&self, permits: &Permits) -> Result<OwnedSemaphorePermit> {
        self.check_caller()?;
        permits.take()
    }

    pub(crate) fn database(&self) -> &Arc<Database> {
        self.database.as_ref().expect("it is present until the drop")
    }
}

impl Drop for Core {
    /// Ends the threads without waiting for them: a caller may drop the queue in an async task, where tokio panics instead
    /// of waiting, and a look-up of a host may take long. In a forked process there are no threads to end.
    fn drop(&mut self) {
        let (database, runtime) = (self.database.take(), self.runtime.take());
        if !self.is_own_process() {
            mem::forget((database, runtime));
        } else if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

/// Something of a queue that is open. In a process that was forked it is never dropped: threads of the parent may hold its
/// locks, and do not exist there.
pub(crate) struct Open<T> {
    core: Option<Arc<Core>>,
    value: Option<T>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<T> Open<T> {
    pub(crate) fn new(core: &Arc<Core>, value: T, permit: OwnedSemaphorePermit) -> Open<T> {
        Open { core: Some(core.clone()), value: Some(value), permit: Some(permit) }
    }

    /// Runs a call to its end.
    pub(crate) fn block<R>(&mut self, call: impl AsyncFnOnce(&mut T) -> Result<R>) -> Result<R> {
        let (Some(core), Some(value)) = (&self.core, &mut self.value) else {
            return Err(Error::Forked);
        };
        core.block(call(value))
    }

    /// Runs a call that consumes it.
    pub(crate) fn consume<R>(mut self, call: impl AsyncFnOnce(T) -> Result<R>) -> Result<R> {
        let (Some(core), true) = (self.core.clone(), self.value.is_some()) else {
            return Err(Error::Forked);
        };
        core.check_caller()?;
        let value = self.value.take().ok_or(Error::Forked)?;
        core.block(call(value))
    }
}

impl<T> Drop for Open<T> {
    fn drop(&mut self) {
        if self.core.as_ref().is_some_and(|core| !core.is_own_process()) {
            mem::forget((self.core.take(), self.value.take(), self.permit.take()));
        }
    }
}

/// How many of a kind may be open at once.
pub(crate) struct Permits {
    /// The name of the limit.
    limit: &'static str,
    free: Arc<Semaphore>,
}

impl Permits {
    fn new(limit: &'static str, count: usize) -> Permits {
        Permits { limit, free: Arc::new(Semaphore::new(count)) }
    }

    fn take(&self) -> Result<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().map_err(|_| failure(Cause::TooManyOpen(self.limit), ""))
    }
}
