//! An item into the bytes of its file, in one pass and constant memory: head, body in pieces, tail and checksums.

use crate::binary;
use crate::error::{Code, Error, Operation, Result};
use crate::integrity::{self, Checksum};
use crate::limits::MAX_ENVELOPE_BYTES;
use crate::list::Maybe;
use crate::message::{BODY_FIELD, CREATED_AT_FIELD, Header, Timestamp};
use crate::name::Format;
use crate::text;
use crate::text::write::BODY;
use crate::zeros;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use queue_store_literal::escape::{GROWTH, MARGIN, escape};

/// Bytes that are handed to the sink at a time.
pub(crate) const SPILL_BYTES: usize = 64 << 10;

/// Bytes of the body that are escaped at a time.
const PIECE_BYTES: usize = 8 << 10;

/// The numbers of the fields that precede the body, and of that which follows it.
const BEFORE_BODY: RangeInclusive<usize> = 1..=BODY_FIELD - 1;
const AFTER_BODY: RangeInclusive<usize> = CREATED_AT_FIELD..=CREATED_AT_FIELD;

/// Where encoded bytes go.
pub(crate) trait Sink {
    /// Takes bytes that follow those that it has.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Replaces bytes that it has.
    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()>;
}

/// Bytes in memory.
impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let target = usize::try_from(offset).ok().and_then(|offset| self.get_mut(offset..offset + bytes.len()));
        if let Some(target) = target {
            target.copy_from_slice(bytes);
        }
        Ok(())
    }
}

/// An item being encoded, into the sink that each call is given.
pub(crate) struct Encoder {
    format: Format,
    created_at: Maybe<Timestamp>,
    buffer: Buffer,
    /// Whether the buffer keeps all of the item.
    kept: bool,
    /// Bytes of the buffer that the checksum of the whole has, or must not have.
    checked: usize,
    /// Where the body's length is, and what it says there, in binary.
    length_at: u64,
    length: u64,
    /// Whether the body has a literal, in text: one that is empty has none.
    literal: bool,
    /// A character that is not complete, at the end of what there was of the body.
    partial: Vec<u8>,
    body_length: u64,
    envelope: Checksum,
    whole: Checksum,
}

impl Encoder {
    /// Begins an item. `length` is what the body's will be, as far as that is known; another one costs a write more.
    pub(crate) fn begin(format: Format, header: &mut Header, length: Option<u64>) -> Result<Encoder> {
        let mut head = Vec::new();
        match format {
            Format::Text => {
                head.extend_from_slice(integrity::TEXT_OPENING);
                text::write::fields(header, BEFORE_BODY, "", &mut head);
            }
            Format::Binary => {
                head.extend_from_slice(integrity::BINARY_OPENING);
                binary::fields(header, BEFORE_BODY, &mut head);
                head.push(binary::BODY_TAG);
            }
        }
        if head.len() > MAX_ENVELOPE_BYTES {
            let detail = "the envelope is larger than `max-envelope-bytes`";
            return Err(Error::of(Code::TooLarge, Operation::Encode, "", detail));
        }
        let mut encoder = Encoder {
            format,
            created_at: header.envelope.created_at,
            buffer: Buffer::default(),
            kept: false,
            checked: 0,
            length_at: head.len() as u64,
            length: length.unwrap_or(0),
            literal: false,
            partial: Vec::new(),
            body_length: 0,
            envelope: Checksum::default(),
            whole: Checksum::default(),
        };
        encoder.envelope.update(&head);
        if format == Format::Binary {
            encoder.whole.update(&head);
            head.extend_from_slice(&binary::length(encoder.length));
            encoder.checked = head.len();
        }
        encoder.buffer = Buffer::of(head);
        Ok(encoder)
    }

    /// Appends bytes of the body.
    pub(crate) fn body(&mut self, mut bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
        if self.format == Format::Binary {
            return self.encoded_body(bytes, bytes.len() as u64, sink);
        }
        self.body_length += bytes.len() as u64;
        if !bytes.is_empty() {
            self.open_literal();
        }
        while !self.partial.is_empty()
            && let Some((first, rest)) = bytes.split_first()
        {
            // What is not complete is at most three bytes, so one more at a time decides it.
            self.partial.push(*first);
            bytes = rest;
            self.escape_partial(false);
        }
        while !bytes.is_empty() {
            let piece = bytes.get(..PIECE_BYTES).unwrap_or(bytes);
            let consumed = self.escape(piece, false);
            if consumed == 0 {
                self.partial = bytes.to_vec();
                break;
            }
            bytes = bytes.get(consumed..).unwrap_or_default();
            if self.buffer.filled().len() - self.checked >= SPILL_BYTES {
                self.spill(sink)?;
            }
        }
        Ok(())
    }

    /// The whole item, with this body.
    pub(crate) fn encode(mut self, body: &[u8]) -> Result<Vec<u8>> {
        self.kept = true;
        let mut nowhere = Vec::new();
        // The first piece tells what comes of the others.
        let first = body.get(..PIECE_BYTES).unwrap_or(body);
        self.body(first, &mut nowhere)?;
        if first.len() < body.len() {
            let growth = self.buffer.filled().len().div_ceil(first.len() / 16);
            self.buffer.reserve(body.len() / 16 * growth + PIECE_BYTES * GROWTH);
        }
        self.body(body.get(first.len()..).unwrap_or_default(), &mut nowhere)?;
        self.close();
        Ok(self.buffer.into_bytes())
    }

    /// Appends bytes of the body that are encoded already, in this format: `decoded` bytes of it.
    pub(crate) fn encoded_body(&mut self, bytes: &[u8], decoded: u64, sink: &mut dyn Sink) -> Result<()> {
        self.body_length += decoded;
        if self.format == Format::Text && !bytes.is_empty() {
            self.open_literal();
        }
        if self.kept || self.buffer.filled().len() + bytes.len() < SPILL_BYTES {
            self.buffer.push(bytes);
            return Ok(());
        }
        // Long ones do not pass through the buffer.
        self.spill(sink)?;
        self.whole.update(bytes);
        sink.write(bytes)
    }

    /// Bytes of the body so far.
    pub(crate) fn body_length(&self) -> u64 {
        self.body_length
    }

    /// Ends the item; returns the checksum of the whole.
    pub(crate) fn finish(mut self, sink: &mut dyn Sink) -> Result<u64> {
        let whole = self.close();
        sink.write(self.buffer.filled())?;
        if self.format == Format::Binary && self.body_length != self.length {
            sink.patch(self.length_at, &binary::length(self.body_length))?;
        }
        Ok(whole)
    }

    /// Appends what follows the body; returns the checksum of the whole.
    fn close(&mut self) -> u64 {
        let mut tail = Vec::new();
        let mut header = Header::default();
        header.envelope.created_at = self.created_at;
        match self.format {
            Format::Text => {
                self.escape_partial(true);
                if self.literal {
                    tail.extend_from_slice(text::write::AFTER_BODY);
                }
                text::write::fields(&mut header, AFTER_BODY, "", &mut tail);
                integrity::push_text_closing(self.body_length, &mut tail);
            }
            Format::Binary => {
                binary::fields(&mut header, AFTER_BODY, &mut tail);
                integrity::push_binary_closing(self.body_length, &mut tail);
            }
        }
        self.push_envelope(&tail);
        tail.clear();
        match self.format {
            Format::Text => integrity::push_text_envelope(self.envelope.digest(), &mut tail),
            Format::Binary => tail.extend_from_slice(&self.envelope.digest().to_le_bytes()),
        }
        self.buffer.push(&tail);
        self.check();
        tail.clear();
        let whole = self.whole.digest();
        match self.format {
            Format::Text => integrity::push_text_whole(whole, &mut tail),
            Format::Binary => tail.extend_from_slice(&whole.to_le_bytes()),
        }
        self.buffer.push(&tail);
        whole
    }

    /// Appends bytes of the envelope.
    fn push_envelope(&mut self, bytes: &[u8]) {
        self.envelope.update(bytes);
        self.buffer.push(bytes);
    }

    fn open_literal(&mut self) {
        if !self.literal {
            self.literal = true;
            self.push_envelope(BODY);
        }
    }

    /// Escapes a piece of the body into the buffer and says how much of it.
    fn escape(&mut self, piece: &[u8], last: bool) -> usize {
        let progress = escape(piece, self.buffer.room(piece.len() * GROWTH + MARGIN), last);
        self.buffer.fill(progress.produced);
        progress.consumed
    }

    fn escape_partial(&mut self, last: bool) {
        if !self.partial.is_empty() {
            let partial = core::mem::take(&mut self.partial);
            let consumed = self.escape(&partial, last);
            self.partial = partial.get(consumed..).unwrap_or_default().to_vec();
        }
    }

    /// Brings the checksum of the whole up to the end of the buffer.
    fn check(&mut self) {
        self.whole.update(self.buffer.filled().get(self.checked..).unwrap_or_default());
        self.checked = self.buffer.filled().len();
    }

    fn spill(&mut self, sink: &mut dyn Sink) -> Result<()> {
        self.check();
        if !self.kept && !self.buffer.filled().is_empty() {
            sink.write(self.buffer.filled())?;
            self.buffer.clear();
            self.checked = 0;
        }
        Ok(())
    }
}

/// Bytes that the sink has not got yet. Its room is initialized once, and not for each piece that goes there.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    fn of(bytes: Vec<u8>) -> Buffer {
        Buffer { filled: bytes.len(), bytes }
    }

    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.filled);
        self.bytes
    }

    fn clear(&mut self) {
        self.filled = 0;
    }

    /// Allocates room for so many bytes that follow those that are filled.
    fn reserve(&mut self, length: usize) {
        self.bytes.reserve_exact((self.filled + length).saturating_sub(self.bytes.len()));
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.room(bytes.len());
        if let Some(room) = room.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.fill(bytes.len());
    }

    /// At least `length` bytes that follow those that are filled.
    fn room(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < self.filled + length {
            zeros::resize(&mut self.bytes, self.filled + length);
        }
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }

    fn fill(&mut self, length: usize) {
        self.filled = (self.filled + length).min(self.bytes.len());
    }
}
