//! `import`: queues the mails of mbox files, maildirs and single files, in batches.

mod batch;
mod container;
mod envelope;
mod header;
mod identity;
mod lines;
mod maildir;
mod mbox;
mod source;
mod total;

use crate::change_log;
use crate::escape::escape;
use crate::failure::{Cause, Failure, Failures, note};
use crate::input::read_failure;
use crate::interruption::Interruption;
use crate::location::Location;
use crate::mbox::quoting::Unquoted;
use crate::mbox::separator::Separator;
use crate::open_queue;
use crate::options::{DurabilityChoice, FormatChoice, MailFormat};
use crate::progress;
use crate::report;
use crate::stream::{self, CHUNK_BYTES};
use batch::Batch;
use clap::Args;
use container::{Kind, MailFile};
use envelope::GivenEnvelope;
use header::Header;
use identity::{Ids, MailDigest};
use indicatif::ProgressBar;
use lines::Lines;
use mbox::Mbox;
use queue_store_host::Queue;
use queue_store_host::types::{Envelope, Mail, State, WriteOptions};
use source::Source;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::PathBuf;
use sysexits::ExitCode as Sysexit;
use total::Total;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The reverse-path of every mail; without it, that of the mbox file or of `Return-Path`, or else the null one
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    from: Option<String>,
    /// An address that every mail is for; once for each. Without it, those in `To`, `Cc` and `Bcc` of the mail, or in the
    /// last `Resent-To`, `Resent-Cc` and `Resent-Bcc` if it has these
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    to: Vec<String>,
    /// The format of the paths. Without it, directories are maildirs, files in a maildir or with a name that ends in `.eml` are
    /// one mail, and other files are mbox files if their first line begins a mail of one
    #[arg(long, value_enum)]
    format: Option<MailFormat>,
    /// When a mail counts as queued
    #[arg(long, value_enum, default_value_t)]
    durability: DurabilityChoice,
    /// The format of the items
    #[arg(long, value_enum, default_value_t)]
    item_format: FormatChoice,
    /// Stop when the queue has this many items
    #[arg(long, value_name = "N")]
    max_items: Option<u64>,
    /// mbox files, maildirs, and files of one mail each; `-` for standard input. As root they are read as the owner of the
    /// queue
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Bytes of a mail above which it is queued by itself, as a stream.
const STREAM_BYTES: usize = batch::MAX_BYTES;

/// Queues the mails of files.
pub(crate) fn run(queue: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let envelope = GivenEnvelope::new(arguments.from.as_deref(), &arguments.to)?;
    let interruption = Interruption::catch().map_err(Cause::Signals)?;
    let created = open_queue::create(queue)?;
    let contents = container::contents(&arguments.paths, arguments.format)?;
    let mut import = Import {
        envelope,
        interruption: &interruption,
        queue: &created.queue,
        options: WriteOptions {
            durability: Some(arguments.durability.into()),
            format: Some(arguments.item_format.into()),
            max_items: arguments.max_items,
            ..WriteOptions::default()
        },
        ids: Ids::default(),
        batch: Batch::default(),
        total: Total {
            trashed: contents.trashed,
            drafts: contents.drafts,
            other_files: contents.other_files,
            ..Total::default()
        },
        failures: Failures::none(),
        progress: progress::of_bytes(contents.bytes),
    };
    contents.failures.iter().for_each(|failure| import.leave_out(failure));
    let read = contents.files.iter().try_for_each(|file| import.file(file));
    // Mails that were read before a failure are queued.
    let queued = import.queue_batch();
    import.progress.finish_and_clear();
    for folder in contents.folders {
        report::line(&format!("{}: a folder: import it by its own path", folder.display()));
    }
    let result = read.and(queued);
    if result.is_ok() || import.total.has_items() {
        report::line(&import.total.to_string());
        let code = import.failures.code();
        created.keep();
        return result.map(|()| code);
    }
    result.map(|()| Sysexit::Ok)
}

struct Import<'a> {
    envelope: GivenEnvelope,
    interruption: &'a Interruption,
    queue: &'a Queue,
    options: WriteOptions,
    ids: Ids,
    batch: Batch,
    total: Total,
    /// The mails that were refused.
    failures: Failures,
    progress: ProgressBar,
}

/// The bytes of a mail.
struct Content<'a> {
    source: &'a Source<'a>,
    range: Range<u64>,
    /// Whether lines of the body have a `>` before their `From `.
    is_quoted: bool,
}

impl Content<'_> {
    fn reader(&self) -> Box<dyn Read + '_> {
        let part = self.source.part(self.range.clone());
        if self.is_quoted { Box::new(Unquoted::new(part)) } else { Box::new(part) }
    }
}

impl Import<'_> {
    /// Takes the mails of a file.
    fn file(&mut self, file: &MailFile) -> Result<(), Failure> {
        let source = match open(file, self.interruption) {
            Ok(source) => source,
            // The other mails of a directory do not depend on this one.
            Err(failure) if matches!(file.kind, Kind::Mail | Kind::MaildirMail) && is_of_one_file(&failure) => {
                self.leave_out(&failure);
                return Ok(());
            }
            Err(failure) => return Err(failure.with_note(note::REST_NOT_QUEUED)),
        };
        let failed = |error| source.failure(error).with_note(note::REST_NOT_QUEUED);
        let Some(first_line) = Lines::at(&source, 0).next().map_err(failed)? else {
            if file.kind == Kind::MaildirMail || file.kind == Kind::Mail {
                self.leave_out(&Failure::from(Cause::NoHeader).at(source.name()));
            }
            return Ok(());
        };
        if matches!(file.kind, Kind::Mbox | Kind::ToldByFirstLine) {
            if let Some(mbox) = Mbox::open(&source).map_err(failed)? {
                return self.mbox(&source, mbox);
            }
            // A mail has no such line, and one in the wrong form would make one mail of all of the file.
            if file.kind == Kind::Mbox || begins_like_mbox(&source).map_err(failed)? {
                self.leave_out(&Failure::from(Cause::NotMbox).at(source.name()));
                return Ok(());
            }
        }
        // A mail that was taken out of an mbox file may have the line that was before it.
        let separator = Separator::parse(&first_line.head);
        let start = if separator.is_some() { first_line.end } else { 0 };
        let content = Content { source: &source, range: start..u64::MAX, is_quoted: false };
        self.mail(source.name().to_string(), separator.as_ref().map(|separator| &*separator.sender), &content)
    }

    /// Takes the mails of an mbox file.
    fn mbox(&mut self, source: &Source<'_>, mut mbox: Mbox<'_>) -> Result<(), Failure> {
        let mut number = 0;
        loop {
            let next = mbox.next().map_err(|error| source.failure(error).with_note(note::REST_NOT_QUEUED))?;
            let Some(mail) = next else { return Ok(()) };
            number += 1;
            let name = format!("{}:{number}", source.name());
            match mail.ambiguous_line {
                Some(line) => self.leave_out(&Failure::from(Cause::AmbiguousSeparator { line }).at(&name)),
                None => {
                    let content = Content { source, range: mail.range, is_quoted: mail.is_quoted };
                    self.mail(name, Some(&mail.sender), &content)?;
                }
            }
        }
    }

    /// Takes a mail. `sender` is that of the line before it in an mbox file.
    fn mail(&mut self, name: String, sender: Option<&str>, content: &Content<'_>) -> Result<(), Failure> {
        let failed = |error| read_failure(&name, error).with_note(note::REST_NOT_QUEUED);
        let mut rest = content.reader();
        let mut body = read_chunk(&mut rest, STREAM_BYTES + 1).map_err(failed)?;
        let bytes_read = body.len();
        let is_large = bytes_read > STREAM_BYTES;
        let envelope = match self.envelope(sender, &mut body, is_large) {
            Ok(envelope) => envelope,
            Err(cause) => {
                self.leave_out(&Failure::from(cause).at(&name));
                return Ok(());
            }
        };
        let mut digest = MailDigest::new(&envelope);
        digest.update(&body);
        if !is_large {
            let id = self.ids.id(digest);
            self.batch.add(batch::Source { id, name }, Mail { envelope, body });
            self.progress.inc(bytes_read as u64);
            return if self.batch.is_full() { self.queue_batch() } else { Ok(()) };
        }
        self.queue_batch()?;
        for_each_chunk(&mut rest, |chunk| digest.update(chunk)).map_err(failed)?;
        let id = self.ids.id(digest);
        let mut rest = content.reader();
        io::copy(&mut rest.by_ref().take(bytes_read as u64), &mut io::sink()).map_err(failed)?;
        let next_chunk = || {
            let chunk = read_chunk(&mut rest, CHUNK_BYTES).map_err(|error| read_failure(&name, error))?;
            self.progress.inc(chunk.len() as u64);
            Ok(chunk)
        };
        let put = stream::put(self.queue, Some(&id), &envelope, &self.options, body, next_chunk);
        self.settle(&batch::Source { id, name }, put.err())
    }

    /// Makes the envelope of a mail that begins with `start`, and removes the fields that no recipient is to see.
    fn envelope(&self, sender: Option<&str>, start: &mut Vec<u8>, is_large: bool) -> Result<Envelope, Cause> {
        let header = Header::parse(start)?;
        if is_large && !header.is_complete {
            return Err(Cause::LongHeader { bytes: STREAM_BYTES });
        }
        let envelope = self.envelope.complete(sender, &header)?;
        let (mut kept, mut end) = (Vec::with_capacity(start.len()), 0);
        for range in envelope::blind_fields(&header) {
            kept.extend_from_slice(&start[end..range.start]);
            end = range.end;
        }
        kept.extend_from_slice(&start[end..]);
        *start = kept;
        Ok(envelope)
    }

    /// Queues the batch.
    fn queue_batch(&mut self) -> Result<(), Failure> {
        let outcomes = self.batch.queue(self.queue, &self.options);
        let outcomes = outcomes.map_err(|failure| failure.with_note(note::REST_NOT_QUEUED))?;
        // A mail that fails does not keep the others from being queued.
        let settled = outcomes.into_iter().map(|(source, failure)| self.settle(&source, failure));
        let failures: Vec<Failure> = settled.filter_map(Result::err).collect();
        // Where a mail may be queued, that is to be said.
        let (doubts, others): (Vec<_>, Vec<_>) = failures.into_iter().partition(Failure::is_indeterminate);
        doubts.into_iter().chain(others).next().map_or(Ok(()), Err)
    }

    /// Prints the id of a mail that is queued. Reports one that is not, and fails where the next one would fail as well.
    fn settle(&mut self, source: &batch::Source, failure: Option<Failure>) -> Result<(), Failure> {
        let mut logged = Ok(());
        match failure {
            None => {
                self.total.queued += 1;
                logged = change_log::record(&source.id, Ok(()));
            }
            Some(failure) if failure.is_existing_item() => {
                if let Err(failure) = self.check_queued_before(&source.id) {
                    return self.settle(source, Some(failure));
                }
                self.total.queued_before += 1;
            }
            Some(failure) if matches!(failure.code(), Sysexit::DataErr | Sysexit::Usage) => {
                self.leave_out(&failure.within(&source.name));
                return Ok(());
            }
            Some(failure) => {
                let note = if failure.is_indeterminate() { note::REST_INDETERMINATE } else { note::REST_NOT_QUEUED };
                return Err(failure.within(&source.name).with_note(note));
            }
        }
        let print = || writeln!(io::stdout().lock(), "{}  {}", source.id, escape(&source.name));
        let printed = self.progress.suspend(print);
        let printed = printed.map_err(|error| Failure::from(Cause::Stdout(error)));
        printed.and(logged).map_err(|failure| failure.with_note(note::IMPORTED_STAY))
    }

    /// Checks that the item which an earlier import made of a mail is ready or held, and intact.
    fn check_queued_before(&self, id: &str) -> Result<(), Failure> {
        if self.queue.info(id).map_err(|error| Failure::from(error).at_item(id))?.state == State::Quarantined {
            return Err(Failure::from(Cause::QueuedInQuarantine).at_item(id));
        }
        for outcome in self.queue.verify(&[id])? {
            outcome.into_result().map_err(|error| Failure::from(error).at_item(id))?;
        }
        Ok(())
    }

    /// Reports a mail that is refused.
    fn leave_out(&mut self, failure: &Failure) {
        let Import { failures, progress, total, .. } = self;
        total.refused += 1;
        progress.suspend(|| failures.report(failure));
    }
}

/// Opens a file, also where a mail program renamed it meanwhile.
fn open<'a>(file: &MailFile, interruption: &'a Interruption) -> Result<Source<'a>, Failure> {
    if file.kind != Kind::MaildirMail {
        return Source::open(&file.path, interruption);
    }
    // Where it is nowhere, opening it reports the error.
    let path = maildir::find(&file.path).unwrap_or_else(|_| file.path.clone());
    Source::open(&path, interruption)
}

/// Returns whether the failure to open a file need not occur with another one.
fn is_of_one_file(failure: &Failure) -> bool {
    matches!(failure.code(), Sysexit::NoInput | Sysexit::NoPerm)
}

/// Returns the next bytes; fewer, or none, at the end.
fn read_chunk(reader: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut chunk = Vec::new();
    reader.take(bytes as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

/// Whether the first line that is not blank begins like one before a mail in an mbox file.
fn begins_like_mbox(source: &Source<'_>) -> io::Result<bool> {
    let mut lines = Lines::at(source, 0);
    while let Some(line) = lines.next()? {
        let head = line.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line.head);
        if !head.trim_ascii().is_empty() {
            return Ok(head.starts_with(b"From "));
        }
    }
    Ok(false)
}

/// Reads the rest.
fn for_each_chunk(reader: &mut impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    loop {
        let chunk = read_chunk(reader, CHUNK_BYTES)?;
        if chunk.is_empty() {
            return Ok(());
        }
        take(&chunk);
    }
}
