//! Any bytes as a text item: refused, or decoded to what encodes and decodes to itself; and the same between the two lines
//! that tell a whole item.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store::item::Format;
use queue_store::item::codec::{decode, encode};
use queue_store_fuzz::naive;

fuzz_target!(|bytes: &[u8]| {
    let Ok((envelope, body)) = decode(bytes.to_vec(), Format::Text) else {
        return;
    };
    let encoded = encode(&envelope, &body, Format::Text).expect("what was decoded can be encoded");
    assert!(encoded == naive::text(&envelope, &body).into_bytes());
    let decoded = (envelope, body);
    assert_eq!(decode(encoded, Format::Text).as_ref(), Ok(&decoded));
    // The lines go around what has none of its own, and bytes after it would be of the last one.
    if let Ok(text) = str::from_utf8(bytes)
        && !text.contains("# queue-store")
    {
        let text = naive::close([naive::TEXT_HEADER, text, "\n"].concat(), 0, 0, decoded.1.len());
        assert_eq!(decode(text.into_bytes(), Format::Text), Ok(decoded));
    }
});
