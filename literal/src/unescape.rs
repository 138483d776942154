//! The inside of a text literal into bytes, accepting and refusing what Go's `prototext` does.

use crate::block::{
    BLOCK, Sequences, Window, begins_hexadecimal, copy_run, ends_run, escapes, hexadecimal_digits, hexadecimal_values,
    sequences, window,
};
use crate::utf8::{Sequence, sequence};

/// Bytes of output that must be free for the next block.
pub const MARGIN: usize = 2 * BLOCK;

/// Bytes that one step looks at, at most: `\U` and eight digits, then `\u` and four.
pub const LOOKAHEAD: usize = 16;

/// What is wrong with a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidLiteral {
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
    pub const fn text(self) -> &'static str {
        INVALID[self as usize]
    }
}

/// Why an `unescape` stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At the closing quote, which is not consumed.
    Quote,
    /// More input is needed to go on.
    Input,
    /// More output is needed to go on.
    Output,
    /// At something that no literal has.
    Invalid(InvalidLiteral),
}

/// Escapes in a block from which on all of them are decoded at once: more than a block of text has.
const DENSE: u32 = 8;

/// Bytes that are written without asking whether there are more.
const UNROLLED: usize = 8;

/// How far an `unescape` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of input that are done.
    pub consumed: usize,
    /// Bytes of output that were written.
    pub produced: usize,
    /// Why not more.
    pub stop: Stop,
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

/// The value of a hexadecimal digit; more than 15 for what is none.
const DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digits[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

/// Unescapes `input`, the inside of a literal that `quote` closes, into `output`. `last`: nothing follows the input.
pub fn unescape(input: &[u8], output: &mut [u8], quote: u8, last: bool) -> Progress {
    let mut from = 0;
    let mut to = 0;
    let mut filled = [0; 2 * BLOCK];
    let stop = loop {
        let Some(room) = output.get_mut(to..).and_then(<[u8]>::first_chunk_mut) else {
            break Stop::Output;
        };
        let rest = input.get(from..).unwrap_or_default();
        let block = unescape_block(window(rest, &mut filled), room, quote);
        from += block.consumed;
        to += block.produced;
        if block.whole {
            continue;
        }
        match step(input.get(from..).unwrap_or_default(), quote, last) {
            Ok(Step { bytes, length, consumed }) => {
                for (to, from) in output.iter_mut().skip(to).zip(bytes).take(length) {
                    *to = from;
                }
                from += consumed;
                to += length;
            }
            Err(stop) => break stop,
        }
    };
    Progress { consumed: from, produced: to, stop }
}

/// How far a block was unescaped.
struct BlockProgress {
    consumed: usize,
    produced: usize,
    /// Whether that is all of the block; else something follows that only `step` knows.
    whole: bool,
}

/// Unescapes a block as far as it is plain characters, short escapes and hexadecimal ones.
#[inline(always)]
fn unescape_block(window: &Window, room: &mut [u8; MARGIN], quote: u8) -> BlockProgress {
    let special = ends_run(window, quote);
    if special.count_ones() >= DENSE
        && let Some(done) = unescape_dense(window, room, special)
    {
        return done;
    }
    let Sequences { whole, controls, end } = sequences(window);
    let mut special = special & !(whole | controls | controls << 1) & u64::MAX >> (BLOCK - end);
    let (mut from, mut to) = (0, 0);
    while special != 0 {
        let next = special.trailing_zeros() as usize % BLOCK;
        copy_run(window, from, room, to);
        to += next - from;
        from = next;
        let letter = window[next + 1];
        let mut byte = SIMPLE.get(usize::from(letter)).copied().unwrap_or_default();
        let (high, low) = (DIGITS[usize::from(window[next + 2])], DIGITS[usize::from(window[next + 3])]);
        if window[next] == b'\\' && byte != 0 {
            // The second byte may be special on its own.
            special &= (special - 1) & !(2 << next);
            from += 2;
        } else if window[next] == b'\\' && letter == b'x' && high | low <= 15 {
            special &= special - 1;
            from += 4;
            byte = high << 4 | low;
        } else {
            return BlockProgress { consumed: from, produced: to, whole: false };
        }
        room[to % (MARGIN - BLOCK)] = byte;
        to += 1;
    }
    if from < end {
        copy_run(window, from, room, to);
        to += end - from;
        from = end;
    }
    BlockProgress { consumed: from, produced: to, whole: true }
}

/// Unescapes a block that is mostly `\xHH`, up to anything else but plain characters and short escapes. None if that is not
/// how it is.
#[inline(always)]
fn unescape_dense(window: &Window, room: &mut [u8; MARGIN], special: u64) -> Option<BlockProgress> {
    let hexadecimal = begins_hexadecimal(window);
    if hexadecimal.count_ones() < DENSE {
        return None;
    }
    let mut escapes = special & escapes(window);
    let mut twice = escapes & escapes >> 1;
    while twice != 0 {
        // The second of two begins no escape, if the first does.
        let second = (twice & twice.wrapping_neg()) << 1;
        escapes &= !second;
        twice &= !(second | second >> 1);
    }
    // An escape that ends beyond the block is for the next one, and so is what is not plain.
    let mut end = (escapes & 7 << (BLOCK - 3)).trailing_zeros() as usize;
    let mut whole = true;
    let mut other = special & !(escapes | escapes << 1);
    while other != 0 {
        let next = other.trailing_zeros() as usize;
        match sequence(window.get(next..).unwrap_or_default()) {
            Sequence::Valid(length @ 2..) if next + length <= end => other &= !0 << next << length,
            _ => {
                whole = next >= end;
                end = end.min(next);
                break;
            }
        }
    }
    let within = 1_u64.checked_shl(end as u32).unwrap_or(0).wrapping_sub(1);
    let digits = hexadecimal_digits(window);
    let hexadecimal = hexadecimal & escapes & within;
    if hexadecimal & !(digits >> 2 & digits >> 3) != 0 {
        return None;
    }
    let mut values = hexadecimal_values(window);
    let letters = escapes & within & !hexadecimal;
    let mut left = letters;
    while left != 0 {
        let place = left.trailing_zeros() as usize % BLOCK;
        let byte = SIMPLE.get(usize::from(window[place + 1])).copied().unwrap_or_default();
        if byte == 0 {
            return None;
        }
        values[place] = byte;
        left &= left - 1;
    }
    // Each escape left its value in its first place.
    let mut kept = within & !(hexadecimal << 1 | hexadecimal << 2 | hexadecimal << 3 | letters << 1);
    let produced = kept.count_ones() as usize;
    let mut to = 0;
    while kept != 0 {
        for place in to..to + UNROLLED {
            room[place % (MARGIN - BLOCK)] = values[kept.trailing_zeros() as usize % BLOCK];
            kept &= kept.wrapping_sub(1);
        }
        to += UNROLLED;
    }
    Some(BlockProgress { consumed: end, produced, whole })
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
    use crate::escape;
    use alloc::vec::Vec;
    use alloc::{format, vec};

    /// Unescapes the input in chunks, into little room and into much.
    fn unescaped(input: &[u8], chunk: usize) -> Result<Vec<u8>, InvalidLiteral> {
        let all = unescaped_into(input, chunk, MARGIN + 3);
        for room in [MARGIN, MARGIN + 1, 1000] {
            assert!(unescaped_into(input, chunk, room) == all, "room for {room}");
        }
        all
    }

    fn unescaped_into(input: &[u8], chunk: usize, room: usize) -> Result<Vec<u8>, InvalidLiteral> {
        let mut output = vec![0; room];
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
    fn what_looks_like_an_escape_comes_back() {
        let alphabet = *b"\\\\xx2a\"\n\xff\xfe\xfd\xc2\x80\xe2\x82\0";
        let mut state = 1_u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            alphabet[(state >> 28) as usize]
        };
        for length in 0..1000 {
            let input: Vec<u8> = (0..length).map(|_| draw()).collect();
            let mut output = vec![0; length * escape::GROWTH + escape::MARGIN];
            let progress = escape::escape(&input, &mut output, true);
            output.truncate(progress.produced);
            output.push(b'"');
            assert_eq!(unescaped(&output, 1 << 20).as_deref(), Ok(&input[..]), "{}", input.escape_ascii());
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
