//! Detection of async runtimes, whose tasks must not block.

use crate::error::{Error, Result};
use std::task::{Context, Poll, Waker};
use tokio::runtime::Handle;
use tokio::task::coop;

/// Units of tokio's cooperative budget that are more than a task ever has. tokio stores the budget in a byte.
const BUDGET: u32 = u8::MAX as u32;

/// Fails in a task of a tokio runtime, which must not block. Each call of a [`crate::Store`] does so first.
///
/// # Errors
///
/// [`Error::InAsyncRuntime`].
pub fn refuse_in_task() -> Result<()> {
    if polls_a_task() { Err(Error::InAsyncRuntime) } else { Ok(()) }
}

/// Whether the calling thread polls a task of a tokio runtime.
///
/// A current runtime handle does not tell: threads of `spawn_blocking`, and others that entered a runtime, have one too
/// and may block. tokio has no function that tells them apart without a panic. But it gives a budget to each poll of a
/// task, and none to code that may block, `block_in_place` included. A task that opted out of the budget
/// (`unconstrained`) is taken for code that may block.
fn polls_a_task() -> bool {
    if Handle::try_current().is_err() {
        return false;
    }
    let mut context = Context::from_waker(Waker::noop());
    // Restores the budget when it is dropped, after all of it was used.
    let Poll::Ready(_restored) = coop::poll_proceed(&mut context) else {
        return true;
    };
    (0..BUDGET).any(|_| match coop::poll_proceed(&mut context) {
        Poll::Ready(used) => {
            used.made_progress();
            false
        }
        Poll::Pending => true,
    })
}
