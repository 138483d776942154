//! The inside of a text literal into bytes, accepting and refusing what Go's `prototext` does.

use super::utf8::{Sequence, sequence};
use crate::simd::{BLOCK, ends_run};

/// Bytes of output that must be free for the next step: a block, or the longest character.
pub(crate) const MARGIN: usize = BLOCK;

/// Bytes that one step looks at, at most: `\U` and eight digits, then `\u` and four.
pub(crate) const LOOKAHEAD: usize = 16;

/// What is wrong with a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidLiteral {
    /// The file ends before the closing quote.
    Unterminated,
    /// Only escaped ones are allowed.
    Nul,
    /// Only escaped ones are allowed.
    LineFeed,
    /// Only escaped bytes may be anything.
    NotUtf8,
    /// A letter after `\` that means nothing, or digits that are missing or too large.
    Escape,
}

/// The same for people, in their order.
const INVALID: [&str; 5] = [
    "the text ends within a string",
    "a string has a NUL byte",
    "a string has a line break, or its closing quote is missing",
    "a string has bytes that are not UTF-8",
    "a string has an escape that does not exist",
];

impl InvalidLiteral {
    /// For people.
    pub(crate) const fn text(self) -> &'static str {
        INVALID[self as usize]
    }
}

/// Why an `unescape` stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At the closing quote, which is not consumed.
    Quote,
    /// More input is needed to go on.
    Input,
    /// More output is needed to go on.
    Output,
    /// At something that no literal has.
    Invalid(InvalidLiteral),
}

/// How far an `unescape` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes of input that are done.
    pub(crate) consumed: usize,
    /// Bytes of output that were written.
    pub(crate) produced: usize,
    /// Why not more.
    pub(crate) stop: Stop,
}

/// For each ASCII character after a `\`, what the two mean together; 0 where it is more than that.
const SIMPLE: [u8; 128] = {
    let mut table = [0; 128];
    let letters = b"\"'\\?abfnrtv";
    let values = b"\"'\\?\x07\x08\x0c\n\r\t\x0b";
    let mut at = 0;
    while at < letters.len() {
        table[letters[at] as usize] = values[at];
        at += 1;
    }
    table
};

/// Unescapes `input`, the inside of a literal that `quote` closes, into `output`. `last`: nothing follows the input.
pub(crate) fn unescape(input: &[u8], output: &mut [u8], quote: u8, last: bool) -> Progress {
    let mut from = 0;
    let mut to = 0;
    let stop = loop {
        let Some(room) = output.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<MARGIN>) else {
            break Stop::Output;
        };
        let rest = input.get(from..).unwrap_or_default();
        if let Some(block) = rest.first_chunk::<BLOCK>() {
            let special = ends_run(block, quote).trailing_zeros() as usize;
            *room = *block;
            if special > 0 {
                let plain = special.min(BLOCK);
                from += plain;
                to += plain;
                continue;
            }
            if block[0] == b'\\'
                && let Some(&byte) = SIMPLE.get(usize::from(block[1]))
                && byte != 0
            {
                room[0] = byte;
                from += 2;
                to += 1;
                continue;
            }
        }
        match step(rest, quote, last) {
            Ok(Step { bytes, length, consumed }) => {
                *room.first_chunk_mut().unwrap_or(&mut [0; 4]) = bytes;
                from += consumed;
                to += length;
            }
            Err(stop) => break stop,
        }
    };
    Progress { consumed: from, produced: to, stop }
}

/// One character, raw or escaped.
struct Step {
    bytes: [u8; 4],
    length: usize,
    consumed: usize,
}

fn step(rest: &[u8], quote: u8, last: bool) -> Result<Step, Stop> {
    let missing = if last { Stop::Invalid(InvalidLiteral::Unterminated) } else { Stop::Input };
    match *rest.first().ok_or(missing)? {
        byte if byte == quote => Err(Stop::Quote),
        0 => Err(Stop::Invalid(InvalidLiteral::Nul)),
        b'\n' => Err(Stop::Invalid(InvalidLiteral::LineFeed)),
        b'\\' => escape(rest, missing),
        _ => match sequence(rest) {
            Sequence::Valid(length) => {
                let mut bytes = [0; 4];
                for (to, from) in bytes.iter_mut().zip(rest).take(length) {
                    *to = *from;
                }
                Ok(Step { bytes, length, consumed: length })
            }
            Sequence::Incomplete if !last => Err(Stop::Input),
            Sequence::Incomplete | Sequence::Invalid => Err(Stop::Invalid(InvalidLiteral::NotUtf8)),
        },
    }
}

fn escape(rest: &[u8], missing: Stop) -> Result<Step, Stop> {
    let invalid = Stop::Invalid(InvalidLiteral::Escape);
    let letter = *rest.get(1).ok_or(missing)?;
    if let Some(&byte) = SIMPLE.get(usize::from(letter))
        && byte != 0
    {
        return Ok(Step { bytes: [byte, 0, 0, 0], length: 1, consumed: 2 });
    }
    match letter {
        b'0'..=b'7' => byte(rest, 1, 3, 8, missing),
        b'x' => byte(rest, 2, 2, 16, missing),
        b'u' | b'U' => {
            let mut consumed = if letter == b'u' { 6 } else { 10 };
            let mut code = number(rest.get(2..consumed).ok_or(missing)?).ok_or(invalid)?;
            if (0xd800..0xe000).contains(&code) {
                // A surrogate is the first half of a pair, and the other half follows as `\u`.
                let pair = rest.get(consumed..consumed + 6).ok_or(missing)?;
                let low = pair.strip_prefix(b"\\u").and_then(number).ok_or(invalid)?;
                if code >= 0xdc00 || !(0xdc00..0xe000).contains(&low) {
                    return Err(invalid);
                }
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                consumed += 6;
            }
            let character = char::from_u32(code).ok_or(invalid)?;
            let mut bytes = [0; 4];
            let length = character.encode_utf8(&mut bytes).len();
            Ok(Step { bytes, length, consumed })
        }
        _ => Err(invalid),
    }
}

/// A byte as one to `most` digits, which begin at `start`.
fn byte(rest: &[u8], start: usize, most: usize, radix: u32, missing: Stop) -> Result<Step, Stop> {
    let invalid = Stop::Invalid(InvalidLiteral::Escape);
    let mut value = 0;
    let mut consumed = start;
    while consumed < start + most {
        // Where the input ends, more of it could hold another digit.
        let Some(digit) = char::from(*rest.get(consumed).ok_or(missing)?).to_digit(radix) else {
            break;
        };
        value = value * radix + digit;
        consumed += 1;
    }
    match u8::try_from(value) {
        Ok(byte) if consumed > start => Ok(Step { bytes: [byte, 0, 0, 0], length: 1, consumed }),
        _ => Err(invalid),
    }
}

/// The number that hexadecimal digits, at most eight, stand for.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::escape;
    use alloc::vec::Vec;
    use alloc::{format, vec};

    fn unescaped(input: &[u8], chunk: usize) -> Result<Vec<u8>, InvalidLiteral> {
        let mut output = [0; MARGIN + 3];
        let mut all = Vec::new();
        let (mut start, mut end) = (0, chunk.min(input.len()));
        loop {
            let progress = unescape(&input[start..end], &mut output, b'"', end == input.len());
            all.extend_from_slice(&output[..progress.produced]);
            start += progress.consumed;
            match progress.stop {
                Stop::Quote => return Ok(all),
                Stop::Output => {}
                Stop::Input => {
                    assert!(end < input.len() && end - start < LOOKAHEAD);
                    end = (end + chunk).min(input.len());
                }
                Stop::Invalid(invalid) => return Err(invalid),
            }
        }
    }

    #[test]
    fn what_is_unescaped_does_not_depend_on_the_chunks() {
        let text = r#"plain text of some length, \"quoted\"\r\n\x41\101\1\\\u00e9\U0001f600\ud83d\ude00ñ😀\xff\0"#;
        let whole = unescaped(format!("{text}\"").as_bytes(), 1000);
        let expected = b"plain text of some length, \"quoted\"\r\nAA\x01\\\xc3\xa9\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xc3\xb1\xf0\x9f\x98\x80\xff\0";
        assert_eq!(whole.as_deref(), Ok(&expected[..]));
        for chunk in 1..40 {
            assert_eq!(unescaped(format!("{text}\"").as_bytes(), chunk), whole, "chunks of {chunk}");
        }
    }

    #[test]
    fn every_byte_comes_back_from_its_escape() {
        for first in 0..=u8::MAX {
            let input: Vec<u8> = (0..=u8::MAX).flat_map(|second| [first, second]).collect();
            let mut output = vec![0; input.len() * escape::GROWTH + escape::MARGIN];
            let progress = escape::escape(&input, &mut output, true);
            output.truncate(progress.produced);
            output.push(b'"');
            assert_eq!(unescaped(&output, 1 << 20).as_deref(), Ok(&input[..]));
            assert_eq!(unescaped(&output, 7).as_deref(), Ok(&input[..]));
        }
    }

    #[test]
    fn what_no_literal_has_is_refused() {
        use InvalidLiteral::{Escape, LineFeed, NotUtf8, Nul, Unterminated};
        for (text, invalid) in [
            (&b"a"[..], Unterminated),
            (b"a\\", Unterminated),
            (b"a\\u12", Unterminated),
            (b"a\0\"", Nul),
            (b"a\n\"", LineFeed),
            (b"a\\\n\"", Escape),
            (b"a\xff\"", NotUtf8),
            (b"a\xe2\x82", NotUtf8),
            (b"\\e\"", Escape),
            (b"\\X41\"", Escape),
            (b"\\x\"", Escape),
            (b"\\777\"", Escape),
            (b"\\400\"", Escape),
            (b"\\u12\"     ", Escape),
            (b"\\ude00\\ud83d\"", Escape),
            (b"\\ud83dabcdef\"", Escape),
            (b"\\U00110000\"", Escape),
            (b"\\U0000d83d\\U0000de00\"", Escape),
            (b"\\u+123\"", Escape),
        ] {
            assert_eq!(unescaped(text, 1000), Err(invalid), "{}", text.escape_ascii());
            assert_eq!(unescaped(text, 1), Err(invalid), "{}", text.escape_ascii());
        }
    }
}
