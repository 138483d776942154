//! Changes of several items with one fsync of the directory.

use super::handle::Queue;
use crate::error::{Cause, Code, Error, Result};
use crate::item::id::ItemId;
use crate::limits::MAX_BATCH;
use crate::storage::filesystem::System;
use crate::storage::temporary_file::Durability;
use alloc::string::String;
use alloc::vec::Vec;

/// `types.outcome`: the result for one of several items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its id; none where a put generated none.
    pub id: Option<String>,
    /// The failure; none if there was none.
    pub problem: Option<Error>,
}

impl Outcome {
    pub(super) fn new<T>(id: &str, result: Result<T>) -> Outcome {
        Outcome { id: Some(id.into()), problem: result.err() }
    }
}

impl<S: System> Queue<S> {
    /// Changes several items and then fsyncs the directory once for all.
    pub(super) fn batch(
        &self,
        ids: &[String],
        durability: Durability,
        change: impl Fn(&ItemId) -> Result<()>,
    ) -> Result<Vec<Outcome>> {
        check_batch(ids.len())?;
        self.check_unmarked()?;
        self.sync_preexisting_entries(durability).map_err(|error| self.error(error))?;
        let change = |id: &String| {
            // An earlier item may have closed the queue.
            if self.needs_recovery() {
                return Outcome::new::<()>(id, Err(Cause::Closed.into()));
            }
            let changed = ItemId::parse(id).map_err(Error::from).and_then(|id| change(&id));
            Outcome::new(id, changed.map_err(|error| self.item_error(id, error)))
        };
        let mut outcomes: Vec<Outcome> = ids.iter().map(change).collect();
        // An id without an item may have one whose removal is not durable yet.
        self.sync_outcomes(durability, &mut outcomes, |code| matches!(code, None | Some(Code::NotFound)));
        Ok(outcomes)
    }

    /// Fsyncs the directory if any outcome is acknowledged by it or may have changed something. If that fails, the
    /// acknowledged ones are indeterminate, and their items unsynced.
    pub(super) fn sync_outcomes(
        &self,
        durability: Durability,
        outcomes: &mut [Outcome],
        acknowledged: impl Fn(Option<Code>) -> bool,
    ) {
        let code = |outcome: &Outcome| outcome.problem.as_ref().map(|problem| problem.code());
        let needs_sync = |outcome| acknowledged(code(outcome)) || code(outcome) == Some(Code::Indeterminate);
        if !outcomes.iter().any(needs_sync) {
            return;
        }
        if let Err(error) = self.sync_change(durability) {
            for outcome in outcomes.iter_mut().filter(|outcome| acknowledged(code(outcome))) {
                let id = outcome.id.as_deref().expect("an item that was changed has an id");
                outcome.problem = Some(self.item_error(id, error.clone()));
            }
        }
    }
}

/// Refuses a call for too many items.
pub(super) fn check_batch(length: usize) -> Result<()> {
    if length > MAX_BATCH {
        return Err(Cause::TooLarge("the call is for more items than `max-batch`").into());
    }
    Ok(())
}
