//! `put`: queues a mail and prints its id.

use crate::address;
use crate::change_log;
use crate::failure::{Cause, Failure, note};
use crate::input::Input;
use crate::interruption::Interruption;
use crate::location::Location;
use crate::open_queue;
use crate::options::{Writing, size};
use crate::output::print_line;
use crate::stream::{self, CHUNK_BYTES};
use bytesize::ByteSize;
use clap::Args;
use queue_store_host::Queue;
use queue_store_host::types::{Durability, Envelope, Mail, State, WriteOptions};
use std::path::PathBuf;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
#[command(override_usage = "queue-store put [OPTIONS] --queue <DIR> --from <ADDR> --to <ADDR> [FILE]")]
pub(crate) struct Arguments {
    /// The reverse-path: where a bounce goes. `<>` or empty for a bounce
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) from: String,
    /// An address that the mail is for; once for each
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, required_unless_present = "rcpt")]
    pub(crate) to: Vec<String>,
    /// A delivery to make, instead of an EMAIL delivery for each `--to`: an address, or JSON as `show --json` prints
    /// it, such as {"address":"b@example.com","type":"FORWARD","via":["mx.example.com"]}
    #[arg(long, value_name = "ADDR|JSON", allow_hyphen_values = true)]
    pub(crate) rcpt: Vec<String>,
    /// The id of the item, instead of a generated one. An item that exists is never replaced
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) writing: Writing,
    /// Refuse the mail if the queue has this many items already
    #[arg(long, value_name = "N")]
    pub(crate) max_items: Option<u64>,
    /// Refuse a body that is larger, such as 10MB or 1GiB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = size)]
    pub(crate) max_size: Option<ByteSize>,
    /// Queue the mail even if it has no byte
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// The file that has the mail; standard input if it is left out or `-`
    pub(crate) file: Option<PathBuf>,
}

/// Queues a mail and prints its id.
pub(crate) fn run(queue: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let envelope = envelope(arguments)?;
    let interruption = Interruption::catch().map_err(Cause::Signals)?;
    // Opened before root becomes the owner of the queue, who need not be permitted to read the file.
    let mut input = Input::of_argument(arguments.file.as_deref(), &interruption)?;
    let created = open_queue::create(queue)?;
    let id = match write(&created.queue, arguments, envelope, &mut input) {
        Ok(id) => id,
        Err(failure) => {
            let id = arguments.id.as_deref().unwrap_or_default();
            return change_log::logged(id, Err(explain(failure, queue, arguments, &input)));
        }
    };
    let logged = change_log::record(&id, Ok(()));
    match print_line(&id) {
        Ok(()) => {}
        // The caller knows the id, and another one may have been told meanwhile that the item exists.
        Err(cause) if arguments.id.is_some() => {
            created.keep();
            return Err(Failure::from(cause).with_note(note::stays_queued(&id)));
        }
        Err(cause) => return change_log::logged(&id, Err(withdraw(&created.queue, &id, cause))),
    }
    created.keep();
    logged.map_err(|failure| failure.with_note(note::stays_queued(&id)))?;
    Ok(Sysexit::Ok)
}

fn envelope(arguments: &Arguments) -> Result<Envelope, Cause> {
    Ok(Envelope {
        reverse_path: address::reverse_path("--from", &arguments.from)?.to_string(),
        to: address::recipients("--to", &arguments.to)?,
        recipients: address::deliveries(&arguments.rcpt)?,
        created_at: None,
    })
}

/// Writes a mail: in one piece if it is shorter than a chunk, else as it is read.
fn write(queue: &Queue, arguments: &Arguments, envelope: Envelope, input: &mut Input<'_>) -> Result<String, Failure> {
    let id = arguments.id.as_deref();
    let options = WriteOptions {
        durability: Some(arguments.writing.durability.into()),
        format: Some(arguments.writing.format.into()),
        max_items: arguments.max_items,
        max_body_bytes: arguments.max_size.map(|size| size.as_u64()),
    };
    let body = input.read_chunk(CHUNK_BYTES)?;
    if body.is_empty() && !arguments.allow_empty {
        return Err(Failure::from(Cause::EmptyMail).at(input.name()));
    }
    if body.len() < CHUNK_BYTES {
        return Ok(queue.put_with(id, &Mail { envelope, body }, &options)?);
    }
    stream::put(queue, id, &envelope, &options, body, || input.read_chunk(CHUNK_BYTES))
}

/// Adds the place of a failed put, where the cause does not name it.
fn explain(failure: Failure, queue: &Location, arguments: &Arguments, input: &Input<'_>) -> Failure {
    if matches!(failure.cause(), Cause::Interrupted | Cause::Read(_)) {
        return failure.with_note(note::NOTHING_QUEUED);
    }
    match (failure.code(), &arguments.id, arguments.max_size.map(|size| size.as_u64())) {
        (Sysexit::DataErr, _, Some(limit)) if input.bytes_read() > limit => {
            Failure::from(Cause::BodyTooLarge(limit)).at(input.name())
        }
        (Sysexit::DataErr, ..) => failure.at(input.name()),
        (_, Some(id), _) => failure.at(id),
        (_, None, _) => failure.at(&queue.to_string()),
    }
}

/// Removes a mail again whose id could not be printed.
fn withdraw(queue: &Queue, id: &str, cause: Cause) -> Failure {
    let removed = queue.remove(&[id], &[State::Ready], Durability::Full);
    let note = match removed.map(|outcomes| outcomes.iter().all(|outcome| outcome.problem.is_none())) {
        Ok(true) => note::TAKEN_BACK.to_string(),
        _ => note::stays_queued(id),
    };
    Failure::from(cause).with_note(note)
}
