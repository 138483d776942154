//! `update`: changes the status of a delivery.

use crate::change_log;
use crate::failure::{Cause, Failure};
use crate::location::Location;
use crate::open_queue;
use crate::options::{Daemon, DurabilityChoice, StatusChoice};
use clap::Args;
use queue_store_host::Queue;
use queue_store_host::types::Attempt;
use std::ffi::OsString;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The id of the item; `--` goes before one that begins with `-`
    pub(crate) id: String,
    /// The address of the delivery
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) rcpt: String,
    /// The status of the delivery
    #[arg(long, value_enum)]
    pub(crate) status: StatusChoice,
    /// The message of the last attempt. Bytes that are not UTF-8 become U+FFFD
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) failure: Option<OsString>,
    /// When the update returns
    #[arg(long, value_enum, default_value_t)]
    pub(crate) durability: DurabilityChoice,
    #[command(flatten)]
    pub(crate) daemon: Daemon,
}

/// Changes the status of a delivery.
pub(crate) fn run(queue: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = open_queue::open_for_change(queue, arguments.daemon.while_running)?;
    let updated = update(&queue, arguments).map_err(|failure| failure.at_item(&arguments.id));
    change_log::logged(&arguments.id, updated)?;
    Ok(Sysexit::Ok)
}

fn update(queue: &Queue, arguments: &Arguments) -> Result<(), Failure> {
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
