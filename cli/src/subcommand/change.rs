//! `hold`, `quarantine`, `remove` and `seal`: changes of items that leave their content as it is.

use crate::bulk::{self, BATCH_OF_FILES, BATCH_OF_NAMES, Bulk, Change, REFUSE_NONE, Tried, in_batches, tried};
use crate::failure::{Cause, Failure, Failures};
use crate::item_states::ItemStates;
use crate::location::Location;
use crate::open_queue;
use crate::options::{DurabilityChoice, Items};
use crate::selection::LIVE;
use clap::Args;
use queue_store_host::types::State;
use queue_store_host::{Error, Queue};
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
pub(crate) fn hold(location: &Location, bulk: &Bulk) -> Result<Sysexit, Failure> {
    move_to(location, bulk, ["hold", "held"], &[State::Ready], State::Held)
}

/// Sets items aside.
pub(crate) fn quarantine(location: &Location, bulk: &Bulk) -> Result<Sysexit, Failure> {
    move_to(location, bulk, ["quarantine", "quarantined"], &LIVE, State::Quarantined)
}

fn move_to(
    location: &Location,
    bulk: &Bulk,
    verb: [&'static str; 2],
    states: &[State],
    target: State,
) -> Result<Sysexit, Failure> {
    let queue = bulk.open(location)?;
    let all_states = &bulk.item_states(&queue)?;
    let change =
        Change { location, verb, states, batch: BATCH_OF_NAMES, takes_all: false, all_states, refusal: REFUSE_NONE };
    bulk::run(&queue, bulk, &change, |ids| Ok(tried(queue.set_state(ids, target)?)))
}

/// Removes items that are ready or held, or those that are quarantined.
pub(crate) fn remove(
    location: &Location,
    Remove { bulk, quarantined, durability }: &Remove,
) -> Result<Sysexit, Failure> {
    let states = bulk.selection.states(if *quarantined { &[State::Quarantined] } else { &LIVE });
    if *quarantined && states.iter().any(|state| *state != State::Quarantined) {
        return Err(Cause::OtherStateThanQuarantined.into());
    }
    let queue = bulk.open(location)?;
    let by_filter = !bulk.selection.has_ids();
    let refusal = |found: &ItemStates| match (found.among(&states), found.live()) {
        // A removal takes all items of an id, those too that the filter did not select.
        (2.., _) if by_filter => Some(Cause::SharedId),
        (0, Some(live)) => Some(Cause::NotQuarantined(live)),
        (0, None) => Some(Cause::Quarantined),
        _ => None,
    };
    let change = Change {
        location,
        verb: ["remove", "removed"],
        states: &states,
        batch: BATCH_OF_NAMES,
        takes_all: true,
        all_states: &bulk.item_states(&queue)?,
        refusal: &refusal,
    };
    bulk::run(&queue, bulk, &change, |ids| {
        let removed = tried(queue.remove(ids, &states, (*durability).into())?);
        Ok(removed.into_iter().map(|removed| explain_missing(&queue, &states, removed)).collect())
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
pub(crate) fn seal(queue: &Location, arguments: &Items) -> Result<Sysexit, Failure> {
    let queue = open_queue::open_for_change(queue, arguments.daemon.while_running)?;
    in_batches(&arguments.ids, BATCH_OF_FILES, "sealed", Failures::none(), |_| false, |ids| Ok(tried(queue.seal(ids)?)))
}
