//! The inside of a text literal into bytes, accepting and refusing what Go's `prototext` does.

use super::block::{
    BLOCK, Sequences, Window, begins_hexadecimal, copy_run, ends_run, escapes, hexadecimal_digits, hexadecimal_values,
    sequences, window,
};
pub(super) use super::escape_sequence::LOOKAHEAD;
pub use super::escape_sequence::Stop;
use super::escape_sequence::{SIMPLE, Step, step};
use super::utf8::{Sequence, sequence};

/// Bytes of output that must be free for the next block.
pub const MARGIN: usize = 2 * BLOCK;

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
        let rest = &input[from..];
        let block = unescape_block(window(rest, &mut filled), room, quote);
        from += block.consumed;
        to += block.produced;
        if block.whole {
            continue;
        }
        match step(&input[from..], quote, last) {
            Ok(Step { bytes, length, consumed }) => {
                output[to..to + length].copy_from_slice(&bytes[..length]);
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
        let mut byte = SIMPLE[usize::from(letter)];
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
        match sequence(&window[next..]) {
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
        let byte = SIMPLE[usize::from(window[place + 1])];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::text::escape;
    use crate::item::text::syntax::LiteralError;
    use alloc::vec::Vec;
    use alloc::{format, vec};

    /// Unescapes the input in chunks, into little room and into much.
    fn unescaped(input: &[u8], chunk: usize) -> Result<Vec<u8>, LiteralError> {
        let all = unescaped_into(input, chunk, MARGIN + 3);
        for room in [MARGIN, MARGIN + 1, 1000] {
            assert!(unescaped_into(input, chunk, room) == all, "room for {room}");
        }
        all
    }

    fn unescaped_into(input: &[u8], chunk: usize, room: usize) -> Result<Vec<u8>, LiteralError> {
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
    fn unescaping_does_not_depend_on_chunks() {
        let text = r#"plain text of some length, \"quoted\"\r\n\x41\101\1\\\u00e9\U0001f600\ud83d\ude00ñ😀\xff\0"#;
        let whole = unescaped(format!("{text}\"").as_bytes(), 1000);
        let expected = b"plain text of some length, \"quoted\"\r\nAA\x01\\\xc3\xa9\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xc3\xb1\xf0\x9f\x98\x80\xff\0";
        assert_eq!(whole.as_deref(), Ok(&expected[..]));
        for chunk in 1..40 {
            assert_eq!(unescaped(format!("{text}\"").as_bytes(), chunk), whole, "chunks of {chunk}");
        }
    }

    #[test]
    fn every_byte_pair_round_trips() {
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
    fn text_like_escapes_round_trips() {
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
    fn invalid_literals_are_refused() {
        use LiteralError::{Escape, LineFeed, NotUtf8, Nul, Unterminated};
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
