//! What adds and changes items.

use super::failure::Failure;
use super::interrupt::{self, Reader};
use super::{address, arguments, create};
use queue_store_host::Queue;
use queue_store_host::types::{Durability, Envelope, EnvelopeChange, Mail, Recipient, WriteOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use sysexits::ExitCode as Sysexit;

/// Bytes up to which a mail is queued in one piece. Nothing is on the disk before that much of it was read.
const PIECE_BYTES: usize = 1 << 20;

const STANDARD_INPUT: &str = "standard input";

/// Queues a mail and prints its id.
pub(crate) fn put(arguments: &arguments::Put) -> Result<Sysexit, Failure> {
    let envelope = envelope(arguments)?;
    let options = options(arguments);
    // The file is opened by whoever called the command, who need not be the owner of the queue.
    let mut input = Input::open(arguments.file.as_deref())?;
    interrupt::catch().map_err(|error| Failure::new(Sysexit::IoErr, error).at("signals"))?;
    create(&arguments.queue.queue, |queue| {
        let id = write(queue, arguments.id.as_deref(), envelope, &options, &mut input).map_err(|failure| {
            // What no file has is what is wrong with the mail, or with where it should go.
            match (failure.code(), &arguments.id, arguments.max_size) {
                (Sysexit::DataErr, _, Some(most)) if input.bytes > most => {
                    let what = format!("the mail has more than the {most} bytes of --max-size; nothing was queued");
                    Failure::new(Sysexit::DataErr, what).at(&input.name)
                }
                (Sysexit::DataErr, ..) => failure.at(&input.name),
                (_, Some(id), _) => failure.at(id),
                (_, None, _) => failure.at(&arguments.queue.queue.to_string_lossy()),
            }
        })?;
        let mut output = io::stdout().lock();
        match writeln!(output, "{id}").and_then(|()| output.flush()) {
            Ok(()) => Ok(Sysexit::Ok),
            Err(error) => Err(withdraw(queue, &id, &error)),
        }
    })
}

fn envelope(arguments: &arguments::Put) -> Result<Envelope, Failure> {
    let reverse_path = if arguments.from == "<>" { "" } else { &arguments.from };
    if !reverse_path.is_empty() {
        address::check("--from", reverse_path)?;
    }
    arguments.to.iter().try_for_each(|to| address::check("--to", to))?;
    let recipients = if arguments.rcpt.is_empty() {
        arguments.to.iter().map(|to| Recipient { address: to.clone(), ..Recipient::default() }).collect()
    } else {
        arguments.rcpt.iter().map(|argument| address::recipient(argument)).collect::<Result<Vec<_>, _>>()?
    };
    Ok(Envelope { reverse_path: reverse_path.to_string(), to: arguments.to.clone(), recipients, created_at: None })
}

fn options(arguments: &arguments::Put) -> WriteOptions {
    let settings = arguments.max_size.iter().map(|bytes| ("max-body-bytes".to_string(), bytes.to_string()));
    WriteOptions {
        durability: Some(arguments.writing.durability.into()),
        format: Some(arguments.writing.format.into()),
        max_items: arguments.max_items,
        settings: settings.collect(),
    }
}

/// Writes a mail: in one piece if it is short, else as it is read.
fn write(
    queue: &Queue,
    id: Option<&str>,
    envelope: Envelope,
    options: &WriteOptions,
    input: &mut Input,
) -> Result<String, Failure> {
    let mut body = Vec::new();
    input.read_piece(&mut body)?;
    if body.len() < PIECE_BYTES {
        return Ok(queue.put(id, &Mail { envelope, body }, options)?);
    }
    stream(queue, id, &envelope, options, body, &mut |piece| input.read_piece(piece))
}

/// Writes a mail as it is read: `body`, and what `more` appends to it each time until that is nothing.
pub(crate) fn stream(
    queue: &Queue,
    id: Option<&str>,
    envelope: &Envelope,
    options: &WriteOptions,
    mut body: Vec<u8>,
    more: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), Failure>,
) -> Result<String, Failure> {
    // What fails drops the draft, which removes what was written of it.
    let mut draft = queue.draft(id, envelope, options)?;
    while !body.is_empty() {
        draft.append(&body)?;
        body.clear();
        more(&mut body)?;
    }
    Ok(draft.commit()?)
}

/// Takes a mail back whose id could not be told to anybody.
fn withdraw(queue: &Queue, id: &str, error: &io::Error) -> Failure {
    let failure = Failure::stdout(error);
    let removed = queue.remove(&[id.to_string()], Durability::Full);
    match removed.map(|outcomes| outcomes.iter().all(|outcome| outcome.problem.is_none())) {
        Ok(true) => failure.and("the mail was taken back, since nobody was told its id"),
        _ => failure.and(&format!("the mail stays queued as {id}")),
    }
}

/// Where a mail comes from.
struct Input {
    name: String,
    reader: Reader,
    /// How many were read.
    bytes: u64,
}

impl Input {
    fn open(path: Option<&Path>) -> Result<Input, Failure> {
        let (name, reader) = match path.filter(|path| *path != Path::new("-")) {
            Some(path) => (path.to_string_lossy().into_owned(), Reader::open(path)),
            None => (STANDARD_INPUT.to_string(), Reader::stdin()),
        };
        let reader = reader.map_err(|error| Failure::file(Path::new(&name), &error, Sysexit::NoInput))?;
        Ok(Input { name, reader, bytes: 0 })
    }

    /// Reads until `piece` is full, or the mail ends.
    fn read_piece(&mut self, piece: &mut Vec<u8>) -> Result<(), Failure> {
        piece.reserve_exact(PIECE_BYTES);
        let read = self.reader.by_ref().take(PIECE_BYTES as u64).read_to_end(piece);
        read.map(|read| self.bytes += read as u64).map_err(|error| {
            let failure = match interrupt::came() {
                true => Failure::new(Sysexit::TempFail, error).at(&self.name),
                false => Failure::file(Path::new(&self.name), &error, Sysexit::IoErr),
            };
            failure.and("nothing was queued")
        })
    }
}

/// Changes the status of a delivery.
pub(crate) fn update(queue: &Queue, arguments: &arguments::Update) -> Result<Sysexit, Failure> {
    let info = queue.info(&arguments.id)?;
    let mut recipients = info.envelope.recipients;
    let mut found = false;
    for recipient in recipients.iter_mut().filter(|recipient| recipient.address == arguments.rcpt) {
        found = true;
        recipient.status = match arguments.status {
            arguments::StatusChoice::Pending => 0,
            arguments::StatusChoice::Sent => 1,
            arguments::StatusChoice::Failed => 2,
        };
        if let Some(failure) = &arguments.failure {
            // A remote server's words are often not UTF-8, and losing them is better than losing the status.
            recipient.last_failure_message = failure.to_string_lossy().into_owned();
        }
    }
    if !found {
        let what = format!("the item has no delivery to {}; show lists those it has", arguments.rcpt);
        return Err(Failure::new(Sysexit::DataErr, what));
    }
    let change =
        EnvelopeChange { recipients: Some(recipients), if_revision: Some(info.revision), ..EnvelopeChange::default() };
    let options = WriteOptions { durability: Some(arguments.durability.into()), ..WriteOptions::default() };
    queue.update(&arguments.id, &change, &options)?;
    Ok(Sysexit::Ok)
}
