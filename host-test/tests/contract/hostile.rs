//! Files that are made to take memory or time: each is refused, in bounded memory and time.

use crate::support::{code, one, only_code, put};
use queue_store_host_test::bindings::{Attempt, Detail, ErrorCode, Integrity, envelope, no_change};
use queue_store_host_test::test_queue::TestQueue;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// Bytes of memory that a guest may have after it read a hostile file.
const MAX_MEMORY_BYTES: usize = 24 << 20;

/// Writes the file of the item `x` and reads it in every way. Every call must refuse it.
#[track_caller]
fn refused(file: &str, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
    let mut queue = TestQueue::new();
    let mut output = BufWriter::new(File::create(queue.file(file)).expect("the file can be created"));
    write(&mut output).and_then(|()| output.flush()).expect("the file can be written");
    drop(output);
    let begun = Instant::now();
    let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
    let mut codes = vec![
        code(queue.get("x")),
        code(queue.info("x")),
        code(queue.read_body("x", 0, 1 << 16)),
        code(queue.update("x", &no_change(), None)),
        code(queue.record_attempts("x", &attempts, None, None)),
        only_code(queue.verify(&one("x"))).expect("a hostile item is refused"),
        only_code(queue.seal(&one("x"))).expect("a hostile item is refused"),
    ];
    let entries = queue.list(&[], Detail::Envelope, 10).expect("a damaged item is not the failure of the listing");
    codes.push(entries[0].problem.as_ref().expect("a hostile item is refused").code);
    assert!(codes.iter().all(|code| matches!(code, ErrorCode::Corrupt | ErrorCode::TooLarge)), "{codes:?}");
    let recovery = queue.recover(0).expect("the directory can be read");
    let problems: Vec<_> = recovery.problems.iter().map(|problem| problem.code).collect();
    assert!(problems == [ErrorCode::Corrupt] || problems == [ErrorCode::TooLarge], "{problems:?}");
    // An item that exceeds a limit may be intact.
    let damaged = problems.iter().filter(|code| **code == ErrorCode::Corrupt).count() as u64;
    assert_eq!((recovery.durable_items, recovery.damaged_items), (0, damaged));
    assert!(begun.elapsed() < Duration::from_secs(120), "it took {:?}", begun.elapsed());
    assert!(queue.memory_bytes() < MAX_MEMORY_BYTES, "the guest has {} bytes", queue.memory_bytes());
}

/// The header of a binary item, and its id `x`.
const BINARY_HEAD: &[u8] = b"\xc2\x3e\x0dqueue-store 1\x0a\x01x";

/// Ends a binary item of this size with a trailer.
fn write_trailer(output: &mut BufWriter<File>, size: u64) -> io::Result<()> {
    output.seek(SeekFrom::Start(size - 27))?;
    output.write_all(&[b"\xca\x3e\x18".as_slice(), &[0; 24]].concat())
}

fn write_text_head(output: &mut impl Write) -> io::Result<()> {
    output.write_all(b"ID: \"x\"\nfrom: \"a@example.com\"\n")
}

#[test]
fn strings_of_four_gibibytes_are_refused() {
    refused("m:x", |output| {
        output.write_all(b"ID: \"x\"\nfrom: \"")?;
        output.write_all(&vec![b'a'; 8 << 20])?;
        output.flush()?;
        output.get_ref().set_len(4 << 30)
    });
    refused("m=x", |output| {
        // Field 2, a string of 4 GiB less 1.
        output.write_all(&[BINARY_HEAD, b"\x12\xff\xff\xff\xff\x0f"].concat())?;
        write_trailer(output, 5 << 30)
    });
    refused("m=x", |output| {
        output.write_all(&[BINARY_HEAD, b"\x12\x01a\x2a\xff\xff\xff\xff\x0f"].concat())?;
        write_trailer(output, 5 << 30)
    });
}

#[test]
fn files_above_four_gibibytes_are_readable() {
    // Two gibibytes of control characters are eight on disk. The size of the file modulo 4 GiB must not matter.
    for size in [(4 << 30) - 1, 4 << 30, (4 << 30) + 300, (8 << 30) + 40] {
        let mut queue = TestQueue::new();
        put(&mut queue, "x", b"Subject: hi\r\n\r\n\"quoted\" \xff\x00 \xc3\xb1\r\n");
        let intact = fs::read(queue.file("m:x")).expect("the file exists");
        let place = |part: &[u8]| {
            intact.windows(part.len()).position(|window| window == part).expect("a text item has a body and a time")
        };
        let (body, after) = (place(b"data: \"") + 7, place(b"\"\ncreated_at_ts"));
        let file = File::options().write(true).open(queue.file("m:x")).expect("the file exists");
        file.set_len(body as u64).expect("the file can be truncated");
        file.set_len(size).expect("the file system has sparse files");
        file.write_all_at(&intact[after..], size - (intact.len() - after) as u64).expect("the file can be written");
        let info = queue.info("x").expect("the checksum of the envelope matches");
        assert_eq!((info.integrity, info.envelope, info.file_size), (Integrity::Envelope, envelope(), size));
        let entries = queue.list(&[], Detail::Envelope, 10).expect("the directory can be read");
        assert_eq!(entries[0].problem, None);
        assert_eq!(code(queue.read_body("x", 0, 1 << 16)), ErrorCode::Corrupt, "the body has a hole");
    }
}

#[test]
fn million_recipients_are_refused() {
    refused("m:x", |output| {
        write_text_head(output)?;
        (0..1_000_000).try_for_each(|_| output.write_all(b"rcpt: {}\n"))?;
        output.write_all(b"data: \"x\"\ncreated_at_ts: { seconds: 1 }\n")
    });
    refused("m=x", |output| {
        output.write_all(BINARY_HEAD)?;
        (0..1_000_000).try_for_each(|_| output.write_all(b"\x22\x00"))?;
        output.write_all(b"\x2a\x81\x80\x80\x80\x00x\x32\x02\x08\x01\xca\x3e\x18")?;
        output.write_all(&[0; 24])
    });
}

#[test]
fn millions_of_empty_relays_are_refused() {
    refused("m:x", |output| {
        write_text_head(output)?;
        output.write_all(b"rcpt: { address: \"b@x\" ")?;
        (0..500_000).try_for_each(|_| output.write_all(b"via:\"\" "))?;
        output.write_all(b"}\ndata: \"x\"\ncreated_at_ts: { seconds: 1 }\n")
    });
    refused("m=x", |output| {
        // Field 4, a recipient of 4,000,000 bytes, each two of which are an empty field 6.
        output.write_all(&[BINARY_HEAD, b"\x22\x80\x92\xf4\x01"].concat())?;
        (0..2_000_000).try_for_each(|_| output.write_all(b"\x32\x00"))?;
        output.write_all(b"\x2a\x81\x80\x80\x80\x00x\x32\x02\x08\x01\xca\x3e\x18")?;
        output.write_all(&[0; 24])
    });
}

#[test]
fn hundred_thousand_nested_braces_are_refused() {
    for open in ["rcpt: {", "unknown: {", "rcpt <", "{", "["] {
        refused("m:x", |output| {
            write_text_head(output)?;
            (0..100_000).try_for_each(|_| output.write_all(open.as_bytes()))
        });
    }
    refused("m=x", |output| {
        output.write_all(BINARY_HEAD)?;
        // Field 100 begins a group, again and again.
        (0..100_000).try_for_each(|_| output.write_all(b"\xa3\x06"))?;
        output.write_all(b"\xca\x3e\x18")?;
        output.write_all(&[0; 24])
    });
}

#[test]
fn lines_of_a_gibibyte_take_constant_memory() {
    for byte in [b'#', b' '] {
        refused("m:x", |output| {
            write_text_head(output)?;
            let line = vec![byte; 1 << 20];
            (0..1024).try_for_each(|_| output.write_all(&line))
        });
    }
}
