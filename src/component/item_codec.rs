//! `item-codec`.

use super::bindings::exports::mail::queue::item_codec::{Error, Format, Guest, Item};
use super::{Component, convert};
use crate::codec;
use crate::filesystem::wasi::WasiFile;
use alloc::vec::Vec;

impl Guest for Component {
    fn encode(item: Item, format: Format) -> Result<Vec<u8>, Error> {
        Ok(codec::encode(&convert::envelope(item.id, item.envelope), &item.body, format.into())?)
    }

    fn decode(bytes: Vec<u8>, format: Format) -> Result<Item, Error> {
        let (mut envelope, body) = codec::decode::<WasiFile>(bytes, format.into())?;
        Ok(Item { id: core::mem::take(&mut envelope.id), envelope: envelope.into(), body })
    }
}
