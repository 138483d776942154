//! The format of an item, without a file: pure functions on bytes.

use super::Format;
use super::decoder::ItemReader;
use super::encoder::Encoder;
use super::envelope::Envelope;
use crate::error::{Cause, Error, Operation, Result};
use crate::limits::MAX_LIST_BODY_BYTES;
use alloc::vec::Vec;

/// Returns the bytes of the file that holds an item.
pub fn encode(envelope: &Envelope, body: &[u8], format: Format) -> Result<Vec<u8>> {
    let length = body.len() as u64;
    if length > MAX_LIST_BODY_BYTES {
        let detail = "the body is larger than `max-list-body-bytes`";
        return Err(Error::new(Cause::TooLarge(detail), Operation::Encode, ""));
    }
    Ok(Encoder::new(format, envelope, Some(length))?.encode(body))
}

/// Returns the envelope and the body of the item that a file with these bytes holds.
pub fn decode(bytes: Vec<u8>, format: Format) -> Result<(Envelope, Vec<u8>)> {
    ItemReader::in_memory(bytes, format)?.into_item(MAX_LIST_BODY_BYTES)
}
