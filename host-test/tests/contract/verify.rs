//! `queue.verify` and `queue.seal`: damage is told from edits, and checksums are written anew.

use crate::support::{body, code, codes, done, edit, formats, one, only_code, put, put_as};
use queue_store_host_test::bindings::{Detail, ErrorCode, Format, Integrity, State, ids, no_change, stored_as};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

#[test]
fn damage_is_told_from_edits() {
    let (mismatch, corrupt) = (Some(ErrorCode::ChecksumMismatch), Some(ErrorCode::Corrupt));
    for options in formats() {
        let mut queue = TestQueue::new();
        put_as(&mut queue, "good", b"good", Some(options));
        put_as(&mut queue, "edited", b"Subject: hello\r\n", Some(options));
        put_as(&mut queue, "truncated", &b"x".repeat(20_000), Some(options));
        let sign = if options.format == Some(Format::Binary) { '=' } else { ':' };
        edit(&queue.file(&format!("m{sign}edited")), b"hello", b"HELLO");
        let path = queue.file(&format!("m{sign}truncated"));
        let intact = fs::read(&path).expect("the file exists");
        fs::write(&path, &intact[..10_000]).expect("the file can be written");

        let verified = queue.verify(&ids(&["good", "edited", "truncated", "missing"]));
        assert_eq!(codes(verified), [None, mismatch, corrupt, Some(ErrorCode::NotFound)]);
        assert_eq!(code(queue.get("edited")), ErrorCode::ChecksumMismatch);
        assert_eq!(code(queue.get("truncated")), ErrorCode::Corrupt);
        assert_eq!(code(queue.read_body("edited", 0, 100)), ErrorCode::ChecksumMismatch);
        assert_eq!(code(queue.update("edited", &no_change(), None)), ErrorCode::ChecksumMismatch);
        assert_eq!(queue.info("edited").expect("the envelope is intact").integrity, Integrity::Envelope);

        let sealed = queue.seal(&ids(&["edited", "truncated"]));
        assert_eq!(codes(sealed), [None, corrupt], "no checksum makes a truncated item right");
        assert_eq!(body(&mut queue, "edited"), b"Subject: HELLO\r\n");
        assert_eq!(body(&mut queue, "good"), b"good");
    }
}

#[test]
fn verify_reads_every_state_and_changes_nothing() {
    for options in formats() {
        for state in [State::Ready, State::Held, State::Quarantined] {
            let mut queue = TestQueue::new();
            put_as(&mut queue, "x", &b"x".repeat(100_000), Some(options));
            done(queue.set_state(&one("x"), state));
            let file = queue.file(&queue.names()[0]);
            let before = fs::read(&file).expect("the file exists");
            done(queue.verify(&one("x")));
            assert!(fs::read(&file).expect("the file exists") == before);
            let mut damaged = before;
            let middle = damaged.len() / 2;
            damaged[middle] ^= 1;
            fs::write(&file, damaged).expect("the file can be written");
            assert_eq!(only_code(queue.verify(&one("x"))), Some(ErrorCode::ChecksumMismatch), "{state:?}");
        }
    }
}

#[test]
fn seal_works_in_every_state() {
    for options in formats() {
        for state in [State::Ready, State::Held, State::Quarantined] {
            let mut queue = TestQueue::new();
            put_as(&mut queue, "x", b"Subject: hello\r\n", Some(options));
            done(queue.set_state(&one("x"), state));
            let names = queue.names();
            edit(&queue.file(&names[0]), b"hello", b"HELLO");
            done(queue.seal(&one("x")));
            assert_eq!(body(&mut queue, "x"), b"Subject: HELLO\r\n");
            assert_eq!(queue.names(), names, "a sealed item keeps its name");
        }
    }
}

#[test]
fn seal_adds_checksums_to_items_without() {
    let mut queue = TestQueue::new();
    let text = "# a comment\nID: 'x' rcpt <address: 'b@x' type: 7>\ncreated_at_ts {} data: 'body'";
    fs::write(queue.file("m:x"), text).expect("the file can be written");
    let before = queue.get("x").expect("the text parses");
    done(queue.seal(&one("x")));
    assert_eq!(queue.get("x").expect("the item is intact"), before, "the fields stay as they are");
    assert_eq!(queue.info("x").expect("the item is intact").integrity, Integrity::Envelope);
}

#[test]
fn item_without_its_last_line_is_truncated() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let text = fs::read_to_string(queue.file("m:x")).expect("a text item is UTF-8");
    let last_line = text.trim_end().rfind('\n').expect("a text item has several lines") + 1;
    fs::write(queue.file("m:x"), &text[..last_line]).expect("the file can be written");
    assert_eq!(code(queue.get("x")), ErrorCode::Corrupt);
    assert_eq!(code(queue.info("x")), ErrorCode::Corrupt);
    // An operator who looked at the item vouches for it.
    done(queue.seal(&one("x")));
    assert_eq!(body(&mut queue, "x"), b"body");
}

#[test]
fn item_without_its_time_is_corrupt() {
    let mut queue = TestQueue::new();
    // chasquid leaves such a file when it is truncated at a field boundary.
    fs::write(queue.file("m:x"), "ID: \"x\"\nfrom: \"a@b\"\n").expect("the file can be written");
    fs::write(queue.file("m:empty"), "").expect("the file can be written");
    for id in ["x", "empty"] {
        let codes = [code(queue.get(id)), code(queue.info(id))];
        assert_eq!(codes, [ErrorCode::Corrupt; 2], "{id}");
        assert_eq!(only_code(queue.verify(&one(id))), Some(ErrorCode::Corrupt), "{id}");
        assert_eq!(only_code(queue.seal(&one(id))), Some(ErrorCode::Corrupt), "{id}");
    }
}

#[test]
fn later_format_versions_are_unsupported() {
    let mut queue = TestQueue::new();
    put(&mut queue, "text", b"body");
    put_as(&mut queue, "binary", b"body", Some(stored_as(Format::Binary)));
    for (name, id) in [("m:text", "text"), ("m=binary", "binary")] {
        edit(&queue.file(name), b"queue-store 1", b"queue-store 2");
        assert_eq!([code(queue.get(id)), code(queue.info(id))], [ErrorCode::Unsupported; 2], "{name}");
        assert_eq!(only_code(queue.verify(&one(id))), Some(ErrorCode::Unsupported), "{name}");
    }
}

#[test]
fn verify_and_seal_bound_their_batches() {
    let mut queue = TestQueue::new();
    let beyond = vec!["x".to_string(); queue.limit("max-batch") as usize + 1];
    assert_eq!(code(queue.verify(&beyond)), ErrorCode::TooLarge);
    assert_eq!(code(queue.seal(&beyond)), ErrorCode::TooLarge);
    assert_eq!(queue.verify(&[]).expect("an empty batch is valid"), []);
    assert_eq!(queue.seal(&[]).expect("an empty batch is valid"), []);
}

#[test]
fn damaged_item_is_listed_and_quarantined() {
    for options in formats() {
        let mut queue = TestQueue::new();
        put_as(&mut queue, "x", &b"x".repeat(20_000), Some(options));
        let file = queue.file(&queue.names()[0]);
        let intact = fs::read(&file).expect("the file exists");
        fs::write(&file, &intact[..10_000]).expect("the file can be written");
        done(queue.quarantine(&one("x")));
        assert_eq!(only_code(queue.release(&one("x"))), Some(ErrorCode::Corrupt));
        let entries = queue.list(&[State::Quarantined], Detail::Envelope, 10).expect("the directory can be read");
        let problems: Vec<_> = entries.iter().map(|entry| entry.problem.as_ref().map(|problem| problem.code)).collect();
        assert_eq!(problems, [Some(ErrorCode::Corrupt)]);
    }
}
