//! Replacements of an item by one with the same body: an update of the envelope, and a seal.

use super::{FileOf, ItemFile, Outcome, Queue, WriteOptions, check_id};
use crate::acceptance;
use crate::durable_write::{Durability, TemporaryFile};
use crate::encoder::Encoder;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::System;
use crate::message::{Envelope, Recipient};
use crate::reader::{Judgement, Reader, revision};
use alloc::string::String;
use alloc::vec::Vec;

/// What an update changes: what is not none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnvelopeChange {
    /// The reverse-path.
    pub reverse_path: Option<String>,
    /// The addresses that the client gave.
    pub to: Option<Vec<String>>,
    /// All deliveries.
    pub recipients: Option<Vec<Recipient>>,
    /// The revision that the item must have.
    pub if_revision: Option<String>,
}

impl<S: System> Queue<S> {
    /// Replaces the envelope of an item that is ready or held. Returns the new revision.
    pub fn update(&self, id: &str, change: EnvelopeChange, options: &WriteOptions) -> Result<String> {
        self.writable()?;
        let update = || {
            check_id(id)?;
            let file = self.live_file(id)?;
            let refuse = |code, detail| Err(Error::of(code, Operation::None, &file.name, detail));
            if options.format.is_some_and(|format| format != file.format) {
                return refuse(Code::Unsupported, "an update keeps the format of the item, and this is not it");
            }
            let mut reader = self.reader(&file, Judgement::Item)?;
            if change.if_revision.as_ref().is_some_and(|revision| *revision != reader.revision()) {
                return refuse(Code::Conflict, "the item was replaced since: its revision is another");
            }
            let mut envelope = reader.envelope().clone();
            apply(change, &mut envelope)?;
            let whole = self.rewrite(id, &file, &mut reader, &envelope, options.durability)?;
            self.sync_names(options.durability)?;
            self.counters.updates.add(1);
            Ok(revision(whole))
        };
        update().map_err(|error| self.note(id, error))
    }

    /// Writes new checksums for items that an operator vouches for.
    pub fn seal(&self, ids: &[String]) -> Result<Vec<Outcome>> {
        self.batch(ids, Durability::Full, &|id| {
            let file = self.any_file(id)?;
            let mut reader = self.reader(&file, Judgement::Seal)?;
            let envelope = reader.envelope().clone();
            self.rewrite(id, &file, &mut reader, &envelope, Durability::Full).map(|_| ())
        })
    }

    /// Writes an item with this envelope and the body of the old one, which is checked meanwhile, and publishes that in
    /// its place. Returns the checksum of the new one.
    fn rewrite(
        &self,
        id: &str,
        file: &ItemFile,
        reader: &mut Reader<FileOf<S>>,
        envelope: &Envelope,
        durability: Durability,
    ) -> Result<u64> {
        if envelope.id != id {
            // chasquid would not find it again under the name that it has.
            let detail = "the field `ID` of the item is not the id of its file name: correct one of them by hand";
            return Err(Error::of(Code::InvalidArgument, Operation::None, &file.name, detail));
        }
        let new = self.draw(|random| TemporaryFile::create(&self.directory, &self.counters, random))?;
        let mut encoder = Encoder::begin(new, file.format, envelope, reader.body_length())?;
        if let Err(error) = reader.copy_body(&mut encoder) {
            return Err(encoder.abandon().close().give_up(error.at_path(&file.name)));
        }
        self.counters.bytes_read.add(reader.file_size());
        let (new, whole) = encoder.finish()?;
        new.finish(durability)?.publish_replacing(&file.name)?;
        Ok(whole)
    }
}

fn apply(change: EnvelopeChange, envelope: &mut Envelope) -> Result<()> {
    if let Some(mut reverse_path) = change.reverse_path {
        acceptance::accept_reverse_path(&mut reverse_path)?;
        envelope.reverse_path = reverse_path;
    }
    if let Some(to) = change.to {
        acceptance::accept_to(&to)?;
        envelope.to = to;
    }
    if let Some(mut recipients) = change.recipients {
        acceptance::accept_recipients(&mut recipients)?;
        envelope.recipients = recipients;
    }
    acceptance::accept_size(envelope)
}
