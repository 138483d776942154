//! Whether a process was started without standard output, as `>&-` of a shell does.
//!
//! Rust's runtime opens `/dev/null` for a standard descriptor that is closed before `main`, and a program cannot tell that from a
//! redirection to `/dev/null`. So the descriptor is looked at earlier, by a function that the loader calls.

use nix::fcntl::{FcntlArg, fcntl};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Returns whether standard output was closed when the process started.
pub fn was_closed() -> bool {
    WAS_CLOSED.load(Ordering::Relaxed)
}

// SAFETY: the loader calls each function in this section once, before `main`, and passes arguments that a C function may
// ignore. `look` needs nothing of Rust's runtime: it calls fcntl(2) and stores a flag.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let is_closed = fcntl(io::stdout(), FcntlArg::F_GETFD).is_err();
    WAS_CLOSED.store(is_closed, Ordering::Relaxed);
}
