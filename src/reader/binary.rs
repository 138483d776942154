//! A binary item being read.

use super::{HEAD_BYTES, Integrity, Judgement, SMALL_BYTES};
use crate::binary::{self, LENGTH_BYTES, Parsed, too_large};
use crate::encoder::{Encoder, Sink};
use crate::error::Result;
use crate::filesystem::File;
use crate::input::{Input, READ_BYTES};
use crate::integrity::{
    BINARY_CLOSING_BYTES, BINARY_OPENING, BINARY_UNCOVERED_BYTES, Checksum, Closing, Damage, Opening, binary_opening,
    parse_binary_closing,
};
use crate::limits::MAX_ENVELOPE_BYTES;
use crate::message::Envelope;

/// A binary item being read.
pub(super) struct BinaryReader<F> {
    input: Input<F>,
    judgement: Judgement,
    opened: bool,
    pub(super) envelope: Envelope,
    pub(super) integrity: Integrity,
    closing: Closing,
    /// Where the body begins and ends.
    body_at: u64,
    body_end: u64,
    /// The checksum of the whole so far; none once bytes were skipped, or all was checked.
    whole: Option<Checksum>,
}

impl<F: File> BinaryReader<F> {
    pub(super) fn new(input: Input<F>, judgement: Judgement) -> BinaryReader<F> {
        BinaryReader {
            input,
            judgement,
            opened: false,
            envelope: Envelope::default(),
            integrity: Integrity::Unchecked,
            closing: Closing::default(),
            body_at: 0,
            body_end: 0,
            whole: None,
        }
    }

    /// Finds the envelope, and stops before the body.
    pub(super) fn open(&mut self) -> Result<()> {
        let input = &mut self.input;
        let size = input.size();
        if input.window().is_empty() {
            input.more(if size <= SMALL_BYTES { SMALL_BYTES as usize } else { HEAD_BYTES })?;
        }
        match binary_opening(input.window()) {
            Opening::Present => {}
            Opening::Unknown => return Err(Damage::Version.into()),
            Opening::Absent => return Err(Damage::Layout.into()),
        }
        input.keep();
        input.consume(BINARY_OPENING.len());
        let mut entries = 0;
        loop {
            match binary::field(input.window(), &mut self.envelope, &mut entries)? {
                Parsed::Field(bytes) => input.consume(bytes),
                Parsed::Body(bytes) => {
                    input.consume(bytes);
                    break;
                }
                Parsed::Incomplete => {
                    if input.offset() + input.window().len() as u64 > MAX_ENVELOPE_BYTES as u64 {
                        return Err(too_large("max-envelope-bytes"));
                    }
                    if !input.more(READ_BYTES)? {
                        return Err(Damage::Cut.into());
                    }
                }
            }
        }
        let mut whole = Checksum::default();
        whole.update(input.kept());
        let length_at = input.offset();
        self.body_at = length_at + LENGTH_BYTES as u64;
        let closing_at = size.saturating_sub(BINARY_CLOSING_BYTES as u64);
        if closing_at < self.body_at {
            return Err(Damage::Cut.into());
        }
        self.closing = parse_binary_closing(&input.peek_at(closing_at, size)?).ok_or(Damage::Cut)?;
        let length = binary::parse_length(&input.peek_at(length_at, self.body_at)?);
        self.body_end = self.body_at.saturating_add(self.closing.body_length);
        // What follows the body is one short field: a body that ends too early would leave more than an envelope may have.
        if length != Some(self.closing.body_length)
            || self.body_end > closing_at
            || closing_at - self.body_end > MAX_ENVELOPE_BYTES as u64
        {
            return Err(Damage::Layout.into());
        }
        let tail = input.peek_at(self.body_end, size - 2 * BINARY_UNCOVERED_BYTES)?;
        let mut fields = tail.get(..(closing_at - self.body_end) as usize).unwrap_or_default();
        while !fields.is_empty() {
            match binary::field(fields, &mut self.envelope, &mut entries)? {
                Parsed::Field(bytes) => fields = fields.get(bytes..).unwrap_or_default(),
                Parsed::Body(_) | Parsed::Incomplete => return Err(Damage::Layout.into()),
            }
        }
        if self.judgement != Judgement::Format && self.envelope.created_at.is_none() {
            return Err(Damage::Incomplete.into());
        }
        if self.judgement != Judgement::Seal {
            let mut checksum = whole.clone();
            checksum.update(&tail);
            if checksum.digest() != self.closing.envelope {
                return Err(Damage::Mismatch.into());
            }
            self.integrity = Integrity::Envelope;
        }
        input.seek(self.body_at);
        self.whole = Some(whole);
        self.opened = true;
        Ok(())
    }

    /// Bytes of the body.
    pub(super) fn body_length(&self) -> u64 {
        self.body_end - self.body_at
    }

    /// What the item says of its checksum.
    pub(super) fn whole(&self) -> u64 {
        self.closing.whole
    }

    /// Goes to `offset` in the body, or to its end, and checks the whole no more. Returns where that is.
    pub(super) fn seek_unchecked(&mut self, offset: u64) -> u64 {
        let offset = offset.min(self.body_length());
        self.whole = None;
        self.input.seek(self.body_at + offset);
        offset
    }

    /// Reads the next bytes of the body; none at the end, where all was checked.
    pub(super) fn read(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        let Some(bytes) = self.next_bytes(output.len())? else {
            return Ok(None);
        };
        let length = bytes.len();
        if let Some(room) = output.get_mut(..length) {
            room.copy_from_slice(bytes);
        }
        Ok(Some(length))
    }

    /// Copies the body into an encoder, as it is.
    pub(super) fn copy_encoded<S: Sink>(&mut self, encoder: &mut Encoder<S>) -> Result<()> {
        while let Some(bytes) = self.next_bytes(READ_BYTES)? {
            encoder.encoded_body(bytes, bytes.len() as u64)?;
        }
        Ok(())
    }

    fn next_bytes(&mut self, most: usize) -> Result<Option<&[u8]>> {
        if !self.opened {
            self.open()?;
        }
        let left = self.body_end - self.input.offset();
        if left == 0 {
            self.finish()?;
            return Ok(None);
        }
        self.input.peek()?;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(most).min(self.input.window().len());
        let bytes = self.input.take(length);
        if let Some(whole) = &mut self.whole {
            whole.update(bytes);
        }
        Ok(Some(bytes))
    }

    /// Checks what can be checked only at the end.
    fn finish(&mut self) -> Result<()> {
        if let Some(mut whole) = self.whole.take()
            && self.judgement != Judgement::Seal
        {
            whole.update(&self.input.peek_at(self.body_end, self.input.size() - BINARY_UNCOVERED_BYTES)?);
            if whole.digest() != self.closing.whole {
                return Err(Damage::Mismatch.into());
            }
            self.integrity = Integrity::Whole;
        }
        Ok(())
    }
}
