//! The header and the trailer of an item, which tell an intact item from a truncated or damaged one. Both have a form in
//! text and one in binary.
//!
//! The header names the version of the format, and makes the trailer mandatory. The trailer carries
//!
//! 1. the length of the body, in decoded bytes,
//! 2. the checksum of the envelope: of every byte of the file that precedes it, without the body,
//! 3. the checksum of the whole: of every byte of the file that precedes it.
//!
//! Both are XXH64 with the seed 0 (<https://github.com/Cyan4973/xxHash>): fast without SIMD, so in every runtime, and
//! printed by `xxhsum`. In binary the five bytes of the body's length precede the body and are not part of a checksum,
//! since a streamed draft learns them last; they must equal the length in the trailer.

use alloc::vec::Vec;

/// A checksum of bytes that come in pieces.
pub use xxhash_rust::xxh64::Xxh64 as Checksum;

/// The version of the format that this component writes.
pub const VERSION: &str = "1";

/// The beginning of a header line of any version.
const TEXT_HEADER_STEM: &[u8] = b"# queue-store ";

/// The header line of a text item.
pub const TEXT_HEADER: &[u8] = b"# queue-store 1\n";

/// The parts of the trailer line of a text item.
const TEXT_BODY: &[u8] = b"# queue-store-end body=";
const TEXT_ENVELOPE: &[u8] = b" envelope=";
const TEXT_WHOLE: &[u8] = b" all=";

/// Bytes at the end of a text item in which its trailer line is searched: the longest one, and some white space that an
/// editor may have added after it.
pub const TEXT_TRAILER_BYTES: u64 = 128;

/// Bytes of a text item that no checksum covers: the checksum of the whole, and its line feed.
pub const TEXT_UNCOVERED_BYTES: u64 = 17;

/// The header of a binary item: field 1000, a string. A protocol buffer parser skips it.
pub const BINARY_HEADER: &[u8] = b"\xc2\x3e\x0dqueue-store 1";

/// The beginning of a header of any version, in binary.
const BINARY_HEADER_STEM: &[u8] = b"\xc2\x3e\x0dqueue-store ";

/// The beginning of the trailer of a binary item: field 1001, 24 bytes.
const BINARY_TRAILER: &[u8] = b"\xca\x3e\x18";

/// Bytes of the trailer of a binary item.
pub const BINARY_TRAILER_BYTES: usize = BINARY_TRAILER.len() + 24;

/// Bytes of a binary item that no checksum covers: the checksum of the whole.
pub const BINARY_UNCOVERED_BYTES: u64 = 8;

/// The content of a trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// Decoded bytes of the body.
    pub body_length: u64,
    /// The checksum of the envelope.
    pub envelope: u64,
    /// The checksum of the whole.
    pub whole: u64,
}

/// The kind of header that a file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// None: another program wrote the file.
    Absent,
    /// That of this version.
    Present,
    /// That of a version that is not known.
    Unknown,
}

/// Returns the kind of header of a text that begins with `begin`.
pub fn text_header(begin: &[u8]) -> Header {
    header(begin, TEXT_HEADER, TEXT_HEADER_STEM)
}

/// Returns the kind of header of a binary item that begins with `begin`.
pub fn binary_header(begin: &[u8]) -> Header {
    header(begin, BINARY_HEADER, BINARY_HEADER_STEM)
}

fn header(begin: &[u8], header: &[u8], stem: &[u8]) -> Header {
    if begin.starts_with(header) {
        Header::Present
    } else if begin.starts_with(stem) {
        Header::Unknown
    } else {
        Header::Absent
    }
}

/// Appends the trailer line of a text up to the checksum of the envelope, which covers it.
pub fn push_text_trailer(body_length: u64, output: &mut Vec<u8>) {
    output.extend_from_slice(TEXT_BODY);
    push_decimal(body_length, output);
    output.extend_from_slice(TEXT_ENVELOPE);
}

/// Appends the trailer line of a text from the checksum of the envelope to that of the whole, which covers it.
pub fn push_text_envelope(envelope: u64, output: &mut Vec<u8>) {
    push_hexadecimal(envelope, output);
    output.extend_from_slice(TEXT_WHOLE);
}

/// Appends the end of the trailer line of a text.
pub fn push_text_whole(whole: u64, output: &mut Vec<u8>) {
    push_hexadecimal(whole, output);
    output.push(b'\n');
}

/// Appends a number in decimal digits.
pub fn push_decimal(number: u64, output: &mut Vec<u8>) {
    if number >= 10 {
        push_decimal(number / 10, output);
    }
    output.push(b'0' + (number % 10) as u8);
}

/// Appends a number in sixteen hexadecimal digits in lower case.
fn push_hexadecimal(value: u64, output: &mut Vec<u8>) {
    for digit in (0..16).rev() {
        let digit = (value >> (4 * digit) & 15) as u8;
        output.push(digit + if digit < 10 { b'0' } else { b'a' - 10 });
    }
}

/// A trailer line that was found at the end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundTrailer {
    /// Its content.
    pub trailer: Trailer,
    /// Its distance from the end of the file.
    pub from_end: usize,
    /// The distance of the checksum of the envelope from the end of the file.
    pub envelope_from_end: usize,
    /// Whether anything but its line feed follows it, as an editor leaves it.
    pub followed: bool,
}

/// Finds the trailer line in the last bytes of a text.
pub fn find_text_trailer(end: &[u8]) -> Option<FoundTrailer> {
    let trimmed = end.trim_ascii_end();
    let line_begin = trimmed.iter().rposition(|&byte| byte == b'\n').map_or(0, |line_feed| line_feed + 1);
    let body_digits = trimmed[line_begin..].strip_prefix(TEXT_BODY)?;
    let (digits, rest) = body_digits.split_at(body_digits.iter().position(|byte| !byte.is_ascii_digit())?);
    let body_length = decimal(digits)?;
    let hex_envelope = rest.strip_prefix(TEXT_ENVELOPE)?;
    let (envelope, rest) = hexadecimal(hex_envelope)?;
    let (whole, rest) = hexadecimal(rest.strip_prefix(TEXT_WHOLE)?)?;
    if !rest.is_empty() {
        return None;
    }
    Some(FoundTrailer {
        trailer: Trailer { body_length, envelope, whole },
        from_end: end.len() - line_begin,
        envelope_from_end: end.len() - (trimmed.len() - hex_envelope.len()),
        followed: &end[trimmed.len()..] != b"\n",
    })
}

/// Parses a number in the only form that is written: without leading zeros.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.len() > 1 && digits.starts_with(b"0") {
        return None;
    }
    // No sign passes: the digits were told from other characters before.
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Parses sixteen digits in lower case, and returns the bytes that follow them.
fn hexadecimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = text.split_at_checked(16)?;
    let value = digits.iter().try_fold(0, |value, digit| match digit {
        b'0'..=b'9' => Some(value << 4 | u64::from(digit - b'0')),
        b'a'..=b'f' => Some(value << 4 | u64::from(digit - b'a' + 10)),
        _ => None,
    })?;
    Some((value, rest))
}

/// Appends the trailer of a binary item up to the checksum of the envelope, which covers it.
pub fn push_binary_trailer(body_length: u64, output: &mut Vec<u8>) {
    output.extend_from_slice(BINARY_TRAILER);
    output.extend_from_slice(&body_length.to_le_bytes());
}

/// Parses the trailer in the last bytes of a binary item, exactly [`BINARY_TRAILER_BYTES`].
pub fn parse_binary_trailer(end: &[u8]) -> Option<Trailer> {
    let numbers = end.strip_prefix(BINARY_TRAILER)?;
    let (body_length, rest) = numbers.split_first_chunk()?;
    let (envelope, rest) = rest.split_first_chunk()?;
    let whole = rest.try_into().ok()?;
    Some(Trailer {
        body_length: u64::from_le_bytes(*body_length),
        envelope: u64::from_le_bytes(*envelope),
        whole: u64::from_le_bytes(whole),
    })
}
