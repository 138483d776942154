//! Damaged items: cut anywhere, with any bit flipped, and made to do harm. None is ever taken for what it is not.

use queue_store_host_test::bindings::{
    Detail, EnvelopeChange, ErrorCode, Format, Integrity, Item, WriteOptions, envelope, mail, no_change, options,
};
use queue_store_host_test::instance::{TestQueue, ids};
use std::fs::{self, File};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

const BODY: &[u8] = b"Subject: hi\r\n\r\n\"quoted\" \xff\x00 \xc3\xb1\r\n";

fn formats() -> [(WriteOptions, &'static str); 2] {
    [(options(), "m:x"), (WriteOptions { format: Some(Format::Binary), ..options() }, "m=x")]
}

/// Looks at the damaged item `x`: each way of reading it refuses it, or gives what was written. `checked` says whether
/// everything that could show damage is there, so that reading it must fail. Returns what is wrong.
fn look(queue: &mut TestQueue, written: &Item, checked: bool) -> Result<(), String> {
    let wrong = |how: &str| Err(format!("{how} took the damaged item for whole"));
    match queue.get("x") {
        Ok(item) if checked || item != *written => return wrong("get"),
        _ => {}
    }
    match queue.read_body("x", 0, 1 << 16) {
        Ok(body) if checked || body != written.body => return wrong("the body reader"),
        _ => {}
    }
    match queue.verify(&ids(&["x"])) {
        Ok(outcomes) if checked && outcomes[0].problem.is_none() => return wrong("verify"),
        _ => {}
    }
    match queue.info("x") {
        Ok(info) if info.envelope != written.envelope => return wrong("info"),
        _ => {}
    }
    match queue.list(&[], Detail::Envelope, 10) {
        Ok(entries) if entries.len() != 1 => return Err("the listing lost the damaged item".to_string()),
        Ok(entries) => match &entries[0].info {
            Some(info) if info.envelope != written.envelope => return wrong("the listing"),
            _ => {}
        },
        Err(error) => return Err(format!("the listing failed: {error:?}")),
    }
    let files = queue.names();
    let change = EnvelopeChange { reverse_path: Some("new@example.com".to_string()), ..no_change() };
    match queue.update("x", &change, None) {
        Ok(_) if checked => return wrong("update"),
        Ok(_) if queue.get("x").map(|item| item.body) != Ok(written.body.clone()) => return wrong("update"),
        _ => {}
    }
    if queue.names() != files {
        return Err("a look at the damaged item left a file".to_string());
    }
    Ok(())
}

fn each_damage(name: &str, damage: impl Fn(&[u8], &mut dyn FnMut(&str, Vec<u8>, bool))) {
    for (options, file) in formats() {
        let mut queue = TestQueue::new();
        queue.put(Some("x"), &mail(BODY), Some(&options)).expect("a put");
        let written = queue.get("x").expect("the item");
        let whole = fs::read(queue.file(file)).expect("the file");
        damage(&whole, &mut |what, damaged, checked| {
            fs::write(queue.file(file), damaged).expect("the file can be written");
            if let Err(wrong) = look(&mut queue, &written, checked) {
                panic!("{name}, {file}, {what}: {wrong}");
            }
        });
    }
}

/// Bytes of the opening of an item: the line in text, the field in binary.
fn opening(whole: &[u8]) -> usize {
    if whole.starts_with(b"# ") { b"# queue-store 1\n".len() } else { b"\xc2\x3e\x0dqueue-store 1".len() }
}

#[test]
fn an_item_that_is_cut_anywhere_is_refused() {
    each_damage("cut", |whole, look| {
        // Only the line feed that ends the text can be missing, since editors drop it.
        let needed = if whole.starts_with(b"# ") { whole.len() - 1 } else { whole.len() };
        for end in 0..needed {
            look(&format!("at {end} of {}", whole.len()), whole[..end].to_vec(), true);
        }
    });
}

#[test]
fn an_item_with_any_bit_flipped_is_refused_or_is_what_was_written() {
    each_damage("flip", |whole, look| {
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // Without its opening, an item is one that another program wrote. The line feed that ends the text may be any
            // other white space.
            let opens = bit / 8 < opening(whole);
            let ends = whole.starts_with(b"# ") && bit / 8 == whole.len() - 1;
            look(&format!("bit {bit}"), damaged, !opens && !ends);
        }
    });
}

#[test]
fn an_item_with_a_hole_a_doubled_part_or_an_exchanged_one_is_refused() {
    each_damage("change", |whole, look| {
        for at in (opening(whole)..whole.len() - 1).step_by(7) {
            let length = (whole.len() - at).min(16);
            let mut hole = whole.to_vec();
            hole[at..at + length].fill(0);
            look(&format!("a hole at {at}"), hole, true);
            let doubled = [&whole[..at + length], &whole[at..]].concat();
            look(&format!("doubled at {at}"), doubled, true);
            if length == 16 {
                let exchanged = [&whole[..at], &whole[at + 8..at + 16], &whole[at..at + 8], &whole[at + 16..]].concat();
                if exchanged != whole {
                    look(&format!("exchanged at {at}"), exchanged, true);
                }
            }
        }
    });
}

/// Writes the file of the item `x` and reads it in every way. All must refuse it, in bounded memory and time.
fn hostile(name: &str, file: &str, write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) {
    let mut queue = TestQueue::new();
    let mut output = BufWriter::new(File::create(queue.file(file)).expect("a file"));
    write(&mut output).and_then(|()| output.flush()).expect("the file can be written");
    drop(output);
    let begun = Instant::now();
    let mut codes = vec![
        queue.get("x").expect_err(name).code,
        queue.info("x").expect_err(name).code,
        queue.verify(&ids(&["x"])).expect("outcomes")[0].code().expect(name),
        queue.read_body("x", 0, 1 << 16).expect_err(name).code,
        queue.update("x", &no_change(), None).expect_err(name).code,
        queue.seal(&ids(&["x"])).expect("outcomes")[0].code().expect(name),
    ];
    let entries = queue.list(&[], Detail::Envelope, 10).expect("a listing");
    codes.push(entries[0].problem.as_ref().expect(name).code);
    let refusals = [ErrorCode::Corrupt, ErrorCode::TooLarge];
    assert!(codes.iter().all(|code| refusals.contains(code)), "{name}: {codes:?}");
    queue.recover(0).expect("recovery does not mind");
    assert!(begun.elapsed() < Duration::from_secs(120), "{name}: it took {:?}", begun.elapsed());
    assert!(queue.memory_bytes() < 24 << 20, "{name}: the guest took {} bytes", queue.memory_bytes());
}

/// What opens a binary item whose id is `x`.
const BINARY_HEAD: &[u8] = b"\xc2\x3e\x0dqueue-store 1\x0a\x01x";

/// Ends a binary item of this size with a closing.
fn close(output: &mut BufWriter<File>, size: u64) -> std::io::Result<()> {
    output.seek(SeekFrom::Start(size - 27))?;
    output.write_all(&[b"\xca\x3e\x18".as_slice(), &[0; 24]].concat())
}

fn text_head(output: &mut impl Write) -> std::io::Result<()> {
    output.write_all(b"ID: \"x\"\nfrom: \"a@example.com\"\n")
}

#[test]
fn a_string_of_four_gibibytes_is_refused() {
    hostile("text", "m:x", |output| {
        output.write_all(b"ID: \"x\"\nfrom: \"")?;
        output.write_all(&vec![b'a'; 8 << 20])?;
        output.flush()?;
        output.get_ref().set_len(4 << 30)
    });
    hostile("binary", "m=x", |output| {
        // Field 2, a string of 4 GiB less 1.
        output.write_all(&[BINARY_HEAD, b"\x12\xff\xff\xff\xff\x0f"].concat())?;
        close(output, 5 << 30)
    });
    hostile("a body in binary", "m=x", |output| {
        output.write_all(&[BINARY_HEAD, b"\x12\x01a\x2a\xff\xff\xff\xff\x0f"].concat())?;
        close(output, 5 << 30)
    });
}

#[test]
fn an_item_whose_file_is_larger_than_four_gibibytes_is_found_at_its_ends() {
    // Two gibibytes of control characters are eight on disk. Where the end of the file is, modulo 4 GiB, must not matter.
    for size in [(4 << 30) - 1, 4 << 30, (4 << 30) + 300, (8 << 30) + 40] {
        let mut queue = TestQueue::new();
        queue.put(Some("x"), &mail(BODY), None).expect("a put");
        let whole = fs::read(queue.file("m:x")).expect("the file");
        let body = whole.windows(7).position(|bytes| bytes == b"data: \"").expect("a body") + 7;
        let after = whole.windows(15).position(|bytes| bytes == b"\"\ncreated_at_ts").expect("what follows it");
        let file = File::options().write(true).open(queue.file("m:x")).expect("the file");
        file.set_len(body as u64).expect("it can be cut");
        file.set_len(size).expect("a file with a hole");
        file.write_all_at(&whole[after..], size - (whole.len() - after) as u64).expect("it can be written");
        let info = queue.info("x").expect("the envelope is vouched for by its own checksum");
        assert_eq!((info.integrity, info.envelope, info.file_size), (Integrity::Envelope, envelope(), size));
        let entries = queue.list(&[], Detail::Envelope, 10).expect("a listing");
        assert_eq!(entries[0].problem, None);
        // The hole is not what was written.
        queue.read_body("x", 0, 1 << 16).expect_err("a body with a hole");
    }
}

#[test]
fn a_million_recipients_are_refused() {
    hostile("text", "m:x", |output| {
        text_head(output)?;
        (0..1_000_000).try_for_each(|_| output.write_all(b"rcpt: {}\n"))?;
        output.write_all(b"data: \"x\"\ncreated_at_ts: { seconds: 1 }\n")
    });
    hostile("binary", "m=x", |output| {
        output.write_all(BINARY_HEAD)?;
        (0..1_000_000).try_for_each(|_| output.write_all(b"\x22\x00"))?;
        output.write_all(b"\x2a\x81\x80\x80\x80\x00x\x32\x02\x08\x01\xca\x3e\x18")?;
        output.write_all(&[0; 24])
    });
}

#[test]
fn a_hundred_thousand_nested_braces_are_refused() {
    for open in ["rcpt: {", "unknown: {", "rcpt <", "{", "["] {
        hostile(open, "m:x", |output| {
            text_head(output)?;
            (0..100_000).try_for_each(|_| output.write_all(open.as_bytes()))
        });
    }
    hostile("groups", "m=x", |output| {
        output.write_all(BINARY_HEAD)?;
        // Field 100 begins a group, again and again.
        (0..100_000).try_for_each(|_| output.write_all(b"\xa3\x06"))?;
        output.write_all(b"\xca\x3e\x18")?;
        output.write_all(&[0; 24])
    });
}

#[test]
fn a_line_of_a_gibibyte_is_read_in_constant_memory() {
    for (name, byte) in [("a comment", b'#'), ("spaces", b' ')] {
        hostile(name, "m:x", |output| {
            text_head(output)?;
            let line = vec![byte; 1 << 20];
            (0..1024).try_for_each(|_| output.write_all(&line))
        });
    }
}

#[test]
fn a_change_of_nothing_is_an_update_of_a_whole_item_only() {
    for (options, file) in formats() {
        let mut queue = TestQueue::new();
        queue.put(Some("x"), &mail(BODY), Some(&options)).expect("a put");
        queue.update("x", &no_change(), None).expect("it is whole");
        assert_eq!(
            queue.get("x").expect("the item"),
            Item { id: "x".into(), envelope: envelope(), body: BODY.to_vec() }
        );
        let whole = fs::read(queue.file(file)).expect("the file");
        fs::write(queue.file(file), &whole[..whole.len() / 2]).expect("the file can be written");
        queue.update("x", &no_change(), None).expect_err("it is cut");
        assert_eq!(fs::read(queue.file(file)).expect("the file"), &whole[..whole.len() / 2]);
    }
}
