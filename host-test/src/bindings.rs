//! The contract as wasmtime generates it from `wit/`, without the conveniences of the host library.

#![allow(missing_docs, reason = "documented in `wit/`")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "queue",
    additional_derives: [PartialEq, Eq],
});

pub use exports::mail::queue::durable_file::{FileOperation, FileOperationKind, Publish};
pub use exports::mail::queue::types::*;

/// Returns write options that all are the default.
pub fn options() -> WriteOptions {
    WriteOptions { durability: None, format: None, max_items: None, max_body_bytes: None }
}

/// Returns write options that store an item in `format`.
pub fn stored_as(format: Format) -> WriteOptions {
    WriteOptions { format: Some(format), ..options() }
}

/// Returns a pending EMAIL delivery to `address`.
pub fn recipient(address: &str) -> Recipient {
    Recipient {
        address: address.to_string(),
        kind: 0,
        status: 0,
        last_failure_message: String::new(),
        original_address: address.to_string(),
        via: Vec::new(),
    }
}

/// Returns a mail from `a@example.com` to `b@example.com`.
pub fn mail(body: &[u8]) -> Mail {
    Mail { envelope: envelope(), body: body.to_vec() }
}

/// Returns the envelope of [`mail`].
pub fn envelope() -> Envelope {
    Envelope {
        reverse_path: "a@example.com".to_string(),
        to: vec!["b@example.com".to_string()],
        recipients: vec![recipient("b@example.com")],
        created_at: Some(Timestamp { seconds: 1_760_785_824, nanos: 123_456_789 }),
    }
}

/// Returns a mail to be queued under `id`, or under a generated id.
pub fn identified(id: Option<&str>, mail: Mail) -> IdentifiedMail {
    IdentifiedMail { id: id.map(str::to_string), mail }
}

/// Returns a change of an envelope that changes nothing.
pub fn no_change() -> EnvelopeChange {
    EnvelopeChange { reverse_path: None, to: None, recipients: None, created_at: None, if_revision: None }
}

/// Returns the ids as a call for several items takes them.
pub fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_string()).collect()
}

impl Outcome {
    /// Returns the code of the problem, or none where the item's part of the call succeeded.
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem.as_ref().map(|problem| problem.code)
    }
}
