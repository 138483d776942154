//! A binary item whose body is kept apart from the bytes before and behind it, as a database does.
//!
//! The head ends with the body's length, and the tail begins with the field that follows the body: head, body and tail in
//! one are the binary item.

use super::Format;
use super::encoder::{Encoded, Encoder};
use super::envelope::Envelope;
use crate::error::Result;
use alloc::vec::Vec;

pub use super::decoder::{PartsReader, Strictness};

/// An item but for its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The bytes before the body.
    pub head: Vec<u8>,
    /// The bytes behind the body.
    pub tail: Vec<u8>,
    /// The checksum of the whole.
    pub checksum: u64,
}

/// An item that is being encoded.
pub struct PartsEncoder {
    head: Vec<u8>,
    encoder: Encoder,
}

impl PartsEncoder {
    /// Begins an item.
    pub fn new(envelope: &Envelope) -> Result<PartsEncoder> {
        let mut encoder = Encoder::new(Format::Binary, envelope, None)?;
        let head = encoder.pending().to_vec();
        encoder.forget_pending();
        Ok(PartsEncoder { head, encoder })
    }

    /// Notes bytes of the body, which its owner keeps.
    pub fn body(&mut self, bytes: &[u8]) {
        self.encoder.encoded_elsewhere(bytes, bytes.len() as u64);
    }

    /// Returns the number of bytes of the body so far.
    pub fn body_length(&self) -> u64 {
        self.encoder.body_length()
    }

    /// Ends the item.
    pub fn finish(self) -> Parts {
        let PartsEncoder { mut head, encoder } = self;
        let Encoded { rest: tail, checksum, length_field } = encoder.finish();
        if let Some((offset, length)) = length_field {
            head[offset as usize..].copy_from_slice(&length);
        }
        Parts { head, tail, checksum }
    }
}
