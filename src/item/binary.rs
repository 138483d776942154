//! Protocol buffer wire format: the format without escaping.
//!
//! A binary item is a `Message` that any protocol buffer parser reads, laid out so that the body can be streamed:
//!
//! ```text
//! header               field 1000
//! envelope             fields 1 to 4
//! 2a LL LL LL LL LL    field 5: its tag, and its length as a varint of exactly five bytes
//! body
//! created_at_ts        field 6
//! trailer              field 1001
//! ```
//!
//! `prost` encodes and decodes the messages. Before it decodes one, [`Scanner`] finds its end and counts its entries, nested
//! ones too, so that memory is bounded before any is allocated.

use super::bounds::{EntryCount, check_envelope_bytes};
use super::damage::Damage;
use super::envelope::{BODY_FIELD, CREATED_AT_FIELD, Envelope, RECIPIENTS_FIELD, Timestamp};
use crate::error::{Error, Result};
use alloc::string::String;
use alloc::vec::Vec;
use prost::Message;
use prost::encoding::{self, WireType};

/// The tag of the body, which its length follows.
const BODY_TAG: u8 = (BODY_FIELD << 3) as u8 | WireType::LengthDelimited as u8;

/// Bytes of the body's length: enough for 32 GiB.
pub const LENGTH_BYTES: usize = 5;

/// Bytes of the longest varint.
const MAX_VARINT_BYTES: usize = 10;

/// Appends the fields that precede the body, and the body's tag.
pub fn before_body(envelope: &Envelope, output: &mut Vec<u8>) {
    let Envelope { id, reverse_path, to, recipients, created_at: _ } = envelope;
    encode_string(1, id, output);
    encode_string(2, reverse_path, output);
    encoding::string::encode_repeated(3, to, output);
    encoding::message::encode_repeated(RECIPIENTS_FIELD, recipients, output);
    output.push(BODY_TAG);
}

/// Appends a string that is not empty (proto3 leaves out an empty one).
fn encode_string(number: u32, value: &String, output: &mut Vec<u8>) {
    if !value.is_empty() {
        encoding::string::encode(number, value, output);
    }
}

/// Appends the field that follows the body.
pub fn after_body(created_at: Option<Timestamp>, output: &mut Vec<u8>) {
    if let Some(created_at) = created_at {
        encoding::message::encode(CREATED_AT_FIELD, &created_at, output);
    }
}

/// Encodes the body's length in its five bytes.
pub fn length(body_length: u64) -> [u8; LENGTH_BYTES] {
    core::array::from_fn(|place| {
        let more = if place + 1 < LENGTH_BYTES { 0x80 } else { 0 };
        (body_length >> (7 * place) & 0x7f) as u8 | more
    })
}

/// Decodes the body's length from its five bytes, which have only one form.
pub fn parse_length(bytes: &[u8]) -> Option<u64> {
    let value = bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    (length(value) == bytes).then_some(value)
}

/// Decodes fields that were scanned before into an envelope.
pub fn merge(fields: &[u8], envelope: &mut Envelope) -> Result<()> {
    envelope.merge(fields).map_err(|_| Error::decode(Damage::Layout))
}

/// The kinds of message in an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Item,
    Recipient,
    Timestamp,
}

/// The kinds of field in a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Varint,
    String,
    /// A string of a list.
    Entry,
    Message(Kind),
    Body,
}

/// Returns the kind of the field that has this number.
fn field(message: Kind, number: u64) -> Option<Field> {
    Some(match (message, number) {
        (Kind::Item, 1 | 2) => Field::String,
        (Kind::Item, 3) => Field::Entry,
        (Kind::Item, 4) => Field::Message(Kind::Recipient),
        (Kind::Item, 5) => Field::Body,
        (Kind::Item, 6) => Field::Message(Kind::Timestamp),
        (Kind::Recipient, 1 | 4 | 5) => Field::String,
        (Kind::Recipient, 2 | 3) => Field::Varint,
        (Kind::Recipient, 6) => Field::Entry,
        (Kind::Timestamp, 1 | 2) => Field::Varint,
        _ => return None,
    })
}

/// The result of a scan of one field.
#[derive(Debug, PartialEq, Eq)]
pub enum Scanned {
    /// A field of the envelope, of this many bytes.
    Field(usize),
    /// The body's tag, of this many bytes; the length follows.
    BodyTag(usize),
    /// The bytes end within a field.
    Incomplete,
}

/// Finds the ends of fields, refuses those that an item does not have, and counts entries against their bound.
#[derive(Default)]
pub struct Scanner {
    entries: EntryCount,
}

impl Scanner {
    /// Scans the first field of the item in `bytes`.
    pub fn item_field(&mut self, bytes: &[u8]) -> Result<Scanned> {
        self.message_field(Kind::Item, bytes)
    }

    /// Scans all fields of the item in `bytes`, none of which is the body.
    pub fn item_fields(&mut self, bytes: &[u8]) -> Result<()> {
        self.message_fields(Kind::Item, bytes)
    }

    fn message_fields(&mut self, message: Kind, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match self.message_field(message, bytes)? {
                Scanned::Field(length) => bytes = &bytes[length..],
                Scanned::BodyTag(_) | Scanned::Incomplete => return Err(Error::decode(Damage::Layout)),
            }
        }
        Ok(())
    }

    fn message_field(&mut self, message: Kind, bytes: &[u8]) -> Result<Scanned> {
        let Some((key, after_key)) = varint(bytes)? else {
            return Ok(Scanned::Incomplete);
        };
        let field = field(message, key >> 3).ok_or_else(|| Error::decode(Damage::Layout))?;
        let wire_type = if field == Field::Varint { WireType::Varint } else { WireType::LengthDelimited };
        if key & 7 != wire_type as u64 {
            return Err(Error::decode(Damage::Layout));
        }
        if field == Field::Body {
            return Ok(Scanned::BodyTag(bytes.len() - after_key.len()));
        }
        let Some((value, rest)) = varint(after_key)? else {
            return Ok(Scanned::Incomplete);
        };
        if field == Field::Varint {
            return Ok(Scanned::Field(bytes.len() - rest.len()));
        }
        check_envelope_bytes(value)?;
        let Some((content, rest)) = rest.split_at_checked(value as usize) else {
            return Ok(Scanned::Incomplete);
        };
        if matches!(field, Field::Entry | Field::Message(Kind::Recipient)) {
            self.entries.add()?;
        }
        if let Field::Message(kind) = field {
            self.message_fields(kind, content)?;
        }
        Ok(Scanned::Field(bytes.len() - rest.len()))
    }
}

/// Decodes a varint, and returns the bytes that follow it; none where the bytes end within it.
fn varint(bytes: &[u8]) -> Result<Option<(u64, &[u8])>> {
    let length = bytes.iter().take(MAX_VARINT_BYTES).position(|byte| *byte < 0x80).map(|last| last + 1);
    let (Some(length), Ok(value)) = (length, encoding::decode_varint(&mut &bytes[..])) else {
        return if bytes.len() < MAX_VARINT_BYTES && length.is_none() {
            Ok(None)
        } else {
            Err(Error::decode(Damage::Layout))
        };
    };
    Ok(Some((value, &bytes[length..])))
}
