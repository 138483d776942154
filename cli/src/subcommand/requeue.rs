//! `requeue`: has every delivery tried again that was not made.

use super::release::Arguments;
use crate::age;
use crate::bulk::{self, BATCH_OF_FILES, Change};
use crate::failure::{Cause, Failure};
use crate::location::Location;
use crate::names::{FAILED, PENDING};
use crate::selection::LIVE;
use queue_store_host::types::{Durability, EnvelopeChange, Recipient};
use queue_store_host::{Error, Queue};
use sysexits::ExitCode as Sysexit;

/// Makes failed deliveries pending, and renews the time of acceptance. The state of the items stays.
pub(crate) fn run(location: &Location, Arguments { bulk, keep_time }: &Arguments) -> Result<Sysexit, Failure> {
    let queue = bulk.open(location)?;
    let change = Change {
        location,
        verb: ["requeue", "requeued"],
        states: &LIVE,
        batch: BATCH_OF_FILES,
        takes_all: false,
        all_states: &bulk.item_states(&queue)?,
        refusal: &|states| states.live().is_none().then_some(Cause::RestoreFirst),
    };
    bulk::run(&queue, bulk, &change, |ids| {
        Ok(ids.iter().map(|id| (id.clone(), requeue(&queue, id, *keep_time).map_err(Failure::from))).collect())
    })
}

fn requeue(queue: &Queue, id: &str, keep_time: bool) -> Result<(), Error> {
    let info = queue.info(id)?;
    let retry = |delivery: Recipient| match delivery.status {
        FAILED => Recipient { status: PENDING, ..delivery },
        _ => delivery,
    };
    let change = EnvelopeChange {
        recipients: Some(info.envelope.recipients.into_iter().map(retry).collect()),
        created_at: (!keep_time).then(age::now),
        if_revision: Some(info.revision),
        ..EnvelopeChange::default()
    };
    queue.update(id, &change, Durability::Full).map(drop)
}
