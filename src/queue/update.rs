//! Changes of an item's envelope.

use super::handle::Queue;
use super::lookup::most_restrained;
use crate::error::{Cause, Code, Error, Operation, Result};
use crate::item::decoder::{Strictness, revision};
use crate::item::envelope::{Envelope, Recipient, Timestamp};
use crate::item::id::ItemId;
use crate::item::validation::{self, InvalidMail};
use crate::storage::filesystem::System;
use crate::storage::temporary_file::Durability;
use alloc::string::String;
use alloc::vec::Vec;

/// `types.envelope-change`: the parts of an envelope that an update replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvelopeChange {
    /// The reverse-path.
    pub reverse_path: Option<String>,
    /// The addresses that the client gave.
    pub to: Option<Vec<String>>,
    /// All deliveries.
    pub recipients: Option<Vec<Recipient>>,
    /// The time of acceptance.
    pub created_at: Option<Timestamp>,
    /// The revision that the item must have.
    pub if_revision: Option<String>,
}

/// `types.attempt`: the result of one delivery attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The place of the delivery in the envelope, from 0.
    pub recipient: usize,
    /// The new status.
    pub status: i32,
    /// The new failure message.
    pub message: String,
}

impl EnvelopeChange {
    /// Replaces the parts of an envelope, whatever the revision.
    pub fn apply(self, envelope: &mut Envelope) -> Result<()> {
        let EnvelopeChange { reverse_path, to, recipients, created_at, if_revision: _ } = self;
        if let Some(mut reverse_path) = reverse_path {
            validation::accept_reverse_path(&mut reverse_path)?;
            envelope.reverse_path = reverse_path;
        }
        if let Some(to) = to {
            validation::accept_to(&to)?;
            envelope.to = to;
        }
        if let Some(mut recipients) = recipients {
            validation::accept_recipients(&mut recipients)?;
            envelope.recipients = recipients;
        }
        if created_at.is_some() {
            envelope.created_at = created_at;
        }
        Ok(validation::accept_size(envelope)?)
    }
}

impl Attempt {
    /// Records the results of delivery attempts in an envelope.
    pub fn record_all(attempts: Vec<Attempt>, envelope: &mut Envelope) -> Result<()> {
        for Attempt { recipient, status, message } in attempts {
            let Some(recipient) = envelope.recipients.get_mut(recipient) else {
                return Err(Cause::Argument("the item has no delivery at this place").into());
            };
            if message.contains('\0') {
                return Err(InvalidMail::Nul.into());
            }
            recipient.status = status;
            recipient.last_failure_message = message;
        }
        Ok(())
    }
}

impl<S: System> Queue<S> {
    /// Replaces parts of the envelope of an item that is ready or held. Returns the new revision.
    pub fn update(&self, id: &str, change: EnvelopeChange, durability: Durability) -> Result<String> {
        let if_revision = change.if_revision.clone();
        self.change_envelope(id, if_revision.as_deref(), durability, |envelope| change.apply(envelope))
    }

    /// Records the results of delivery attempts. Returns the new revision.
    pub fn record_attempts(
        &self,
        id: &str,
        attempts: Vec<Attempt>,
        if_revision: Option<&str>,
        durability: Durability,
    ) -> Result<String> {
        self.change_envelope(id, if_revision, durability, |envelope| Attempt::record_all(attempts, envelope))
    }

    /// Changes the envelope of an item that is ready or held and, if asked for, has this revision. Returns the new revision.
    fn change_envelope(
        &self,
        id: &str,
        if_revision: Option<&str>,
        durability: Durability,
        change: impl FnOnce(&mut Envelope) -> Result<()>,
    ) -> Result<String> {
        self.check_unmarked()?;
        self.sync_preexisting_entries(durability).map_err(|error| self.error(error))?;
        let id = ItemId::parse(id)?;
        let update = || {
            let names = self.names_of_live_item(&id)?;
            let file = most_restrained(&names);
            let mut item = self.open_item(file, Strictness::Full)?;
            if if_revision.is_some_and(|revision| revision != item.revision()) {
                return Err(Error::new(Cause::OtherRevision, Operation::None, &file.name));
            }
            let mut envelope = item.reader.take_envelope();
            change(&mut envelope)?;
            let checksum = self.rewrite(&id, &names, &mut item, &envelope, durability)?;
            self.sync_change(durability)?;
            self.counters.updates.add(1);
            Ok(revision(checksum))
        };
        let updated = update().or_else(|error| {
            if error.code() == Code::NotFound {
                // The removal of the item may not be durable yet.
                self.sync_change(durability)?;
            }
            Err(error)
        });
        updated.map_err(|error| self.item_error(&id, error))
    }
}
