//! The problems of items: damage, and failures to read them, which tell nothing about the items.

use queue_store_host::types::{Entry, Error, ErrorCode};

/// Returns whether a problem of an item is damage of its file.
pub(crate) fn is_damage(problem: &Error) -> bool {
    matches!(problem.code, ErrorCode::Corrupt | ErrorCode::ChecksumMismatch | ErrorCode::IdMismatch)
}

/// Returns whether an item could not be read, and so may be intact. Every other problem is in the item, also where it is
/// not damage, such as two files of one id.
pub(crate) fn is_unreadable(problem: &Error) -> bool {
    matches!(problem.code, ErrorCode::Access | ErrorCode::Io | ErrorCode::Busy | ErrorCode::Other)
}

/// Returns the state of an item as it is listed: `damaged` and `unreadable` take the place of the state of its file name.
pub(crate) fn state(entry: &Entry) -> &'static str {
    match &entry.problem {
        None => entry.state.name(),
        Some(problem) if is_damage(problem) => "damaged",
        Some(_) => "unreadable",
    }
}
