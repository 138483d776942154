//! What tells a whole item from a cut or damaged one: the line that opens it, the line that closes it, and what that
//! says. Both have a form in text and one in binary.
//!
//! The opening names the version of the format, and makes the closing mandatory. The closing carries
//!
//! 1. the length of the body, in decoded bytes,
//! 2. the checksum of the envelope: of every byte of the file that precedes it, the body's aside,
//! 3. the checksum of the whole: of every byte of the file that precedes it.
//!
//! Both are XXH64 with the seed 0 (<https://github.com/Cyan4973/xxHash>): fast without SIMD, so in every runtime, and
//! what `xxhsum` prints. In binary the five bytes of the body's length
//! precede the body and are not part of a checksum, since a streamed draft learns them last; they must say what the
//! closing says.

use crate::error::{Code, Error, Operation};
use alloc::vec::Vec;

/// A checksum of bytes that come in pieces.
pub(crate) use xxhash_rust::xxh64::Xxh64 as Checksum;

/// The version of the format that this component writes.
#[cfg(target_family = "wasm")]
pub(crate) const VERSION: &str = "1";

/// What an opening of any version begins with, in text.
const TEXT_OPENING_STEM: &[u8] = b"# queue-store ";

/// What opens a text item.
pub(crate) const TEXT_OPENING: &[u8] = b"# queue-store 1\n";

/// What closes a text item begins with.
const TEXT_CLOSING: &[u8] = b"# queue-store-end body=";
const TEXT_ENVELOPE: &[u8] = b" envelope=";
const TEXT_WHOLE: &[u8] = b" all=";

/// Bytes of the longest closing of a text item, and some white space that an editor may have added after it.
pub(crate) const TEXT_CLOSING_BYTES: u64 = 128;

/// Bytes of a text item that no checksum covers: the last one, and its line feed.
pub(crate) const TEXT_UNCOVERED_BYTES: u64 = 17;

/// What opens a binary item: field 1000, a string. A protocol buffer parser skips it.
pub(crate) const BINARY_OPENING: &[u8] = b"\xc2\x3e\x0dqueue-store 1";

/// What an opening of any version begins with, in binary.
const BINARY_OPENING_STEM: &[u8] = b"\xc2\x3e\x0dqueue-store ";

/// What closes a binary item begins with: field 1001, 24 bytes.
const BINARY_CLOSING: &[u8] = b"\xca\x3e\x18";

/// Bytes of the closing of a binary item.
pub(crate) const BINARY_CLOSING_BYTES: usize = BINARY_CLOSING.len() + 24;

/// Bytes of a binary item that no checksum covers: the last one.
pub(crate) const BINARY_UNCOVERED_BYTES: u64 = 8;

/// What an item's closing says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closing {
    /// Decoded bytes of the body.
    pub(crate) body_length: u64,
    /// The checksum of the envelope.
    pub(crate) envelope: u64,
    /// The checksum of the whole.
    pub(crate) whole: u64,
}

/// What an item begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Nothing of ours: another program wrote it.
    Absent,
    /// An item of this version.
    Present,
    /// An item of a version that is not known.
    Unknown,
}

/// What the beginning of a text says.
pub(crate) fn text_opening(begin: &[u8]) -> Opening {
    opening(begin, TEXT_OPENING, TEXT_OPENING_STEM)
}

/// What the beginning of a binary item says.
pub(crate) fn binary_opening(begin: &[u8]) -> Opening {
    opening(begin, BINARY_OPENING, BINARY_OPENING_STEM)
}

fn opening(begin: &[u8], opening: &[u8], stem: &[u8]) -> Opening {
    if begin.starts_with(opening) {
        Opening::Present
    } else if begin.starts_with(stem) {
        Opening::Unknown
    } else {
        Opening::Absent
    }
}

/// Appends the closing of a text up to the checksum of the envelope, which covers it.
pub(crate) fn push_text_closing(body_length: u64, output: &mut Vec<u8>) {
    output.extend_from_slice(TEXT_CLOSING);
    push_decimal(body_length, output);
    output.extend_from_slice(TEXT_ENVELOPE);
}

/// Appends the closing of a text from the checksum of the envelope to that of the whole, which covers it.
pub(crate) fn push_text_envelope(envelope: u64, output: &mut Vec<u8>) {
    push_hexadecimal(envelope, output);
    output.extend_from_slice(TEXT_WHOLE);
}

/// Appends the end of the closing of a text.
pub(crate) fn push_text_whole(whole: u64, output: &mut Vec<u8>) {
    push_hexadecimal(whole, output);
    output.push(b'\n');
}

/// A number in decimal digits.
pub(crate) fn push_decimal(number: u64, output: &mut Vec<u8>) {
    if number >= 10 {
        push_decimal(number / 10, output);
    }
    output.push(b'0' + (number % 10) as u8);
}

/// Sixteen digits in lower case.
fn push_hexadecimal(value: u64, output: &mut Vec<u8>) {
    for digit in (0..16).rev() {
        let digit = (value >> (4 * digit) & 15) as u8;
        output.push(digit + if digit < 10 { b'0' } else { b'a' - 10 });
    }
}

/// A closing that was found at the end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoundClosing {
    /// What it says.
    pub(crate) closing: Closing,
    /// Where it begins, from the beginning of what was searched.
    pub(crate) begin: usize,
    /// Where the checksum of the envelope begins.
    pub(crate) envelope_at: usize,
    /// Whether something follows it, which is what an editor leaves.
    pub(crate) trailed: bool,
}

/// The closing in the last bytes of a text, if it is there.
pub(crate) fn find_text_closing(end: &[u8]) -> Option<FoundClosing> {
    let trimmed = end.trim_ascii_end();
    let begin = trimmed.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let line = trimmed.get(begin..)?;
    let body_digits = line.strip_prefix(TEXT_CLOSING)?;
    let digits = body_digits.iter().position(|byte| !byte.is_ascii_digit())?;
    let body_length = decimal(body_digits.get(..digits)?)?;
    let hex_envelope = body_digits.get(digits..)?.strip_prefix(TEXT_ENVELOPE)?;
    let (envelope, rest) = hexadecimal(hex_envelope)?;
    let (whole, rest) = hexadecimal(rest.strip_prefix(TEXT_WHOLE)?)?;
    if !rest.is_empty() {
        return None;
    }
    Some(FoundClosing {
        closing: Closing { body_length, envelope, whole },
        begin,
        envelope_at: trimmed.len() - hex_envelope.len(),
        trailed: end.get(trimmed.len()..) != Some(&b"\n"[..]),
    })
}

/// A number in the only way that it is written.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 1 && digits.first() == Some(&b'0') {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.wrapping_sub(b'0');
        if digit < 10 { value.checked_mul(10)?.checked_add(u64::from(digit)) } else { None }
    })
}

/// Sixteen digits in lower case, and what follows them.
fn hexadecimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = text.split_at_checked(16)?;
    let value = digits.iter().try_fold(0, |value, digit| match digit {
        b'0'..=b'9' => Some(value << 4 | u64::from(digit - b'0')),
        b'a'..=b'f' => Some(value << 4 | u64::from(digit - b'a' + 10)),
        _ => None,
    })?;
    Some((value, rest))
}

/// Appends the closing of a binary item up to the checksum of the envelope, which covers it.
pub(crate) fn push_binary_closing(body_length: u64, output: &mut Vec<u8>) {
    output.extend_from_slice(BINARY_CLOSING);
    output.extend_from_slice(&body_length.to_le_bytes());
}

/// The closing in the last bytes of a binary item, which are exactly as many as it has.
pub(crate) fn parse_binary_closing(end: &[u8]) -> Option<Closing> {
    let numbers = end.strip_prefix(BINARY_CLOSING)?;
    let (body_length, rest) = numbers.split_first_chunk::<8>()?;
    let (envelope, rest) = rest.split_first_chunk::<8>()?;
    let (whole, rest) = rest.split_first_chunk::<8>()?;
    rest.is_empty().then_some(Closing {
        body_length: u64::from_le_bytes(*body_length),
        envelope: u64::from_le_bytes(*envelope),
        whole: u64::from_le_bytes(*whole),
    })
}

/// Why an item that can be read is not a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The opening is there, the closing is not.
    Cut,
    /// The last field that is written is not there.
    Incomplete,
    /// The layout of a binary item is not followed.
    Layout,
    /// It is not what was written.
    Mismatch,
    /// A later version wrote it.
    Version,
}

/// What each damage is to a caller, and to people, in their order.
const DAMAGES: [(Code, &str); 5] = [
    (Code::Corrupt, "the item is cut: it has its first line and not its last one"),
    (
        Code::Corrupt,
        "the item is incomplete: it has no `created_at_ts`, which is written last (chasquid stops at such a file)",
    ),
    (Code::Corrupt, "the item does not follow the layout of a binary item"),
    (
        Code::ChecksumMismatch,
        "the item parses and its checksum does not match: it was edited by hand, or damaged; look at it, then seal or \
         quarantine it",
    ),
    (Code::Unsupported, "another version of this component wrote the item"),
];

impl From<Damage> for Error {
    #[cold]
    #[inline(never)]
    fn from(damage: Damage) -> Error {
        let (code, text) = DAMAGES[damage as usize];
        Error::of(code, Operation::Decode, "", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closing() -> Vec<u8> {
        let mut text = b"}\n".to_vec();
        push_text_closing(2048, &mut text);
        push_text_envelope(0xabc, &mut text);
        push_text_whole(u64::MAX, &mut text);
        text
    }

    #[test]
    fn a_text_closing_is_found_as_it_was_written() {
        let text = closing();
        let found = find_text_closing(&text).expect("a closing");
        assert_eq!(found.closing, Closing { body_length: 2048, envelope: 0xabc, whole: u64::MAX });
        assert_eq!(found.begin, 2);
        assert!(text[found.envelope_at..].starts_with(b"0000000000000abc all="));
        assert!(!found.trailed);
        assert!(find_text_closing(&[&text[..], b"\n \n"].concat()).is_some_and(|found| found.trailed));
        assert!(find_text_closing(text.trim_ascii_end()).is_some_and(|found| found.trailed));
    }

    #[test]
    fn a_closing_is_not_found_once_a_bit_of_its_form_is_another() {
        let text = closing();
        for at in 2..text.len() - 1 {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[at] ^= 1 << bit;
                let found = find_text_closing(&flipped);
                let before = find_text_closing(&text);
                assert!(found.is_none() || found.map(|found| found.closing) != before.map(|found| found.closing));
            }
        }
        for text in ["", "\n", "# queue-store-end body=1", "x # queue-store-end body=1"] {
            assert_eq!(find_text_closing(text.as_bytes()), None);
        }
    }

    #[test]
    fn a_binary_closing_is_parsed_as_it_was_written() {
        let mut bytes = Vec::new();
        push_binary_closing(7, &mut bytes);
        bytes.extend(8_u64.to_le_bytes());
        bytes.extend(9_u64.to_le_bytes());
        assert_eq!(bytes.len(), BINARY_CLOSING_BYTES);
        assert_eq!(parse_binary_closing(&bytes), Some(Closing { body_length: 7, envelope: 8, whole: 9 }));
        assert_eq!(parse_binary_closing(&bytes[1..]), None);
        bytes.push(0);
        assert_eq!(parse_binary_closing(&bytes), None);
    }
}
