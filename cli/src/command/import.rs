//! Imports: the mails of mbox files, maildirs and single files, queued in batches.

use super::failure::Failure;
use super::interrupt::{self, Reader};
use super::{address, arguments, create, put};
use indicatif::{ProgressBar, ProgressStyle};
use mail_parser::mailbox::mbox::MessageIterator;
use mail_parser::{Address, MessageParser};
use queue_store_host::types::{Envelope, Mail, Recipient, WriteOptions};
use queue_store_host::{Error, Queue};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;

/// Mails that are queued with one sync of the directory.
const BATCH_MAILS: usize = 100;

/// Bytes of bodies above which a batch is queued.
const BATCH_BYTES: usize = 8 << 20;

/// Bytes of a body above which a mail is queued by itself, as a stream.
const STREAM_BYTES: usize = BATCH_BYTES;

/// What became of the mails when an import ends early.
const REST: &str = "the mails whose ids were printed are queued, this one and those after it are not";

/// The same, where this mail may be queued, and so may those that share its sync.
const DOUBTFUL_REST: &str =
    "the mails whose ids were printed are queued, up to 99 after this one may be, the rest are not";

/// What an mbox file begins with, and each mail in it.
const MBOX_SEPARATOR: &[u8] = b"From ";

/// Queues the mails of files.
pub(crate) fn import(arguments: &arguments::Import) -> Result<Sysexit, Failure> {
    if let Some(from) = arguments.from.as_deref().filter(|from| !matches!(*from, "" | "<>")) {
        address::check("--from", from)?;
    }
    arguments.to.iter().try_for_each(|to| address::check("--to", to))?;
    interrupt::catch().map_err(|error| Failure::new(Sysexit::IoErr, error).at("signals"))?;
    create(&arguments.queue.queue, |queue| import_into(queue, arguments))
}

fn import_into(queue: &Queue, arguments: &arguments::Import) -> Result<Sysexit, Failure> {
    let mut import = Import {
        arguments,
        queue,
        options: WriteOptions {
            durability: Some(arguments.writing.durability.into()),
            format: Some(arguments.writing.format.into()),
            max_items: arguments.max_items,
            settings: Vec::new(),
        },
        batch: Vec::new(),
        sources: Vec::new(),
        code: Sysexit::Ok,
        progress: ProgressBar::no_length(),
    };
    let files = import.files()?;
    let bytes = files.iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum();
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta}").unwrap_or_else(|error| {
        debug_assert!(false, "{error}");
        ProgressStyle::default_bar()
    });
    import.progress.set_length(bytes);
    import.progress.set_style(style);
    let read = files.iter().try_for_each(|file| import.file(file));
    let queued = import.queue_batch();
    import.progress.finish_and_clear();
    read?;
    queued?;
    Ok(import.code)
}

struct Import<'a> {
    arguments: &'a arguments::Import,
    queue: &'a Queue,
    options: WriteOptions,
    batch: Vec<(Option<String>, Mail)>,
    /// Where each mail of the batch is from.
    sources: Vec<String>,
    /// What the command ends with if it comes to the end.
    code: Sysexit,
    progress: ProgressBar,
}

impl Import<'_> {
    /// The files that the paths of the arguments name: themselves, and those of maildirs.
    fn files(&mut self) -> Result<Vec<PathBuf>, Failure> {
        let mut files = Vec::new();
        for path in &self.arguments.paths {
            let failed = |error: &io::Error| Failure::file(path, error, Sysexit::NoInput);
            if !path.metadata().map_err(|error| failed(&error))?.is_dir() {
                files.push(path.clone());
                continue;
            }
            let mut mails = Vec::new();
            for directory in ["new", "cur"].map(|name| path.join(name)) {
                let entries = fs::read_dir(&directory).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => Failure::new(
                        Sysexit::DataErr,
                        format!("{}: not a maildir, which has directories `new` and `cur`", path.display()),
                    ),
                    _ => failed(&error),
                })?;
                for entry in entries {
                    let entry = entry.map_err(|error| failed(&error))?;
                    // What begins with a dot is no mail (maildir(5)).
                    if !entry.file_name().as_bytes().starts_with(b".") && entry.path().is_file() {
                        mails.push(entry.path());
                    }
                }
            }
            mails.sort();
            files.append(&mut mails);
        }
        Ok(files)
    }

    /// Takes the mails of a file. One that is empty is an mbox file without any.
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let name = path.to_string_lossy().into_owned();
        let failed = |error: io::Error| match interrupt::came() {
            true => Failure::new(Sysexit::TempFail, error).at(&name),
            false => Failure::file(path, &error, Sysexit::NoInput),
        };
        let ended = |error| failed(error).and(REST);
        let mut file = BufReader::new(Reader::open(path).map_err(ended)?);
        let start = file.fill_buf().map_err(ended)?;
        if start.is_empty() {
            return Ok(());
        }
        if !start.starts_with(MBOX_SEPARATOR) {
            let (mut body, progress) = (Vec::new(), self.progress.clone());
            let mut more = |piece: &mut Vec<u8>| {
                let read = file.by_ref().take(STREAM_BYTES as u64 + 1).read_to_end(piece).map_err(failed)?;
                progress.inc(read as u64);
                Ok(())
            };
            more(&mut body).map_err(|failure: Failure| failure.and(REST))?;
            return self.mail(name.clone(), None, body, &mut more);
        }
        let mut messages = MessageIterator::new(file).zip(1..).peekable();
        while let Some((message, number)) = messages.next() {
            let message = message.map_err(ended)?;
            let sender = message.from().to_string();
            let mut body = message.unwrap_contents();
            self.progress.inc(body.len() as u64);
            let source = format!("{name}:{number}");
            // The blank line before the next separator is not part of the mail.
            if body.ends_with(b"\n\n") || body.ends_with(b"\n\r\n") {
                body.truncate(body.len() - if body.ends_with(b"\r\n") { 2 } else { 1 });
            } else if messages.peek().is_some() {
                // Taking its rest for a mail would queue two that nobody sent.
                let what = "a line in it begins with `From ` and may be the next mail: write it as `>From `, or put a blank \
                            line before it; this mail and those after it in the file were not queued";
                self.report(Failure::new(Sysexit::DataErr, what).at(&source));
                return Ok(());
            }
            self.mail(source, Some(sender), body, &mut |_| Ok(()))?;
        }
        Ok(())
    }

    /// Takes a mail. `sender` is what an mbox file says of its reverse-path, `more` reads what `body` does not have of it.
    fn mail(
        &mut self,
        source: String,
        sender: Option<String>,
        body: Vec<u8>,
        more: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if interrupt::came() {
            return Err(Failure::new(Sysexit::TempFail, "interrupted").at(&source).and(REST));
        }
        let envelope = match self.envelope(sender, &body) {
            Ok(envelope) => envelope,
            Err(problem) => {
                self.report(Failure::new(Sysexit::DataErr, problem).at(&source));
                return Ok(());
            }
        };
        if body.len() > STREAM_BYTES {
            self.queue_batch()?;
            return match put::stream(self.queue, None, &envelope, &self.options, body, more) {
                Ok(id) => print(&id, &source),
                Err(failure) => self.refused(failure.of(&source)),
            };
        }
        self.batch.push((None, Mail { envelope, body }));
        self.sources.push(source);
        let bytes: usize = self.batch.iter().map(|(_, mail)| mail.body.len()).sum();
        if self.batch.len() >= BATCH_MAILS || bytes > BATCH_BYTES { self.queue_batch() } else { Ok(()) }
    }

    fn envelope(&self, sender: Option<String>, body: &[u8]) -> Result<Envelope, String> {
        let message = MessageParser::new().parse_headers(body);
        let message = message.as_ref();
        let returned = || message.and_then(|message| message.return_path().as_text()).map(String::from);
        let reverse_path = self.arguments.from.clone().or(sender).or_else(returned).unwrap_or_default();
        let is_null = matches!(reverse_path.as_str(), "" | "<>" | "MAILER-DAEMON" | "-") || !reverse_path.contains('@');
        let to = if self.arguments.to.is_empty() {
            let headers = message.into_iter().flat_map(|message| [message.to(), message.cc()]);
            headers.flatten().flat_map(addresses).collect()
        } else {
            self.arguments.to.clone()
        };
        if to.is_empty() {
            return Err("it has no address in `To` and `Cc`: say with --to whom it is for".to_string());
        }
        Ok(Envelope {
            reverse_path: if is_null { String::new() } else { reverse_path },
            recipients: to.iter().map(|to| Recipient { address: to.clone(), ..Recipient::default() }).collect(),
            to,
            created_at: None,
        })
    }

    /// Queues the batch, and prints the ids.
    fn queue_batch(&mut self) -> Result<(), Failure> {
        let (batch, sources) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.sources));
        if batch.is_empty() {
            return Ok(());
        }
        let outcomes = self.queue.put_many(&batch, &self.options).map_err(|error| Failure::from(error).and(REST))?;
        let mut refused = Vec::new();
        for (outcome, source) in outcomes.into_iter().zip(sources) {
            match outcome.problem {
                None => print(&outcome.id, &source)?,
                Some(problem) => refused.push(Failure::from(Error::from(problem)).of(&source)),
            }
        }
        refused.into_iter().try_for_each(|failure| self.refused(failure))
    }

    /// Goes on after a mail that is refused, unless the next one would be refused as well.
    fn refused(&mut self, failure: Failure) -> Result<(), Failure> {
        if failure.code() != Sysexit::DataErr && failure.code() != Sysexit::Usage {
            let rest = if failure.is_doubtful() { DOUBTFUL_REST } else { REST };
            return Err(failure.and(rest));
        }
        self.report(failure);
        Ok(())
    }

    fn report(&mut self, failure: Failure) {
        self.progress.suspend(|| failure.print());
        self.code = Sysexit::DataErr;
    }
}

fn addresses(address: &Address<'_>) -> Vec<String> {
    address.iter().filter_map(|address| address.address()).map(String::from).collect()
}

/// Prints the id of a mail that is queued, and where it is from.
fn print(id: &str, source: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    writeln!(output, "{id}  {}", super::text::quoted(source))
        .map_err(|error| Failure::stdout(&error).and("what was queued so far stays queued; list shows it"))
}
