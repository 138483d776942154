//! Encodes and decodes any item in both formats. The result must equal the item, and the text that of the naive
//! encoder.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use queue_store::item::Format;
use queue_store::item::codec::{decode, encode};
use queue_store::item::envelope::{Envelope, Recipient, Timestamp};
use queue_store_fuzz::naive;

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
    let recipient = |(address, kind, status, last_failure_message, original_address, via)| Recipient {
        address,
        kind,
        status,
        last_failure_message,
        original_address,
        via,
    };
    let recipients = recipients.into_iter().map(recipient).collect();
    let envelope = Envelope { id, reverse_path, to, recipients, created_at: Some(Timestamp { seconds, nanos }) };
    for format in [Format::Text, Format::Binary] {
        let encoded = encode(&envelope, &body, format).expect("an item can be encoded");
        assert!(format == Format::Binary || encoded == naive::text(&envelope, &body).into_bytes());
        let decoded = decode(encoded, format).expect("an encoded item can be decoded");
        assert_eq!(decoded.0, envelope);
        assert_eq!(decoded.1, body);
    }
});
