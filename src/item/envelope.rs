//! The message of an item, as chasquid's `queue.proto` defines it, without its body.
//!
//! The body (field 5, `data`) is not here: it may be larger than memory, and passes through [`super::encoder`] and
//! [`super::decoder`] in pieces.

use alloc::string::String;
use alloc::vec::Vec;

/// Fields 1 to 4 and 6 of `Message`: everything of an item but its body.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Envelope {
    /// `ID`.
    #[prost(string, tag = "1")]
    pub id: String,
    /// `from`: the reverse-path, `<>` for a bounce.
    #[prost(string, tag = "2")]
    pub reverse_path: String,
    /// `To`: the addresses that the client gave.
    #[prost(string, repeated, tag = "3")]
    pub to: Vec<String>,
    /// `rcpt`: the deliveries to be made.
    #[prost(message, repeated, tag = "4")]
    pub recipients: Vec<Recipient>,
    /// `created_at_ts`: always there in a complete item, since it is the last field that is written.
    #[prost(message, optional, tag = "6")]
    pub created_at: Option<Timestamp>,
}

/// One delivery to be made. Its enums are open (proto3), and so they are plain numbers.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Recipient {
    /// `address`: the address to deliver to.
    #[prost(string, tag = "1")]
    pub address: String,
    /// `type`: see [`KINDS`].
    #[prost(int32, tag = "2")]
    pub kind: i32,
    /// `status`: see [`STATUSES`].
    #[prost(int32, tag = "3")]
    pub status: i32,
    /// `last_failure_message`: the message of the last failed attempt.
    #[prost(string, tag = "4")]
    pub last_failure_message: String,
    /// `original_address`: the address that the client gave.
    #[prost(string, tag = "5")]
    pub original_address: String,
    /// `via`: the servers to relay through.
    #[prost(string, repeated, tag = "6")]
    pub via: Vec<String>,
}

/// A point in time, kept as it is found.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Timestamp {
    /// `seconds`: since the epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// `nanos`: nanoseconds to add.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// The names of the values of `type`, by number.
pub const KINDS: [&str; 3] = ["EMAIL", "PIPE", "FORWARD"];

/// The number of the kind PIPE, whose address is a command.
pub const PIPE: i32 = 1;

/// The names of the values of `status`, by number.
pub const STATUSES: [&str; 3] = ["PENDING", "SENT", "FAILED"];

/// The number of the field `rcpt`.
pub(crate) const RECIPIENTS_FIELD: u32 = 4;

/// The number of the field `data`, the body.
pub(crate) const BODY_FIELD: u32 = 5;

/// The number of the field `created_at_ts`, which is written last.
pub(crate) const CREATED_AT_FIELD: u32 = 6;

impl Envelope {
    /// Returns the number of addresses, recipients and servers, which `max-envelope-entries` bounds.
    pub fn entries(&self) -> usize {
        self.to.len() + self.recipients.iter().map(|recipient| 1 + recipient.via.len()).sum::<usize>()
    }
}

impl Timestamp {
    /// Returns bits that differ for every other time: an odd factor keeps all that the nanoseconds tell apart.
    pub fn mixed(self) -> u64 {
        let nanoseconds = self.seconds.wrapping_mul(1_000_000_000).wrapping_add(self.nanos.into());
        nanoseconds.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
