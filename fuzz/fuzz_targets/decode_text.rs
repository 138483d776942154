//! Decodes any bytes as a text item. An accepted item must survive encoding and decoding, and must be the same between
//! a header line and a trailer line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store::item::Format;
use queue_store::item::codec::{decode, encode};
use queue_store_fuzz::naive;

fuzz_target!(|bytes: &[u8]| {
    let Ok((envelope, body)) = decode(bytes.to_vec(), Format::Text) else {
        return;
    };
    let encoded = encode(&envelope, &body, Format::Text).expect("a decoded item can be encoded");
    assert!(encoded == naive::text(&envelope, &body).into_bytes());
    let decoded = (envelope, body);
    assert_eq!(decode(encoded, Format::Text).as_ref(), Ok(&decoded));
    // Adds the two lines to a text that has neither. The newline ends the last line of the text, which may be a
    // comment.
    if let Ok(text) = str::from_utf8(bytes)
        && !text.contains("# queue-store")
    {
        let text = naive::append_trailer([naive::TEXT_HEADER, text, "\n"].concat(), 0, 0, decoded.1.len());
        assert_eq!(decode(text.into_bytes(), Format::Text), Ok(decoded));
    }
});
