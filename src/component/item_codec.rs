//! `item-codec`.

use super::abi::{answer, exports};
use crate::codec;
use crate::error::Result;
use crate::filesystem::wasi::WasiFile;
use crate::list::List;
use crate::message::Header;
use crate::name::Format;
use crate::queue::Item;

exports! {
    "mail:queue/item-codec@0.1.0#encode" => (id: text, envelope: envelope, body: list<u8>, format: case<Format>) {
        let bytes = codec::encode(&mut Header { id, envelope: core::mem::take(&mut envelope) }, &body, format);
        answer(bytes.map(List::from))
    };
    "mail:queue/item-codec@0.1.0#decode" => (bytes: list<u8>, format: case<Format>) {
        answer(decode(bytes, format))
    };
}

fn decode(bytes: List<u8>, format: Format) -> Result<Item> {
    let (Header { id, envelope }, body) = codec::decode::<WasiFile>(bytes.into(), format)?;
    Ok(Item { id, envelope, body: body.into() })
}
