//! Catches ^C, so that the current step is finished, its mounts are removed, and no further step begins.

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: nix::libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Installs handlers of SIGHUP, SIGINT and SIGTERM. The first of these signals is only recorded; a second one of the
/// same number ends the process, and its mounts end with its namespace.
pub fn catch() {
    let flags = SaFlags::SA_RESETHAND | SaFlags::SA_RESTART;
    let action = SigAction::new(SigHandler::Handler(note), flags, SigSet::empty());
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: `sigaction` requires an async-signal-safe handler; this one only stores to an atomic.
        let caught = unsafe { sigaction(signal, &action) };
        debug_assert!(caught.is_ok(), "handlers can be installed for these signals");
    }
}

/// Returns whether a signal came.
pub fn came() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
