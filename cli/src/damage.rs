//! The problems of items that are damage, and not a failure to read them.

use queue_store_host::types::{Entry, Error, ErrorCode};

/// Returns whether a problem of an item is damage of its file.
pub(crate) fn is_damage(problem: &Error) -> bool {
    matches!(problem.code, ErrorCode::Corrupt | ErrorCode::ChecksumMismatch | ErrorCode::IdMismatch)
}

/// Returns the state of an item as it is listed: `damaged` and `unreadable` take the place of the state of its file name.
pub(crate) fn state(entry: &Entry) -> &'static str {
    match &entry.problem {
        None => entry.state.name(),
        Some(problem) if is_damage(problem) => "damaged",
        Some(_) => "unreadable",
    }
}
