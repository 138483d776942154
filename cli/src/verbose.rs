//! Messages of `--verbose` on standard error.

use crate::report;
use std::sync::OnceLock;
use std::time::Instant;

/// The time of [`enable`].
static BEGIN: OnceLock<Instant> = OnceLock::new();

/// Prints the messages from now on.
pub(crate) fn enable() {
    BEGIN.get_or_init(Instant::now);
}

/// Prints a message with the time since the beginning, if messages are enabled.
pub(crate) fn say(message: impl FnOnce() -> String) {
    if let Some(begin) = BEGIN.get() {
        report::line(&format!("{:.3} s: {}", begin.elapsed().as_secs_f64(), message()));
    }
}
