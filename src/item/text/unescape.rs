//! Unescapes a text literal, accepting and rejecting the same input as Go's `prototext`.

use super::block::{
    BLOCK, Sequences, Window, begins_hexadecimal, copy_run, ends_run, escapes, hexadecimal_digits, hexadecimal_values,
    sequences, window,
};
pub use super::escape_sequence::LOOKAHEAD;
pub use super::escape_sequence::Stop;
use super::escape_sequence::{SIMPLE, Step, step};
use super::utf8::{Sequence, sequence};

/// Bytes of output that must be free for the next block.
pub const MARGIN: usize = 2 * BLOCK;

/// Escapes in a block from which on all of them are decoded at once: more than a block of text has.
const DENSE: u32 = 8;

/// Bytes that are written without asking whether there are more.
const UNROLLED: usize = 8;

/// The progress of an `unescape`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of input that are done.
    pub consumed: usize,
    /// Bytes of output that were written.
    pub produced: usize,
    /// The reason why it stopped.
    pub stop: Stop,
}

/// The values of hexadecimal digits; more than 15 for other bytes.
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

/// The progress of unescaping a block.
struct BlockProgress {
    consumed: usize,
    produced: usize,
    /// Whether the whole block was consumed. Otherwise the next bytes need `step`.
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

/// Unescapes a block that is mostly `\xHH`, up to anything else but plain characters and short escapes. `None` if the
/// block is another one.
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
    // Stops before an escape that ends beyond the block, and before any byte that is not plain.
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
