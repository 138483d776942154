//! Where other readers of the text format are of another opinion on a text than the component, which follows Go's
//! `prototext`: each known difference has a name, and any other one is a finding.

use crate::schema::message_of;
use ::prost_reflect::prost::Message as _;
use queue_store::item::codec::decode;
use queue_store::item::Format;

pub mod prost_reflect;
pub mod python;
pub mod tally;

/// What the component says against a text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    reason: String,
    /// Where it stopped. A text that lacks a closing has no place: that is the beginning.
    at: usize,
}

/// What the component reads: the message as `prost-reflect` encodes it, in which the same message is the same bytes.
fn component(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    match decode(text.to_vec(), Format::Text) {
        Ok((envelope, body)) => Ok(message_of(&envelope, &body).encode_to_vec()),
        Err(error) => {
            Err(Refusal { reason: error.to_string(), at: error.position.map_or(0, |position| position.offset as usize) })
        }
    }
}
