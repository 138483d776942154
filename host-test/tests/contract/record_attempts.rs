//! `queue.record-attempts`: the results of delivery attempts.

use crate::support::{body, code, done, edit, formats, one, put, put_as};
use queue_store_host_test::bindings::{
    Attempt, Durability, ErrorCode, Format, Mail, Recipient, mail, recipient, stored_as,
};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

fn attempt(recipient: u32, status: i32, message: &str) -> Attempt {
    Attempt { recipient, status, message: message.to_string() }
}

/// Returns a mail with three deliveries, each with a field that an attempt must keep.
fn mail_to_three() -> Mail {
    let mut mail = mail(b"body");
    mail.envelope.recipients = ["a@x", "b@x", "c@x"].map(recipient).to_vec();
    mail.envelope.recipients[1].original_address = "alias@x".to_string();
    mail.envelope.recipients[1].last_failure_message = "450 busy".to_string();
    mail.envelope.recipients[2].kind = 2;
    mail.envelope.recipients[2].via = vec!["mx.example.com".to_string()];
    mail
}

fn recipients(queue: &mut TestQueue) -> Vec<Recipient> {
    queue.get("x").expect("the item is intact").envelope.recipients
}

#[test]
fn attempts_change_only_their_deliveries() {
    for options in formats() {
        let mut queue = TestQueue::new();
        let mail = mail_to_three();
        queue.put(Some("x"), &mail, Some(options)).expect("a valid mail is accepted");
        let before = queue.info("x").expect("the item is intact");
        let attempts = [attempt(2, 2, "550 \"no such user\"\r\nñ"), attempt(1, 1, "")];
        let revision = queue.record_attempts("x", &attempts, None, None).expect("the item has these deliveries");
        let after = queue.info("x").expect("the item is intact");
        assert_eq!((&after.revision, after.format), (&revision, before.format));
        assert_ne!(revision, before.revision);
        let mut expected = mail.envelope.clone();
        (expected.recipients[1].status, expected.recipients[1].last_failure_message) = (1, String::new());
        expected.recipients[2].status = 2;
        expected.recipients[2].last_failure_message = "550 \"no such user\"\r\nñ".to_string();
        assert_eq!(after.envelope, expected);
        assert_eq!(body(&mut queue, "x"), mail.body);
        assert_eq!(queue.names().len(), 1, "an update leaves no temporary file");
    }
}

#[test]
fn last_attempt_of_a_delivery_holds() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail_to_three(), None).expect("a valid mail is accepted");
    let attempts = [attempt(0, 2, "first"), attempt(1, 5, "other"), attempt(0, 1, "last")];
    queue.record_attempts("x", &attempts, None, None).expect("the item has these deliveries");
    let stored: Vec<_> = recipients(&mut queue)
        .into_iter()
        .map(|recipient| (recipient.status, recipient.last_failure_message))
        .collect();
    assert_eq!(stored, [(1, "last".to_string()), (5, "other".to_string()), (0, String::new())]);
}

#[test]
fn unknown_statuses_are_kept() {
    let mut queue = TestQueue::new();
    for status in [i32::MIN, -1, 3, i32::MAX] {
        let id = format!("x{status}");
        put(&mut queue, &id, b"body");
        queue.record_attempts(&id, &[attempt(0, status, "")], None, None).expect("the enum is open");
        assert_eq!(queue.get(&id).expect("the item is intact").envelope.recipients[0].status, status);
    }
}

#[test]
fn place_out_of_range_changes_nothing() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail_to_three(), None).expect("a valid mail is accepted");
    let before = fs::read(queue.file("m:x")).expect("the file exists");
    for place in [3, 4, u32::MAX] {
        let attempts = [attempt(0, 1, ""), attempt(place, 1, "")];
        assert_eq!(code(queue.record_attempts("x", &attempts, None, None)), ErrorCode::InvalidArgument, "{place}");
    }
    assert_eq!(fs::read(queue.file("m:x")).expect("the file exists"), before);
    assert_eq!(queue.names(), ["m:x"], "a call that is refused leaves no temporary file");
}

#[test]
fn message_with_nul_changes_nothing() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail_to_three(), None).expect("a valid mail is accepted");
    let before = fs::read(queue.file("m:x")).expect("the file exists");
    for attempts in [vec![attempt(0, 1, "\0")], vec![attempt(0, 1, "550 a\0b"), attempt(0, 1, "last")]] {
        assert_eq!(code(queue.record_attempts("x", &attempts, None, None)), ErrorCode::InvalidArgument);
    }
    assert_eq!(fs::read(queue.file("m:x")).expect("the file exists"), before);
}

#[test]
fn attempts_obey_if_revision() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail_to_three(), None).expect("a valid mail is accepted");
    let first = queue.info("x").expect("the item is intact").revision;
    let sent = [attempt(0, 1, "")];
    let second = queue.record_attempts("x", &sent, Some(&first), None).expect("the revision is the item's");
    let failed = [attempt(0, 2, "late")];
    assert_eq!(code(queue.record_attempts("x", &failed, Some(&first), None)), ErrorCode::Conflict);
    assert_eq!(recipients(&mut queue)[0].status, 1);
    queue.record_attempts("x", &failed, Some(&second), None).expect("the revision is the item's");
    assert_eq!(recipients(&mut queue)[0].status, 2);
}

#[test]
fn no_attempts_keep_the_envelope() {
    let mut queue = TestQueue::new();
    let mail = mail_to_three();
    queue.put(Some("x"), &mail, None).expect("a valid mail is accepted");
    let revision = queue.record_attempts("x", &[], None, None).expect("an empty list is valid");
    let info = queue.info("x").expect("the item is intact");
    assert_eq!((info.revision, info.envelope), (revision, mail.envelope));
}

#[test]
fn attempts_are_refused_by_state_and_damage() {
    let mut queue = TestQueue::new();
    let sent = [attempt(0, 1, "")];
    for id in ["held", "quarantined", "edited"] {
        put(&mut queue, id, b"Subject: hello\r\n");
    }
    done(queue.hold(&one("held")));
    done(queue.quarantine(&one("quarantined")));
    edit(&queue.file("m:edited"), b"hello", b"HELLO");
    fs::write(queue.file("m:damaged"), "nonsense").expect("the file can be written");
    queue.record_attempts("held", &sent, None, None).expect("a held item is updated");
    let refused = [
        ("quarantined", ErrorCode::Conflict),
        ("edited", ErrorCode::ChecksumMismatch),
        ("damaged", ErrorCode::Corrupt),
        ("missing", ErrorCode::NotFound),
        ("..", ErrorCode::InvalidArgument),
    ];
    for (id, expected) in refused {
        assert_eq!(code(queue.record_attempts(id, &sent, None, None)), expected, "{id}");
    }
}

#[test]
fn attempts_obey_the_durability() {
    for (durability, syncs) in
        [(None, (1, 1)), (Some(Durability::ContentOnly), (1, 0)), (Some(Durability::None), (0, 0))]
    {
        let mut queue = TestQueue::new();
        put_as(&mut queue, "x", b"body", Some(stored_as(Format::Binary)));
        let before = (queue.counter("file-syncs"), queue.counter("directory-syncs"));
        queue.record_attempts("x", &[attempt(0, 1, "")], None, durability).expect("an intact item is updated");
        let after = (queue.counter("file-syncs"), queue.counter("directory-syncs"));
        assert_eq!((after.0 - before.0, after.1 - before.1), syncs, "{durability:?}");
    }
}
