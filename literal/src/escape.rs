//! Bytes into the inside of a text literal, as Go's `prototext` writes them.
//!
//! `\" \\ \n \r \t` by their letters; other control characters, 0x7f and bytes that are not UTF-8 as `\xHH`; U+0080 to
//! U+009F as `\u00HH`; everything else as it is.

use crate::block::{BLOCK, Block, COPY, copy_block, copy_run, from_after, may_begin_sequence, needs_escape};
use crate::utf8::{Sequence, sequence};

/// Bytes that one byte of input becomes, at most.
pub const GROWTH: usize = 4;

/// Bytes of output that must be free for the next step: more than the longest escape (`\u00HH`).
pub const MARGIN: usize = 16;

/// Bytes of output that must be free for a block.
const ROOM: usize = BLOCK * GROWTH + COPY;

/// Special bytes in a block from which on it is escaped byte by byte: more than a block of text has.
const DENSE: u32 = 16;

/// For each byte that begins no character of several bytes, what it becomes, and how many bytes of that count.
const ESCAPES: ([[u8; GROWTH]; 256], [u8; 256]) = {
    let mut escapes = ([[0; GROWTH]; 256], [0; 256]);
    let mut byte = 0;
    while byte < 256 {
        (escapes.0[byte], escapes.1[byte]) = match byte as u8 {
            b'"' => (*b"\\\"  ", 2),
            b'\\' => (*b"\\\\  ", 2),
            b'\n' => (*b"\\n  ", 2),
            b'\r' => (*b"\\r  ", 2),
            b'\t' => (*b"\\t  ", 2),
            plain @ 0x20..0x7f => ([plain, b' ', b' ', b' '], 1),
            other => (hexadecimal(other), 4),
        };
        byte += 1;
    }
    escapes
};

const fn hexadecimal(byte: u8) -> [u8; GROWTH] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [b'\\', b'x', DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]
}

/// How far an `escape` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of input that are done.
    pub consumed: usize,
    /// Bytes of output that were written.
    pub produced: usize,
}

/// Escapes `input` into `output` until the input ends or fewer than [`MARGIN`] bytes of output are free. Where the input
/// ends within a character it stops before that, unless it is the `last` of the input.
pub fn escape(input: &[u8], output: &mut [u8], last: bool) -> Progress {
    let (mut from, mut to) = (0, 0);
    loop {
        let rest = input.get(from..).unwrap_or_default();
        let room = output.get_mut(to..).unwrap_or_default();
        let Some(step) = (match (rest.first_chunk(), room.first_chunk_mut()) {
            (Some(block), Some(room)) => Some(escape_block(block, room)),
            _ => escape_one(rest, room, last),
        }) else {
            return Progress { consumed: from, produced: to };
        };
        from += step.consumed;
        to += step.produced;
    }
}

/// Escapes a block, and the rest of a character that begins there.
#[inline(always)]
fn escape_block(block: &Block, room: &mut [u8; ROOM]) -> Progress {
    let mut special = needs_escape(block);
    if special == 0 {
        copy_block(block, room);
        return Progress { consumed: BLOCK, produced: BLOCK };
    }
    let mut sequences = may_begin_sequence(block);
    let (mut from, mut to) = (0, 0);
    if special.count_ones() >= DENSE {
        loop {
            let next = sequences.trailing_zeros() as usize;
            for &byte in block.get(from..next).unwrap_or_default() {
                to += escape_byte(byte, room, to);
            }
            from = from.max(next);
            if next >= BLOCK {
                return Progress { consumed: from, produced: to };
            }
            let step = escape_sequence(block.get(next..).unwrap_or_default(), room, to);
            sequences &= from_after(1 << next, step.consumed);
            from += step.consumed;
            to += step.produced;
        }
    }
    while special != 0 {
        let next = special.trailing_zeros() as usize;
        copy_run(block, from, room, to, next - from);
        to += next - from;
        let first = special & special.wrapping_neg();
        let step = if sequences & first == 0 {
            special ^= first;
            Progress { consumed: 1, produced: escape_byte(block[next % BLOCK], room, to) }
        } else {
            let step = escape_sequence(block.get(next..).unwrap_or_default(), room, to);
            special &= from_after(first, step.consumed);
            step
        };
        from = next + step.consumed;
        to += step.produced;
    }
    if from < BLOCK {
        copy_run(block, from, room, to, BLOCK - from);
        to += BLOCK - from;
        from = BLOCK;
    }
    Progress { consumed: from, produced: to }
}

/// Writes what stands for a byte, and says how long that is.
#[inline(always)]
fn escape_byte(byte: u8, room: &mut [u8; ROOM], to: usize) -> usize {
    // It is within the bounds anyway; this way the compiler knows it.
    let to = to % (ROOM - COPY);
    room[to..to + GROWTH].copy_from_slice(&ESCAPES.0[usize::from(byte)]);
    usize::from(ESCAPES.1[usize::from(byte)])
}

/// Writes what stands for the sequence that `bytes`, which have all of it, may begin with, or for its first byte.
fn escape_sequence(bytes: &[u8], room: &mut [u8; ROOM], to: usize) -> Progress {
    let mut escaped = [0; MARGIN];
    // Bytes that are missing are not there: nothing follows.
    let step = escape_one(bytes, &mut escaped, true).unwrap_or(Progress { consumed: 1, produced: 0 });
    let to = to % (ROOM - COPY);
    room[to..to + COPY].copy_from_slice(&escaped);
    step
}

/// Escapes one character, if all of it is there and there is room.
fn escape_one(input: &[u8], output: &mut [u8], last: bool) -> Option<Progress> {
    let room = output.first_chunk_mut::<MARGIN>()?;
    let &byte = input.first()?;
    let (consumed, produced) = match sequence(input) {
        Sequence::Valid(2) if byte == 0xc2 && input.get(1).is_some_and(|byte| *byte < 0xa0) => {
            let [_, _, high, low] = hexadecimal(input.get(1).copied().unwrap_or_default());
            room[..6].copy_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            (2, 6)
        }
        Sequence::Valid(length) if length > 1 => {
            for (to, from) in room.iter_mut().zip(input).take(length) {
                *to = *from;
            }
            (length, length)
        }
        Sequence::Incomplete if !last => return None,
        _ => {
            room[..GROWTH].copy_from_slice(&ESCAPES.0[usize::from(byte)]);
            (1, usize::from(ESCAPES.1[usize::from(byte)]))
        }
    };
    Some(Progress { consumed, produced })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;

    fn escaped(input: &[u8]) -> String {
        let mut output = vec![0; input.len() * GROWTH + MARGIN];
        let progress = escape(input, &mut output, true);
        assert_eq!(progress.consumed, input.len());
        output.truncate(progress.produced);
        String::from_utf8(output).expect("an escaped text is UTF-8")
    }

    #[test]
    fn every_ascii_character_is_written_as_go_writes_it() {
        // The fields `last_failure_message` of the reference item `failure_messages`.
        let all: Vec<u8> = (0..0x80).collect();
        assert_eq!(
            escaped(&all),
            concat!(
                r#"\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"#,
                r##"\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"##,
                r#"[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f"#
            )
        );
        assert_eq!(escaped("\u{80}\u{85}\u{9f}\u{a0}".as_bytes()), "\\u0080\\u0085\\u009f\u{a0}");
    }

    #[test]
    fn bytes_that_are_not_utf8_become_hexadecimal_one_at_a_time() {
        assert_eq!(escaped(b"a\xffb"), r"a\xffb");
        assert_eq!(escaped(b"\xe2\x82"), r"\xe2\x82");
        assert_eq!(escaped(b"\xe2\x82x"), r"\xe2\x82x");
        assert_eq!(escaped(b"\xed\xa0\x80"), r"\xed\xa0\x80");
        assert_eq!(escaped("ñ😀 \u{10ffff}".as_bytes()), "ñ😀 \u{10ffff}");
    }

    #[test]
    fn what_is_escaped_depends_neither_on_the_place_nor_on_the_chunks() {
        let mut text = Vec::new();
        for byte in 0..=u8::MAX {
            text.extend_from_slice(&[b'a', byte, 0xc2, byte, 0xe2, 0x82, byte]);
            text.extend_from_slice("Received: from ñandú\r\n".as_bytes());
        }
        let whole = escaped(&text);
        for size in [1, 2, 3, 5, 16, 17, 64, 79, 80, 81, 1000] {
            let mut output = vec![0; 40];
            let mut all = Vec::new();
            let mut pending: Vec<u8> = Vec::new();
            let mut chunks = text.chunks(size).peekable();
            while let Some(chunk) = chunks.next() {
                pending.extend_from_slice(chunk);
                loop {
                    let progress = escape(&pending, &mut output, chunks.peek().is_none());
                    all.extend_from_slice(&output[..progress.produced]);
                    pending.drain(..progress.consumed);
                    if progress.consumed == 0 {
                        break;
                    }
                }
            }
            assert_eq!(pending, [], "chunks of {size}");
            assert_eq!(String::from_utf8(all).expect("UTF-8"), whole, "chunks of {size}");
        }
    }

    #[test]
    fn output_never_grows_beyond_its_bound() {
        let input = vec![0xff; 1000];
        assert_eq!(escaped(&input), r"\xff".repeat(1000));
    }
}
