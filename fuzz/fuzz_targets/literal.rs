//! Escapes and unescapes any bytes in pieces of any size, into buffers of any size. The results must equal those of the
//! naive functions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store::item::text::escape::{self, escape};
use queue_store::item::text::unescape::{self, Stop, unescape};
use queue_store_fuzz::naive;

/// Escapes bytes in pieces of `piece` bytes, into a buffer of at least `room` bytes.
fn escaped(bytes: &[u8], piece: usize, room: usize) -> Vec<u8> {
    let mut output = vec![0; room.max(escape::MARGIN)];
    let (mut all, mut from, mut end) = (Vec::new(), 0, piece.min(bytes.len()));
    loop {
        let last = end == bytes.len();
        let progress = escape(&bytes[from..end], &mut output, last);
        all.extend_from_slice(&output[..progress.produced]);
        from += progress.consumed;
        if last && from == end {
            return all;
        }
        if progress.consumed == 0 || from == end {
            end = (end + piece).min(bytes.len());
        }
    }
}

/// Unescapes a literal in pieces. Returns its value and the offset of the closing quote; `None` if it is invalid.
fn unescaped(text: &[u8], quote: u8, piece: usize, room: usize) -> Option<(Vec<u8>, usize)> {
    let mut output = vec![0; room.max(unescape::MARGIN)];
    let (mut all, mut from, mut end) = (Vec::new(), 0, piece.min(text.len()));
    loop {
        let progress = unescape(&text[from..end], &mut output, quote, end == text.len());
        all.extend_from_slice(&output[..progress.produced]);
        from += progress.consumed;
        match progress.stop {
            Stop::Quote => return Some((all, from)),
            Stop::Output => {}
            Stop::Input => end = (end + piece).min(text.len()),
            Stop::Invalid(_) => return None,
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&[piece, room, quote], bytes)) = input.split_first_chunk() else {
        return;
    };
    let (piece, room) = (usize::from(piece) + 1, usize::from(room) * 2);
    let quote = if quote & 1 == 0 { b'"' } else { b'\'' };

    assert!(escaped(bytes, piece, room) == naive::escape(bytes).as_bytes(), "the escaped bytes differ");

    let text = [bytes, &[quote]].concat();
    let expected = naive::unescape(&text, quote);
    assert!(unescaped(&text, quote, piece, room) == expected, "the bytes unescaped in pieces differ");
    assert!(unescaped(&text, quote, text.len(), 4096) == expected, "the bytes unescaped at once differ");
});
