//! Decodes any bytes as a binary item, and any fields and body in the layout of one with matching checksums. An
//! accepted item must equal the one that `prost-reflect` decodes, and must survive encoding and decoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;
use queue_store::item::Format;
use queue_store::item::codec::{decode, encode};
use queue_store_fuzz::naive;
use queue_store_fuzz::schema::{MESSAGE, message_of};

fuzz_target!(|input: &[u8]| {
    assert!(decode(input.to_vec(), Format::Binary).is_err() || input.starts_with(b"\xc2\x3e"));
    let [before, after, rest @ ..] = input else {
        return;
    };
    let (fields, body) = rest.split_at(usize::from(*before).min(rest.len()));
    let (after, body) = body.split_at(usize::from(*after % 32).min(body.len()));
    let item = naive::binary(fields, body, after);
    let Ok((envelope, decoded)) = decode(item.clone(), Format::Binary) else {
        return;
    };
    assert_eq!(decoded, body);
    let mut theirs =
        DynamicMessage::decode(MESSAGE.clone(), item.as_slice()).expect("an accepted item is a valid message");
    assert_eq!(theirs.take_unknown_fields().map(|field| field.number()).collect::<Vec<_>>(), [1000, 1001]);
    assert!(theirs.encode_to_vec() == message_of(&envelope, body).encode_to_vec(), "{theirs} is not {envelope:?}");
    let encoded = encode(&envelope, body, Format::Binary).expect("a decoded item can be encoded");
    assert_eq!(decode(encoded, Format::Binary), Ok((envelope, decoded)));
});
