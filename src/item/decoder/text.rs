//! A text item that is being read.

use super::strictness::{Integrity, SMALL_BYTES, Strictness, head_bytes};
use crate::error::{Error, Result};
use crate::item::damage::Damage;
use crate::item::envelope::Envelope;
use crate::item::source::Source;
use crate::item::text::parser::{Parser, Step};
use crate::item::trailer::{
    Checksum, FoundTrailer, Header, TEXT_TRAILER_BYTES, TEXT_UNCOVERED_BYTES, find_text_trailer, text_header,
};
use alloc::vec;

/// Bytes of the tail of a larger item that are searched for the end of the body.
const TAIL_BYTES: u64 = 512;

/// Bytes of the body that are decoded at a time where they are only verified.
const SCRATCH_BYTES: usize = 16 << 10;

/// The text that this component and chasquid write after the body.
const AFTER_BODY: &[u8; 16] = b"\"\ncreated_at_ts:";

/// A text item that is being read.
pub(super) struct TextReader {
    parser: Parser,
    strictness: Strictness,
    stage: Stage,
    /// The fields but the body, as far as they were read.
    pub(super) envelope: Envelope,
    /// Whether `envelope` is complete: fields that are read from here on are read again, and dropped.
    envelope_complete: bool,
    pub(super) integrity: Integrity,
    header: Header,
    trailer: Option<FoundTrailer>,
    /// Bytes of the body, once known.
    pub(super) body_length: Option<u64>,
    /// The offset of the quote that closes the body, where a search from the tail found it.
    body_end: Option<u64>,
    /// Bytes of the body that were decoded.
    decoded: u64,
}

/// The part of the item that comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Fields before the body or after it.
    Fields,
    /// The body.
    Body,
    /// Nothing: all was read and verified.
    Done,
}

impl TextReader {
    /// Reads the beginning and the trailer line. The envelope is complete once everything was read.
    pub(super) fn begin(source: Source, strictness: Strictness) -> Result<TextReader> {
        let mut reader = TextReader {
            parser: Parser::new(source),
            strictness,
            stage: Stage::Fields,
            envelope: Envelope::default(),
            envelope_complete: false,
            integrity: Integrity::Unchecked,
            header: Header::Absent,
            trailer: None,
            body_length: None,
            body_end: None,
            decoded: 0,
        };
        reader.read_beginning()?;
        Ok(reader)
    }

    /// Finds the envelope, and stops before the body: by the head and the tail of the file if it is laid out as usual,
    /// else by reading it all.
    pub(super) fn open(source: Source, strictness: Strictness) -> Result<TextReader> {
        let mut reader = TextReader::begin(source, strictness)?;
        match reader.find_envelope() {
            Ok(()) => Ok(reader),
            Err(error) => Err(reader.parser.source().locate(error)),
        }
    }

    /// Returns the checksum of the whole that the item carries, if it does.
    pub(super) fn whole_checksum(&self) -> Option<u64> {
        self.trailer.map(|found| found.trailer.whole)
    }

    /// Gives up verifying checksums.
    pub(super) fn give_up_checksums(&mut self) {
        self.strictness = Strictness::NoChecksums;
    }

    /// Reads the next bytes of the body; none at the end of the item, where all was verified.
    pub(super) fn read(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        self.next_bytes(output).map_err(|error| self.parser.source().locate(error))
    }

    /// Passes the body to `consume` as it is written, with the number of bytes that it stands for, where a checksum tells
    /// where it ends. The caller reads on from there.
    pub(super) fn copy_encoded(&mut self, mut consume: impl FnMut(&[u8], u64) -> Result<()>) -> Result<()> {
        let (Some(end), Some(found), Stage::Body) = (self.body_end, self.trailer, self.stage) else {
            return Ok(());
        };
        while let Some(bytes) = self.parser.encoded_body(end)? {
            consume(bytes, 0)?;
        }
        self.decoded = found.trailer.body_length;
        consume(&[], self.decoded)
    }

    fn find_envelope(&mut self) -> Result<()> {
        if self.open_by_head_and_tail()? {
            return Ok(());
        }
        // The item has another layout, or is damaged; reading it all tells.
        self.restart()?;
        self.envelope = Envelope::default();
        let mut scratch = vec![0; SCRATCH_BYTES];
        while self.next_bytes(&mut scratch)?.is_some() {}
        let integrity = self.integrity;
        self.envelope_complete = true;
        self.restart()?;
        self.next_fields()?;
        self.integrity = integrity;
        Ok(())
    }

    /// Goes back to the beginning.
    fn restart(&mut self) -> Result<()> {
        self.parser.restart();
        self.decoded = 0;
        self.stage = Stage::Fields;
        self.read_beginning()
    }

    /// Reads the head of the file, and searches the trailer line at its end.
    fn read_beginning(&mut self) -> Result<()> {
        let source = self.parser.source();
        let size = source.size();
        source.fill(head_bytes(size))?;
        self.header = text_header(source.window());
        if self.header == Header::Unknown {
            return Err(Error::decode(Damage::Version));
        }
        self.trailer = find_text_trailer(&source.peek_at(size.saturating_sub(TEXT_TRAILER_BYTES), size)?);
        if self.header == Header::Present || self.trailer.is_some() {
            source.begin_checksum(size.saturating_sub(TEXT_UNCOVERED_BYTES));
        }
        if self.body_length.is_none() {
            self.body_length = self.trailer.map(|found| found.trailer.body_length);
        }
        Ok(())
    }

    /// Parses fields, up to the body or the end.
    fn next_fields(&mut self) -> Result<()> {
        let mut dropped = Envelope::default();
        let envelope = if self.envelope_complete { &mut dropped } else { &mut self.envelope };
        match self.parser.next(envelope)? {
            Step::Body => self.stage = Stage::Body,
            Step::End => self.finish()?,
        }
        Ok(())
    }

    /// Parses the head, and then the tail alone. False: the item has another layout, or a checksum does not match.
    fn open_by_head_and_tail(&mut self) -> Result<bool> {
        let size = self.parser.source().size();
        let verifiable = match (self.header, self.trailer) {
            // An operator vouches for an item that parses, so everything is parsed.
            _ if self.strictness == Strictness::NoChecksums => return Ok(false),
            (Header::Present, Some(found)) if !found.followed => Some(found),
            // A small item without checksums is in the window anyway, so that all of it is known.
            (Header::Absent, None) if size > SMALL_BYTES => None,
            _ => return Ok(false),
        };
        if verifiable.is_some() {
            // For the checksum of the envelope.
            self.parser.source().retain();
        }
        self.next_fields()?;
        if self.stage == Stage::Done {
            return Ok(true);
        }
        let body_begin = self.parser.source().offset();
        let tail_begin = body_begin.max(size.saturating_sub(TAIL_BYTES));
        let tail = self.parser.source().peek_at(tail_begin, size)?;
        let Some(fields_end) = tail.len().checked_sub(verifiable.map_or(0, |found| found.from_end)) else {
            return Ok(false);
        };
        let Some(quote) = tail[..fields_end].array_windows().rposition(|window| window == AFTER_BODY) else {
            return Ok(false);
        };
        let body_end = tail_begin + quote as u64;
        if body_end <= body_begin || !self.parser.source().window().starts_with(b"\"") {
            return Ok(false);
        }
        let mut tail_envelope = Envelope::default();
        let mut tail_parser = self.parser.after_body(Source::memory(tail[quote + 1..].to_vec()));
        // The tail has one field, so that the envelope is complete with it.
        let parsed = tail_parser.next(&mut tail_envelope);
        if !matches!(parsed, Ok(Step::End)) || !tail_parser.parsed_creation_only(&self.parser) {
            return Ok(false);
        }
        if let Some(found) = verifiable {
            let mut checksum = Checksum::default();
            checksum.update(self.parser.source().retained());
            checksum.update(b"\"");
            checksum.update(&tail[quote..tail.len() - found.envelope_from_end]);
            if checksum.digest() != found.trailer.envelope {
                return Ok(false);
            }
            self.integrity = Integrity::Envelope;
        }
        self.envelope.created_at = tail_envelope.created_at;
        self.envelope_complete = true;
        self.body_end = Some(body_end);
        Ok(true)
    }

    fn next_bytes(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        loop {
            match self.stage {
                Stage::Fields => self.next_fields()?,
                Stage::Body => match self.parser.body(output)? {
                    Some(read) => {
                        self.decoded += read as u64;
                        return Ok(Some(read));
                    }
                    None => self.stage = Stage::Fields,
                },
                Stage::Done => return Ok(None),
            }
        }
    }

    /// Verifies the item at its end.
    fn finish(&mut self) -> Result<()> {
        self.stage = Stage::Done;
        self.body_length = Some(self.decoded);
        let complete = self.envelope_complete || self.envelope.created_at.is_some();
        if self.strictness != Strictness::FormatOnly && !complete {
            return Err(Error::decode(Damage::Incomplete));
        }
        if self.strictness == Strictness::NoChecksums {
            return Ok(());
        }
        self.integrity = match (self.header, self.trailer) {
            (Header::Absent, None) => Integrity::Unchecked,
            (_, None) => return Err(Error::decode(Damage::Truncated)),
            (header, Some(FoundTrailer { trailer, followed, .. })) => {
                let is_intact = header == Header::Present
                    && !followed
                    && trailer.body_length == self.decoded
                    && self.parser.source().checksum() == Some(trailer.whole);
                if !is_intact {
                    return Err(Error::decode(Damage::Mismatch));
                }
                Integrity::Whole
            }
        };
        Ok(())
    }
}
