//! Ids at the limits: 241 bytes are written, up to 253 are found.

use crate::support::{body, code, codes, done, formats, one, only_code, put_as};
use queue_store_host_test::bindings::{
    Attempt, Detail, EnvelopeChange, ErrorCode, Format, Item, State, WriteOptions, envelope, identified, mail,
    no_change,
};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

/// The longest id that a put accepts, since the name of its file in quarantine has 14 bytes more.
const LONGEST_WRITTEN: usize = 241;

/// The longest id that a file name can have beside its prefix of two bytes.
const LONGEST_FOUND: usize = 253;

/// Writes the file of an item whose id no put accepts.
fn write_found(queue: &TestQueue, id: &str, options: WriteOptions) {
    let mut made = TestQueue::new();
    let item = Item { id: id.to_string(), envelope: envelope(), body: b"Subject: found\r\n".to_vec() };
    let format = options.format.unwrap_or(Format::Text);
    let bytes = made.encode(&item, format).expect("the codec does not judge ids");
    let sign = if format == Format::Binary { '=' } else { ':' };
    fs::write(queue.file(&format!("m{sign}{id}")), bytes).expect("the file system takes names of 255 bytes");
}

#[test]
fn longest_written_id_works_everywhere() {
    let id = "x".repeat(LONGEST_WRITTEN);
    for options in formats() {
        let mut queue = TestQueue::new();
        put_as(&mut queue, &id, b"first", Some(options));
        for state in [State::Held, State::Ready, State::Quarantined] {
            done(queue.set_state(&one(&id), state));
            assert_eq!(queue.info(&id).expect("the item is intact").state, state);
        }
        // A second one of the id takes the longest name that there is.
        write_found(&queue, &id, options);
        done(queue.quarantine(&one(&id)));
        assert!(queue.names().iter().any(|name| name.len() == 255), "{:?}", queue.names());
        done(queue.remove(&one(&id), &[State::Quarantined], None));
        assert_eq!(queue.names(), [""; 0]);
        let draft = queue.begin(Some(&id), &envelope(), Some(options)).expect("the id is within the limit");
        queue.draft_commit(draft).expect("an intact draft is committed");
        done(queue.seal(&one(&id)));
        queue.update(&id, &no_change(), None).expect("an intact item is updated");
    }
}

#[test]
fn longer_ids_are_not_written() {
    for length in [LONGEST_WRITTEN + 1, LONGEST_FOUND, LONGEST_FOUND + 1, 5000] {
        let mut queue = TestQueue::new();
        let id = "x".repeat(length);
        assert_eq!(code(queue.put(Some(&id), &mail(b"x"), None)), ErrorCode::InvalidArgument, "{length}");
        assert_eq!(code(queue.begin(Some(&id), &envelope(), None)), ErrorCode::InvalidArgument, "{length}");
        let batch = queue.put_many(&[identified(Some(&id), mail(b"x")), identified(None, mail(b"y"))], None);
        assert_eq!(codes(batch), [Some(ErrorCode::InvalidArgument), None], "{length}");
        assert_eq!(queue.names().len(), 1);
    }
}

#[test]
fn id_length_counts_bytes() {
    let mut queue = TestQueue::new();
    let longest = "ñ".repeat(LONGEST_WRITTEN / 2) + "x";
    put_as(&mut queue, &longest, b"body", None);
    assert_eq!(body(&mut queue, &longest), b"body");
    let longer = "ñ".repeat(LONGEST_WRITTEN / 2 + 1);
    assert_eq!(code(queue.put(Some(&longer), &mail(b"x"), None)), ErrorCode::InvalidArgument);
}

#[test]
fn found_ids_are_read_updated_moved_and_removed() {
    for length in [LONGEST_WRITTEN + 1, LONGEST_FOUND] {
        let id = "x".repeat(length);
        for options in formats() {
            let mut queue = TestQueue::new();
            write_found(&queue, &id, options);
            assert_eq!(body(&mut queue, &id), b"Subject: found\r\n");
            assert_eq!(queue.info(&id).expect("the item is intact").recorded_id, None);
            assert_eq!(queue.read_body(&id, 9, 100).expect("the item is intact"), b"found\r\n");
            done(queue.verify(&one(&id)));
            let entries = queue.list(&[], Detail::Whole, 10).expect("the directory can be read");
            assert_eq!((entries[0].id.as_str(), &entries[0].problem), (id.as_str(), &None));
            let change = EnvelopeChange { to: Some(Vec::new()), ..no_change() };
            queue.update(&id, &change, None).expect("an update needs no longer name");
            let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
            queue.record_attempts(&id, &attempts, None, None).expect("an update needs no longer name");
            done(queue.seal(&one(&id)));
            for state in [State::Held, State::Quarantined, State::Ready] {
                done(queue.set_state(&one(&id), state));
                assert_eq!(queue.info(&id).expect("the item is intact").state, state);
            }
            let recovery = queue.recover(0).expect("the directory is intact");
            assert_eq!((recovery.durable_items, recovery.problems), (1, Vec::new()));
            done(queue.remove(&one(&id), &[], None));
            assert_eq!(queue.names(), [""; 0]);
        }
    }
}

#[test]
fn second_quarantine_of_long_id_is_refused() {
    for options in formats() {
        let mut queue = TestQueue::new();
        let id = "x".repeat(LONGEST_WRITTEN + 1);
        write_found(&queue, &id, options);
        done(queue.quarantine(&one(&id)));
        let name = queue.names().pop().expect("the item is in quarantine");
        fs::write(queue.file(&name), "other content").expect("the file can be written");
        write_found(&queue, &id, options);
        let names = queue.names();
        let outcomes = queue.quarantine(&one(&id)).expect("the call has an outcome for each item");
        let problem = outcomes[0].problem.as_ref().expect("the name would have 256 bytes");
        assert_eq!(problem.code, ErrorCode::InvalidArgument);
        assert_eq!(queue.names(), names, "a move that is refused changes nothing");
        assert!(!queue.needs_recovery().expect("the queue is open"), "the queue is as open as before");
        done(queue.hold(&one(&id)));
    }
}

#[test]
fn ids_beyond_any_file_name_are_refused() {
    let mut queue = TestQueue::new();
    let id = "x".repeat(LONGEST_FOUND + 1);
    let x = one(&id);
    let codes = [
        code(queue.get(&id)),
        code(queue.info(&id)),
        code(queue.read(&id, 0)),
        code(queue.update(&id, &no_change(), None)),
    ];
    assert_eq!(codes, [ErrorCode::InvalidArgument; 4]);
    for outcomes in [queue.hold(&x), queue.remove(&x, &[], None), queue.seal(&x), queue.verify(&x)] {
        assert_eq!(only_code(outcomes), Some(ErrorCode::InvalidArgument));
    }
}
