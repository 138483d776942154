//! The component's verdict on a text.

use crate::schema::message_of;
use prost_reflect::prost::Message as _;
use queue_store::item::Format;
use queue_store::item::codec::decode;

/// The reason why the component refuses a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: String,
    /// The offset at which it stopped; 0 for a text without a trailer line.
    pub(super) at: usize,
}

/// Returns the item that the component reads: the message as `prost-reflect` encodes it, in which the same message is the same bytes.
pub(super) fn component(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    match decode(text.to_vec(), Format::Text) {
        Ok((envelope, body)) => Ok(message_of(&envelope, &body).encode_to_vec()),
        Err(error) => Err(Refusal {
            reason: error.to_string(),
            at: error.position.map_or(0, |position| position.offset as usize),
        }),
    }
}
