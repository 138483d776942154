//! Decodes a text with the code of the component.

use crate::schema::message_of;
use prost_reflect::prost::Message as _;
use queue_store::item::Format;
use queue_store::item::codec::decode;

/// The reason why the component rejects a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: String,
    /// The offset of the error; 0 for a text without a trailer line.
    pub(super) at: usize,
}

/// Decodes a text and encodes the message with `prost-reflect`, so that equal messages are equal bytes.
pub(super) fn component(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    match decode(text.to_vec(), Format::Text) {
        Ok((envelope, body)) => Ok(message_of(&envelope, &body).encode_to_vec()),
        Err(error) => Err(Refusal {
            reason: error.to_string(),
            at: error.position.map_or(0, |position| position.offset as usize),
        }),
    }
}
