//! The compiled component, and the limits that its instances have.

use crate::bindings::QueuePre;
use crate::directory;
use crate::error::Error;
use crate::instance::{State, link};
use crate::pool::Pool;
use crate::queue::Queue;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;
use std::{io, thread};
use wasmtime::Engine;
use wasmtime::component::Linker;

/// How often a guest is looked at that runs for long.
const TICK: Duration = Duration::from_millis(10);

/// What the component may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of memory of one instance. An item of 64 MiB that is read or put in one piece (`get`, `put_many`) takes three times
    /// its size.
    pub memory_bytes: usize,
    /// Bytes of memory above which an instance is not kept after a call, since memory never shrinks.
    pub kept_memory_bytes: usize,
    /// Time that one call may compute. Waiting for the disk does not count: a call that was given up after a slow sync
    /// that succeeded would make its caller send twice.
    pub time: Duration,
    /// Instances that are kept for later calls, of each queue. Any number of threads may call at once.
    pub kept_instances: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: 256 << 20,
            kept_memory_bytes: 16 << 20,
            time: Duration::from_secs(60),
            kept_instances: 64,
        }
    }
}

/// The compiled component. A process needs one; queues share it.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

/// What the queues of a host share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) component: QueuePre<State>,
    pub(crate) limits: Limits,
    clock: Arc<Clock>,
}

impl Host {
    /// Loads the component.
    ///
    /// # Errors
    ///
    /// [`Error::Component`] if this machine cannot run it, or the system has no thread for it.
    pub fn new() -> Result<Host, Error> {
        Host::with_limits(Limits::default())
    }

    /// Loads the component, with limits.
    ///
    /// # Errors
    ///
    /// [`Error::Component`] if this machine cannot run it, or the system has no thread for it.
    pub fn with_limits(limits: Limits) -> Result<Host, Error> {
        let load = || {
            let engine = Engine::new(&queue_store_artifact::config())?;
            let component = queue_store_artifact::load(&engine)?;
            let mut linker = Linker::new(&engine);
            link(&mut linker)?;
            let component = QueuePre::new(linker.instantiate_pre(&component)?)?;
            let clock = Clock::start(&engine)?;
            Ok(Host { shared: Arc::new(Shared { engine, component, limits, clock }) })
        };
        load().map_err(Error::Component)
    }

    /// Opens the queue in a directory that exists.
    ///
    /// # Errors
    ///
    /// [`Error::Directory`] if the directory cannot be opened.
    pub fn open(&self, directory: impl AsRef<Path>) -> Result<Queue, Error> {
        let path = directory.as_ref();
        let found = path
            .metadata()
            .and_then(|found| if found.is_dir() { Ok(()) } else { Err(std::io::ErrorKind::NotADirectory.into()) });
        found.map_err(|source| Error::Directory { path: path.to_path_buf(), source })?;
        Ok(Queue::new(Arc::new(Pool::new(self.shared.clone(), path))))
    }

    /// Opens the queue in a directory, which is created durably, with mode 0700, if it does not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Directory`] if the directory cannot be created or opened.
    pub fn create(&self, directory: impl AsRef<Path>) -> Result<Queue, Error> {
        let path = directory.as_ref();
        directory::create(path).map_err(|source| Error::Directory { path: path.to_path_buf(), source })?;
        self.open(path)
    }
}

impl Shared {
    /// Has the engine's clock run until what is returned is dropped.
    pub(crate) fn run_clock(&self) -> Running {
        self.clock.calls(1);
        Running(self.clock.clone())
    }
}

/// The clock of an engine, which runs while calls do, so that a guest that runs for long is looked at.
struct Clock {
    calls: Mutex<isize>,
    changed: Condvar,
}

/// A call that is running.
pub(crate) struct Running(Arc<Clock>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.calls(-1);
    }
}

impl Clock {
    /// Starts a clock that stops for good when nobody has it any more.
    fn start(engine: &Engine) -> io::Result<Arc<Clock>> {
        let clock = Arc::new(Clock { calls: Mutex::new(0), changed: Condvar::new() });
        let (weak, engine) = (Arc::downgrade(&clock), engine.weak());
        thread::Builder::new().spawn(move || {
            while wait_for_a_call(&weak) {
                thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => break,
                }
            }
        })?;
        Ok(clock)
    }

    fn calls(&self, more: isize) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls += more;
        if *calls == 1 && more > 0 {
            self.changed.notify_one();
        }
    }
}

/// Waits until a call is running; false once the clock is gone.
fn wait_for_a_call(clock: &Weak<Clock>) -> bool {
    loop {
        let Some(clock) = clock.upgrade() else {
            return false;
        };
        let calls = clock.calls.lock().unwrap_or_else(PoisonError::into_inner);
        // A host that was dropped meanwhile is noticed at the next look.
        let (calls, _) =
            clock.changed.wait_timeout(calls, Duration::from_secs(1)).unwrap_or_else(PoisonError::into_inner);
        if *calls > 0 {
            return true;
        }
    }
}
