//! A binary item that is being read.

use super::strictness::{Integrity, Strictness, head_bytes};
use crate::error::{Error, Result};
use crate::item::binary::{self, LENGTH_BYTES, Scanned, Scanner};
use crate::item::bounds::check_envelope_bytes;
use crate::item::damage::Damage;
use crate::item::envelope::Envelope;
use crate::item::source::{READ_BYTES, Source};
use crate::item::trailer::{
    BINARY_HEADER, BINARY_TRAILER_BYTES, BINARY_UNCOVERED_BYTES, Checksum, Header, Trailer, binary_header,
    parse_binary_trailer,
};

/// A binary item that is being read, from the beginning of its body on.
pub(super) struct BinaryReader {
    source: Source,
    strictness: Strictness,
    pub(super) envelope: Envelope,
    pub(super) integrity: Integrity,
    trailer: Trailer,
    /// The offset of the body.
    body_begin: u64,
    /// The checksum of the whole so far; none once bytes were skipped, or all were verified.
    whole: Option<Checksum>,
}

impl BinaryReader {
    /// Finds the envelope, and stops before the body.
    pub(super) fn open(mut source: Source, strictness: Strictness) -> Result<BinaryReader> {
        let size = source.size();
        let (mut envelope, mut scanner) = (Envelope::default(), Scanner::default());
        scan_head(&mut source, &mut scanner)?;
        let (head, length_at) = {
            let length_at = source.offset();
            (source.retained(), length_at)
        };
        // The last byte is the tag of the body.
        binary::merge(&head[BINARY_HEADER.len()..head.len() - 1], &mut envelope)?;
        let mut whole = Checksum::default();
        whole.update(head);
        let body_begin = length_at + LENGTH_BYTES as u64;
        let trailer_begin = size.saturating_sub(BINARY_TRAILER_BYTES as u64);
        if trailer_begin < body_begin {
            return Err(Error::decode(Damage::Truncated));
        }
        let trailer = parse_binary_trailer(&source.peek_at(trailer_begin, size)?);
        let trailer = trailer.ok_or_else(|| Error::decode(Damage::Truncated))?;
        let length = binary::parse_length(&source.peek_at(length_at, body_begin)?);
        let body_end = body_begin.saturating_add(trailer.body_length);
        if length != Some(trailer.body_length) || body_end > trailer_begin {
            return Err(Error::decode(Damage::Layout));
        }
        // One short field follows the body; a wrong length would leave more than an envelope may have.
        check_envelope_bytes(trailer_begin - body_end).map_err(|_| Error::decode(Damage::Layout))?;
        let tail = source.peek_at(body_end, size)?;
        let integrity = finish_envelope(&mut envelope, scanner, &whole, &tail, &trailer, strictness)?;
        source.seek(body_begin);
        Ok(BinaryReader { source, strictness, envelope, integrity, trailer, body_begin, whole: Some(whole) })
    }

    /// Returns the length of the body in bytes.
    pub(super) fn body_length(&self) -> u64 {
        self.trailer.body_length
    }

    /// Returns the checksum of the whole that the item carries.
    pub(super) fn whole_checksum(&self) -> u64 {
        self.trailer.whole
    }

    /// Goes to `offset` in the body, or to its end, and gives up verifying the whole. Returns the offset that was reached.
    pub(super) fn seek(&mut self, offset: u64) -> u64 {
        let offset = offset.min(self.body_length());
        self.whole = None;
        self.source.seek(self.body_begin + offset);
        offset
    }

    /// Reads the next bytes of the body; none at the end, where all was verified.
    pub(super) fn read(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        Ok(self.next_bytes(output.len())?.map(|bytes| {
            output[..bytes.len()].copy_from_slice(bytes);
            bytes.len()
        }))
    }

    /// Passes the body to `consume` as it is, a window at a time, and verifies the whole.
    pub(super) fn copy(&mut self, mut consume: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while let Some(bytes) = self.next_bytes(READ_BYTES)? {
            consume(bytes)?;
        }
        Ok(())
    }

    fn body_end(&self) -> u64 {
        self.body_begin + self.trailer.body_length
    }

    fn next_bytes(&mut self, max_bytes: usize) -> Result<Option<&[u8]>> {
        let left = self.body_end() - self.source.offset();
        if left == 0 {
            self.verify_whole()?;
            return Ok(None);
        }
        self.source.peek()?;
        let length = self.source.window().len().min(max_bytes);
        let length = usize::try_from(left).map_or(length, |left| left.min(length));
        let bytes = self.source.take(length);
        if let Some(whole) = &mut self.whole {
            whole.update(bytes);
        }
        Ok(Some(bytes))
    }

    /// Verifies the checksum of the whole at the end of the body.
    fn verify_whole(&mut self) -> Result<()> {
        let Some(mut whole) = self.whole.take().filter(|_| self.strictness != Strictness::NoChecksums) else {
            return Ok(());
        };
        whole.update(&self.source.peek_at(self.body_end(), self.source.size() - BINARY_UNCOVERED_BYTES)?);
        if whole.digest() != self.trailer.whole {
            return Err(Error::decode(Damage::Mismatch));
        }
        self.integrity = Integrity::Whole;
        Ok(())
    }
}

/// Decodes the bytes that follow the body, which end with `trailer`, into the envelope of an item whose head has the
/// checksum `whole`.
pub(super) fn finish_envelope(
    envelope: &mut Envelope,
    mut scanner: Scanner,
    whole: &Checksum,
    tail: &[u8],
    trailer: &Trailer,
    strictness: Strictness,
) -> Result<Integrity> {
    let fields = &tail[..tail.len() - BINARY_TRAILER_BYTES];
    scanner.item_fields(fields)?;
    binary::merge(fields, envelope)?;
    if strictness != Strictness::FormatOnly && envelope.created_at.is_none() {
        return Err(Error::decode(Damage::Incomplete));
    }
    if strictness == Strictness::NoChecksums {
        return Ok(Integrity::Unchecked);
    }
    let mut checksum = whole.clone();
    checksum.update(&tail[..tail.len() - 2 * BINARY_UNCOVERED_BYTES as usize]);
    if checksum.digest() != trailer.envelope {
        return Err(Error::decode(Damage::Mismatch));
    }
    Ok(Integrity::Envelope)
}

/// Scans the header and the fields before the body, and the body's tag, which the source retains.
pub(super) fn scan_head(source: &mut Source, scanner: &mut Scanner) -> Result<()> {
    source.fill(head_bytes(source.size()))?;
    match binary_header(source.window()) {
        Header::Present => {}
        Header::Unknown => return Err(Error::decode(Damage::Version)),
        Header::Absent => return Err(Error::decode(Damage::Layout)),
    }
    source.retain();
    source.consume(BINARY_HEADER.len());
    loop {
        match scanner.item_field(source.window())? {
            Scanned::Field(bytes) => source.consume(bytes),
            Scanned::BodyTag(bytes) => {
                source.consume(bytes);
                return Ok(());
            }
            Scanned::Incomplete => {
                check_envelope_bytes(source.offset() + source.window().len() as u64)?;
                if !source.more(READ_BYTES)? {
                    return Err(Error::decode(Damage::Truncated));
                }
            }
        }
    }
}
