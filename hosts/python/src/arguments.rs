//! Arguments from Python: objects with the attributes of `queue_store._types`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use queue_store_host::UnknownName;
use queue_store_host::types::{self, Durability};
use std::str::FromStr;

#[derive(FromPyObject)]
pub(crate) struct Timestamp {
    seconds: i64,
    nanos: i32,
}

#[derive(FromPyObject)]
pub(crate) struct Recipient {
    address: String,
    kind: i32,
    status: i32,
    last_failure_message: String,
    original_address: String,
    via: Vec<String>,
}

#[derive(FromPyObject)]
pub(crate) struct Envelope {
    reverse_path: String,
    to: Vec<String>,
    recipients: Vec<Recipient>,
    created_at: Option<Timestamp>,
}

#[derive(FromPyObject)]
pub(crate) struct IdentifiedMail {
    id: Option<String>,
    envelope: Envelope,
    body: Vec<u8>,
}

#[derive(FromPyObject)]
pub(crate) struct WriteOptions {
    durability: Option<String>,
    format: Option<String>,
    max_items: Option<u64>,
    max_body_bytes: Option<u64>,
}

#[derive(FromPyObject)]
pub(crate) struct EnvelopeChange {
    reverse_path: Option<String>,
    to: Option<Vec<String>>,
    recipients: Option<Vec<Recipient>>,
    created_at: Option<Timestamp>,
    if_revision: Option<String>,
}

#[derive(FromPyObject)]
pub(crate) struct Attempt {
    recipient: u32,
    status: i32,
    message: String,
}

impl From<Timestamp> for types::Timestamp {
    fn from(Timestamp { seconds, nanos }: Timestamp) -> types::Timestamp {
        types::Timestamp { seconds, nanos }
    }
}

impl From<Recipient> for types::Recipient {
    fn from(recipient: Recipient) -> types::Recipient {
        let Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
        types::Recipient { address, kind, status, last_failure_message, original_address, via }
    }
}

impl From<Envelope> for types::Envelope {
    fn from(Envelope { reverse_path, to, recipients, created_at }: Envelope) -> types::Envelope {
        types::Envelope { reverse_path, to, recipients: list(recipients), created_at: created_at.map(Into::into) }
    }
}

impl From<IdentifiedMail> for types::IdentifiedMail {
    fn from(IdentifiedMail { id, envelope, body }: IdentifiedMail) -> types::IdentifiedMail {
        types::IdentifiedMail { id, mail: types::Mail { envelope: envelope.into(), body } }
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
    type Error = PyErr;

    fn try_from(options: WriteOptions) -> PyResult<types::WriteOptions> {
        let WriteOptions { durability, format, max_items, max_body_bytes } = options;
        let durability = durability.as_deref().map(named).transpose()?;
        let format = format.as_deref().map(named).transpose()?;
        Ok(types::WriteOptions { durability, format, max_items, max_body_bytes })
    }
}

/// Converts each value.
pub(crate) fn list<T, U: From<T>>(values: Vec<T>) -> Vec<U> {
    values.into_iter().map(Into::into).collect()
}

/// Returns the case of an enum that has a name.
pub(crate) fn named<T: FromStr<Err = UnknownName>>(name: &str) -> PyResult<T> {
    name.parse().map_err(|unknown: UnknownName| PyValueError::new_err(unknown.to_string()))
}

/// Returns the durability that has a name; none given: full.
pub(crate) fn durability(name: Option<&str>) -> PyResult<Durability> {
    name.map_or(Ok(Durability::Full), named)
}
