//! Bytes into the inside of a text literal, as Go's `prototext` writes them.
//!
//! `\" \\ \n \r \t` by their letters; other control characters, 0x7f and bytes that are not UTF-8 as `\xHH`; U+0080 to
//! U+009F as `\u00HH`; everything else as it is.

use super::utf8::{Sequence, sequence};
use crate::simd::{BLOCK, needs_escape};

/// Bytes that one byte of input becomes, at most.
pub(crate) const GROWTH: usize = 4;

/// Bytes of output that must be free for the next step: a block, or the longest escape (`\u00HH`).
pub(crate) const MARGIN: usize = BLOCK;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// For each ASCII character, what it becomes, and how many bytes of that count.
const ASCII: [([u8; GROWTH], u8); 128] = {
    let mut table = [([0; GROWTH], 0); 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b'"' => (*b"\\\"  ", 2),
            b'\\' => (*b"\\\\  ", 2),
            b'\n' => (*b"\\n  ", 2),
            b'\r' => (*b"\\r  ", 2),
            b'\t' => (*b"\\t  ", 2),
            0x20..0x7f => ([byte as u8, b' ', b' ', b' '], 1),
            control => (hex(control), 4),
        };
        byte += 1;
    }
    table
};

const fn hex(byte: u8) -> [u8; 4] {
    [b'\\', b'x', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]
}

/// How far an `escape` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes of input that are done.
    pub(crate) consumed: usize,
    /// Bytes of output that were written.
    pub(crate) produced: usize,
}

/// Escapes `input` into `output` until the input ends or fewer than [`MARGIN`] bytes of output are free. Where the input
/// ends within a character it stops before that, unless it is the `last` of the input.
pub(crate) fn escape(input: &[u8], output: &mut [u8], last: bool) -> Progress {
    let mut from = 0;
    let mut to = 0;
    'blocks: while let Some(room) = output.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<MARGIN>) {
        let rest = input.get(from..).unwrap_or_default();
        if let Some(block) = rest.first_chunk::<BLOCK>() {
            let special = needs_escape(block).trailing_zeros() as usize;
            *room = *block;
            if special >= BLOCK {
                from += BLOCK;
                to += BLOCK;
                continue;
            }
            from += special;
            to += special;
        }
        // Characters come in groups (a line ends in two), so the loop stays here until a plain one.
        loop {
            let rest = input.get(from..).unwrap_or_default();
            let Some(room) = output.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<MARGIN>) else {
                break 'blocks;
            };
            let Some(&byte) = rest.first() else {
                break 'blocks;
            };
            if let Some((escaped, length)) = ASCII.get(usize::from(byte)) {
                put(room, escaped);
                to += usize::from(*length);
                from += 1;
                if *length == 1 && rest.len() > BLOCK {
                    continue 'blocks;
                }
                continue;
            }
            match sequence(rest) {
                Sequence::Valid(2) if byte == 0xc2 && rest.get(1).is_some_and(|byte| *byte < 0xa0) => {
                    let [_, _, high, low] = hex(rest.get(1).copied().unwrap_or_default());
                    put(room, &[b'\\', b'u', b'0', b'0', high, low]);
                    from += 2;
                    to += 6;
                }
                Sequence::Valid(length) => {
                    put(room, rest.get(..length).unwrap_or_default());
                    from += length;
                    to += length;
                }
                Sequence::Incomplete if !last => break 'blocks,
                Sequence::Incomplete | Sequence::Invalid => {
                    put(room, &hex(byte));
                    from += 1;
                    to += 4;
                }
            }
        }
    }
    Progress { consumed: from, produced: to }
}

#[inline(always)]
fn put(room: &mut [u8; MARGIN], bytes: &[u8]) {
    for (to, from) in room.iter_mut().zip(bytes) {
        *to = *from;
    }
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
        for size in [1, 2, 3, 5, 16, 17, 64, 1000] {
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
