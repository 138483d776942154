//! The format of an item, with no file: pure functions on bytes.

use crate::encoder::Encoder;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::File;
use crate::limits::MAX_LIST_BODY_BYTES;
use crate::message::Header;
use crate::name::Format;
use crate::reader;
use alloc::vec::Vec;

/// The bytes of the file that holds an item.
pub fn encode(header: &mut Header, body: &[u8], format: Format) -> Result<Vec<u8>> {
    let length = body.len() as u64;
    if length > MAX_LIST_BODY_BYTES {
        let detail = "the body is larger than `max-list-body-bytes`";
        return Err(Error::of(Code::TooLarge, Operation::Encode, "", detail));
    }
    Encoder::begin(format, header, Some(length))?.encode(body)
}

/// The item that a file with these bytes holds. `F` is a kind of file that is not used.
pub fn decode<F: File>(bytes: Vec<u8>, format: Format) -> Result<(Header, Vec<u8>)> {
    reader::decode::<F>(bytes, format, MAX_LIST_BODY_BYTES)
}
