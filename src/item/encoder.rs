//! An item into the bytes of its file, in one pass and constant memory: header line, envelope, body in pieces, trailer.
//!
//! The encoder does no input or output: its owner takes the encoded bytes out of its buffer when there are enough.

use super::Format;
use super::binary;
use super::envelope::{Envelope, Timestamp};
use super::text::escape::{GROWTH, MARGIN, escape};
use super::text::writer;
use super::trailer::{self, Checksum};
use crate::error::{Cause, Error, Operation, Result};
use crate::limits::MAX_ENVELOPE_BYTES;
use alloc::vec::Vec;

/// Bytes of the body that are escaped at a time.
const PIECE_BYTES: usize = 8 << 10;

/// Bytes, at most, that a reader counts as envelope and that follow the body: its name, `created_at_ts` and the trailer line.
const MAX_TAIL_BYTES: usize = 256;

/// An item that is being encoded.
pub(crate) struct Encoder {
    format: Format,
    created_at: Option<Timestamp>,
    buffer: Buffer,
    /// In binary: the offset of the body's length in the file, and the length that was written there.
    length_field: (u64, u64),
    /// Whether the body's literal was opened, in text: an empty body has none.
    literal_open: bool,
    /// The beginning of a character, at the end of the body so far, in text.
    partial: Vec<u8>,
    body_length: u64,
    envelope_checksum: Checksum,
    whole_checksum: Checksum,
}

/// The end of an encoded item.
pub(crate) struct Encoded {
    /// The bytes that follow those that were taken out before.
    pub(crate) rest: Vec<u8>,
    /// The checksum of the whole.
    pub(crate) checksum: u64,
    /// An offset in the file and the bytes to write there, where the body's length was not the expected one.
    pub(crate) length_field: Option<(u64, [u8; binary::LENGTH_BYTES])>,
}

impl Encoder {
    /// Begins an item. `expected_length` is the length of its body, as far as it is known; another one costs a write more.
    pub(crate) fn new(format: Format, envelope: &Envelope, expected_length: Option<u64>) -> Result<Encoder> {
        let mut head = Vec::new();
        match format {
            Format::Text => {
                head.extend_from_slice(trailer::TEXT_HEADER);
                writer::before_body(envelope, &mut head);
            }
            Format::Binary => {
                head.extend_from_slice(trailer::BINARY_HEADER);
                binary::before_body(envelope, &mut head);
            }
        }
        if head.len() + MAX_TAIL_BYTES > MAX_ENVELOPE_BYTES {
            let detail = "the envelope is larger than `max-envelope-bytes`";
            return Err(Error::new(Cause::TooLarge(detail), Operation::Encode, ""));
        }
        let (mut envelope_checksum, mut whole_checksum) = (Checksum::default(), Checksum::default());
        envelope_checksum.update(&head);
        let length_field = (head.len() as u64, expected_length.unwrap_or(0));
        let mut buffer = Buffer::new(head);
        if format == Format::Binary {
            buffer.checksum(&mut whole_checksum);
            buffer.push(&binary::length(length_field.1));
            buffer.skip_checksum();
        }
        Ok(Encoder {
            format,
            created_at: envelope.created_at,
            buffer,
            length_field,
            literal_open: false,
            partial: Vec::new(),
            body_length: 0,
            envelope_checksum,
            whole_checksum,
        })
    }

    /// Appends bytes of the body.
    pub(crate) fn body(&mut self, mut bytes: &[u8]) {
        match self.format {
            Format::Binary => self.encoded_body(bytes, bytes.len() as u64),
            Format::Text => {
                self.body_length += bytes.len() as u64;
                if !bytes.is_empty() {
                    self.begin_body();
                }
                while !self.partial.is_empty()
                    && let Some((first, rest)) = bytes.split_first()
                {
                    // A partial character has at most three bytes, so one more at a time decides it.
                    self.partial.push(*first);
                    bytes = rest;
                    self.escape_partial(false);
                }
                while !bytes.is_empty() {
                    let consumed = self.escape(&bytes[..bytes.len().min(PIECE_BYTES)], false);
                    if consumed == 0 {
                        self.partial = bytes.to_vec();
                        break;
                    }
                    bytes = &bytes[consumed..];
                }
            }
        }
    }

    /// Appends bytes of the body that are encoded already, in this format, and stand for `decoded` bytes.
    pub(crate) fn encoded_body(&mut self, bytes: &[u8], decoded: u64) {
        self.body_length += decoded;
        if !bytes.is_empty() {
            self.begin_body();
        }
        self.buffer.push(bytes);
    }

    /// As `encoded_body`, for bytes that the owner writes itself, after all pending ones.
    pub(crate) fn encoded_elsewhere(&mut self, bytes: &[u8], decoded: u64) {
        assert!(self.pending().is_empty(), "pending bytes precede those that are written elsewhere");
        self.body_length += decoded;
        self.whole_checksum.update(bytes);
    }

    /// Opens the body's literal, in text, if it is not open.
    pub(crate) fn begin_body(&mut self) {
        if self.format == Format::Text && !self.literal_open {
            self.literal_open = true;
            self.push_envelope(writer::BODY);
        }
    }

    /// Returns the number of bytes of the body so far.
    pub(crate) fn body_length(&self) -> u64 {
        self.body_length
    }

    /// Returns the encoded bytes that the owner has not taken out.
    pub(crate) fn pending(&self) -> &[u8] {
        self.buffer.filled()
    }

    /// Notes that the owner took all pending bytes out.
    pub(crate) fn forget_pending(&mut self) {
        self.buffer.checksum(&mut self.whole_checksum);
        self.buffer.clear();
    }

    /// Ends the item.
    pub(crate) fn finish(mut self) -> Encoded {
        let mut tail = Vec::new();
        match self.format {
            Format::Text => {
                self.escape_partial(true);
                if self.literal_open {
                    tail.extend_from_slice(writer::AFTER_BODY);
                }
                writer::after_body(self.created_at, &mut tail);
                trailer::push_text_trailer(self.body_length, &mut tail);
            }
            Format::Binary => {
                binary::after_body(self.created_at, &mut tail);
                trailer::push_binary_trailer(self.body_length, &mut tail);
            }
        }
        self.push_envelope(&tail);
        tail.clear();
        let envelope = self.envelope_checksum.digest();
        match self.format {
            Format::Text => trailer::push_text_envelope(envelope, &mut tail),
            Format::Binary => tail.extend_from_slice(&envelope.to_le_bytes()),
        }
        self.buffer.push(&tail);
        self.buffer.checksum(&mut self.whole_checksum);
        tail.clear();
        let checksum = self.whole_checksum.digest();
        match self.format {
            Format::Text => trailer::push_text_whole(checksum, &mut tail),
            Format::Binary => tail.extend_from_slice(&checksum.to_le_bytes()),
        }
        self.buffer.push(&tail);
        let (offset, expected) = self.length_field;
        let other_length = self.format == Format::Binary && self.body_length != expected;
        let length_field = other_length.then(|| (offset, binary::length(self.body_length)));
        Encoded { rest: self.buffer.into_bytes(), checksum, length_field }
    }

    /// Encodes a whole item that has this body, whose length was the expected one.
    pub(crate) fn encode(mut self, body: &[u8]) -> Vec<u8> {
        // The growth of the first piece is about that of the others.
        let (first, others) = body.split_at(body.len().min(PIECE_BYTES));
        self.body(first);
        if !others.is_empty() {
            let growth = self.pending().len().div_ceil(first.len() / 16);
            self.buffer.reserve(others.len() / 16 * growth + PIECE_BYTES * GROWTH);
            self.body(others);
        }
        let Encoded { rest, length_field, .. } = self.finish();
        assert!(length_field.is_none(), "the length of the body was expected");
        rest
    }

    /// Appends bytes of the envelope.
    fn push_envelope(&mut self, bytes: &[u8]) {
        self.envelope_checksum.update(bytes);
        self.buffer.push(bytes);
    }

    /// Escapes a piece of the body into the buffer and returns how much of it.
    fn escape(&mut self, piece: &[u8], last: bool) -> usize {
        let progress = escape(piece, self.buffer.room(piece.len() * GROWTH + MARGIN), last);
        self.buffer.fill(progress.produced);
        progress.consumed
    }

    fn escape_partial(&mut self, last: bool) {
        if !self.partial.is_empty() {
            let mut partial = core::mem::take(&mut self.partial);
            let consumed = self.escape(&partial, last);
            partial.drain(..consumed);
            self.partial = partial;
        }
    }
}

/// Encoded bytes that were not taken out yet. Its room is initialized once, and not for each piece.
///
/// Invariant: `checksummed <= filled <= bytes.len()`.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    /// Prefix of the filled bytes that the whole-file checksum already covers, or leaves out.
    checksummed: usize,
}

impl Buffer {
    fn new(bytes: Vec<u8>) -> Buffer {
        Buffer { filled: bytes.len(), bytes, checksummed: 0 }
    }

    fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.filled);
        self.bytes
    }

    /// Brings a checksum up to the end of the filled bytes.
    fn checksum(&mut self, checksum: &mut Checksum) {
        checksum.update(&self.bytes[self.checksummed..self.filled]);
        self.skip_checksum();
    }

    /// Leaves the bytes that were filled since the last checksum out of it.
    fn skip_checksum(&mut self) {
        self.checksummed = self.filled;
    }

    fn clear(&mut self) {
        assert_eq!(self.checksummed, self.filled, "every byte that is taken out is in the checksum");
        self.filled = 0;
        self.checksummed = 0;
    }

    /// Allocates memory for `length` bytes after the filled ones.
    fn reserve(&mut self, length: usize) {
        self.bytes.reserve_exact((self.filled + length).saturating_sub(self.bytes.len()));
    }

    fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.fill(bytes.len());
    }

    /// Returns at least `length` bytes that follow the filled ones.
    fn room(&mut self, length: usize) -> &mut [u8] {
        let end = self.filled + length;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.filled..]
    }

    fn fill(&mut self, length: usize) {
        self.filled += length;
        assert!(self.filled <= self.bytes.len(), "only bytes of the room are filled");
    }
}
