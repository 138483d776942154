//! Any bytes as a text item: refused, or decoded to what encodes and decodes to itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::memory::MemoryFile;
use queue_store_native::codec::{decode, encode};
use queue_store_native::name::Format;

fuzz_target!(|bytes: &[u8]| {
    let Ok((mut header, body)) = decode::<MemoryFile>(bytes.to_vec(), Format::Text) else {
        return;
    };
    let decoded = header.clone();
    let encoded = encode(&mut header, &body, Format::Text).expect("what was decoded can be encoded");
    let again = decode::<MemoryFile>(encoded, Format::Text).expect("what was encoded can be decoded");
    assert_eq!(again, (decoded, body));
});
