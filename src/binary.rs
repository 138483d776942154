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
use crate::list::{Maybe, Text};
use crate::message::{Message, Place, Recipient};
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use prost::encoding::{WireType, encode_key, encode_varint};
use queue_store_literal::utf8;

/// The tag of the body, which its length follows.
pub(crate) const BODY_TAG: u8 = 5 << 3 | WireType::LengthDelimited as u8;

/// Bytes of the body's length: enough for 32 GiB.
pub(crate) const LENGTH_BYTES: usize = 5;

/// Bytes of the longest varint.
const MAX_VARINT_BYTES: usize = 10;

/// Appends the fields that have these numbers.
pub(crate) fn fields(message: &mut dyn Message, numbers: RangeInclusive<usize>, output: &mut Vec<u8>) {
    for number in numbers {
        match message.place(number) {
            Some(Place::Text(text)) if !text.is_empty() => delimited(number, text.as_bytes(), output),
            Some(Place::Texts(texts)) => texts.iter().for_each(|text| delimited(number, text.as_bytes(), output)),
            Some(Place::Enumeration(value, _) | Place::Short(value)) => integer(number, (*value).into(), output),
            Some(Place::Long(value)) => integer(number, *value, output),
            Some(Place::Recipients(recipients)) => {
                recipients.iter_mut().for_each(|recipient| embedded(number, recipient, output));
            }
            Some(Place::Timestamp(Maybe::Some(timestamp))) => embedded(number, timestamp, output),
            _ => {}
        }
    }
}

fn embedded(number: usize, message: &mut dyn Message, output: &mut Vec<u8>) {
    let mut bytes = Vec::new();
    let last = message.names().len();
    fields(message, 1..=last, &mut bytes);
    delimited(number, &bytes, output);
}

fn delimited(number: usize, bytes: &[u8], output: &mut Vec<u8>) {
    encode_key(number as u32, WireType::LengthDelimited, output);
    encode_varint(bytes.len() as u64, output);
    output.extend_from_slice(bytes);
}

fn integer(number: usize, value: i64, output: &mut Vec<u8>) {
    if value != 0 {
        encode_key(number as u32, WireType::Varint, output);
        encode_varint(value.cast_unsigned(), output);
    }
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

/// Parses one field of a message. `entries` counts what the envelope has, against its bound.
pub(crate) fn field(bytes: &[u8], message: &mut dyn Message, entries: &mut usize) -> Result<Parsed> {
    const VARINT: u64 = WireType::Varint as u64;
    const DELIMITED: u64 = WireType::LengthDelimited as u64;
    let Some((key, rest)) = varint(bytes)? else {
        return Ok(Parsed::Incomplete);
    };
    let place = usize::try_from(key >> 3).ok().and_then(|number| message.place(number));
    if matches!(place, Some(Place::Body)) && key & 7 == DELIMITED {
        return Ok(Parsed::Body(bytes.len() - rest.len()));
    }
    let Some((value, mut rest)) = varint(rest)? else {
        return Ok(Parsed::Incomplete);
    };
    match (place, key & 7) {
        (Some(Place::Enumeration(number, _) | Place::Short(number)), VARINT) => *number = value as i32,
        (Some(Place::Long(number)), VARINT) => *number = value.cast_signed(),
        (Some(place), DELIMITED) => {
            if value > MAX_ENVELOPE_BYTES as u64 {
                return Err(too_large("max-envelope-bytes"));
            }
            let Some((value, more)) = rest.split_at_checked(value as usize) else {
                return Ok(Parsed::Incomplete);
            };
            rest = more;
            *entries += usize::from(matches!(place, Place::Texts(_) | Place::Recipients(_)));
            if *entries > MAX_ENVELOPE_ENTRIES {
                return Err(too_large("max-envelope-entries"));
            }
            match place {
                Place::Text(place) => *place = text(value)?,
                Place::Texts(place) => place.push(text(value)?),
                Place::Recipients(place) => {
                    let mut recipient = Recipient::default();
                    all_fields(value, &mut recipient, entries)?;
                    place.push(recipient);
                }
                Place::Timestamp(place) => {
                    // One that is there twice is merged, as every parser of the wire format does.
                    let mut timestamp = place.as_ref().copied().unwrap_or_default();
                    all_fields(value, &mut timestamp, entries)?;
                    *place = Maybe::Some(timestamp);
                }
                _ => return Err(Damage::Layout.into()),
            }
        }
        _ => return Err(Damage::Layout.into()),
    }
    Ok(Parsed::Field(bytes.len() - rest.len()))
}

/// Parses all fields of a message.
pub(crate) fn all_fields(mut bytes: &[u8], message: &mut dyn Message, entries: &mut usize) -> Result<()> {
    while !bytes.is_empty() {
        let Parsed::Field(parsed) = field(bytes, message, entries)? else {
            return Err(Damage::Layout.into());
        };
        bytes = bytes.get(parsed..).unwrap_or_default();
    }
    Ok(())
}

#[cold]
pub(crate) fn too_large(limit: &str) -> Error {
    let detail = Text::of(&["the envelope of the item is larger than `", limit, "`"]);
    Error::of(Code::TooLarge, Operation::Decode, "", &detail)
}

fn text(bytes: &[u8]) -> Result<Text> {
    Ok(utf8::string(bytes).ok_or(Damage::Layout)?.into())
}

/// A varint and what follows it; none where the bytes end within it.
fn varint(bytes: &[u8]) -> Result<Option<(u64, &[u8])>> {
    let mut value = 0;
    for place in 0..MAX_VARINT_BYTES {
        let Some((&byte, rest)) = bytes.get(place..).and_then(<[u8]>::split_first) else {
            return Ok(None);
        };
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            // The last byte of the longest one has room for one bit.
            if place + 1 == MAX_VARINT_BYTES && byte > 1 {
                break;
            }
            return Ok(Some((value, rest)));
        }
    }
    Err(Damage::Layout.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_body_has_one_form() {
        for value in [0, 1, 127, 128, 300, 1 << 21, (1 << 31) - 1, (1 << 35) - 1] {
            let bytes = length(value);
            assert_eq!(parse_length(&bytes), Some(value));
            assert_eq!(prost::encoding::decode_varint(&mut &bytes[..]), Ok(value), "any parser reads it");
            for bit in 0..8 * LENGTH_BYTES {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(parse_length(&flipped), Some(value));
            }
        }
    }

    #[test]
    fn a_message_that_is_there_twice_is_merged() {
        let mut header = crate::message::Header::default();
        all_fields(b"\x32\x04\x08\x05\x10\x06\x32\x02\x10\x07", &mut header, &mut 0).expect("two times");
        let expected = crate::message::Timestamp { seconds: 5, nanos: 7 };
        assert_eq!(header.envelope.created_at, Maybe::Some(expected));
    }
}
