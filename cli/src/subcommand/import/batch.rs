//! Mails that are queued with one fsync of the directory.

use crate::failure::Failure;
use queue_store_host::types::{IdentifiedMail, Mail, WriteOptions};
use queue_store_host::{Error, Queue};
use std::mem;

/// Mails of a full batch.
const MAX_MAILS: usize = 100;

/// Bytes of bodies above which a batch is full.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// Mails that are to be queued.
#[derive(Default)]
pub(super) struct Batch {
    mails: Vec<IdentifiedMail>,
    sources: Vec<Source>,
    bytes: usize,
}

/// The id of a mail, and its file, with its number where that is an mbox.
pub(super) struct Source {
    pub(super) id: String,
    pub(super) name: String,
}

impl Batch {
    /// Adds a mail.
    pub(super) fn add(&mut self, source: Source, mail: Mail) {
        self.bytes += mail.body.len();
        self.mails.push(IdentifiedMail { id: Some(source.id.clone()), mail });
        self.sources.push(source);
    }

    /// Returns whether the batch is to be queued before another mail is added.
    pub(super) fn is_full(&self) -> bool {
        self.mails.len() >= MAX_MAILS || self.bytes > MAX_BYTES
    }

    /// Queues the mails. Returns the failure of each that was not queued now.
    pub(super) fn queue(
        &mut self,
        queue: &Queue,
        options: &WriteOptions,
    ) -> Result<Vec<(Source, Option<Failure>)>, Failure> {
        let Batch { mails, sources, .. } = mem::take(self);
        if mails.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = queue.put_many(&mails, options)?;
        let failures = outcomes.into_iter().map(|outcome| outcome.problem.map(|problem| Error::from(problem).into()));
        Ok(sources.into_iter().zip(failures).collect())
    }
}
