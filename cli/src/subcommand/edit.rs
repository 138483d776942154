//! `edit`: changes the sender and the recipients of an item.

use crate::address;
use crate::change_log;
use crate::failure::{Cause, Failure};
use crate::location::Location;
use crate::names::{PENDING, PIPE, SENT};
use crate::open_queue;
use crate::options::{Daemon, DurabilityChoice};
use clap::{ArgGroup, Args};
use queue_store_host::Queue;
use queue_store_host::types::{EnvelopeChange, Recipient};
use std::collections::HashSet;
use std::mem;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
#[command(group = ArgGroup::new("changes").required(true).multiple(true))]
pub(crate) struct Arguments {
    /// The id of the item; `--` goes before one that begins with `-`
    id: String,
    /// The new reverse-path: where a bounce goes. `<>` or empty for none
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, group = "changes")]
    sender: Option<String>,
    /// An address to deliver to as well; once for each
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, group = "changes")]
    add: Vec<String>,
    /// An address to deliver to no more; once for each
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, group = "changes")]
    drop: Vec<String>,
    /// An address, and the one to deliver to in its place; once for each. The new delivery is pending
    #[arg(long, value_name = "OLD=NEW", allow_hyphen_values = true, group = "changes")]
    replace: Vec<String>,
    /// When the change returns
    #[arg(long, value_enum, default_value_t)]
    durability: DurabilityChoice,
    #[command(flatten)]
    daemon: Daemon,
}

/// Changes the sender and the recipients of an item.
pub(crate) fn run(queue: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let sender = arguments.sender.as_deref().map(|sender| address::reverse_path("--sender", sender)).transpose()?;
    arguments.add.iter().try_for_each(|address| address::check("--add", address))?;
    let queue = open_queue::open_for_change(queue, arguments.daemon.while_running)?;
    let edited = edit(&queue, sender, arguments).map_err(|failure| failure.at_item(&arguments.id));
    change_log::logged(&arguments.id, edited)?;
    Ok(Sysexit::Ok)
}

fn edit(queue: &Queue, sender: Option<&str>, arguments: &Arguments) -> Result<(), Failure> {
    let info = queue.info(&arguments.id)?;
    let change = EnvelopeChange {
        reverse_path: sender.map(str::to_string),
        recipients: Some(recipients(info.envelope.recipients, arguments)?),
        if_revision: Some(info.revision),
        ..EnvelopeChange::default()
    };
    queue.update(&arguments.id, &change, arguments.durability.into())?;
    Ok(())
}

/// Returns the new deliveries of an item that has these.
fn recipients(mut recipients: Vec<Recipient>, arguments: &Arguments) -> Result<Vec<Recipient>, Cause> {
    for argument in &arguments.replace {
        let (old, new) = replacement(argument, &recipients)?;
        if has(&recipients, new) && !address::is_same(old, new) {
            return Err(Cause::DeliveryExists(new.to_string()));
        }
        // One that is made is not made again, unless all are.
        let is_old = |recipient: &Recipient| address::is_same(&recipient.address, old);
        let all_sent =
            recipients.iter().filter(|recipient| is_old(recipient)).all(|recipient| recipient.status == SENT);
        let is_replaced = |recipient: &Recipient| is_old(recipient) && (all_sent || recipient.status != SENT);
        for recipient in recipients.iter_mut().filter(|recipient| is_replaced(recipient)) {
            let Recipient { kind, original_address, via, .. } = mem::take(recipient);
            // An address is no command.
            let is_pipe = kind == PIPE;
            *recipient =
                if is_pipe { delivery(new) } else { Recipient { kind, original_address, via, ..delivery(new) } };
        }
        let mut seen = HashSet::new();
        recipients.retain(|recipient| {
            let is_pending = address::is_same(&recipient.address, new) && recipient.status == PENDING;
            !is_pending || seen.insert((recipient.kind, recipient.address.clone()))
        });
    }
    for dropped in &arguments.drop {
        if !has(&recipients, dropped) {
            return Err(Cause::NoSuchDelivery(dropped.clone()));
        }
        recipients.retain(|recipient| !address::is_same(&recipient.address, dropped));
    }
    for added in &arguments.add {
        if has(&recipients, added) {
            return Err(Cause::DeliveryExists(added.clone()));
        }
        recipients.push(delivery(added));
    }
    if recipients.is_empty() { Err(Cause::NoDeliveryLeft) } else { Ok(recipients) }
}

/// Splits the argument of `--replace`. Addresses may have a `=` in them, so the one that separates is the one after an
/// address of the item.
fn replacement<'a>(argument: &'a str, recipients: &[Recipient]) -> Result<(&'a str, &'a str), Cause> {
    let mut pairs = argument.match_indices('=').map(|(at, _)| (&argument[..at], &argument[at + 1..]));
    let pair = pairs
        .find(|(old, _)| has(recipients, old))
        .ok_or_else(|| Cause::NoSuchDelivery(argument.split_once('=').map_or(argument, |(old, _)| old).to_string()))?;
    address::check("--replace", pair.1)?;
    Ok(pair)
}

fn has(recipients: &[Recipient], address: &str) -> bool {
    recipients.iter().any(|recipient| address::is_same(&recipient.address, address))
}

/// Returns a delivery that is still to be made.
fn delivery(address: &str) -> Recipient {
    Recipient { address: address.to_string(), ..Recipient::default() }
}
