//! A binary item whose body is kept apart, and is being read.

use super::binary::{finish_envelope, scan_head};
use super::item_reader::revision;
use super::strictness::{Integrity, Strictness};
use crate::error::{Error, Result};
use crate::item::binary::{self, Scanner};
use crate::item::damage::Damage;
use crate::item::envelope::Envelope;
use crate::item::source::Source;
use crate::item::trailer::{
    BINARY_HEADER, BINARY_TRAILER_BYTES, BINARY_UNCOVERED_BYTES, Checksum, Trailer, parse_binary_trailer,
};
use alloc::string::String;
use alloc::vec::Vec;

/// An item whose body is kept apart, and is being read.
pub struct PartsReader {
    envelope: Envelope,
    integrity: Integrity,
    trailer: Trailer,
    tail: Vec<u8>,
    /// The checksum of the whole so far.
    whole: Checksum,
    /// Bytes of the body so far.
    body_length: u64,
}

impl PartsReader {
    /// Decodes the envelope from the bytes before and behind the body, and verifies it.
    pub fn open(head: &[u8], tail: Vec<u8>, strictness: Strictness) -> Result<PartsReader> {
        let (mut envelope, mut scanner) = (Envelope::default(), Scanner::default());
        let mut source = Source::memory(head.to_vec());
        scan_head(&mut source, &mut scanner)?;
        let (head, length) = head.split_at(source.offset() as usize);
        // The last byte is the tag of the body.
        binary::merge(&head[BINARY_HEADER.len()..head.len() - 1], &mut envelope)?;
        let (_, trailer) = tail
            .split_at_checked(tail.len().wrapping_sub(BINARY_TRAILER_BYTES))
            .ok_or_else(|| Error::decode(Damage::Truncated))?;
        let trailer = parse_binary_trailer(trailer).ok_or_else(|| Error::decode(Damage::Truncated))?;
        if binary::parse_length(length) != Some(trailer.body_length) {
            return Err(Error::decode(Damage::Layout));
        }
        let mut whole = Checksum::default();
        whole.update(head);
        let integrity = finish_envelope(&mut envelope, scanner, &whole, &tail, &trailer, strictness)?;
        Ok(PartsReader { envelope, integrity, trailer, tail, whole, body_length: 0 })
    }

    /// Returns the envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Takes the envelope out of the reader.
    pub fn take_envelope(&mut self) -> Envelope {
        core::mem::take(&mut self.envelope)
    }

    /// Returns how much was verified so far.
    pub fn integrity(&self) -> Integrity {
        self.integrity
    }

    /// Returns the length of the body that the item states, in bytes.
    pub fn body_length(&self) -> u64 {
        self.trailer.body_length
    }

    /// Returns a string that changes whenever the content does.
    pub fn revision(&self) -> String {
        revision(self.trailer.whole)
    }

    /// Takes the next bytes of the body.
    pub fn body(&mut self, bytes: &[u8]) {
        self.whole.update(bytes);
        self.body_length += bytes.len() as u64;
    }

    /// Verifies the checksum of the whole, after all of the body.
    pub fn verify(&mut self) -> Result<()> {
        let mut whole = self.whole.clone();
        whole.update(&self.tail[..self.tail.len() - BINARY_UNCOVERED_BYTES as usize]);
        if self.body_length != self.trailer.body_length || whole.digest() != self.trailer.whole {
            return Err(Error::decode(Damage::Mismatch));
        }
        self.integrity = Integrity::Whole;
        Ok(())
    }
}
