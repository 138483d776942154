//! Escapes bytes for a text literal, as Go's `prototext` does.
//!
//! `\" \\ \n \r \t` by their letters; other control characters, 0x7f and bytes that are not UTF-8 as `\xHH`; U+0080 to
//! U+009F as `\u00HH`; everything else as it is.

use super::block::{BLOCK, Sequences, Window, copy_run, needs_escape, sequences, window};
use super::utf8::{Sequence, sequence};

/// Bytes that one byte of input becomes, at most.
pub const GROWTH: usize = 4;

/// Bytes of output that must be free for the next block.
pub const MARGIN: usize = BLOCK * GROWTH + BLOCK;

/// Bytes that are escaped without asking whether there are more.
const UNROLLED: usize = 8;

/// Special bytes in a block from which on it is escaped byte by byte: more than a block of text has.
const DENSE: u32 = 16;

/// The escaped form of each byte that is not part of a valid sequence of several bytes, and the length of that form.
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

/// The progress of an `escape`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of input that are done.
    pub consumed: usize,
    /// Bytes of output that were written.
    pub produced: usize,
}

/// Escapes `input` into `output` until the input ends or fewer than [`MARGIN`] bytes of output are free. Where the
/// input ends within a character it stops before that, unless it is the `last` of the input.
pub fn escape(input: &[u8], output: &mut [u8], last: bool) -> Progress {
    let input = if last { input } else { complete(input) };
    let (mut from, mut to) = (0, 0);
    let mut filled = [0; 2 * BLOCK];
    while let Some(room) = output.get_mut(to..).and_then(<[u8]>::first_chunk_mut) {
        let rest = &input[from..];
        if rest.is_empty() {
            break;
        }
        let step = escape_block(window(rest, &mut filled), rest.len().min(BLOCK), room);
        from += step.consumed;
        to += step.produced;
    }
    Progress { consumed: from, produced: to }
}

/// The input without the beginning of a character at its end.
fn complete(input: &[u8]) -> &[u8] {
    let is_partial = |begin: &usize| sequence(&input[*begin..]) == Sequence::Incomplete;
    let end = (input.len().saturating_sub(3)..input.len()).find(is_partial).unwrap_or(input.len());
    &input[..end]
}

/// Escapes the first `length` bytes of a block, at least one, but not a character of which it has only the beginning.
#[inline(always)]
fn escape_block(window: &Window, length: usize, room: &mut [u8; MARGIN]) -> Progress {
    let Sequences { whole, controls, end } = sequences(window);
    let end = end.min(length);
    let within = u64::MAX >> (BLOCK - end);
    let controls = controls & within;
    let mut special = (needs_escape(window) & !whole | controls) & within;
    let (mut from, mut to) = (0, 0);
    if special.count_ones() >= DENSE && controls == 0 {
        while from < end {
            let bytes = &window[from % BLOCK..from % BLOCK + UNROLLED];
            let whole = (whole >> from) as u8;
            if from + UNROLLED > end || whole != 0 {
                for (place, &byte) in bytes.iter().enumerate().take(end - from) {
                    to += escape_byte(byte, whole >> place & 1 != 0, room, to);
                }
            } else {
                for &byte in bytes {
                    to += escape_byte(byte, false, room, to);
                }
            }
            from += UNROLLED;
        }
        return Progress { consumed: end, produced: to };
    }
    while special != 0 {
        let next = special.trailing_zeros() as usize;
        copy_run(window, from, room, to);
        to += next - from;
        from = next + 1;
        special &= special - 1;
        if controls >> next & 1 == 0 {
            to += escape_byte(window[next % BLOCK], false, room, to);
        } else {
            to += escape_control(window[next % BLOCK + 1], room, to);
            from = next + 2;
        }
    }
    if from < end {
        copy_run(window, from, room, to);
        to += end - from;
    }
    Progress { consumed: end, produced: to }
}

/// Writes the escaped form of a byte and returns its length. A byte of a complete sequence (`whole`) is written as it
/// is.
#[inline(always)]
fn escape_byte(byte: u8, whole: bool, room: &mut [u8; MARGIN], to: usize) -> usize {
    // It is within the bounds anyway; this way the compiler knows it.
    let to = to % (MARGIN - BLOCK);
    let escaped = u32::from_ne_bytes(ESCAPES.0[usize::from(byte)]);
    let itself = u32::from_ne_bytes([byte; GROWTH]);
    // Without a branch, which nothing could predict.
    let escaped = escaped ^ (escaped ^ itself) & u32::from(whole).wrapping_neg();
    room[to..to + GROWTH].copy_from_slice(&escaped.to_ne_bytes());
    usize::from(ESCAPES.1[usize::from(byte)]) - (GROWTH - 1) * usize::from(whole)
}

/// Writes the escaped form of one of U+0080 to U+009F, given the second byte of its sequence, and returns its length.
#[inline(always)]
fn escape_control(second: u8, room: &mut [u8; MARGIN], to: usize) -> usize {
    let to = to % (MARGIN - BLOCK);
    let [_, _, high, low] = hexadecimal(second);
    let escaped = [b'\\', b'u', b'0', b'0', high, low];
    room[to..to + escaped.len()].copy_from_slice(&escaped);
    escaped.len()
}
