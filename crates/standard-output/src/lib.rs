//! Whether standard output was open when the process began. Before `main`, Rust's runtime opens `/dev/null` in the place of
//! a closed one, and every write to that succeeds.

use std::sync::atomic::{AtomicBool, Ordering};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks at the descriptor before Rust's runtime does.
// Before `main` nothing of `std` may be used that needs its runtime: this makes one system call and sets an atomic.
#[ctor::ctor(unsafe)]
fn look() {
    // SAFETY: `fcntl` with F_GETFD takes any descriptor, also one that is not open.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// Returns whether the process began without standard output.
pub fn was_closed() -> bool {
    WAS_CLOSED.load(Ordering::Relaxed)
}
