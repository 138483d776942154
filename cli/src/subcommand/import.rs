//! `import`: queues the mails of mbox files, maildirs and single files, in batches.

mod batch;
mod headers;
mod paths;

use crate::address;
use crate::failure::{Cause, Failure, Failures, note};
use crate::input::{self, Input};
use crate::interruption::Interruption;
use crate::options::Writing;
use crate::queue_directory;
use crate::stream;
use batch::Batch;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use mail_address::Address;
use mail_parser::mailbox::mbox::MessageIterator;
use queue_store_host::types::{Envelope, Mail, WriteOptions};
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The reverse-path of every mail; without it, that of the mbox file or of `Return-Path`, or else the null one
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// An address that every mail is for; once for each. Without it, those in `To` and `Cc` of the mail
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) to: Vec<String>,
    #[command(flatten)]
    pub(crate) writing: Writing,
    /// Stop when the queue has this many items
    #[arg(long, value_name = "N")]
    pub(crate) max_items: Option<u64>,
    /// mbox files, maildirs, and files of one mail each. As root they are read as the owner of the queue
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// Bytes of a body above which a mail is queued by itself, as a stream.
const STREAM_BYTES: usize = batch::MAX_BYTES;

/// The beginning of the line before each mail of an mbox file.
const MBOX_SEPARATOR: &[u8] = b"From ";

/// Queues the mails of files.
pub(crate) fn run(queue: &Path, arguments: &Arguments) -> Result<Sysexit, Failure> {
    if let Some(from) = &arguments.from {
        address::reverse_path("--from", from)?;
    }
    arguments.to.iter().try_for_each(|to| address::check("--to", to))?;
    let interruption = Interruption::catch().map_err(Cause::Signals)?;
    let created = queue_directory::create(queue)?;
    let files = paths::files(&arguments.paths)?;
    let options = WriteOptions {
        durability: Some(arguments.writing.durability.into()),
        format: Some(arguments.writing.format.into()),
        max_items: arguments.max_items,
        ..WriteOptions::default()
    };
    let mut import = Import {
        arguments,
        interruption: &interruption,
        batch: Batch::new(&created.queue, options),
        failures: Failures::none(),
        progress: progress(&files),
    };
    let read = files.iter().try_for_each(|file| import.file(file));
    // Mails that were read before a failure are queued.
    let queued = import.queue_batch();
    import.progress.finish_and_clear();
    read.and(queued)?;
    let code = import.failures.code();
    created.keep();
    Ok(code)
}

/// Returns a bar for the bytes of the files.
fn progress(files: &[PathBuf]) -> ProgressBar {
    let bytes = files.iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum();
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(bytes).with_style(style.expect("the template is constant and valid"))
}

/// Checks an address that a mail names, and not its operator.
fn check_header(header: &'static str, address: &str, option: &'static str) -> Result<(), Cause> {
    Address::parse(address).map(drop).map_err(|reason| Cause::HeaderAddress {
        header,
        address: address.to_string(),
        reason,
        option,
    })
}

struct Import<'a> {
    arguments: &'a Arguments,
    interruption: &'a Interruption,
    batch: Batch<'a>,
    /// The mails that were left out.
    failures: Failures,
    progress: ProgressBar,
}

impl Import<'_> {
    /// Takes the mails of a file. An empty one is an mbox file without mails.
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let early = |failure: Failure| failure.with_note(note::REST_NOT_QUEUED);
        let mut input = Input::open(path, self.interruption, &self.progress).map_err(early)?;
        let start = input.peek().map_err(early)?;
        if start.is_empty() {
            return Ok(());
        }
        if start.starts_with(MBOX_SEPARATOR) {
            return self.mbox(input);
        }
        let body = input.read_chunk(STREAM_BYTES + 1).map_err(early)?;
        let source = input.name().to_string();
        self.mail(source, None, body, Some(&mut input))
    }

    /// Takes the mails of an mbox file.
    fn mbox(&mut self, input: Input<'_>) -> Result<(), Failure> {
        let name = input.name().to_string();
        let mut messages = MessageIterator::new(input.into_reader()).zip(1..).peekable();
        while let Some((message, number)) = messages.next() {
            let message =
                message.map_err(|error| input::read_failure(&name, error).with_note(note::REST_NOT_QUEUED))?;
            let sender = message.from().to_string();
            let mut body = message.unwrap_contents();
            let source = format!("{name}:{number}");
            // The blank line before the next separator is not part of the mail.
            if body.ends_with(b"\n\n") || body.ends_with(b"\n\r\n") {
                body.truncate(body.len() - if body.ends_with(b"\r\n") { 2 } else { 1 });
            } else if messages.peek().is_some() {
                // Taking the rest for a mail would queue two mails, neither of which was sent.
                self.leave_out(&Failure::from(Cause::AmbiguousSeparator).at(&source));
                return Ok(());
            }
            self.mail(source, Some(sender), body, None)?;
        }
        Ok(())
    }

    /// Takes a mail: `body` and the rest of `input`. `sender` is the reverse-path that the separator of an mbox file
    /// names.
    fn mail(
        &mut self,
        source: String,
        sender: Option<String>,
        body: Vec<u8>,
        input: Option<&mut Input<'_>>,
    ) -> Result<(), Failure> {
        if self.interruption.has_come() {
            return Err(Failure::from(Cause::Interrupted).at(&source).with_note(note::REST_NOT_QUEUED));
        }
        let envelope = match self.envelope(sender, &body) {
            Ok(envelope) => envelope,
            Err(cause) => {
                self.leave_out(&Failure::from(cause).at(&source));
                return Ok(());
            }
        };
        if body.len() > STREAM_BYTES {
            self.queue_batch()?;
            return match stream::put(self.batch.queue(), None, &envelope, self.batch.options(), body, input) {
                Ok(id) => batch::print(&id, &source),
                Err(failure) => self.refused(failure.within(&source)),
            };
        }
        self.batch.add(source, Mail { envelope, body });
        if self.batch.is_full() { self.queue_batch() } else { Ok(()) }
    }

    fn envelope(&self, sender: Option<String>, body: &[u8]) -> Result<Envelope, Cause> {
        let headers = headers::read(body);
        let to = if self.arguments.to.is_empty() {
            headers.recipients.iter().try_for_each(|to| check_header("`To` or `Cc`", to, "--to"))?;
            headers.recipients
        } else {
            self.arguments.to.clone()
        };
        if to.is_empty() {
            return Err(Cause::NoRecipient);
        }
        let reverse_path = match &self.arguments.from {
            Some(from) => from.clone(),
            None => {
                let sender = sender.or(headers.return_path).unwrap_or_default();
                // Without an `@` it is not an address: `<>`, or a user such as `MAILER-DAEMON` of the separator of an
                // mbox file.
                let reverse_path = if sender.contains('@') { sender } else { String::new() };
                if !reverse_path.is_empty() {
                    check_header("the sender", &reverse_path, "--from")?;
                }
                reverse_path
            }
        };
        Ok(Envelope { reverse_path, to, recipients: Vec::new(), created_at: None })
    }

    /// Queues the batch.
    fn queue_batch(&mut self) -> Result<(), Failure> {
        let refused = self.batch.queue_all()?;
        refused.into_iter().try_for_each(|failure| self.refused(failure))
    }

    /// Goes on after a mail that is refused, unless the next one would be refused as well.
    fn refused(&mut self, failure: Failure) -> Result<(), Failure> {
        if matches!(failure.code(), Sysexit::DataErr | Sysexit::Usage) {
            self.leave_out(&failure);
            return Ok(());
        }
        let note = if failure.is_indeterminate() { note::REST_INDETERMINATE } else { note::REST_NOT_QUEUED };
        Err(failure.with_note(note))
    }

    /// Reports a mail that is not queued.
    fn leave_out(&mut self, failure: &Failure) {
        let failures = &mut self.failures;
        self.progress.suspend(|| failures.report(failure));
    }
}
