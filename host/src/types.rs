//! The types of the contract: `mail:queue/types`.

pub use crate::bindings::exports::mail::queue::types::{
    Attempt, Counts, Detail, Durability, Entry, Envelope, EnvelopeChange, Error, ErrorCode, Format, IdentifiedMail,
    Integrity, Item, ItemInfo, Mail, Outcome, Position, Recipient, Recovery, State, Timestamp, WriteOptions,
};

impl Mail {
    /// Makes a mail with one EMAIL delivery for each address in `to`, accepted when it is put. An empty `from` is the
    /// null reverse-path.
    pub fn new(
        from: impl Into<String>,
        to: impl IntoIterator<Item = impl Into<String>>,
        body: impl Into<Vec<u8>>,
    ) -> Mail {
        let to = to.into_iter().map(Into::into).collect();
        Mail { envelope: Envelope { reverse_path: from.into(), to, ..Envelope::default() }, body: body.into() }
    }
}

impl From<Mail> for IdentifiedMail {
    /// Makes a mail that is put under a generated id.
    fn from(mail: Mail) -> IdentifiedMail {
        IdentifiedMail { id: None, mail }
    }
}

impl Default for Envelope {
    /// The null reverse-path, no addresses, no deliveries, accepted when it is put.
    fn default() -> Envelope {
        Envelope { reverse_path: String::new(), to: Vec::new(), recipients: Vec::new(), created_at: None }
    }
}

impl Default for Recipient {
    /// Kind EMAIL, status PENDING, and an empty address, which must be replaced.
    fn default() -> Recipient {
        Recipient {
            address: String::new(),
            kind: 0,
            status: 0,
            last_failure_message: String::new(),
            original_address: String::new(),
            via: Vec::new(),
        }
    }
}

impl Default for WriteOptions {
    /// Full durability, text, any number of items, a body as large as the component's limit.
    fn default() -> WriteOptions {
        WriteOptions { durability: None, format: None, max_items: None, max_body_bytes: None }
    }
}

impl Default for EnvelopeChange {
    /// Returns a change of nothing, for any revision.
    fn default() -> EnvelopeChange {
        EnvelopeChange { reverse_path: None, to: None, recipients: None, created_at: None, if_revision: None }
    }
}
