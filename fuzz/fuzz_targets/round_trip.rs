//! Any item, encoded and decoded in both formats, stays the same; as text it is what the plain writer makes of it.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::memory::MemoryFile;
use queue_store_fuzz::naive;
use queue_store_native::codec::{decode, encode};
use queue_store_native::message::{Envelope, Header, Recipient, Timestamp};
use queue_store_native::name::Format;

#[derive(Arbitrary, Debug)]
struct Item {
    id: String,
    reverse_path: String,
    to: Vec<String>,
    recipients: Vec<(String, i32, i32, String, String, Vec<String>)>,
    created_at: (i64, i32),
    body: Vec<u8>,
}

fuzz_target!(|item: Item| {
    let Item { id, reverse_path, to, recipients, created_at: (seconds, nanos), body } = item;
    let recipient =
        |(address, kind, status, failure, original, via): (String, i32, i32, String, String, Vec<String>)| Recipient {
            address: address.into(),
            kind,
            status,
            last_failure_message: failure.into(),
            original_address: original.into(),
            via: via.into_iter().map(Into::into).collect(),
        };
    let header = Header {
        id: id.into(),
        envelope: Envelope {
            reverse_path: reverse_path.into(),
            to: to.into_iter().map(Into::into).collect(),
            recipients: recipients.into_iter().map(recipient).collect(),
            created_at: Some(Timestamp { seconds, nanos }).into(),
        },
    };
    for format in [Format::Text, Format::Binary] {
        let encoded = encode(&mut header.clone(), &body, format).expect("an item can be encoded");
        assert!(format == Format::Binary || encoded == naive::text(&header, &body).into_bytes());
        let decoded = decode::<MemoryFile>(encoded, format).expect("what was encoded can be decoded");
        assert_eq!(decoded.0, header);
        assert_eq!(decoded.1, body);
    }
});
