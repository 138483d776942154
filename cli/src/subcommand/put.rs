//! `put`: queues a mail and prints its id.

use crate::address;
use crate::arguments;
use crate::failure::{Cause, Failure, note};
use crate::input::Input;
use crate::interruption::Interruption;
use crate::output::print_line;
use crate::queue_directory;
use crate::stream::{self, CHUNK_BYTES};
use queue_store_host::Queue;
use queue_store_host::types::{Durability, Envelope, Mail, State, WriteOptions};
use sysexits::ExitCode as Sysexit;

/// Queues a mail and prints its id.
pub(crate) fn run(arguments: &arguments::Put) -> Result<Sysexit, Failure> {
    let envelope = envelope(arguments)?;
    let interruption = Interruption::catch().map_err(Cause::Signals)?;
    // Opened before root becomes the owner of the queue, who need not be permitted to read the file.
    let mut input = Input::of_argument(arguments.file.as_deref(), &interruption)?;
    let created = queue_directory::create(&arguments.queue.queue)?;
    let id = write(&created.queue, arguments, envelope, &mut input)
        .map_err(|failure| explain(failure, arguments, &input))?;
    match print_line(&id) {
        Ok(()) => {}
        // The caller knows the id, and another one may have been told meanwhile that the item exists.
        Err(cause) if arguments.id.is_some() => {
            created.keep();
            return Err(Failure::from(cause).with_note(note::stays_queued(&id)));
        }
        Err(cause) => return Err(withdraw(&created.queue, &id, cause)),
    }
    created.keep();
    Ok(Sysexit::Ok)
}

fn envelope(arguments: &arguments::Put) -> Result<Envelope, Cause> {
    let reverse_path = address::reverse_path("--from", &arguments.from)?;
    arguments.to.iter().try_for_each(|to| address::check("--to", to))?;
    let recipients = arguments.rcpt.iter().map(|argument| address::recipient(argument)).collect::<Result<_, _>>()?;
    Ok(Envelope { reverse_path: reverse_path.to_string(), to: arguments.to.clone(), recipients, created_at: None })
}

/// Writes a mail: in one piece if it is shorter than a chunk, else as it is read.
fn write(
    queue: &Queue,
    arguments: &arguments::Put,
    envelope: Envelope,
    input: &mut Input<'_>,
) -> Result<String, Failure> {
    let id = arguments.id.as_deref();
    let options = WriteOptions {
        durability: Some(arguments.writing.durability.into()),
        format: Some(arguments.writing.format.into()),
        max_items: arguments.max_items,
        max_body_bytes: arguments.max_size,
    };
    let body = input.read_chunk(CHUNK_BYTES)?;
    if body.len() < CHUNK_BYTES {
        return Ok(queue.put_with(id, &Mail { envelope, body }, &options)?);
    }
    stream::put(queue, id, &envelope, &options, body, Some(input))
}

/// Adds the place of a failed put, where the cause does not name it.
fn explain(failure: Failure, arguments: &arguments::Put, input: &Input<'_>) -> Failure {
    if matches!(failure.cause(), Cause::Interrupted | Cause::Read(_)) {
        return failure.with_note(note::NOTHING_QUEUED);
    }
    match (failure.code(), &arguments.id, arguments.max_size) {
        (Sysexit::DataErr, _, Some(limit)) if input.bytes_read() > limit => {
            Failure::from(Cause::BodyTooLarge(limit)).at(input.name())
        }
        (Sysexit::DataErr, ..) => failure.at(input.name()),
        (_, Some(id), _) => failure.at(id),
        (_, None, _) => failure.at(&arguments.queue.queue.to_string_lossy()),
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
