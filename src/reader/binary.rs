//! A binary item being read.

use super::{Integrity, Judgement, Reader, Stage, head_bytes};
use crate::binary::{self, LENGTH_BYTES, Parsed, too_large};
use crate::encoder::{Encoder, Sink};
use crate::error::Result;
use crate::filesystem::File;
use crate::input::READ_BYTES;
use crate::integrity::{
    BINARY_CLOSING_BYTES, BINARY_OPENING, BINARY_UNCOVERED_BYTES, Checksum, Damage, Opening, binary_opening,
    parse_binary_closing,
};
use crate::limits::MAX_ENVELOPE_BYTES;

impl<F: File> Reader<F> {
    /// Finds the envelope, and stops before the body.
    pub(super) fn open_binary(&mut self) -> Result<()> {
        let input = &mut self.parser.input;
        let size = input.size();
        input.fill(head_bytes(size))?;
        match binary_opening(input.window()) {
            Opening::Present => {}
            Opening::Unknown => return Err(Damage::Version.into()),
            Opening::Absent => return Err(Damage::Layout.into()),
        }
        input.keep();
        input.consume(BINARY_OPENING.len());
        let mut entries = 0;
        loop {
            match binary::field(input.window(), &mut self.header, &mut entries)? {
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
        let closing = parse_binary_closing(&input.peek_at(closing_at, size)?).ok_or(Damage::Cut)?;
        self.closing = Some(closing);
        self.body_length = Some(closing.body_length);
        let length = binary::parse_length(&input.peek_at(length_at, self.body_at)?);
        let body_end = self.body_at.saturating_add(closing.body_length);
        self.body_end = Some(body_end);
        // What follows the body is one short field: a body that ends too early would leave more than an envelope may have.
        if length != Some(closing.body_length)
            || body_end > closing_at
            || closing_at - body_end > MAX_ENVELOPE_BYTES as u64
        {
            return Err(Damage::Layout.into());
        }
        let tail = input.peek_at(body_end, size - 2 * BINARY_UNCOVERED_BYTES)?;
        let fields = tail.get(..(closing_at - body_end) as usize).unwrap_or_default();
        binary::all_fields(fields, &mut self.header, &mut entries)?;
        if self.judgement != Judgement::Format && self.header.envelope.created_at.is_none() {
            return Err(Damage::Incomplete.into());
        }
        if self.judgement != Judgement::Seal {
            let mut checksum = whole.clone();
            checksum.update(&tail);
            if checksum.digest() != closing.envelope {
                return Err(Damage::Mismatch.into());
            }
            self.integrity = Integrity::Envelope;
        }
        input.seek(self.body_at);
        self.whole = Some(whole);
        self.stage = Stage::Body;
        Ok(())
    }

    /// Goes to `offset` in the body, or to its end, and checks the whole no more. Returns where that is.
    pub(super) fn seek_binary(&mut self, offset: u64) -> u64 {
        let offset = offset.min(self.body_length.unwrap_or(0));
        self.whole = None;
        self.parser.input.seek(self.body_at + offset);
        offset
    }

    /// Reads the next bytes of the body; none at the end, where all was checked.
    pub(super) fn read_binary(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
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
    pub(super) fn copy_binary(&mut self, encoder: &mut Encoder, sink: &mut dyn Sink) -> Result<()> {
        while let Some(bytes) = self.next_bytes(READ_BYTES)? {
            encoder.encoded_body(bytes, bytes.len() as u64, sink)?;
        }
        Ok(())
    }

    fn next_bytes(&mut self, most: usize) -> Result<Option<&[u8]>> {
        self.begin()?;
        let left = self.body_end.unwrap_or(0).saturating_sub(self.parser.input.offset());
        if left == 0 {
            self.finish_binary()?;
            return Ok(None);
        }
        self.parser.input.peek()?;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(most).min(self.parser.input.window().len());
        let bytes = self.parser.input.take(length);
        if let Some(whole) = &mut self.whole {
            whole.update(bytes);
        }
        Ok(Some(bytes))
    }

    /// Checks what can be checked only at the end.
    fn finish_binary(&mut self) -> Result<()> {
        if let (Some(mut whole), Some(end), Some(closing)) = (self.whole.take(), self.body_end, self.closing)
            && self.judgement != Judgement::Seal
        {
            whole.update(&self.parser.input.peek_at(end, self.parser.input.size() - BINARY_UNCOVERED_BYTES)?);
            if whole.digest() != closing.whole {
                return Err(Damage::Mismatch.into());
            }
            self.integrity = Integrity::Whole;
        }
        Ok(())
    }
}
