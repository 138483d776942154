//! `queue.put-many`: the order of its system calls, and its outcomes.

use crate::support::{body, code, codes, put};
use queue_store_host_test::bindings::{ErrorCode, identified, mail};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::Operation;
use queue_store_host_test::test_queue::TestQueue;

#[test]
fn put_many_fsyncs_after_writing_a_window() {
    use Operation::{Create, Rename, SyncDirectory, SyncFile};
    let mut system = Simulated::new();
    system.put_many(&vec![identified(None, mail(b"x")); 40], None).expect("valid mails are accepted");
    let mut operations = system.world().operations();
    operations.retain(|operation| matches!(operation, Create | SyncFile | Rename | SyncDirectory));
    let runs: Vec<_> = operations.chunk_by(PartialEq::eq).map(|run| (run[0], run.len())).collect();
    let expected = [
        (SyncDirectory, 1),
        (Create, 32),
        (SyncFile, 32),
        (Create, 8),
        (SyncFile, 8),
        (Rename, 40),
        (SyncDirectory, 1),
    ];
    assert_eq!(runs, expected);
}

#[test]
fn put_many_publishes_no_file_whose_fsync_failed() {
    let mut system = Simulated::new();
    system.world().fail(Operation::SyncFile, "io");
    let mails = ["x", "y", "z"].map(|id| identified(Some(id), mail(b"body")));
    assert_eq!(codes(system.put_many(&mails, None)), [Some(ErrorCode::Io), None, None]);
    assert_eq!(system.world().entries.keys().collect::<Vec<_>>(), ["m:y", "m:z"]);
}

#[test]
fn put_many_has_an_outcome_for_each_mail() {
    let mut queue = TestQueue::new();
    put(&mut queue, "taken", b"0");
    let mut undeliverable = mail(b"3");
    undeliverable.envelope.recipients[0].address.clear();
    let mails = [
        identified(None, mail(b"1")),
        identified(Some("taken"), mail(b"2")),
        identified(None, undeliverable),
        identified(Some("../escape"), mail(b"4")),
        identified(Some("free"), mail(b"5")),
        identified(Some("free"), mail(b"6")),
        identified(Some(""), mail(b"7")),
    ];
    let syncs = queue.counter("directory-syncs");
    let outcomes = queue.put_many(&mails, None).expect("a mail that fails does not fail the call");
    let codes: Vec<_> = outcomes.iter().map(|outcome| outcome.code()).collect();
    let (exists, invalid) = (Some(ErrorCode::Exists), Some(ErrorCode::InvalidArgument));
    assert_eq!(codes, [None, exists, invalid, invalid, None, exists, invalid]);
    let ids: Vec<_> = outcomes.iter().map(|outcome| outcome.id.as_deref()).collect();
    assert_eq!(ids[1..], [Some("taken"), None, Some("../escape"), Some("free"), Some("free"), Some("")]);
    assert_eq!(body(&mut queue, ids[0].expect("a mail that was queued has an id")), b"1");
    assert_eq!(body(&mut queue, "taken"), b"0");
    assert_eq!(body(&mut queue, "free"), b"5");
    assert_eq!(queue.names().len(), 3, "no temporary file is left");
    // One fsync for all that were published, and one for each `exists`, whose item must be durable.
    assert_eq!(queue.counter("directory-syncs") - syncs, 3);
    assert_eq!(queue.counter("puts"), 3);
}

#[test]
fn put_many_of_nothing_has_no_outcomes() {
    let mut queue = TestQueue::new();
    assert_eq!(queue.put_many(&[], None).expect("an empty batch is valid"), []);
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn put_many_beyond_max_batch_queues_nothing() {
    let mut queue = TestQueue::new();
    let beyond = queue.limit("max-batch") as usize + 1;
    assert_eq!(code(queue.put_many(&vec![identified(None, mail(b"")); beyond], None)), ErrorCode::TooLarge);
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn failed_shared_fsync_makes_published_mails_indeterminate() {
    let mut system = Simulated::new();
    system.world().fail_after(1, Operation::SyncDirectory, "io");
    let mut undeliverable = mail(b"");
    undeliverable.envelope.recipients[0].address.clear();
    let mails = [mail(b"1"), undeliverable, mail(b"2")].map(|mail| identified(None, mail));
    let indeterminate = Some(ErrorCode::Indeterminate);
    let expected = [indeterminate, Some(ErrorCode::InvalidArgument), indeterminate];
    assert_eq!(codes(system.put_many(&mails, None)), expected);
    assert_eq!(code(system.put_many(&mails, None)), ErrorCode::NeedsRecovery);
}
