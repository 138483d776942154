//! Mails that are queued with one fsync of the directory.

use crate::change_log;
use crate::escape::escape;
use crate::failure::{Cause, Failure, note};
use queue_store_host::types::{IdentifiedMail, Mail, WriteOptions};
use queue_store_host::{Error, Queue};
use std::io::{self, Write};

/// Mails of a full batch.
const MAX_MAILS: usize = 100;

/// Bytes of bodies above which a batch is full.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// Mails that are to be queued.
pub(super) struct Batch<'a> {
    queue: &'a Queue,
    options: WriteOptions,
    mails: Vec<IdentifiedMail>,
    /// The file of each mail, and its number where the file is an mbox.
    sources: Vec<String>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    /// Creates a batch without mails.
    pub(super) fn new(queue: &'a Queue, options: WriteOptions) -> Batch<'a> {
        Batch { queue, options, mails: Vec::new(), sources: Vec::new(), bytes: 0 }
    }

    /// Returns the queue.
    pub(super) fn queue(&self) -> &'a Queue {
        self.queue
    }

    /// Returns the options with which the mails are written.
    pub(super) fn options(&self) -> &WriteOptions {
        &self.options
    }

    /// Adds a mail.
    pub(super) fn add(&mut self, source: String, mail: Mail) {
        self.bytes += mail.body.len();
        self.mails.push(IdentifiedMail { id: None, mail });
        self.sources.push(source);
    }

    /// Returns whether the batch is to be queued before another mail is added.
    pub(super) fn is_full(&self) -> bool {
        self.mails.len() >= MAX_MAILS || self.bytes > MAX_BYTES
    }

    /// Queues the mails and prints their ids. Returns the failures of those that were refused.
    pub(super) fn queue_all(&mut self) -> Result<Vec<Failure>, Failure> {
        let Batch { mails, sources, .. } = std::mem::replace(self, Batch::new(self.queue, self.options));
        if mails.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = self.queue.put_many(&mails, &self.options);
        let outcomes = outcomes.map_err(|error| Failure::from(error).with_note(note::REST_NOT_QUEUED))?;
        let mut refused = Vec::new();
        for (outcome, source) in outcomes.into_iter().zip(sources) {
            match outcome.problem {
                None => print(&outcome.id.expect("a mail that was queued has an id"), &source)?,
                Some(problem) => refused.push(Failure::from(Error::from(problem)).within(&source)),
            }
        }
        Ok(refused)
    }
}

/// Logs and prints the id of a mail that is queued, and its source.
pub(super) fn print(id: &str, source: &str) -> Result<(), Failure> {
    change_log::record(id, Ok(())).map_err(|failure| failure.with_note(note::IMPORTED_STAY))?;
    let printed = writeln!(io::stdout().lock(), "{id}  {}", escape(source));
    printed.map_err(|error| Failure::from(Cause::Stdout(error)).with_note(note::IMPORTED_STAY))
}
