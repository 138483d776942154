//! The limit on file sizes (`ulimit -f`): a write beyond it fails, instead of ending the process.

use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

static EXCEEDED: AtomicBool = AtomicBool::new(false);

/// Catches the signal of a write beyond the limit, which by default ends the process. The write then fails with
/// `EFBIG`.
pub(crate) fn catch_signal() -> io::Result<()> {
    flag::register(SIGXFSZ, &EXCEEDED)?;
    Ok(())
}

/// Returns whether a write exceeded the limit. The system sends the signal before the write returns.
pub(crate) fn was_exceeded() -> bool {
    EXCEEDED.load(Ordering::SeqCst)
}
