//! The contract, as wasmtime generates it from `wit/`: all of it, as it is, without the comfort of the host library.

#![allow(missing_docs, reason = "documented in `wit/`")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "queue",
    with: { "wasi": wasmtime_wasi::p2::bindings::sync },
    additional_derives: [PartialEq, Eq],
});

pub use exports::mail::queue::durable_file::{FileOperation, FileOperationKind, Publish};
pub use exports::mail::queue::types::*;

/// How to write, by default.
pub fn options() -> WriteOptions {
    WriteOptions { durability: None, format: None, max_items: None, settings: Vec::new() }
}

/// A delivery by mail, still to be made.
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

/// A mail from `a@example.com` to `b@example.com`.
pub fn mail(body: &[u8]) -> Mail {
    Mail { envelope: envelope(), body: body.to_vec() }
}

/// The envelope of [`mail`].
pub fn envelope() -> Envelope {
    Envelope {
        reverse_path: "a@example.com".to_string(),
        to: vec!["b@example.com".to_string()],
        recipients: vec![recipient("b@example.com")],
        created_at: Some(Timestamp { seconds: 1_760_785_824, nanos: 123_456_789 }),
    }
}

/// No change of an envelope.
pub fn no_change() -> EnvelopeChange {
    EnvelopeChange { reverse_path: None, to: None, recipients: None, if_revision: None }
}

impl Outcome {
    /// The code of the problem, if there is one.
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem.as_ref().map(|problem| problem.code)
    }
}
