//! The process to which something belongs.

use std::process;

/// The process that made something. One that is forked from it has a copy, without the threads that work for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnProcess(u32);

impl OwnProcess {
    /// Returns the process that makes the call.
    pub(crate) fn current() -> OwnProcess {
        OwnProcess(process::id())
    }

    /// Whether the call is made in this process.
    pub(crate) fn is_current(self) -> bool {
        self.0 == process::id()
    }
}
