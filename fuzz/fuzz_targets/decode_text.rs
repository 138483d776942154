//! Any bytes as a text item: refused, or decoded to what encodes and decodes to itself; and the same between the two lines
//! that tell a whole item.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::memory::MemoryFile;
use queue_store_fuzz::naive;
use queue_store_native::codec::{decode, encode};
use queue_store_native::name::Format;

fuzz_target!(|bytes: &[u8]| {
    let Ok((header, body)) = decode::<MemoryFile>(bytes.to_vec(), Format::Text) else {
        return;
    };
    let encoded = encode(&mut header.clone(), &body, Format::Text).expect("what was decoded can be encoded");
    assert!(encoded == naive::text(&header, &body).into_bytes());
    let decoded = (header, body);
    assert_eq!(decode::<MemoryFile>(encoded, Format::Text).expect("what was encoded can be decoded"), decoded);
    // The lines go around what has none of its own, and bytes after it would be of the last one.
    if let Ok(text) = str::from_utf8(bytes)
        && !text.contains("# queue-store")
    {
        let text = naive::close([naive::TEXT_OPENING, text, "\n"].concat(), 0, 0, decoded.1.len());
        assert_eq!(decode::<MemoryFile>(text.into_bytes(), Format::Text).expect("it is whole"), decoded);
    }
});
