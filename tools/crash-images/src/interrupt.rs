//! ^C: what is under way is finished, taken down, and not followed by more.

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: nix::libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// From here on, the first signal that would end the process is only noted; the second one ends it, and what it mounted goes with
/// its namespace.
pub fn catch() {
    let flags = SaFlags::SA_RESETHAND | SaFlags::SA_RESTART;
    let action = SigAction::new(SigHandler::Handler(note), flags, SigSet::empty());
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: the handler stores to an atomic, which is safe in a signal handler.
        let caught = unsafe { sigaction(signal, &action) };
        debug_assert!(caught.is_ok(), "these signals can be caught");
    }
}

/// Whether a signal came.
pub fn came() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
