//! The records of the contract as objects of JavaScript.

use crate::task::invalid;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use queue_store_host::UnknownName;
use queue_store_host::types::{self, Durability};
use std::str::FromStr;

/// The largest integer that a number of JavaScript holds exactly is larger than any count or size of a queue.
#[allow(clippy::cast_precision_loss, reason = "see above")]
fn number(count: u64) -> f64 {
    count as f64
}

#[napi(object)]
pub struct Timestamp {
    pub seconds: i64,
    pub nanos: i32,
}

#[napi(object)]
pub struct Recipient {
    pub address: String,
    pub kind: i32,
    pub status: i32,
    pub last_failure_message: String,
    pub original_address: String,
    pub via: Vec<String>,
}

#[napi(object)]
pub struct Envelope {
    pub reverse_path: String,
    pub to: Vec<String>,
    pub recipients: Vec<Recipient>,
    pub created_at: Option<Timestamp>,
}

#[napi(object, object_to_js = false)]
pub struct IdentifiedMail {
    pub id: Option<String>,
    pub envelope: Envelope,
    pub body: Buffer,
}

#[napi(object, object_to_js = false)]
pub struct WriteOptions {
    pub durability: Option<String>,
    pub format: Option<String>,
    pub max_items: Option<i64>,
    pub max_body_bytes: Option<i64>,
}

#[napi(object, object_to_js = false)]
pub struct EnvelopeChange {
    pub reverse_path: Option<String>,
    pub to: Option<Vec<String>>,
    pub recipients: Option<Vec<Recipient>>,
    pub created_at: Option<Timestamp>,
    pub if_revision: Option<String>,
}

#[napi(object, object_to_js = false)]
pub struct Attempt {
    pub recipient: u32,
    pub status: i32,
    pub message: String,
}

#[napi(object, object_from_js = false)]
pub struct Item {
    pub id: String,
    pub envelope: Envelope,
    pub body: Buffer,
}

#[napi(object, object_from_js = false)]
pub struct ItemInfo {
    pub id: String,
    pub state: &'static str,
    pub format: &'static str,
    pub integrity: &'static str,
    pub envelope: Envelope,
    pub file_size: f64,
    pub body_size: Option<f64>,
    pub revision: String,
    pub recorded_id: Option<String>,
}

#[napi(object, object_from_js = false)]
pub struct Position {
    pub offset: f64,
    pub line: f64,
    pub column: f64,
}

#[napi(object, object_from_js = false)]
pub struct Problem {
    pub code: &'static str,
    pub operation: String,
    pub path: String,
    pub detail: String,
    pub position: Option<Position>,
}

#[napi(object, object_from_js = false)]
pub struct Entry {
    pub id: String,
    pub state: &'static str,
    pub info: Option<ItemInfo>,
    pub problem: Option<Problem>,
}

#[napi(object, object_from_js = false)]
pub struct Outcome {
    pub id: Option<String>,
    pub problem: Option<Problem>,
}

#[napi(object, object_from_js = false)]
pub struct Counts {
    pub ready: f64,
    pub held: f64,
    pub quarantined: f64,
    pub temporary: f64,
    pub foreign: f64,
}

#[napi(object, object_from_js = false)]
pub struct Recovery {
    pub durable_items: f64,
    pub damaged_items: f64,
    pub temporary_removed: f64,
    pub temporary_kept: f64,
    pub rewritten: f64,
    pub problems: Vec<Problem>,
    pub truncated: bool,
}

/// A name and its value.
#[napi(object, object_from_js = false)]
pub struct NamedNumber {
    pub name: String,
    pub value: f64,
}

/// A name and its value.
#[napi(object, object_from_js = false)]
pub struct NamedText {
    pub name: String,
    pub value: String,
}

impl From<Timestamp> for types::Timestamp {
    fn from(Timestamp { seconds, nanos }: Timestamp) -> types::Timestamp {
        types::Timestamp { seconds, nanos }
    }
}

impl From<types::Timestamp> for Timestamp {
    fn from(types::Timestamp { seconds, nanos }: types::Timestamp) -> Timestamp {
        Timestamp { seconds, nanos }
    }
}

impl From<Recipient> for types::Recipient {
    fn from(recipient: Recipient) -> types::Recipient {
        let Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
        types::Recipient { address, kind, status, last_failure_message, original_address, via }
    }
}

impl From<types::Recipient> for Recipient {
    fn from(recipient: types::Recipient) -> Recipient {
        let types::Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
        Recipient { address, kind, status, last_failure_message, original_address, via }
    }
}

impl From<Envelope> for types::Envelope {
    fn from(Envelope { reverse_path, to, recipients, created_at }: Envelope) -> types::Envelope {
        types::Envelope { reverse_path, to, recipients: list(recipients), created_at: created_at.map(Into::into) }
    }
}

impl From<types::Envelope> for Envelope {
    fn from(types::Envelope { reverse_path, to, recipients, created_at }: types::Envelope) -> Envelope {
        Envelope { reverse_path, to, recipients: list(recipients), created_at: created_at.map(Into::into) }
    }
}

impl From<IdentifiedMail> for types::IdentifiedMail {
    fn from(IdentifiedMail { id, envelope, body }: IdentifiedMail) -> types::IdentifiedMail {
        types::IdentifiedMail { id, mail: types::Mail { envelope: envelope.into(), body: body.to_vec() } }
    }
}

impl From<EnvelopeChange> for types::EnvelopeChange {
    fn from(change: EnvelopeChange) -> types::EnvelopeChange {
        let EnvelopeChange { reverse_path, to, recipients, created_at, if_revision } = change;
        let (recipients, created_at) = (recipients.map(list), created_at.map(Into::into));
        types::EnvelopeChange { reverse_path, to, recipients, created_at, if_revision }
    }
}

impl From<Attempt> for types::Attempt {
    fn from(Attempt { recipient, status, message }: Attempt) -> types::Attempt {
        types::Attempt { recipient, status, message }
    }
}

impl TryFrom<WriteOptions> for types::WriteOptions {
    type Error = napi::Error;

    fn try_from(options: WriteOptions) -> napi::Result<types::WriteOptions> {
        let WriteOptions { durability, format, max_items, max_body_bytes } = options;
        let count = |count: Option<i64>| count.map(u64::try_from).transpose().map_err(invalid);
        Ok(types::WriteOptions {
            durability: durability.as_deref().map(named).transpose()?,
            format: format.as_deref().map(named).transpose()?,
            max_items: count(max_items)?,
            max_body_bytes: count(max_body_bytes)?,
        })
    }
}

impl From<types::Item> for Item {
    fn from(types::Item { id, envelope, body }: types::Item) -> Item {
        Item { id, envelope: envelope.into(), body: body.into() }
    }
}

impl From<types::ItemInfo> for ItemInfo {
    fn from(info: types::ItemInfo) -> ItemInfo {
        let types::ItemInfo { id, state, format, integrity, envelope, file_size, body_size, revision, recorded_id } =
            info;
        ItemInfo {
            id,
            state: state.name(),
            format: format.name(),
            integrity: integrity.name(),
            envelope: envelope.into(),
            file_size: number(file_size),
            body_size: body_size.map(number),
            revision,
            recorded_id,
        }
    }
}

impl From<types::Error> for Problem {
    fn from(types::Error { code, operation, path, detail, position }: types::Error) -> Problem {
        let position = position.map(|types::Position { offset, line, column }| Position {
            offset: number(offset),
            line: number(line),
            column: number(column),
        });
        Problem { code: code.name(), operation, path, detail, position }
    }
}

impl From<types::Entry> for Entry {
    fn from(types::Entry { id, state, info, problem }: types::Entry) -> Entry {
        Entry { id, state: state.name(), info: info.map(Into::into), problem: problem.map(Into::into) }
    }
}

impl From<types::Outcome> for Outcome {
    fn from(types::Outcome { id, problem }: types::Outcome) -> Outcome {
        Outcome { id, problem: problem.map(Into::into) }
    }
}

impl From<types::Counts> for Counts {
    fn from(types::Counts { ready, held, quarantined, temporary, foreign }: types::Counts) -> Counts {
        let [ready, held, quarantined, temporary, foreign] = [ready, held, quarantined, temporary, foreign].map(number);
        Counts { ready, held, quarantined, temporary, foreign }
    }
}

impl From<types::Recovery> for Recovery {
    fn from(recovery: types::Recovery) -> Recovery {
        let types::Recovery {
            durable_items,
            damaged_items,
            temporary_removed,
            temporary_kept,
            rewritten,
            problems,
            truncated,
        } = recovery;
        Recovery {
            durable_items: number(durable_items),
            damaged_items: number(damaged_items),
            temporary_removed: number(temporary_removed),
            temporary_kept: number(temporary_kept),
            rewritten: number(rewritten),
            problems: list(problems),
            truncated,
        }
    }
}

impl From<(String, u64)> for NamedNumber {
    fn from((name, value): (String, u64)) -> NamedNumber {
        NamedNumber { name, value: number(value) }
    }
}

impl From<(String, String)> for NamedText {
    fn from((name, value): (String, String)) -> NamedText {
        NamedText { name, value }
    }
}

/// Converts each value.
pub(crate) fn list<T, U: From<T>>(values: Vec<T>) -> Vec<U> {
    values.into_iter().map(Into::into).collect()
}

/// Returns the case of an enum that has a name.
pub(crate) fn named<T: FromStr<Err = UnknownName>>(name: &str) -> napi::Result<T> {
    name.parse().map_err(|unknown: UnknownName| invalid(unknown))
}

/// Returns the durability that has a name; none given: full.
pub(crate) fn durability(name: Option<String>) -> napi::Result<Durability> {
    name.as_deref().map_or(Ok(Durability::Full), named)
}
