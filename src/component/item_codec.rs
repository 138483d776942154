//! `item-codec`.

use super::convert;
use super::exports::Component;
use crate::item::codec;
use alloc::vec::Vec;
use queue_store_contract::exports::mail::queue::item_codec::{Error, Format, Guest, Item};

impl Guest for Component {
    fn encode(item: Item, format: Format) -> Result<Vec<u8>, Error> {
        let Item { id, envelope, body } = item;
        Ok(codec::encode(&convert::envelope(id, envelope), &body, format.into())?)
    }

    fn decode(bytes: Vec<u8>, format: Format) -> Result<Item, Error> {
        let (envelope, body) = codec::decode(bytes, format.into())?;
        let (id, envelope) = convert::split_envelope(envelope);
        Ok(Item { id, envelope, body })
    }
}
