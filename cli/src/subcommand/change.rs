//! `hold`, `quarantine`, `remove` and `seal`: changes of items that leave their content as it is.

use crate::bulk::{self, BATCH_OF_NAMES, Bulk, Change, Tried, tried};
use crate::change_log;
use crate::display::items;
use crate::failure::{Cause, Failure, Failures};
use crate::item_states;
use crate::options::{DurabilityChoice, Items};
use crate::output::print_line;
use crate::queue_directory;
use crate::selection::LIVE;
use clap::Args;
use queue_store_host::types::State;
use queue_store_host::{Error, Queue};
use std::collections::HashMap;
use std::path::Path;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    bulk: Bulk,
    /// Remove quarantined items, instead of those that are ready or held
    #[arg(long)]
    quarantined: bool,
    /// When the removal returns
    #[arg(long, value_enum, default_value_t)]
    durability: DurabilityChoice,
}

/// Keeps items from being delivered.
pub(crate) fn hold(queue: &Path, bulk: &Bulk) -> Result<Sysexit, Failure> {
    let queue = bulk.open(queue)?;
    let change = Change { verb: ["hold", "held"], states: &[State::Ready], batch: BATCH_OF_NAMES };
    bulk::run(&queue, bulk, &change, |ids| Ok(tried(queue.set_state(ids, State::Held)?)))
}

/// Sets items aside.
pub(crate) fn quarantine(queue: &Path, bulk: &Bulk) -> Result<Sysexit, Failure> {
    let queue = bulk.open(queue)?;
    let change = Change { verb: ["quarantine", "quarantined"], states: &LIVE, batch: BATCH_OF_NAMES };
    bulk::run(&queue, bulk, &change, |ids| Ok(tried(queue.set_state(ids, State::Quarantined)?)))
}

/// Removes items that are ready or held, or those that are quarantined.
pub(crate) fn remove(queue: &Path, Remove { bulk, quarantined, durability }: &Remove) -> Result<Sysexit, Failure> {
    let queue = bulk.open(queue)?;
    let states = bulk.selection.states(if *quarantined { &[State::Quarantined] } else { &LIVE });
    let change = Change { verb: ["remove", "removed"], states: &states, batch: BATCH_OF_NAMES };
    let all_states = if bulk.selection.has_filter() { item_states::by_id(&queue)? } else { HashMap::new() };
    // A removal takes all items of an id, those too that the filter did not select.
    let is_shared = |id: &String| all_states.get(id).is_some_and(|found| found.among(&states) > 1);
    bulk::run(&queue, bulk, &change, |ids| {
        let (shared, ids): (Vec<String>, Vec<String>) = ids.iter().cloned().partition(is_shared);
        let refused = shared.into_iter().map(|id| (id, Err(Cause::SharedId.into())));
        let removed = tried(queue.remove(&ids, &states, (*durability).into())?);
        let removed = removed.into_iter().map(|removed| explain_missing(&queue, &states, removed));
        Ok(refused.chain(removed).collect())
    })
}

/// Tells a quarantined item, which only an option removes, from one that does not exist.
fn explain_missing(queue: &Queue, states: &[State], (id, removed): Tried) -> Tried {
    let is_missing = removed.as_ref().is_err_and(Failure::is_not_found);
    if is_missing && !states.contains(&State::Quarantined) && !matches!(queue.info(&id), Err(Error::NotFound(_))) {
        return (id, Err(Cause::Quarantined.into()));
    }
    (id, removed)
}

/// Writes new checksums for items.
pub(crate) fn seal(queue: &Path, arguments: &Items) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open_for_change(queue, arguments.daemon.while_running)?;
    let (failures, mut sealed) = (Failures::none(), 0);
    for ids in arguments.ids.chunks(BATCH_OF_NAMES) {
        let mut logged = Ok(());
        for (id, tried) in tried(queue.seal(ids)?) {
            let tried = tried.map_err(|failure| failure.at_item(&id));
            // The changes of a batch are made, whether they can be logged or not.
            logged = logged.and(change_log::record(&id, tried.as_ref().copied()));
            match tried {
                Ok(()) => sealed += 1,
                Err(failure) => failures.report(&failure),
            }
        }
        logged.map_err(|failure: Failure| failure.with_note(format!("sealed {} until then", items(sealed))))?;
    }
    if sealed > 0 {
        print_line(&format!("sealed {}", items(sealed)))?;
    }
    Ok(failures.code())
}
