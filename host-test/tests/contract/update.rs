//! `queue.update`: the envelope is replaced, the body is kept.

use crate::support::{body, code, done, formats, one, put, put_as};
use queue_store_host_test::bindings::{
    Envelope, EnvelopeChange, ErrorCode, Integrity, Timestamp, envelope, no_change, recipient,
};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

#[test]
fn update_replaces_the_envelope_and_keeps_the_body() {
    for options in formats() {
        let mut queue = TestQueue::new();
        let stored: Vec<u8> = (0..=u8::MAX).cycle().take(300_000).collect();
        put_as(&mut queue, "x", &stored, Some(options));
        let before = queue.info("x").expect("the item is intact");
        let mut sent = recipient("b@example.com");
        (sent.status, sent.kind) = (1, 77);
        sent.last_failure_message = "250 \"ok\"\r\n".to_string();
        let change = EnvelopeChange {
            reverse_path: Some(String::new()),
            to: Some(vec!["x@example.com".to_string()]),
            recipients: Some(vec![sent.clone(), recipient("c@example.com")]),
            created_at: Some(Timestamp { seconds: -5, nanos: 7 }),
            if_revision: Some(before.revision.clone()),
        };
        let revision = queue.update("x", &change, None).expect("an intact item is updated");
        let after = queue.info("x").expect("the item is intact");
        assert_eq!((&after.revision, &after.format), (&revision, &before.format));
        assert_ne!(after.revision, before.revision);
        assert_eq!(after.envelope.reverse_path, "<>");
        assert_eq!(after.envelope.to, ["x@example.com"]);
        assert_eq!(after.envelope.recipients, [sent, recipient("c@example.com")]);
        assert_eq!(after.envelope.created_at, Some(Timestamp { seconds: -5, nanos: 7 }));
        assert!(body(&mut queue, "x") == stored, "an update keeps the body");
        assert_eq!(queue.names().len(), 1, "an update leaves no temporary file");
    }
}

/// Applies a change of the contract to an envelope.
type Apply = fn(&mut Envelope);

#[test]
fn each_field_changes_alone() {
    let time = Timestamp { seconds: 1_000_000_000, nanos: 0 };
    let changes: [(EnvelopeChange, Apply); 5] = [
        (no_change(), |_| {}),
        (EnvelopeChange { reverse_path: Some("n@x".to_string()), ..no_change() }, |envelope| {
            envelope.reverse_path = "n@x".to_string();
        }),
        (EnvelopeChange { to: Some(Vec::new()), ..no_change() }, |envelope| envelope.to.clear()),
        (EnvelopeChange { recipients: Some(vec![recipient("n@x")]), ..no_change() }, |envelope| {
            envelope.recipients = vec![recipient("n@x")];
        }),
        (EnvelopeChange { created_at: Some(time), ..no_change() }, |envelope| {
            envelope.created_at = Some(Timestamp { seconds: 1_000_000_000, nanos: 0 });
        }),
    ];
    for options in formats() {
        for (change, apply) in &changes {
            let mut queue = TestQueue::new();
            put_as(&mut queue, "x", b"body", Some(options));
            queue.update("x", change, None).expect("an intact item is updated");
            let mut expected = envelope();
            apply(&mut expected);
            assert_eq!(queue.get("x").expect("the item is intact").envelope, expected);
        }
    }
}

#[test]
fn stale_revision_is_a_conflict_that_changes_nothing() {
    for options in formats() {
        let mut queue = TestQueue::new();
        put_as(&mut queue, "x", b"body", Some(options));
        let first = queue.info("x").expect("the item is intact").revision;
        let change = EnvelopeChange { to: Some(Vec::new()), if_revision: Some(first), ..no_change() };
        let second = queue.update("x", &change, None).expect("the revision is the item's");
        let file = fs::read(queue.file(&queue.names()[0])).expect("the file exists");
        assert_eq!(code(queue.update("x", &change, None)), ErrorCode::Conflict);
        assert_eq!(fs::read(queue.file(&queue.names()[0])).expect("the file exists"), file);
        let change = EnvelopeChange { reverse_path: Some("n@x".to_string()), if_revision: Some(second), ..no_change() };
        queue.update("x", &change, None).expect("the revision that an update returned is the item's");
    }
}

#[test]
fn revision_survives_a_change_of_state() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let revision = queue.info("x").expect("the item is intact").revision;
    done(queue.hold(&one("x")));
    let held = queue.info("x").expect("the item is intact");
    assert_eq!(held.revision, revision, "the content of the file is the same");
    let change = EnvelopeChange { to: Some(Vec::new()), if_revision: Some(revision), ..no_change() };
    queue.update("x", &change, None).expect("a held item is updated");
    assert_eq!(queue.names(), ["h:x"]);
}

#[test]
fn update_adds_checksums_and_keeps_unknown_numbers() {
    let mut queue = TestQueue::new();
    for size in [10, 100_000] {
        let id = format!("x{size}");
        let escaped = "line\\r\\n".repeat(size / 8);
        let text = format!(
            "ID:  \"{id}\"\nfrom: \"a@b\"\nrcpt: {{\n  address: \"c@d\"\n  type: 9\n  status: -3\n}}\n\
             data: \"{escaped}\"\ncreated_at_ts: {{\n  seconds: 5\n}}\n"
        );
        fs::write(queue.file(&format!("m:{id}")), text).expect("the file can be written");
        assert_eq!(queue.info(&id).expect("the text parses").integrity, Integrity::Unchecked);
        let change = EnvelopeChange { to: Some(vec!["e@f".to_string()]), ..no_change() };
        queue.update(&id, &change, None).expect("an item of another program is updated");
        let info = queue.info(&id).expect("the item is intact");
        assert_eq!(info.integrity, Integrity::Envelope);
        assert_eq!((info.envelope.recipients[0].kind, info.envelope.recipients[0].status), (9, -3));
        assert_eq!(body(&mut queue, &id), "line\r\n".repeat(size / 8).into_bytes());
    }
}

#[test]
fn update_refuses_what_put_refuses() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let before = fs::read(queue.file("m:x")).expect("the file exists");
    let refused = [
        ("no recipient", EnvelopeChange { recipients: Some(Vec::new()), ..no_change() }),
        ("an empty address", EnvelopeChange { recipients: Some(vec![recipient("")]), ..no_change() }),
        ("LF in `to`", EnvelopeChange { to: Some(vec!["a\n".to_string()]), ..no_change() }),
        ("NUL in the reverse-path", EnvelopeChange { reverse_path: Some("a\0".to_string()), ..no_change() }),
    ];
    for (what, change) in refused {
        assert_eq!(code(queue.update("x", &change, None)), ErrorCode::InvalidArgument, "{what}");
    }
    let long = EnvelopeChange { to: Some(vec!["a".repeat(4 << 20)]), ..no_change() };
    assert_eq!(code(queue.update("x", &long, None)), ErrorCode::TooLarge);
    assert_eq!(code(queue.update("y", &no_change(), None)), ErrorCode::NotFound);
    assert_eq!(fs::read(queue.file("m:x")).expect("the file exists"), before);
    assert_eq!(queue.names(), ["m:x"]);
}

#[test]
fn update_refuses_quarantined_items() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    done(queue.quarantine(&one("x")));
    assert_eq!(code(queue.update("x", &no_change(), None)), ErrorCode::Conflict);
}

#[test]
fn update_of_damaged_item_changes_nothing() {
    for options in formats() {
        let mut queue = TestQueue::new();
        put_as(&mut queue, "x", b"Subject: hi\r\n\r\n\"quoted\" \xff\x00 \xc3\xb1\r\n", Some(options));
        let path = queue.file(&queue.names()[0]);
        let intact = fs::read(&path).expect("the file exists");
        let truncated = &intact[..intact.len() / 2];
        fs::write(&path, truncated).expect("the file can be written");
        assert_eq!(code(queue.update("x", &no_change(), None)), ErrorCode::Corrupt);
        assert_eq!(fs::read(&path).expect("the file exists"), truncated);
        assert_eq!(queue.names().len(), 1, "an update that fails leaves no temporary file");
    }
}

#[test]
fn update_holds_no_body_in_memory() {
    for options in formats() {
        let mut queue = TestQueue::new();
        let draft = queue.begin(Some("long"), &envelope(), Some(options)).expect("the id is free");
        for _ in 0..512 {
            queue.draft_write(draft, &[b'x'; 1 << 16]).expect("the chunk is within the limits");
        }
        queue.draft_commit(draft).expect("an intact draft is committed");
        let change = EnvelopeChange { to: Some(Vec::new()), ..no_change() };
        queue.update("long", &change, None).expect("an intact item is updated");
        assert!(queue.memory_bytes() < 4 << 20, "the guest has {} bytes", queue.memory_bytes());
    }
}

#[test]
fn not_found_is_answered_after_a_directory_fsync() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let syncs = queue.counter("directory-syncs");
    assert_eq!(code(queue.update("y", &no_change(), None)), ErrorCode::NotFound);
    assert_eq!(queue.counter("directory-syncs") - syncs, 1, "the removal of the item may not be durable");
}
