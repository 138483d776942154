//! What adds and changes items.

use super::failure::Failure;
use super::{address, arguments, interrupt, open_or_create};
use queue_store_host::Queue;
use queue_store_host::types::{Durability, Envelope, EnvelopeChange, Mail, Recipient, WriteOptions};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use sysexits::ExitCode as Sysexit;

/// Bytes up to which a mail is queued in one piece. Nothing is on the disk before that much of it was read.
const PIECE_BYTES: usize = 1 << 20;

/// Queues a mail and prints its id.
pub(crate) fn put(arguments: &arguments::Put) -> Result<Sysexit, Failure> {
    let envelope = envelope(arguments)?;
    let options = options(arguments);
    // The file is opened by whoever called the command, who need not be the owner of the queue.
    let mut input = Input::open(arguments.file.as_deref())?;
    let queue = open_or_create(&arguments.queue.queue)?;
    interrupt::catch();
    let id = write(&queue, arguments.id.as_deref(), envelope, &options, &mut input)?;
    let mut output = io::stdout().lock();
    match writeln!(output, "{id}").and_then(|()| output.flush()) {
        Ok(()) => Ok(Sysexit::Ok),
        Err(error) => Err(withdraw(&queue, &id, &error)),
    }
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
    if input.read_piece(&mut body)? {
        return Ok(queue.put(id, &Mail { envelope, body }, options)?);
    }
    let mut draft = queue.draft(id, &envelope, options)?;
    loop {
        draft.append(&body)?;
        body.clear();
        // What fails here drops the draft, which removes what was written of it.
        if input.read_piece(&mut body)? && body.is_empty() {
            return Ok(draft.commit()?);
        }
    }
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
    reader: Box<dyn Read>,
}

impl Input {
    fn open(path: Option<&Path>) -> Result<Input, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Input { name: "standard input".to_string(), reader: Box::new(io::stdin().lock()) });
        };
        let file = File::open(path)
            .and_then(|file| if file.metadata()?.is_dir() { Err(ErrorKind::IsADirectory.into()) } else { Ok(file) });
        let file = file.map_err(|error| Failure::file(path, &error, Sysexit::NoInput))?;
        Ok(Input { name: path.display().to_string(), reader: Box::new(file) })
    }

    /// Reads until `piece` is full; true if the mail ends there.
    fn read_piece(&mut self, piece: &mut Vec<u8>) -> Result<bool, Failure> {
        piece.resize(PIECE_BYTES, 0);
        let mut filled = 0;
        while filled < PIECE_BYTES {
            match self.reader.read(&mut piece[filled..]) {
                Ok(0) => {
                    piece.truncate(filled);
                    return Ok(true);
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(Failure::new(Sysexit::IoErr, format!("{}: {error}; nothing was queued", self.name)));
                }
            }
            if interrupt::came() {
                return Err(Failure::new(Sysexit::TempFail, format!("{}: interrupted; nothing was queued", self.name)));
            }
        }
        Ok(false)
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
        let line = format!("{}: the item has no delivery to {}", arguments.id, arguments.rcpt);
        return Err(Failure::new(Sysexit::DataErr, line));
    }
    let change =
        EnvelopeChange { recipients: Some(recipients), if_revision: Some(info.revision), ..EnvelopeChange::default() };
    let options = WriteOptions { durability: Some(arguments.durability.into()), ..WriteOptions::default() };
    queue.update(&arguments.id, &change, &options)?;
    Ok(Sysexit::Ok)
}
