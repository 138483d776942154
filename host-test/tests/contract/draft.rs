//! `draft`: a mail that is written in chunks.

use crate::support::{body, code, done, formats, one, put, put_as};
use queue_store_host_test::bindings::{Durability, ErrorCode, State, WriteOptions, envelope, mail, options};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::Operation;
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

/// A body of a megabyte that has every byte value.
fn megabyte() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(1 << 20).collect()
}

#[test]
fn draft_becomes_the_item_that_put_writes() {
    let megabyte = megabyte();
    for options in formats() {
        let mut queue = TestQueue::new();
        put_as(&mut queue, "x", &megabyte, Some(options));
        let file = queue.file(&queue.names()[0]);
        let expected = fs::read(&file).expect("the file exists");
        done(queue.remove(&one("x"), &[], None));
        for chunk in [1 << 16, 4096, 1000, 333] {
            let draft = queue.begin(Some("x"), &envelope(), Some(options)).expect("the id is free");
            for chunk in megabyte.chunks(chunk) {
                queue.draft_write(draft, chunk).expect("the chunk is within the limits");
            }
            assert_eq!(code(queue.get("x")), ErrorCode::NotFound, "an uncommitted draft is no item");
            assert_eq!(queue.draft_commit(draft).expect("an intact draft is committed"), "x");
            assert!(fs::read(&file).expect("the file exists") == expected, "chunks of {chunk} bytes");
            assert_eq!(queue.names().len(), 1, "a commit leaves no temporary file");
            done(queue.remove(&one("x"), &[], None));
        }
    }
}

#[test]
fn commit_sees_an_id_that_was_taken_meanwhile() {
    for (begun, stored) in
        formats().into_iter().flat_map(|begun| formats().into_iter().map(move |stored| (begun, stored)))
    {
        for state in [State::Ready, State::Held, State::Quarantined] {
            let mut queue = TestQueue::new();
            let draft = queue.begin(Some("x"), &envelope(), Some(begun)).expect("the id is free");
            queue.draft_write(draft, b"draft").expect("the chunk is within the limits");
            put_as(&mut queue, "x", b"put", Some(stored));
            done(queue.set_state(&one("x"), state));
            assert_eq!(code(queue.draft_commit(draft)), ErrorCode::Exists, "{state:?}");
            assert_eq!(body(&mut queue, "x"), b"put");
            assert_eq!(queue.names().len(), 1, "a commit that fails leaves no temporary file");
        }
    }
}

#[test]
fn characters_split_between_chunks_stay_whole() {
    let mut queue = TestQueue::new();
    let text = "ñ😀\u{80}€ Ünïcödé".as_bytes();
    for split in 0..=text.len() {
        let draft = queue.begin(None, &envelope(), None).expect("a valid envelope is accepted");
        for part in [&text[..split], &[], &text[split..]] {
            queue.draft_write(draft, part).expect("the chunk is within the limits");
        }
        let id = queue.draft_commit(draft).expect("an intact draft is committed");
        assert_eq!(body(&mut queue, &id), text);
        let file = fs::read_to_string(queue.file(&format!("m:{id}"))).expect("a text item is UTF-8");
        assert!(file.contains(r#"data: "ñ😀\u0080€ Ünïcödé""#), "{file}");
    }
}

#[test]
fn dropped_or_abandoned_draft_leaves_nothing() {
    let mut queue = TestQueue::new();
    let draft = queue.begin(None, &envelope(), None).expect("a valid envelope is accepted");
    queue.draft_write(draft, b"x").expect("the chunk is within the limits");
    assert_eq!(queue.names().len(), 1, "the temporary file exists while the draft is open");
    queue.drop_resource(draft);
    assert_eq!(queue.names(), [""; 0]);
    let draft = queue.begin(Some("x"), &envelope(), None).expect("a valid envelope is accepted");
    queue.draft_write(draft, &megabyte()[..65536]).expect("the chunk is within the limits");
    queue.draft_abandon(draft).expect("the temporary file can be removed");
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn abandon_reports_a_failed_unlink() {
    let mut system = Simulated::new();
    let draft = system.begin(None, &envelope(), None).expect("a valid envelope is accepted");
    system.world().fail(Operation::Unlink, "access");
    let error = system.draft_abandon(draft).expect_err("the temporary file cannot be removed");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::Access, "unlink"));
    assert_eq!(system.world().entries.len(), 1, "the temporary file is left for recovery");
    assert_eq!(system.recover(0).expect("the directory works again").temporary_removed, 1);
}

#[test]
fn commit_without_its_temporary_file_is_not_found() {
    let mut queue = TestQueue::new();
    for options in formats() {
        let draft = queue.begin(None, &envelope(), Some(options)).expect("a valid envelope is accepted");
        queue.draft_write(draft, b"x").expect("the chunk is within the limits");
        // A grace of 0 while a draft is open, which the contract forbids.
        queue.sibling().recover(0).expect("the directory is intact");
        let error = queue.draft_commit(draft).expect_err("another process removed the temporary file");
        assert_eq!((error.code, error.operation.as_str()), (ErrorCode::NotFound, "rename"));
        assert_eq!(queue.names(), [""; 0]);
    }
}

#[test]
fn draft_is_aborted_after_a_failed_write() {
    let mut queue = TestQueue::new();
    let limited = WriteOptions { max_body_bytes: Some(10), ..options() };
    let too_long: [(&[u8], Option<WriteOptions>); 2] = [(&[b'x'; 65537], None), (&[b'x'; 11], Some(limited))];
    for (chunk, options) in too_long {
        let draft = queue.begin(None, &envelope(), options).expect("a valid envelope is accepted");
        assert_eq!(code(queue.draft_write(draft, chunk)), ErrorCode::TooLarge);
        assert_eq!(queue.names(), [""; 0], "the temporary file is removed at once");
        assert_eq!(code(queue.draft_write(draft, b"x")), ErrorCode::Aborted);
        assert_eq!(code(queue.draft_commit(draft)), ErrorCode::Aborted);
    }
    let draft = queue.begin(None, &envelope(), Some(limited)).expect("a valid envelope is accepted");
    assert_eq!(code(queue.draft_write(draft, &[b'x'; 11])), ErrorCode::TooLarge);
    queue.draft_abandon(draft).expect("an aborted draft has no file that could fail to be removed");
}

#[test]
fn commit_never_replaces_an_id_taken_meanwhile() {
    for options in formats() {
        let mut queue = TestQueue::new();
        let draft = queue.begin(Some("x"), &envelope(), Some(options)).expect("the id is free");
        queue.draft_write(draft, b"draft").expect("the chunk is within the limits");
        put_as(&mut queue.sibling(), "x", b"put", Some(options));
        assert_eq!(code(queue.draft_commit(draft)), ErrorCode::Exists);
        assert_eq!(body(&mut queue, "x"), b"put");
        assert_eq!(queue.names().len(), 1, "a commit that fails leaves no temporary file");
    }
}

#[test]
fn commit_obeys_the_durability_of_begin() {
    for (durability, syncs) in
        [(Durability::Full, (1, 2)), (Durability::ContentOnly, (1, 0)), (Durability::None, (0, 0))]
    {
        let mut queue = TestQueue::new();
        let options = WriteOptions { durability: Some(durability), ..options() };
        let draft = queue.begin(Some("x"), &envelope(), Some(options)).expect("the id is free");
        queue.draft_commit(draft).expect("an intact draft is committed");
        assert_eq!((queue.counter("file-syncs"), queue.counter("directory-syncs")), syncs, "{durability:?}");
    }
}

#[test]
fn drafts_do_not_disturb_other_calls() {
    let mut queue = TestQueue::new();
    let draft = queue.begin(Some("draft"), &envelope(), None).expect("the id is free");
    queue.draft_write(draft, b"one").expect("the chunk is within the limits");
    put(&mut queue, "x", b"body");
    let recovery = queue.recover(3600).expect("the directory is intact");
    assert_eq!((recovery.durable_items, recovery.temporary_kept), (1, 1));
    let generated = queue.put(None, &mail(b"generated"), None).expect("a valid mail is accepted");
    queue.draft_write(draft, b" two").expect("the chunk is within the limits");
    queue.draft_commit(draft).expect("an intact draft is committed");
    assert_eq!(body(&mut queue, "draft"), b"one two");
    assert_eq!(body(&mut queue, &generated), b"generated");
}
