//! Items whose field `ID` is not the id of their file name: each is found, and none is written.

use crate::support::{body, code, done, formats, one, only_code, put_as};
use queue_store_host_test::bindings::{Attempt, Detail, ErrorCode, State, WriteOptions, no_change};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

/// Returns a queue whose only file was renamed from the item `x` to the item `y`.
fn renamed(options: WriteOptions) -> TestQueue {
    let mut queue = TestQueue::new();
    put_as(&mut queue, "x", b"body", Some(options));
    let name = queue.names().remove(0);
    fs::rename(queue.file(&name), queue.file(&name.replace('x', "y"))).expect("the file can be renamed");
    queue
}

#[test]
fn info_has_the_recorded_id() {
    for options in formats() {
        let mut queue = renamed(options);
        let info = queue.info("y").expect("the envelope is intact");
        assert_eq!((info.id.as_str(), info.recorded_id.as_deref()), ("y", Some("x")));
        let reader = queue.read("y", 0).expect("the envelope is intact");
        assert_eq!(queue.reader_info(reader).recorded_id.as_deref(), Some("x"));
        put_as(&mut queue, "z", b"body", Some(options));
        assert_eq!(queue.info("z").expect("the item is intact").recorded_id, None);
    }
}

#[test]
fn mismatched_item_is_read_under_its_file_name() {
    for options in formats() {
        let mut queue = renamed(options);
        assert_eq!(queue.get("y").expect("the content is intact").id, "y");
        assert_eq!(queue.read_body("y", 0, 100).expect("the content is intact"), b"body");
        assert_eq!(code(queue.get("x")), ErrorCode::NotFound);
    }
}

#[test]
fn verify_reports_id_mismatch() {
    for options in formats() {
        let mut queue = renamed(options);
        assert_eq!(only_code(queue.verify(&one("y"))), Some(ErrorCode::IdMismatch));
    }
}

#[test]
fn listing_reports_id_mismatch_beside_the_info() {
    for options in formats() {
        let mut queue = renamed(options);
        for detail in [Detail::Envelope, Detail::Whole] {
            let entries = queue.list(&[], detail, 10).expect("the directory can be read");
            assert_eq!(entries[0].problem.as_ref().map(|problem| problem.code), Some(ErrorCode::IdMismatch));
            let info = entries[0].info.as_ref().expect("the content is intact");
            assert_eq!((info.id.as_str(), info.recorded_id.as_deref()), ("y", Some("x")));
        }
        let names = queue.list(&[], Detail::Name, 10).expect("the directory can be read");
        assert_eq!((&names[0].info, &names[0].problem), (&None, &None), "a listing of names reads no file");
    }
}

#[test]
fn changes_of_content_refuse_id_mismatch() {
    for options in formats() {
        let mut queue = renamed(options);
        let before = fs::read(queue.file(&queue.names()[0])).expect("the file exists");
        let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
        assert_eq!(code(queue.update("y", &no_change(), None)), ErrorCode::IdMismatch);
        assert_eq!(code(queue.record_attempts("y", &attempts, None, None)), ErrorCode::IdMismatch);
        assert_eq!(only_code(queue.seal(&one("y"))), Some(ErrorCode::IdMismatch));
        assert_eq!(queue.names().len(), 1, "a call that is refused leaves no temporary file");
        assert_eq!(fs::read(queue.file(&queue.names()[0])).expect("the file exists"), before);
    }
}

#[test]
fn recovery_counts_id_mismatch_as_damage() {
    for options in formats() {
        let mut queue = renamed(options);
        put_as(&mut queue, "good", b"body", Some(options));
        let recovery = queue.recover(0).expect("the directory can be read");
        assert_eq!((recovery.durable_items, recovery.damaged_items), (1, 1));
        let codes: Vec<_> = recovery.problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [ErrorCode::IdMismatch]);
        assert!(recovery.problems[0].path.ends_with('y'), "{:?}", recovery.problems[0]);
        assert_eq!(queue.names().len(), 2, "recovery keeps the damaged item");
    }
}

#[test]
fn mismatched_item_is_quarantined_and_removed() {
    for options in formats() {
        let mut queue = renamed(options);
        done(queue.quarantine(&one("y")));
        assert_eq!(queue.info("y").expect("the envelope is intact").state, State::Quarantined);
        done(queue.remove(&one("y"), &[State::Quarantined], None));
        assert_eq!(queue.names(), [""; 0]);
    }
}

#[test]
fn renaming_the_file_back_resolves_the_mismatch() {
    let mut queue = renamed(formats()[0]);
    fs::rename(queue.file("m:y"), queue.file("m:x")).expect("the file can be renamed");
    done(queue.verify(&one("x")));
    queue.update("x", &no_change(), None).expect("the item is intact");
    assert_eq!(body(&mut queue, "x"), b"body");
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.damaged_items, recovery.problems), (1, 0, Vec::new()));
}

#[test]
fn problem_shows_the_beginning_of_a_long_recorded_id() {
    let mut queue = TestQueue::new();
    let id = "é".repeat(500_000);
    let text =
        format!("ID: \"{id}\" from: \"<>\" rcpt: {{address: \"b@x\"}} data: \"x\" created_at_ts: {{seconds: 1}}");
    fs::write(queue.file("m:y"), text).expect("the file can be written");
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.damaged_items, recovery.problems.len()), (0, 1, 1));
    let problem = &recovery.problems[0];
    assert!(problem.code == ErrorCode::IdMismatch && problem.detail.len() < 500, "{} bytes", problem.detail.len());
}
