//! `release` and `restore`: make items ready.
//!
//! chasquid gives up by the time of acceptance, so that time is renewed: a mail that was held for a day would bounce at
//! once. An item is held while its time is renewed: a new file, which was fsynced, replaces the held one, and is renamed to
//! be ready. So no crash leaves it ready with the old time, whichever of the two renames survives, and one fsync of the
//! directory serves a whole batch.

use crate::age;
use crate::bulk::{self, BATCH_OF_FILES, Bulk, Change, REFUSE_NONE, Tried, tried};
use crate::failure::{Cause, Failure, note};
use crate::item_states::{self, AllStates, ItemStates};
use crate::location::Location;
use clap::Args;
use queue_store_host::Queue;
use queue_store_host::types::{Durability, EnvelopeChange, State};
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) bulk: Bulk,
    /// Keep the time of acceptance: chasquid bounces items older than 20 hours at once
    #[arg(long)]
    pub(super) keep_time: bool,
}

/// Makes held items ready, and quarantined ones that are named.
pub(crate) fn release(location: &Location, Arguments { bulk, keep_time }: &Arguments) -> Result<Sysexit, Failure> {
    let queue = bulk.open(location)?;
    let states = item_states::by_id(&queue)?;
    let change = Change {
        location,
        verb: ["release", "released"],
        states: &[State::Held],
        batch: BATCH_OF_FILES,
        takes_all: false,
        all_states: &states,
        refusal: REFUSE_NONE,
    };
    bulk::run(&queue, bulk, &change, |ids| make_ready(&queue, ids, &states, *keep_time))
}

/// Makes quarantined items ready. One whose id also has a live item is refused: the contract's move to a state would
/// take the live one.
pub(crate) fn restore(location: &Location, Arguments { bulk, keep_time }: &Arguments) -> Result<Sysexit, Failure> {
    let queue = bulk.open(location)?;
    let states = item_states::by_id(&queue)?;
    let change = Change {
        location,
        verb: ["restore", "restored"],
        states: &[State::Quarantined],
        batch: BATCH_OF_FILES,
        takes_all: false,
        all_states: &states,
        refusal: &|states| match (states.live()?, states.quarantined()) {
            (live, 0) => Some(Cause::NotQuarantined(live)),
            _ => Some(Cause::LiveItemExists),
        },
    };
    bulk::run(&queue, bulk, &change, |ids| make_ready(&queue, ids, &states, *keep_time))
}

/// Makes items ready that are in these states.
fn make_ready(queue: &Queue, ids: &[String], states: &AllStates, keep_time: bool) -> Result<Vec<Tried>, Failure> {
    if keep_time {
        return Ok(tried(queue.set_state(ids, State::Ready)?));
    }
    let live = |id: &String| states.get(id).and_then(ItemStates::live);
    let from_quarantine = |id: &String| states.contains_key(id) && live(id).is_none();
    let (quarantined, others): (Vec<String>, Vec<String>) = ids.iter().cloned().partition(from_quarantine);
    let held = tried(queue.set_state(&quarantined, State::Held)?).into_iter().map(|(id, held)| {
        let renewed = held.and_then(|()| renew(queue, &id).map_err(|failure| set_aside_again(queue, &id, failure)));
        (id, renewed)
    });
    let others = others.into_iter().map(|id| {
        let renewed = if live(&id) == Some(State::Held) { renew(queue, &id) } else { Ok(()) };
        (id, renewed)
    });
    let (mut ready, mut failed) = (Vec::new(), Vec::new());
    for (id, renewed) in held.chain(others) {
        match renewed {
            Ok(()) => ready.push(id),
            failure => failed.push((id, failure)),
        }
    }
    failed.extend(tried(queue.set_state(&ready, State::Ready)?));
    Ok(failed)
}

/// Moves an item that cannot be made ready back into quarantine, where the same command finds it again.
fn set_aside_again(queue: &Queue, id: &String, failure: Failure) -> Failure {
    let moved = queue.set_state(&[id], State::Quarantined).map(tried);
    let is_moved = moved.is_ok_and(|tried| tried.iter().all(|(_, moved)| moved.is_ok()));
    if is_moved { failure } else { failure.with_note(note::IS_HELD) }
}

/// Sets the time of acceptance of a held item to now. The move to another state, which follows, fsyncs the directory.
fn renew(queue: &Queue, id: &str) -> Result<(), Failure> {
    let change = EnvelopeChange { created_at: Some(age::now()), ..EnvelopeChange::default() };
    queue.update(id, &change, Durability::ContentOnly)?;
    Ok(())
}
