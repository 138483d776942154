//! The end of the time of a call, for the calls of a plugin to the host.
//!
//! wasmtime interrupts a plugin at the beginning of its functions and loops alone. A function without a loop can make so many
//! calls of the host that it runs for hours.

use std::fmt;
use std::time::{Duration, Instant};

/// The end of the time of a call; none where it is not bounded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline, for a store whose embedder bounds the time.
    pub(super) const NONE: Deadline = Deadline(None);

    /// Returns the deadline of a call that begins now.
    pub(super) fn after(time: Duration) -> Deadline {
        Deadline(Instant::now().checked_add(time))
    }

    pub(super) fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }

    /// Returns the trap of a call of the host that is made, or ends, after the deadline.
    pub(super) fn check(self) -> wasmtime::Result<()> {
        if self.is_over() { Err(DeadlineOver.into()) } else { Ok(()) }
    }
}

/// A plugin was stopped in a call of the host.
#[derive(Debug)]
pub(super) struct DeadlineOver;

impl fmt::Display for DeadlineOver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the time of the plugin is over")
    }
}

impl std::error::Error for DeadlineOver {}
