//! The user as whom the command acts, where root started it: the owner of the queue.

use std::sync::OnceLock;

static ACTING_USER: OnceLock<u32> = OnceLock::new();

/// Notes that root became a user.
pub(crate) fn set(user: u32) {
    // It becomes one user: after that, it is not root.
    let _ = ACTING_USER.set(user);
}

/// Returns the user that root became; none where it became none.
pub(crate) fn get() -> Option<u32> {
    ACTING_USER.get().copied()
}
