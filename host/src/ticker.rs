//! The epoch ticker, by which wasmtime interrupts a call that computes for too long.

use crate::process::OwnProcess;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};
use wasmtime::{Engine, EngineWeak};

/// Time between two looks at the calls that run.
const TICK: Duration = Duration::from_millis(10);

/// A thread that increments an engine's epoch while calls run. Dropping it ends the thread.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    process: OwnProcess,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running_calls: usize,
    stopped: bool,
}

/// Keeps the ticker running until it is dropped.
pub(crate) struct RunningCall<'a>(&'a Shared);

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: &Engine) -> io::Result<Ticker> {
        let shared = Arc::<Shared>::default();
        let (ticker, engine) = (Ticker { shared: shared.clone(), process: OwnProcess::current() }, engine.weak());
        thread::Builder::new().name("queue-store-epoch".to_string()).spawn(move || shared.tick(&engine))?;
        Ok(ticker)
    }

    /// Keeps the ticker running until the guard is dropped.
    pub(crate) fn run(&self) -> RunningCall<'_> {
        let mut state = self.shared.state();
        state.running_calls += 1;
        if state.running_calls == 1 {
            self.shared.changed.notify_one();
        }
        RunningCall(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // In a process that was forked there is no such thread, and another one of the parent may hold the lock.
        if self.process.is_current() {
            self.shared.state().stopped = true;
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for RunningCall<'_> {
    fn drop(&mut self) {
        self.0.state().running_calls -= 1;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Increments the epoch every [`TICK`] while calls run, until the ticker or the engine is dropped.
    fn tick(&self, engine: &EngineWeak) {
        while self.wait_for_call() {
            thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    }

    /// Waits until a call runs. Returns false once the ticker is dropped.
    fn wait_for_call(&self) -> bool {
        let idle = |state: &mut State| state.running_calls == 0 && !state.stopped;
        let state = self.changed.wait_while(self.state(), idle).unwrap_or_else(PoisonError::into_inner);
        !state.stopped
    }
}
