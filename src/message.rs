//! The message of an item, as chasquid's `queue.proto` defines it, without its body.
//!
//! The body (field 5, `data`) is not here: it may be larger than memory, and passes through [`crate::encoder`] and
//! [`crate::reader`] in pieces.
//!
//! Both formats read and write a message by its table of fields: their names, in the order of their numbers, and for each
//! number the place of its value.

use crate::list::{List, Maybe, Text};

/// `types.envelope`: everything of an item but its id and its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Envelope {
    /// The reverse-path, `<>` for a bounce.
    pub reverse_path: Text,
    /// The addresses that the client gave.
    pub to: List<Text>,
    /// The deliveries to be made.
    pub recipients: List<Recipient>,
    /// Always there in a complete item, since it is the last field that is written.
    pub created_at: Maybe<Timestamp>,
}

impl Envelope {
    /// About how many bytes it has.
    pub fn size(&self) -> usize {
        let size = |texts: &[Text]| texts.iter().map(|text| text.len() + size_of::<Text>()).sum::<usize>();
        let recipients = self.recipients.iter().map(|recipient| {
            let Recipient { address, last_failure_message, original_address, via, .. } = recipient;
            size_of::<Recipient>() + address.len() + last_failure_message.len() + original_address.len() + size(via)
        });
        self.reverse_path.len() + size(&self.to) + recipients.sum::<usize>()
    }
}

/// `types.recipient`: one delivery to be made. Its enums are open (proto3), and so are plain numbers here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Recipient {
    /// Where to deliver to.
    pub address: Text,
    /// See [`KINDS`].
    pub kind: i32,
    /// See [`STATUSES`].
    pub status: i32,
    /// What the last attempt said.
    pub last_failure_message: Text,
    /// The address that the client gave.
    pub original_address: Text,
    /// The servers to relay through.
    pub via: List<Text>,
}

/// `types.timestamp`: a point in time, kept as it is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Timestamp {
    /// Seconds since the epoch.
    pub seconds: i64,
    /// Nanoseconds to add.
    pub nanos: i32,
}

impl Timestamp {
    /// Bits that another time does not have: an odd factor keeps all of what the nanoseconds tell apart.
    pub fn mixed(self) -> u64 {
        let nanoseconds = self.seconds.wrapping_mul(1_000_000_000).wrapping_add(self.nanos.into());
        nanoseconds.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Fields 1 to 4 and 6 of `Message`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `ID`.
    pub id: Text,
    /// The other ones.
    pub envelope: Envelope,
}

/// The names of the values of `type`, by number.
pub const KINDS: &[&str] = &["EMAIL", "PIPE", "FORWARD"];

/// The names of the values of `status`, by number.
pub const STATUSES: &[&str] = &["PENDING", "SENT", "FAILED"];

/// The number of the field that holds the body.
pub(crate) const BODY_FIELD: usize = 5;

/// The number of the field that is written last.
pub(crate) const CREATED_AT_FIELD: usize = 6;

/// The place of a field's value.
pub(crate) enum Place<'a> {
    /// A string.
    Text(&'a mut Text),
    /// Strings, each one in a field of its own.
    Texts(&'a mut List<Text>),
    /// A number that has a name, if it is one of these.
    Enumeration(&'a mut i32, &'static [&'static str]),
    /// A number of 32 bits.
    Short(&'a mut i32),
    /// A number of 64 bits.
    Long(&'a mut i64),
    /// Messages, each one in a field of its own.
    Recipients(&'a mut List<Recipient>),
    /// A message of its own.
    Timestamp(&'a mut Maybe<Timestamp>),
    /// The body, which is elsewhere.
    Body,
}

/// A message, by its table of fields.
pub(crate) trait Message {
    /// The names of the fields, in the order of their numbers.
    fn names(&self) -> &'static [&'static str];

    /// The place of the field that has this number.
    fn place(&mut self, number: usize) -> Option<Place<'_>>;
}

impl Message for Header {
    fn names(&self) -> &'static [&'static str] {
        &["ID", "from", "To", "rcpt", "data", "created_at_ts"]
    }

    fn place(&mut self, number: usize) -> Option<Place<'_>> {
        let Header { id, envelope } = self;
        Some(match number {
            1 => Place::Text(id),
            2 => Place::Text(&mut envelope.reverse_path),
            3 => Place::Texts(&mut envelope.to),
            4 => Place::Recipients(&mut envelope.recipients),
            BODY_FIELD => Place::Body,
            CREATED_AT_FIELD => Place::Timestamp(&mut envelope.created_at),
            _ => return None,
        })
    }
}

impl Message for Recipient {
    fn names(&self) -> &'static [&'static str] {
        &["address", "type", "status", "last_failure_message", "original_address", "via"]
    }

    fn place(&mut self, number: usize) -> Option<Place<'_>> {
        Some(match number {
            1 => Place::Text(&mut self.address),
            2 => Place::Enumeration(&mut self.kind, KINDS),
            3 => Place::Enumeration(&mut self.status, STATUSES),
            4 => Place::Text(&mut self.last_failure_message),
            5 => Place::Text(&mut self.original_address),
            6 => Place::Texts(&mut self.via),
            _ => return None,
        })
    }
}

impl Message for Timestamp {
    fn names(&self) -> &'static [&'static str] {
        &["seconds", "nanos"]
    }

    fn place(&mut self, number: usize) -> Option<Place<'_>> {
        Some(match number {
            1 => Place::Long(&mut self.seconds),
            2 => Place::Short(&mut self.nanos),
            _ => return None,
        })
    }
}
