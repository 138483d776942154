//! Reports on standard error, beside what a subcommand prints.

use crate::escape::escape;
use std::io::{self, Write};

/// Prints a line.
pub(crate) fn line(line: &str) {
    // Where standard error cannot be written to, the exit code alone reports the result.
    let _ = writeln!(io::stderr(), "queue-store: {}", escape(line));
}
