//! Encodes any body at once and in chunks. Both results must equal that of the naive encoder, and a body reader must
//! return the body with reads of any length from the file and by the caller.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store::item::Format;
use queue_store::item::codec::encode;
use queue_store::item::envelope::{Envelope, Recipient, Timestamp};
use queue_store::queue::{BodyReader, Draft, WriteOptions};
use queue_store_fuzz::memory::{Memory, chunks};
use queue_store_fuzz::naive;
use xxhash_rust::xxh64::xxh64;

fuzz_target!(|input: &[u8]| {
    let Some((&seed, rest)) = input.split_first() else {
        return;
    };
    // One input in 128 is moved to the end of a buffer of the writer or of the reader. A hash selects it: a selecting
    // prefix would add so much coverage that the fuzzer would prefer it.
    let far = [4 << 10, 8 << 10, 16 << 10, 64 << 10][usize::from(seed) % 4] - 40;
    let body = if xxh64(input, 0).is_multiple_of(128) { &[&vec![b'a'; far][..], rest].concat() } else { rest };
    let recipient = Recipient { address: "a".to_string(), original_address: "a".to_string(), ..Recipient::default() };
    let envelope = Envelope {
        id: "x".to_string(),
        reverse_path: "<>".to_string(),
        to: Vec::new(),
        recipients: vec![recipient],
        created_at: Some(Timestamp { seconds: 1, nanos: 0 }),
    };
    let encoded = encode(&envelope, body, Format::Text).expect("an item can be encoded");
    assert!(encoded == naive::text(&envelope, body).into_bytes(), "the item encoded at once differs");

    let (memory, queue) = Memory::queue([]);
    let mut draft =
        Draft::begin(&queue, Some("x"), envelope, &WriteOptions::default(), None).expect("the draft begins");
    let mut left = body;
    for length in chunks(seed.into()) {
        let (chunk, rest) = left.split_at(length.min(left.len()));
        draft.write_chunk(chunk).expect("the chunk is written");
        left = rest;
        if left.is_empty() {
            break;
        }
    }
    draft.commit().expect("the draft is committed");
    assert!(memory.content("m:x").as_ref() == Some(&encoded), "the item encoded in chunks differs");

    memory.read_short(u64::from(seed) | 1);
    let mut reader = BodyReader::open(&queue, "x", 0).expect("the item exists");
    let mut read = Vec::new();
    let mut most = chunks(u64::from(seed) + 2);
    while let Some(more) = reader.read(most.next().expect("the lengths do not end")).expect("the item is intact") {
        read.extend_from_slice(&more);
    }
    assert!(read == *body, "the body that was read differs");
});
