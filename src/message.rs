//! The message of an item, as chasquid's `queue.proto` defines it, without its body.
//!
//! The body (field 5, `data`) is not here: it may be larger than memory, and passes through [`crate::encoder`] and
//! [`crate::reader`] in pieces.

use alloc::string::String;
use alloc::vec::Vec;

/// Everything of an item but its body: fields 1 to 4 and 6 of `Message`.
#[derive(Clone, PartialEq, prost::Message)]
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

/// One delivery to be made. Its enums are open (proto3), and so are plain numbers here.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Recipient {
    /// `address`.
    #[prost(string, tag = "1")]
    pub address: String,
    /// `type`: see [`KINDS`].
    #[prost(int32, tag = "2")]
    pub kind: i32,
    /// `status`: see [`STATUSES`].
    #[prost(int32, tag = "3")]
    pub status: i32,
    /// `last_failure_message`.
    #[prost(string, tag = "4")]
    pub last_failure_message: String,
    /// `original_address`.
    #[prost(string, tag = "5")]
    pub original_address: String,
    /// `via`.
    #[prost(string, repeated, tag = "6")]
    pub via: Vec<String>,
}

/// A point in time: `Timestamp` of `queue.proto`, kept as it is found.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Timestamp {
    /// Seconds since the epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds to add.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// The names of the values of `type`, by number.
pub const KINDS: [&str; 3] = ["EMAIL", "PIPE", "FORWARD"];

/// The names of the values of `status`, by number.
pub const STATUSES: [&str; 3] = ["PENDING", "SENT", "FAILED"];
