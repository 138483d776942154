//! `body-reader`: a body that is read in chunks.

use crate::support::{code, done, formats, one, put, put_as};
use queue_store_host_test::bindings::{EnvelopeChange, ErrorCode, Format, Integrity, mail, no_change};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

/// A body of a megabyte that has every byte value.
fn megabyte() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(1 << 20).collect()
}

#[test]
fn body_is_read_in_chunks_from_any_offset() {
    let body = megabyte();
    for options in formats() {
        let mut queue = TestQueue::new();
        let id = queue.put(None, &mail(&body), Some(options)).expect("a valid mail is accepted");
        for max in [1 << 16, u32::MAX, 1000] {
            assert!(queue.read_body(&id, 0, max).expect("the item is intact") == body, "chunks of {max} bytes");
        }
        for offset in [1, 255, 65535, 65536, 65537, 300_000, body.len() as u64 - 1, body.len() as u64] {
            let rest = queue.read_body(&id, offset, 50_000).expect("the item is intact");
            assert!(rest == body[offset as usize..], "from {offset}");
        }
        assert_eq!(code(queue.read(&id, body.len() as u64 + 1)), ErrorCode::InvalidArgument);
        let reader = queue.read(&id, 0).expect("the item is intact");
        assert_eq!(code(queue.reader_read(reader, 0)), ErrorCode::InvalidArgument);
        let chunk = queue.reader_read(reader, 3).expect("an invalid `max` does not abort the reader");
        assert_eq!(chunk.as_deref(), Some(&body[..3]));
        let info = queue.reader_info(reader);
        assert_eq!((info.id, info.body_size, info.integrity), (id, Some(1 << 20), Integrity::Envelope));
    }
}

#[test]
fn chunks_never_exceed_max_chunk_bytes() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", &megabyte());
    let limit = queue.limit("max-chunk-bytes") as usize;
    let reader = queue.read("x", 0).expect("the item is intact");
    let mut total = 0;
    while let Some(chunk) = queue.reader_read(reader, u32::MAX).expect("the item is intact") {
        assert!(!chunk.is_empty() && chunk.len() <= limit, "{} bytes", chunk.len());
        total += chunk.len();
    }
    assert_eq!(total, 1 << 20);
    assert_eq!(queue.reader_read(reader, 1).expect("the end stays the end"), None);
}

#[test]
fn reader_reads_the_item_as_opened() {
    let mut queue = TestQueue::new();
    let body = megabyte();
    put(&mut queue, "x", &body);
    let reader = queue.read("x", 0).expect("the item is intact");
    let mut read = queue.reader_read(reader, 10).expect("the item is intact").expect("the body has more than 10 bytes");
    let change = EnvelopeChange { to: Some(Vec::new()), ..no_change() };
    queue.update("x", &change, None).expect("an intact item is updated");
    done(queue.remove(&one("x"), &[], None));
    while let Some(more) = queue.reader_read(reader, 65536).expect("the opened file is intact") {
        read.extend(more);
    }
    assert!(read == body);
}

#[test]
fn damaged_body_ends_with_an_error() {
    for options in formats() {
        let mut queue = TestQueue::new();
        put_as(&mut queue, "x", &b"plain text ".repeat(20_000), Some(options));
        let path = queue.file(&queue.names()[0]);
        let mut bytes = fs::read(&path).expect("the file exists");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("the file can be written");
        let reader = queue.read("x", 0).expect("the envelope is intact");
        let error = loop {
            match queue.reader_read(reader, 65536) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the end means that the checksum matched"),
                Err(error) => break error,
            }
        };
        assert_eq!((error.code, error.operation.as_str()), (ErrorCode::ChecksumMismatch, "decode"));
        assert_eq!(code(queue.reader_read(reader, 1)), ErrorCode::Aborted);
    }
}

#[test]
fn unknown_body_size_is_none_in_info() {
    let mut queue = TestQueue::new();
    let text = format!("ID: \"x\"\nfrom: \"a@b\"\ndata: \"{}\"\ncreated_at_ts: {{}}\n", "x".repeat(200_000));
    fs::write(queue.file("m:x"), text).expect("the file can be written");
    let reader = queue.read("x", 0).expect("the text parses");
    let info = queue.reader_info(reader);
    assert_eq!((info.body_size, info.integrity, info.format), (None, Integrity::Unchecked, Format::Text));
    while queue.reader_read(reader, 65536).expect("the text parses").is_some() {}
    assert_eq!(queue.reader_info(reader).integrity, Integrity::Unchecked);
}
