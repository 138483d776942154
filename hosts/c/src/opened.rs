//! Opened queues, and the host that they share.

use crate::errors::Failure;
use queue_store_host::{Host, Queue};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const GRACE: Duration = Duration::from_hours(36);

/// The host of the process with this id.
static HOST: Mutex<Option<(u32, Host)>> = Mutex::new(None);

/// Opens and recovers the queue in a directory, which is created if it does not exist.
pub(crate) fn open(path: &str) -> Result<Queue, Failure> {
    let queue = host()?.create(path)?;
    queue.recover(GRACE)?;
    Ok(queue)
}

fn host() -> Result<Host, Failure> {
    if let Some((process, host)) = &*lock()
        && *process == process::id()
    {
        return Ok(host.clone());
    }
    let host = Host::new()?;
    // Dropping what a process inherited could wait for a lock that a thread of its parent holds.
    std::mem::forget(lock().replace((process::id(), host.clone())));
    Ok(host)
}

/// Locks the host, for a moment: a child that is forked meanwhile would never get it.
fn lock() -> MutexGuard<'static, Option<(u32, Host)>> {
    HOST.lock().unwrap_or_else(PoisonError::into_inner)
}
