//! Any bytes as a text item, beside `prost-reflect`: where both accept them, the items are the same.
//!
//! Go's parser decides what is accepted, and `prost-reflect` differs from it in both directions (it takes field numbers, other
//! number forms and repeated singular fields, and refuses some that Go takes), so the verdicts are not compared.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prost_reflect::DynamicMessage;
use queue_store_fuzz::memory::MemoryFile;
use queue_store_fuzz::schema::MESSAGE;
use queue_store_native::codec::{decode, encode};
use queue_store_native::name::Format;

fuzz_target!(|text: &str| {
    let Ok((mut header, body)) = decode::<MemoryFile>(text.as_bytes().to_vec(), Format::Text) else {
        return;
    };
    let Ok(theirs) = DynamicMessage::parse_text_format(MESSAGE.clone(), text) else {
        return;
    };
    // The binary form of the component has two fields more, which the definition does not know.
    let binary = encode(&mut header, &body, Format::Binary).expect("what was decoded can be encoded");
    let mut ours = DynamicMessage::decode(MESSAGE.clone(), binary.as_slice()).expect("any parser reads it");
    let unknown: Vec<u32> = ours.take_unknown_fields().map(|field| field.number()).collect();
    assert_eq!(unknown, [1000, 1001]);
    assert_eq!(ours, theirs);
});
