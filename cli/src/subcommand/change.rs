//! `hold`, `release`, `quarantine`, `restore`, `remove` and `seal`: changes of several items by their ids.

use crate::change_log;
use crate::failure::{Cause, Failure, Failures};
use crate::options::{DurabilityChoice, Items};
use crate::queue_directory;
use clap::Args;
use queue_store_host::types::{Detail, Outcome, State};
use queue_store_host::{Error, Queue};
use std::collections::HashSet;
use std::path::Path;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    pub(crate) items: Items,
    /// Remove quarantined items, instead of those that are ready or held
    #[arg(long)]
    pub(crate) quarantined: bool,
    /// When the removal returns
    #[arg(long, value_enum, default_value_t)]
    pub(crate) durability: DurabilityChoice,
}

/// Ids that are passed in one call: `max-batch` of the contract.
const BATCH_IDS: usize = 1000;

/// Moves items to a state.
pub(crate) fn set_state(queue: &Path, items: &Items, state: State) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open_for_change(queue, items.daemon.while_running)?;
    in_batches(&items.ids, Failures::none(), |ids| queue.set_state(ids, state))
}

/// Makes quarantined items ready. One whose id also has a live item is refused: the contract's move to a state would
/// take the live one.
pub(crate) fn restore(queue: &Path, items: &Items) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open_for_change(queue, items.daemon.while_running)?;
    let live = live_ids(&queue)?;
    let mut failures = Failures::none();
    let mut quarantined = Vec::new();
    for id in &items.ids {
        if live.contains(id) {
            failures.report(&Failure::from(Cause::LiveItemExists).at(id));
        } else {
            quarantined.push(id);
        }
    }
    in_batches(&quarantined, failures, |ids| queue.set_state(ids, State::Ready))
}

/// Returns the ids of the items that are ready or held.
fn live_ids(queue: &Queue) -> Result<HashSet<String>, Error> {
    queue.items(&[State::Ready, State::Held], Detail::Name)?.map(|entry| Ok(entry?.id)).collect()
}

/// Removes items that are ready or held, or those that are quarantined.
pub(crate) fn remove(queue: &Path, arguments: &Remove) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open_for_change(queue, arguments.items.daemon.while_running)?;
    let states: &[State] = if arguments.quarantined { &[State::Quarantined] } else { &[State::Ready, State::Held] };
    in_batches(&arguments.items.ids, Failures::none(), |ids| queue.remove(ids, states, arguments.durability.into()))
}

/// Writes new checksums for items.
pub(crate) fn seal(queue: &Path, items: &Items) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open_for_change(queue, items.daemon.while_running)?;
    in_batches(&items.ids, Failures::none(), |ids| queue.seal(ids))
}

/// Changes items, a batch at a time, and reports those that were not changed.
fn in_batches<Id: AsRef<str>>(
    ids: &[Id],
    mut failures: Failures,
    change: impl Fn(&[Id]) -> Result<Vec<Outcome>, Error>,
) -> Result<Sysexit, Failure> {
    for batch in ids.chunks(BATCH_IDS) {
        for Outcome { id, problem } in change(batch)? {
            let id = id.expect("only a put may have no id");
            let outcome = problem.map_or(Ok(()), |problem| Err(Failure::from(Error::from(problem)).at_item(&id)));
            change_log::record(&id, outcome.as_ref().copied())?;
            if let Err(failure) = &outcome {
                failures.report(failure);
            }
        }
    }
    Ok(failures.code())
}
