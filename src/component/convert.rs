//! The types of the contract into those of this crate, and back.

use super::bindings::exports::mail::queue::types as wit;
use crate::durable_write::Durability;
use crate::error::{Code, Error, Fields, Operation, Position};
use crate::filesystem::System;
use crate::id;
use crate::message::{Envelope, Recipient, Timestamp};
use crate::name::{Format, State};
use crate::queue::{Counts, Detail, Entry, EnvelopeChange, IdPage, Info, Item, Outcome, Page, Recovery, WriteOptions};
use crate::reader::Integrity;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// Implements the conversion of an enum whose cases have the same names on both sides.
macro_rules! same_cases {
    ($from:path => $to:path: $($case:ident),+ $(,)?) => {
        impl From<$from> for $to {
            fn from(from: $from) -> $to {
                type From_ = $from;
                type To = $to;
                match from {
                    $(From_::$case => To::$case,)+
                }
            }
        }
    };
}

same_cases!(wit::Durability => Durability: Full, File, None);
same_cases!(wit::Format => Format: Text, Binary);
same_cases!(Format => wit::Format: Text, Binary);
same_cases!(wit::State => State: Ready, Held, Quarantined);
same_cases!(State => wit::State: Ready, Held, Quarantined);
same_cases!(Integrity => wit::Integrity: Unchecked, Envelope, Whole);
same_cases!(wit::Detail => Detail: Name, Envelope, Whole);
same_cases!(Code => wit::ErrorCode:
    InvalidArgument, NotFound, Exists, Conflict, Corrupt, ChecksumMismatch, TooLarge, QueueFull, NoSpace, Quota, ReadOnly,
    Access, Unsupported, Busy, Io, Aborted, Indeterminate, NeedsRecovery, Other,
);
same_cases!(Operation => wit::Operation:
    None, Resolve, Open, Stat, Read, Decode, Encode, Create, Write, SetTimes, Sync, Link, Rename, Unlink, SyncDirectory,
    ReadDirectory, Random,
);

impl From<Error> for wit::Error {
    fn from(error: Error) -> wit::Error {
        let Fields { code, operation, path, detail, at } = error.into_fields();
        let at = at.map(|Position { offset, line, column }| wit::Position { offset, line, column });
        wit::Error { code: code.into(), operation: operation.into(), path, detail, at }
    }
}

impl From<wit::Timestamp> for Timestamp {
    fn from(timestamp: wit::Timestamp) -> Timestamp {
        Timestamp { seconds: timestamp.seconds, nanos: timestamp.nanos }
    }
}

impl From<Timestamp> for wit::Timestamp {
    fn from(timestamp: Timestamp) -> wit::Timestamp {
        wit::Timestamp { seconds: timestamp.seconds, nanos: timestamp.nanos }
    }
}

impl From<wit::Recipient> for Recipient {
    fn from(recipient: wit::Recipient) -> Recipient {
        let wit::Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
        Recipient { address, kind, status, last_failure_message, original_address, via }
    }
}

impl From<Recipient> for wit::Recipient {
    fn from(recipient: Recipient) -> wit::Recipient {
        let Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
        wit::Recipient { address, kind, status, last_failure_message, original_address, via }
    }
}

fn convert_all<T, U: From<T>>(all: Vec<T>) -> Vec<U> {
    all.into_iter().map(U::from).collect()
}

/// The envelope of an item that has, or will have, this id.
pub(super) fn envelope(id: String, envelope: wit::Envelope) -> Envelope {
    let wit::Envelope { reverse_path, to, recipients, created_at } = envelope;
    Envelope { id, reverse_path, to, recipients: convert_all(recipients), created_at: created_at.map(Into::into) }
}

impl From<Envelope> for wit::Envelope {
    fn from(envelope: Envelope) -> wit::Envelope {
        wit::Envelope {
            reverse_path: envelope.reverse_path,
            to: envelope.to,
            recipients: convert_all(envelope.recipients),
            created_at: envelope.created_at.map(Into::into),
        }
    }
}

/// The id of a put: empty where one is to be drawn. An empty one that was given is refused here.
pub(super) fn given_id(id: Option<String>) -> Result<String, Error> {
    if let Some(id) = &id {
        id::check(id).map_err(|invalid| Error::invalid(&invalid.to_string()))?;
    }
    Ok(id.unwrap_or_default())
}

impl From<Item> for wit::Item {
    fn from(item: Item) -> wit::Item {
        wit::Item { id: item.id, envelope: item.envelope.into(), body: item.body }
    }
}

impl From<Info> for wit::ItemInfo {
    fn from(info: Info) -> wit::ItemInfo {
        let attributes = if info.envelope.id == info.id {
            Vec::new()
        } else {
            vec![("item-id".to_string(), info.envelope.id.clone())]
        };
        wit::ItemInfo {
            id: info.id,
            state: info.state.into(),
            format: info.format.into(),
            integrity: info.integrity.into(),
            envelope: info.envelope.into(),
            file_size: info.file_size,
            body_size: info.body_size,
            revision: info.revision,
            attributes,
        }
    }
}

impl From<Entry> for wit::Entry {
    fn from(entry: Entry) -> wit::Entry {
        wit::Entry {
            id: entry.id,
            state: entry.state.into(),
            info: entry.info.map(Into::into),
            problem: entry.problem.map(Into::into),
        }
    }
}

pub(super) fn entries(entries: Vec<Entry>) -> Vec<wit::Entry> {
    convert_all(entries)
}

impl From<Page> for wit::Page {
    fn from(page: Page) -> wit::Page {
        wit::Page { entries: convert_all(page.entries), next: page.next }
    }
}

impl From<IdPage> for wit::IdPage {
    fn from(page: IdPage) -> wit::IdPage {
        wit::IdPage { ids: page.ids, next: page.next }
    }
}

impl From<Outcome> for wit::Outcome {
    fn from(outcome: Outcome) -> wit::Outcome {
        wit::Outcome { id: outcome.id, problem: outcome.problem.map(Into::into) }
    }
}

pub(super) fn outcomes(outcomes: Result<Vec<Outcome>, Error>) -> Result<Vec<wit::Outcome>, wit::Error> {
    Ok(convert_all(outcomes?))
}

impl From<Counts> for wit::Counts {
    fn from(counts: Counts) -> wit::Counts {
        let Counts { ready, held, quarantined, temporary, foreign } = counts;
        wit::Counts { ready, held, quarantined, temporary, foreign }
    }
}

impl From<Recovery> for wit::Recovery {
    fn from(recovery: Recovery) -> wit::Recovery {
        let Recovery { items, swept, kept, settled, problems, truncated } = recovery;
        wit::Recovery { items, swept, kept, settled, problems: convert_all(problems), truncated }
    }
}

impl From<wit::EnvelopeChange> for EnvelopeChange {
    fn from(change: wit::EnvelopeChange) -> EnvelopeChange {
        EnvelopeChange {
            reverse_path: change.reverse_path,
            to: change.to,
            recipients: change.recipients.map(convert_all),
            if_revision: change.if_revision,
        }
    }
}

/// How to write, by default or as given.
pub(super) fn write_options(options: Option<wit::WriteOptions>) -> Result<WriteOptions, Error> {
    let mut converted = WriteOptions::default();
    let Some(options) = options else {
        return Ok(converted);
    };
    converted.durability = options.durability.map_or(Durability::Full, Into::into);
    converted.format = options.format.map(Into::into);
    converted.max_items = options.max_items;
    for (name, value) in options.settings {
        match name.as_str() {
            "max-body-bytes" => {
                let bytes: Option<u64> = value.parse().ok();
                let bytes = bytes.ok_or_else(|| Error::invalid("the setting `max-body-bytes` is a number of bytes"))?;
                converted.max_body_bytes = converted.max_body_bytes.min(bytes);
            }
            _ => return Err(Error::refused(Code::Unsupported, &["there is no setting `", &name, "`"].concat())),
        }
    }
    Ok(converted)
}

pub(super) fn durability(durability: Option<wit::Durability>) -> Durability {
    durability.map_or(Durability::Full, Into::into)
}

pub(super) fn states(states: Vec<wit::State>) -> Vec<State> {
    convert_all(states)
}

pub(super) fn limit(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The path of the only directory that the host opened.
pub(super) fn only_preopen<S: System>(system: &S) -> Result<String, Error> {
    let mut preopens = system.preopens();
    let refused = |code, detail| Err(Error::of(code, Operation::Resolve, "", detail));
    match (preopens.pop(), preopens.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => refused(Code::NotFound, "the host opened no directory for this instance"),
        (Some(_), false) => refused(
            Code::Conflict,
            "the host opened several directories for this instance: the queue must be the only one",
        ),
    }
}
