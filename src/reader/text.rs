//! A text item being read.

use super::{Integrity, Judgement, PIECE_BYTES, Reader, SMALL_BYTES, Stage, TAIL_BYTES, head_bytes};
use crate::encoder::{Encoder, Sink};
use crate::error::Result;
use crate::filesystem::File;
use crate::input::Input;
use crate::integrity::{
    Checksum, Damage, FoundClosing, Opening, TEXT_CLOSING_BYTES, TEXT_UNCOVERED_BYTES, find_text_closing, text_opening,
};
use crate::message::Header;
use crate::mutant::{Safeguard, removed};
use crate::text::parse::Step;
use alloc::vec;

/// What this component and chasquid write after the body.
const AFTER_BODY: &[u8] = b"\"\ncreated_at_ts:";

impl<F: File> Reader<F> {
    /// Finds the envelope, and stops before the body.
    pub(super) fn open_text(&mut self) -> Result<()> {
        if self.open_at_head()? {
            return Ok(());
        }
        // The item is not laid out for that, or something is wrong with it, which reading it all finds out.
        self.restart();
        self.header = Header::default();
        let mut scratch = vec![0; PIECE_BYTES];
        while self.read_text(&mut scratch)?.is_some() {}
        let integrity = self.integrity;
        self.known = true;
        self.restart();
        self.begin_text()?;
        self.next_fields()?;
        self.integrity = integrity;
        Ok(())
    }

    /// Goes back to the beginning.
    fn restart(&mut self) {
        self.parser.restart();
        self.counted = 0;
        self.stage = Stage::Begin;
    }

    /// Reads the beginning of the text and looks at its end.
    pub(super) fn begin_text(&mut self) -> Result<Option<FoundClosing>> {
        let input = &mut self.parser.input;
        let size = input.size();
        input.fill(head_bytes(size))?;
        self.opening = text_opening(input.window());
        if self.opening == Opening::Unknown {
            return Err(Damage::Version.into());
        }
        let end = input.peek_at(size - size.min(TEXT_CLOSING_BYTES), size)?;
        let found = find_text_closing(&end);
        self.closing = found.map(|found| found.closing);
        self.trailed = found.is_some_and(|found| found.trailed);
        if self.opening == Opening::Present || found.is_some() {
            input.begin_checksum(size.saturating_sub(TEXT_UNCOVERED_BYTES));
        }
        if self.body_length.is_none() {
            self.body_length = self.closing.map(|closing| closing.body_length);
        }
        self.stage = Stage::Fields;
        Ok(found)
    }

    /// Parses fields, up to the body or the end.
    fn next_fields(&mut self) -> Result<()> {
        let mut again = Header::default();
        let header = if self.known { &mut again } else { &mut self.header };
        match self.parser.next(header)? {
            Step::Body => self.stage = Stage::Body,
            Step::End => self.finish()?,
        }
        Ok(())
    }

    /// Parses the head, and then the tail alone. False: the item is not laid out for that, or a checksum does not match.
    fn open_at_head(&mut self) -> Result<bool> {
        let found = self.begin_text()?;
        let size = self.parser.input.size();
        let checked = match (self.opening, found) {
            // An operator vouches for what parses, so everything is parsed.
            _ if self.judgement == Judgement::Seal => return Ok(false),
            (Opening::Present, Some(closing)) if !closing.trailed => Some(closing),
            // A small item without checksums is read anyway, so that all of it is known.
            (Opening::Absent, None) if size > SMALL_BYTES => None,
            _ => return Ok(false),
        };
        self.parser.input.keep();
        self.next_fields()?;
        if self.stage == Stage::Done {
            return Ok(true);
        }
        let body_at = self.parser.input.offset();
        let tail_at = body_at.max(size.saturating_sub(TAIL_BYTES));
        let tail = self.parser.input.peek_at(tail_at, size)?;
        // What was found of the closing counts from the last bytes of the file, and the tail may have more or fewer.
        let in_tail = |at: usize| (at + tail.len()).checked_sub(size.min(TEXT_CLOSING_BYTES) as usize);
        let until = checked.map_or(Some(tail.len()), |closing| in_tail(closing.begin));
        let quote = until.and_then(|until| rfind(tail.get(..until)?, AFTER_BODY));
        let after = quote.and_then(|quote| tail.get(quote + 1..));
        let (Some(quote), Some(after)) = (quote, after) else {
            return Ok(false);
        };
        let body_end = tail_at + quote as u64;
        if body_end <= body_at || self.parser.input.window().first() != Some(&b'"') {
            return Ok(false);
        }
        let mut tail_header = Header::default();
        let mut parser = self.parser.after_body(Input::<F>::memory(after.to_vec()));
        // The tail has one field, which is what makes the envelope known.
        if !matches!(parser.next(&mut tail_header), Ok(Step::End)) || !parser.had_creation_only(&self.parser) {
            return Ok(false);
        }
        let head = self.parser.input.kept();
        if let Some(closing) = checked {
            let covered = in_tail(closing.envelope_at).and_then(|envelope_at| tail.get(quote..envelope_at));
            let mut checksum = Checksum::default();
            checksum.update(head);
            checksum.update(b"\"");
            checksum.update(covered.unwrap_or_default());
            if checksum.digest() != closing.closing.envelope {
                return Ok(false);
            }
            self.integrity = Integrity::Envelope;
        }
        self.header.envelope.created_at = tail_header.envelope.created_at;
        self.known = true;
        self.body_end = Some(body_end);
        Ok(true)
    }

    /// Reads the next bytes of the body; none at the end of the item, where all was checked.
    pub(super) fn read_text(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        loop {
            match self.stage {
                Stage::Begin => self.begin()?,
                Stage::Fields => self.next_fields()?,
                Stage::Body => match self.parser.body(output)? {
                    Some(read) => {
                        self.counted += read as u64;
                        return Ok(Some(read));
                    }
                    None => self.stage = Stage::Fields,
                },
                Stage::Done => return Ok(None),
            }
        }
    }

    /// Copies the body into an encoder as it is written, where the end of it is known and a checksum vouches for that.
    pub(super) fn copy_text(&mut self, encoder: &mut Encoder, sink: &mut dyn Sink) -> Result<()> {
        if let (Some(end), Some(closing), Stage::Body) = (self.body_end, self.closing, self.stage) {
            while let Some(bytes) = self.parser.encoded_body(end)? {
                encoder.encoded_body(bytes, 0, sink)?;
            }
            self.counted = closing.body_length;
            encoder.encoded_body(&[], self.counted, sink)?;
        }
        Ok(())
    }

    /// Checks what can be checked only at the end.
    fn finish(&mut self) -> Result<()> {
        self.stage = Stage::Done;
        self.body_length = Some(self.counted);
        if self.judgement != Judgement::Format && !self.known && self.header.envelope.created_at.is_none() {
            return Err(Damage::Incomplete.into());
        }
        if self.judgement == Judgement::Seal {
            return Ok(());
        }
        self.integrity = match (self.opening, self.closing) {
            (Opening::Absent, None) => Integrity::Unchecked,
            (_, None) if removed(Safeguard::EndMarker) => Integrity::Unchecked,
            (_, None) => return Err(Damage::Cut.into()),
            (opening, Some(closing)) => {
                let whole = self.parser.input.checksum() == Some(closing.whole) || removed(Safeguard::Checksum);
                if opening != Opening::Present || self.trailed || !whole || closing.body_length != self.counted {
                    return Err(Damage::Mismatch.into());
                }
                Integrity::Whole
            }
        };
        Ok(())
    }
}

/// Where `needle` is last in `haystack`.
fn rfind(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle.first()?;
    let mut end = haystack.len();
    loop {
        let at = haystack.get(..end)?.iter().rposition(|byte| byte == first)?;
        if haystack.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        end = at;
    }
}
