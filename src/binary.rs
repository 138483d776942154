//! Protocol buffer wire format: the option without escaping.
//!
//! A binary item is a `Message` that any protocol buffer parser reads, laid out so that the body can be streamed:
//!
//! ```text
//! opening              field 1000
//! envelope             fields 1 to 4
//! 2a LL LL LL LL LL    field 5: its tag, and its length as a varint of exactly five bytes
//! body
//! created_at_ts        field 6
//! closing              field 1001
//! ```

use crate::error::{Code, Error, Operation, Result};
use crate::integrity::Damage;
use crate::limits::{MAX_ENVELOPE_BYTES, MAX_ENVELOPE_ENTRIES};
use crate::message::{Envelope, Recipient, Timestamp};
use alloc::string::String;
use alloc::vec::Vec;
use prost::Message;
use prost::encoding::{WireType, decode_varint, encode_key, encode_varint, encoded_len_varint};

/// The tag of the body, which its length follows.
pub(crate) const BODY_TAG: u8 = 5 << 3 | WireType::LengthDelimited as u8;

/// Bytes of the body's length: enough for 32 GiB.
pub(crate) const LENGTH_BYTES: usize = 5;

/// Appends the fields that precede the body.
pub(crate) fn head(envelope: &Envelope, output: &mut Vec<u8>) {
    string(1, &envelope.id, output);
    string(2, &envelope.reverse_path, output);
    for to in &envelope.to {
        delimited(3, to.as_bytes(), output);
    }
    for recipient in &envelope.recipients {
        encode_key(4, WireType::LengthDelimited, output);
        encode_varint(recipient.encoded_len() as u64, output);
        recipient.encode_raw(output);
    }
}

/// Appends the field that follows the body.
pub(crate) fn tail(created_at: Option<Timestamp>, output: &mut Vec<u8>) {
    if let Some(created_at) = created_at {
        delimited(6, &created_at.encode_to_vec(), output);
    }
}

fn string(field: u32, value: &str, output: &mut Vec<u8>) {
    if !value.is_empty() {
        delimited(field, value.as_bytes(), output);
    }
}

fn delimited(field: u32, bytes: &[u8], output: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, output);
    encode_varint(bytes.len() as u64, output);
    output.extend_from_slice(bytes);
}

/// The body's length in its five bytes.
pub(crate) fn length(body_length: u64) -> [u8; LENGTH_BYTES] {
    let mut bytes = [0; LENGTH_BYTES];
    for (place, byte) in bytes.iter_mut().enumerate() {
        let more = if place + 1 < LENGTH_BYTES { 0x80 } else { 0 };
        *byte = (body_length >> (7 * place) & 0x7f) as u8 | more;
    }
    bytes
}

/// The body's length from its five bytes, which have only one form.
pub(crate) fn parse_length(bytes: &[u8]) -> Option<u64> {
    let value = bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    (length(value) == bytes).then_some(value)
}

/// What the bytes of a field say.
pub(crate) enum Parsed {
    /// One more field of the envelope; this many bytes are done.
    Field(usize),
    /// The body's tag; this many bytes are done, and the length follows.
    Body(usize),
    /// The bytes end within a field.
    Incomplete,
}

/// Parses one field of the envelope. `entries` counts what the envelope has, against its bound.
pub(crate) fn field(bytes: &[u8], envelope: &mut Envelope, entries: &mut usize) -> Result<Parsed> {
    let Some((key, rest)) = varint(bytes)? else {
        return Ok(Parsed::Incomplete);
    };
    if key == u64::from(BODY_TAG) {
        return Ok(Parsed::Body(bytes.len() - rest.len()));
    }
    let Some((length, rest)) = varint(rest)? else {
        return Ok(Parsed::Incomplete);
    };
    if length > MAX_ENVELOPE_BYTES as u64 {
        return Err(too_large("max-envelope-bytes"));
    }
    let Some((value, rest)) = rest.split_at_checked(length as usize) else {
        return Ok(Parsed::Incomplete);
    };
    const DELIMITED: u64 = WireType::LengthDelimited as u64;
    match (key >> 3, key & 7) {
        (1, DELIMITED) => envelope.id = text(value)?,
        (2, DELIMITED) => envelope.reverse_path = text(value)?,
        (3, DELIMITED) => {
            *entries += 1;
            envelope.to.push(text(value)?);
        }
        (4, DELIMITED) => {
            let recipient = Recipient::decode(value).map_err(|_| Damage::Layout)?;
            *entries += 1 + recipient.via.len();
            envelope.recipients.push(recipient);
        }
        (6, DELIMITED) => envelope.created_at = Some(Timestamp::decode(value).map_err(|_| Damage::Layout)?),
        _ => return Err(Damage::Layout.into()),
    }
    if *entries > MAX_ENVELOPE_ENTRIES {
        return Err(too_large("max-envelope-entries"));
    }
    Ok(Parsed::Field(bytes.len() - rest.len()))
}

#[cold]
pub(crate) fn too_large(limit: &str) -> Error {
    let detail = ["the envelope of the item is larger than `", limit, "`"].concat();
    Error::of(Code::TooLarge, Operation::Decode, "", &detail)
}

fn text(bytes: &[u8]) -> Result<String> {
    Ok(str::from_utf8(bytes).map_err(|_| Damage::Layout)?.into())
}

/// A varint and what follows it; none where the bytes end within it.
fn varint(bytes: &[u8]) -> Result<Option<(u64, &[u8])>> {
    let mut rest = bytes;
    match decode_varint(&mut rest) {
        Ok(value) => Ok(Some((value, rest))),
        Err(_) if bytes.len() < encoded_len_varint(u64::MAX) => Ok(None),
        Err(_) => Err(Damage::Layout.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_body_has_one_form() {
        for value in [0, 1, 127, 128, 300, 1 << 21, (1 << 31) - 1, (1 << 35) - 1] {
            let bytes = length(value);
            assert_eq!(parse_length(&bytes), Some(value));
            assert_eq!(decode_varint(&mut &bytes[..]), Ok(value), "any parser reads it");
            for bit in 0..8 * LENGTH_BYTES {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(parse_length(&flipped), Some(value));
            }
        }
    }
}
