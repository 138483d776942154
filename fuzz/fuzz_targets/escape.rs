//! Any body, encoded at once and in chunks, is what the plain writer makes of it, and is read back whatever the system
//! returns at a time, and whatever is asked for at a time.
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
    // Seldom, what was drawn stands where a buffer of the writer or of the reader ends. By a hash, since the fuzzer would
    // come to prefer a prefix that reaches so much.
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
    assert!(encoded == naive::text(&envelope, body).into_bytes(), "encoded at once");

    let (memory, queue) = Memory::queue([]);
    let mut draft = Draft::begin(&queue, Some("x"), envelope, &WriteOptions::default(), None).expect("a draft");
    let mut left = body;
    for length in chunks(seed.into()) {
        let (chunk, rest) = left.split_at(length.min(left.len()));
        draft.write_chunk(chunk).expect("a write");
        left = rest;
        if left.is_empty() {
            break;
        }
    }
    draft.commit().expect("a mail");
    assert!(memory.content("m:x").as_ref() == Some(&encoded), "encoded in chunks");

    memory.read_short(u64::from(seed) | 1);
    let mut reader = BodyReader::open(&queue, "x", 0).expect("a body");
    let mut read = Vec::new();
    let mut most = chunks(u64::from(seed) + 2);
    while let Some(more) = reader.read(most.next().expect("they do not end")).expect("the next bytes") {
        read.extend_from_slice(&more);
    }
    assert!(read == *body, "read in pieces");
});
