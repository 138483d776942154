//! Replacements of an item by one with the same body: an update of the envelope, and a seal.

use super::{FileOf, ItemFile, Outcome, Queue, WriteOptions, check_id};
use crate::acceptance;
use crate::durable_write::Durability;
use crate::encoder::Encoder;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::System;
use crate::list::{List, Maybe, Text};
use crate::message::{Envelope, Header, Recipient};
use crate::mutant::{Safeguard, removed};
use crate::reader::{Judgement, Reader, revision};
use core::mem::swap;

/// `types.envelope-change`: what an update changes, which is what is not none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct EnvelopeChange {
    /// The reverse-path.
    pub reverse_path: Maybe<Text>,
    /// The addresses that the client gave.
    pub to: Maybe<List<Text>>,
    /// All deliveries.
    pub recipients: Maybe<List<Recipient>>,
    /// The revision that the item must have.
    pub if_revision: Maybe<Text>,
}

impl<S: System> Queue<S> {
    /// Replaces the envelope of an item that is ready or held. Returns the new revision.
    pub fn update(&self, id: &str, change: &mut EnvelopeChange, options: &WriteOptions) -> Result<Text> {
        self.writable()?;
        let mut update = || {
            check_id(id)?;
            let file = self.live_file(id)?;
            let refuse = |code, detail| Err(Error::of(code, Operation::None, &file.name, detail));
            if options.format.is_some_and(|format| format != file.format()) {
                return refuse(Code::Unsupported, "an update keeps the format of the item, and this is not it");
            }
            let mut reader =
                self.reader(&file, if removed(Safeguard::UpdateChecks) { Judgement::Seal } else { Judgement::Item })?;
            if change.if_revision.as_ref().is_some_and(|revision| *revision != reader.revision()) {
                return refuse(Code::Conflict, "the item was replaced since: its revision is another");
            }
            let mut header = core::mem::take(reader.header());
            apply(change, &mut header.envelope)?;
            let whole = self.rewrite(id, &file, &mut reader, &mut header, options.durability)?;
            self.sync_names(options.durability)?;
            self.counters.updates.add(1);
            Ok(revision(whole))
        };
        update().map_err(|error| self.note(id, error))
    }

    /// Writes new checksums for items that an operator vouches for.
    pub fn seal(&self, ids: &[Text]) -> Result<List<Outcome>> {
        self.batch(ids, Durability::Full, &|id| {
            let file = self.any_file(id)?;
            let mut reader = self.reader(&file, Judgement::Seal)?;
            let mut header = core::mem::take(reader.header());
            self.rewrite(id, &file, &mut reader, &mut header, Durability::Full).map(|_| ())
        })
    }

    /// Writes an item with this envelope and the body of the old one, which is checked meanwhile, and publishes that in
    /// its place. Returns the checksum of the new one.
    fn rewrite(
        &self,
        id: &str,
        file: &ItemFile,
        reader: &mut Reader<FileOf<S>>,
        header: &mut Header,
        durability: Durability,
    ) -> Result<u64> {
        if *header.id != *id {
            // chasquid would not find it again under the name that it has.
            let detail = "the field `ID` of the item is not the id of its file name: correct one of them by hand";
            return Err(Error::of(Code::InvalidArgument, Operation::None, &file.name, detail));
        }
        let mut new = self.temporary()?;
        let mut encoder = Encoder::begin(file.format(), header, reader.body_length())?;
        if let Err(error) = reader.copy_body(&mut encoder, &mut *new) {
            return Err(new.give_up(error.at_path(&file.name)));
        }
        self.counters.bytes_read.add(reader.file_size());
        let whole = encoder.finish(&mut *new)?;
        new.finish(durability)?;
        self.sync_inherited(durability)?;
        new.publish_replacing(&file.name)?;
        Ok(whole)
    }
}

/// Exchanges what the change has for what the envelope has.
fn apply(change: &mut EnvelopeChange, envelope: &mut Envelope) -> Result<()> {
    if let Maybe::Some(reverse_path) = &mut change.reverse_path {
        acceptance::accept_reverse_path(reverse_path)?;
        swap(reverse_path, &mut envelope.reverse_path);
    }
    if let Maybe::Some(to) = &mut change.to {
        acceptance::accept_to(to)?;
        swap(to, &mut envelope.to);
    }
    if let Maybe::Some(recipients) = &mut change.recipients {
        acceptance::accept_recipients(recipients)?;
        swap(recipients, &mut envelope.recipients);
    }
    acceptance::accept_size(envelope)
}
