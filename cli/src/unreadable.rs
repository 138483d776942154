//! Problems on the way to an item, which tell nothing about the item.

use queue_store_host::types::{Error, ErrorCode};

/// Returns whether an item could not be read, and so may be intact. Every other problem is in the item.
pub(crate) fn is_unreadable(problem: &Error) -> bool {
    matches!(problem.code, ErrorCode::Access | ErrorCode::Io | ErrorCode::Busy | ErrorCode::Other)
}
