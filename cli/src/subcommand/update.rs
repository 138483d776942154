//! `update`: changes the status of a delivery.

use crate::arguments;
use crate::failure::{Cause, Failure};
use crate::queue_directory;
use queue_store_host::Queue;
use queue_store_host::types::Attempt;
use sysexits::ExitCode as Sysexit;

/// Changes the status of a delivery.
pub(crate) fn run(arguments: &arguments::Update) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(&arguments.queue.queue)?;
    update(&queue, arguments).map_err(|failure| failure.at_item(&arguments.id))?;
    Ok(Sysexit::Ok)
}

fn update(queue: &Queue, arguments: &arguments::Update) -> Result<(), Failure> {
    let info = queue.info(&arguments.id)?;
    // The message of a remote server is often not UTF-8, and losing some of it is better than losing the status.
    let message = arguments.failure.as_ref().map(|message| message.to_string_lossy());
    let attempts: Vec<Attempt> = (0..)
        .zip(info.envelope.recipients)
        .filter(|(_, recipient)| recipient.address == arguments.rcpt)
        .map(|(place, recipient)| Attempt {
            recipient: place,
            status: arguments.status.number(),
            message: message.as_deref().map_or(recipient.last_failure_message, str::to_string),
        })
        .collect();
    if attempts.is_empty() {
        return Err(Cause::NoSuchDelivery(arguments.rcpt.clone()).into());
    }
    queue.record_attempts(&arguments.id, &attempts, Some(&info.revision), arguments.durability.into())?;
    Ok(())
}
