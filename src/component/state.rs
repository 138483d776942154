//! The state of an instance: the system, the counters, the queue of the intake, and how many resources are open.

use crate::counters::Counters;
use crate::error::{Cause, Result};
use crate::queue::Queue;
use crate::storage::wasi::Wasi;
use alloc::rc::Rc;
use component_rt::InstanceState;
use core::cell::{Cell, RefCell};

/// A queue on the host's file system.
pub(super) type WasiQueue = Queue<Wasi>;

/// The state of an instance.
#[derive(Default)]
pub(super) struct State {
    pub(super) system: Wasi,
    pub(super) counters: Counters,
    /// The queue of the intake, once it was used.
    pub(super) intake: RefCell<Option<Rc<WasiQueue>>>,
    pub(super) drafts: Permits,
    pub(super) readers: Permits,
    pub(super) listings: Permits,
}

static STATE: InstanceState<State> = InstanceState::new();

/// Returns the state of this instance.
pub(super) fn state() -> &'static State {
    STATE.get_or_init(State::default)
}

/// The number of open resources of a kind.
#[derive(Default)]
pub(super) struct Permits(Cell<usize>);

/// The permission to keep one resource open, for as long as it lives.
pub(super) struct Permit(&'static Permits);

impl Permits {
    /// Takes a permit, if fewer than `max`, the limit of this name, are taken.
    pub(super) fn take(&'static self, max: usize, limit: &'static str) -> Result<Permit> {
        if self.0.get() >= max {
            return Err(Cause::TooManyOpen(limit).into());
        }
        self.0.set(self.0.get() + 1);
        Ok(Permit(self))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() - 1);
    }
}
