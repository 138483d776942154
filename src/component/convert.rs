//! The types of the contract into those of this crate, and back. Every record is destructured, and every enum matched, so
//! that a field or a case without a counterpart does not compile.

use crate::error::{Cause, Code, Error, Failure, Position};
use crate::item::Format;
use crate::item::envelope::{Envelope, Recipient, Timestamp};
use crate::queue::{
    Attempt, Counts, Detail, Durability, Entry, EnvelopeChange, Info, Integrity, Item, NewMail, Outcome, Recovery,
    State, WriteOptions,
};
use crate::storage::durable_file::{FileOperation, Publish};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use queue_store_contract::exports::mail::queue::{durable_file as wit_file, types as wit};

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

same_cases!(wit::Durability => Durability: Full, ContentOnly, None);
same_cases!(wit::Format => Format: Text, Binary);
same_cases!(Format => wit::Format: Text, Binary);
same_cases!(wit::State => State: Ready, Held, Quarantined);
same_cases!(State => wit::State: Ready, Held, Quarantined);
same_cases!(Integrity => wit::Integrity: Unchecked, Envelope, Whole);
same_cases!(wit::Detail => Detail: Name, Envelope, Whole);
same_cases!(wit_file::Publish => Publish: Replace, CreateNew);
same_cases!(Code => wit::ErrorCode:
    InvalidArgument, NotFound, Exists, Conflict, Corrupt, ChecksumMismatch, IdMismatch, TooLarge, QueueFull, NoSpace,
    Quota, ReadOnly, Access, Unsupported, Busy, Io, Aborted, Indeterminate, NeedsRecovery, Other,
);

/// The one mapping of errors to the contract.
impl From<Error> for wit::Error {
    fn from(error: Error) -> wit::Error {
        // Cause, consequence and remark are in the code and in the detail.
        let (code, detail) = (error.code().into(), error.to_string());
        let Failure { cause: _, operation, path, position, consequence: _, remark: _ } = error.into_failure();
        let position = position.map(|Position { offset, line, column }| wit::Position { offset, line, column });
        wit::Error { code, operation: operation.to_string(), path, detail, position }
    }
}

impl From<wit::Timestamp> for Timestamp {
    fn from(timestamp: wit::Timestamp) -> Timestamp {
        let wit::Timestamp { seconds, nanos } = timestamp;
        Timestamp { seconds, nanos }
    }
}

impl From<Timestamp> for wit::Timestamp {
    fn from(timestamp: Timestamp) -> wit::Timestamp {
        let Timestamp { seconds, nanos } = timestamp;
        wit::Timestamp { seconds, nanos }
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

/// Converts every element of a list.
pub(super) fn all<T, U: From<T>>(list: Vec<T>) -> Vec<U> {
    list.into_iter().map(U::from).collect()
}

/// Converts the result of a call for several items.
pub(super) fn outcomes(outcomes: Result<Vec<Outcome>, Error>) -> Result<Vec<wit::Outcome>, wit::Error> {
    Ok(all(outcomes?))
}

/// Converts the envelope of an item that records this id.
pub(super) fn envelope(id: String, envelope: wit::Envelope) -> Envelope {
    let wit::Envelope { reverse_path, to, recipients, created_at } = envelope;
    Envelope { id, reverse_path, to, recipients: all(recipients), created_at: created_at.map(Into::into) }
}

/// Converts an envelope, and returns the id that the item records beside it.
pub(super) fn split_envelope(envelope: Envelope) -> (String, wit::Envelope) {
    let Envelope { id, reverse_path, to, recipients, created_at } = envelope;
    let created_at = created_at.map(Into::into);
    (id, wit::Envelope { reverse_path, to, recipients: all(recipients), created_at })
}

/// Converts a mail, and the id that the caller chose for it.
pub(super) fn new_mail(id: Option<String>, mail: wit::Mail) -> NewMail {
    let wit::Mail { envelope: wit_envelope, body } = mail;
    NewMail { id, envelope: envelope(String::new(), wit_envelope), body }
}

impl From<wit::IdentifiedMail> for NewMail {
    fn from(mail: wit::IdentifiedMail) -> NewMail {
        let wit::IdentifiedMail { id, mail } = mail;
        new_mail(id, mail)
    }
}

impl From<Item> for wit::Item {
    fn from(item: Item) -> wit::Item {
        let Item { id, envelope, body } = item;
        let (_recorded_id, envelope) = split_envelope(envelope);
        wit::Item { id, envelope, body }
    }
}

impl From<Info> for wit::ItemInfo {
    fn from(info: Info) -> wit::ItemInfo {
        let Info { id, state, format, integrity, envelope, file_size, body_size, revision } = info;
        let (recorded_id, envelope) = split_envelope(envelope);
        wit::ItemInfo {
            recorded_id: Some(recorded_id).filter(|recorded_id| *recorded_id != id),
            id,
            state: state.into(),
            format: format.into(),
            integrity: integrity.into(),
            envelope,
            file_size,
            body_size,
            revision,
        }
    }
}

impl From<Entry> for wit::Entry {
    fn from(entry: Entry) -> wit::Entry {
        let Entry { id, state, info, problem } = entry;
        wit::Entry { id, state: state.into(), info: info.map(Into::into), problem: problem.map(Into::into) }
    }
}

impl From<Outcome> for wit::Outcome {
    fn from(outcome: Outcome) -> wit::Outcome {
        let Outcome { id, problem } = outcome;
        wit::Outcome { id, problem: problem.map(Into::into) }
    }
}

impl From<Counts> for wit::Counts {
    fn from(counts: Counts) -> wit::Counts {
        let Counts { ready, held, quarantined, temporary, foreign } = counts;
        wit::Counts { ready, held, quarantined, temporary, foreign }
    }
}

impl From<Recovery> for wit::Recovery {
    fn from(recovery: Recovery) -> wit::Recovery {
        let Recovery {
            durable_items,
            damaged_items,
            temporary_removed,
            temporary_kept,
            rewritten,
            problems,
            truncated,
        } = recovery;
        wit::Recovery {
            durable_items,
            damaged_items,
            temporary_removed,
            temporary_kept,
            rewritten,
            problems: all(problems),
            truncated,
        }
    }
}

impl From<wit::EnvelopeChange> for EnvelopeChange {
    fn from(change: wit::EnvelopeChange) -> EnvelopeChange {
        let wit::EnvelopeChange { reverse_path, to, recipients, created_at, if_revision } = change;
        let (recipients, created_at) = (recipients.map(all), created_at.map(Into::into));
        EnvelopeChange { reverse_path, to, recipients, created_at, if_revision }
    }
}

impl From<wit::Attempt> for Attempt {
    fn from(attempt: wit::Attempt) -> Attempt {
        let wit::Attempt { recipient, status, message } = attempt;
        Attempt { recipient: recipient as usize, status, message }
    }
}

/// Converts write options, with the defaults filled in.
pub(super) fn write_options(options: Option<wit::WriteOptions>) -> WriteOptions {
    let defaults = WriteOptions::default();
    let Some(wit::WriteOptions { durability, format, max_items, max_body_bytes }) = options else {
        return defaults;
    };
    WriteOptions {
        durability: durability.map_or(defaults.durability, Into::into),
        format: format.map_or(defaults.format, Into::into),
        max_items,
        max_body_bytes: max_body_bytes.map_or(defaults.max_body_bytes, |bytes| bytes.min(defaults.max_body_bytes)),
    }
}

/// Converts a durability; none is the default.
pub(super) fn durability(durability: Option<wit::Durability>) -> Durability {
    durability.map_or(Durability::default(), Into::into)
}

impl TryFrom<wit_file::FileOperation> for FileOperation {
    type Error = Error;

    fn try_from(operation: wit_file::FileOperation) -> Result<FileOperation, Error> {
        use wit_file::FileOperationKind::{SetTimes, Sync, SyncData};
        let wit_file::FileOperation { kind, modified } = operation;
        match (kind, modified) {
            (Sync, None) => Ok(FileOperation::Sync),
            (SyncData, None) => Ok(FileOperation::SyncData),
            (SetTimes, Some(modified)) => Ok(FileOperation::SetTimes(modified.into())),
            (SetTimes, None) => Err(Cause::Argument("`set-times` needs a time").into()),
            (Sync | SyncData, Some(_)) => Err(Cause::Argument("only `set-times` takes a time").into()),
        }
    }
}

/// Converts named numbers or texts.
pub(super) fn named<T>(facts: impl IntoIterator<Item = (&'static str, T)>) -> Vec<(String, T)> {
    facts.into_iter().map(|(name, fact)| (name.to_string(), fact)).collect()
}
