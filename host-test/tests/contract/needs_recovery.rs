//! The mark that a queue refuses changes: which calls it refuses, whose it is, and how it ends.

use crate::support::{body, code, done, one, put};
use queue_store_host_test::bindings::{
    Attempt, Detail, Durability, ErrorCode, Publish, State, envelope, identified, mail, no_change,
};
use queue_store_host_test::instance::QUEUE;
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::{Fault, Operation};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

#[test]
fn marked_queue_refuses_every_change() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    put(&mut queue, "edited", b"Subject: hello\r\n");
    let draft = queue.begin(Some("draft"), &envelope(), None).expect("the id is free");
    queue.draft_write(draft, b"body").expect("the chunk is within the limits");
    assert!(!queue.needs_recovery().expect("the queue is open"));
    queue.require_recovery().expect("the queue is open");
    assert!(queue.needs_recovery().expect("the queue is open"));
    let names = queue.names();
    let x = one("x");
    let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
    let codes = [
        code(queue.put(None, &mail(b"y"), None)),
        code(queue.put(Some("x"), &mail(b"y"), None)),
        code(queue.put_many(&[identified(None, mail(b"y"))], None)),
        code(queue.begin(None, &envelope(), None)),
        code(queue.update("x", &no_change(), None)),
        code(queue.record_attempts("x", &attempts, None, None)),
        code(queue.set_state(&x, State::Ready)),
        code(queue.set_state(&x, State::Held)),
        code(queue.set_state(&x, State::Quarantined)),
        code(queue.remove(&x, &[], None)),
        code(queue.remove(&x, &[State::Quarantined], None)),
        code(queue.seal(&x)),
    ];
    assert_eq!(codes, [ErrorCode::NeedsRecovery; 12]);
    assert_eq!(queue.names(), names);
    assert_eq!(code(queue.draft_commit(draft)), ErrorCode::NeedsRecovery);
    assert_eq!(queue.names(), ["m:edited", "m:x"], "a commit that is refused leaves no temporary file");
}

#[test]
fn marked_queue_is_still_read() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    queue.require_recovery().expect("the queue is open");
    assert_eq!(body(&mut queue, "x"), b"body");
    assert_eq!(queue.info("x").expect("reads are not refused").id, "x");
    assert_eq!(queue.read_body("x", 0, 100).expect("reads are not refused"), b"body");
    assert_eq!(queue.list(&[], Detail::Whole, 10).expect("reads are not refused").len(), 1);
    assert_eq!(queue.count().expect("reads are not refused").ready, 1);
    done(queue.verify(&one("x")));
}

#[test]
fn recovery_removes_the_mark() {
    let mut queue = TestQueue::new();
    queue.require_recovery().expect("the queue is open");
    queue.recover(0).expect("the directory is intact");
    assert!(!queue.needs_recovery().expect("the queue is open"));
    put(&mut queue, "x", b"body");
}

#[test]
fn queues_of_one_directory_have_their_own_marks() {
    let mut queue = TestQueue::new();
    let first = queue.queue().expect("the directory exists");
    let second = queue.open(QUEUE).expect("a directory can be opened more than once");
    queue.require_recovery().expect("the queue is open");
    assert_eq!(code(queue.put(None, &mail(b"y"), None)), ErrorCode::NeedsRecovery);
    assert_eq!(queue.exchange(Some(second)), Some(first));
    assert!(!queue.needs_recovery().expect("the queue is open"));
    put(&mut queue, "x", b"body");
    queue.recover(0).expect("the directory is intact");
    queue.exchange(Some(first));
    assert!(queue.needs_recovery().expect("the queue is open"), "the recovery was of the other resource");
    assert_eq!(body(&mut queue, "x"), b"body");
    queue.recover(0).expect("the directory is intact");
    put(&mut queue, "y", b"body");
}

#[test]
fn queue_that_is_opened_anew_has_no_mark() {
    let mut queue = TestQueue::new();
    queue.require_recovery().expect("the queue is open");
    queue.close();
    assert!(!queue.needs_recovery().expect("the directory exists"));
    put(&mut queue, "x", b"body");
}

#[test]
fn failed_fsync_of_a_directory_marks_the_queue() {
    let mut system = Simulated::new();
    system.world().fail_after(1, Operation::SyncDirectory, "io");
    assert_eq!(code(system.put(None, &mail(b"x"), None)), ErrorCode::Indeterminate);
    assert!(system.needs_recovery().expect("the queue is open"));
    system.recover(0).expect("the directory works again");
    assert!(!system.needs_recovery().expect("the queue is open"));
}

#[test]
fn fsync_that_failed_before_any_change_needs_recovery() {
    // The item that has the id must be durable before `exists` is answered.
    let mut system = Simulated::new();
    put(&mut system, "x", b"body");
    let before = system.world().entries.clone();
    system.world().fail(Operation::SyncFile, "io");
    let error = system.put(Some("x"), &mail(b"y"), None).expect_err("the fsync of the existing item fails");
    assert_eq!(error.code, ErrorCode::NeedsRecovery);
    assert!(system.needs_recovery().expect("the queue is open"));
    assert_eq!(system.world().entries, before, "the call changed nothing");
    let recovery = system.recover(0).expect("the file works again");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems), (1, 1, Vec::new()));
    assert_eq!(body(&mut system, "x"), b"body");
}

#[test]
fn directory_entries_are_fsynced_before_a_given_id() {
    let mut system = Simulated::new();
    put(&mut system, "other", b"body");
    let mut second = system.sibling();
    let before = second.world().entries.clone();
    second.world().fail(Operation::SyncDirectory, "io");
    let error = second.put(Some("x"), &mail(b"y"), None).expect_err("the first fsync of the directory fails");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::NeedsRecovery, "sync-directory"));
    assert_eq!(second.world().entries, before, "the call changed nothing");
}

#[test]
fn durable_file_ignores_the_mark() {
    let mut queue = TestQueue::new();
    queue.require_recovery().expect("the queue is open");
    queue
        .write_file("queue/file", b"data", &[], Publish::Replace, Durability::Full)
        .expect("a durable write belongs to no queue");
    assert_eq!(fs::read(queue.file("file")).expect("the file exists"), b"data");
}

#[test]
fn open_queue_sees_the_mark_of_another_process_before_it_changes_an_item() {
    let mut system = Simulated::new();
    put(&mut system, "x", b"body");
    let mut other = system.sibling();
    other.world().fail(Operation::SyncFile, "io");
    assert_eq!(code(other.put(Some("x"), &mail(b"y"), None)), ErrorCode::NeedsRecovery);
    let before = system.world().entries.clone();
    assert_eq!(code(system.remove(&one("x"), &[], None)), ErrorCode::NeedsRecovery);
    assert_eq!(system.world().entries, before, "the call changed nothing");
}

/// Makes the creation of everything fail but that of the next file, so that no mark can be left.
fn refuse_marks(system: &mut Simulated) {
    let fault =
        Fault { operation: Operation::Create, skip: 1, times: usize::MAX, error: "access", takes_effect: false };
    system.world().faults.push(fault);
}

#[test]
fn unsynced_item_without_a_mark_is_remembered_after_a_failed_recovery() {
    let mut system = Simulated::new();
    put(&mut system, "x", b"body");
    refuse_marks(&mut system);
    system.world().fail(Operation::SyncDirectory, "io");
    assert_eq!(code(system.put(Some("y"), &mail(b"y"), None)), ErrorCode::Indeterminate);
    assert!(!system.world().disk.is_marked());
    system.world().repair();
    system.world().fail(Operation::SyncDirectory, "io");
    assert_eq!(code(system.recover(0)), ErrorCode::NeedsRecovery);
    let recovery = system.recover(0).expect("the directory works again");
    assert_eq!((recovery.durable_items, recovery.rewritten), (2, 1));
}

#[test]
fn recovery_of_a_queue_rewrites_the_unsynced_items_of_the_intake() {
    let mut system = Simulated::new();
    put(&mut system, "x", b"body");
    system.submit("a@example.com", &one("b@example.com"), b"first").expect("the disk works");
    refuse_marks(&mut system);
    system.world().fail(Operation::SyncDirectory, "io");
    assert_eq!(code(system.submit("a@example.com", &one("b@example.com"), b"second")), ErrorCode::Indeterminate);
    assert!(!system.world().disk.is_marked());
    system.world().repair();
    let recovery = system.recover(0).expect("the disk works again");
    assert_eq!((recovery.durable_items, recovery.rewritten), (3, 1));
}

#[test]
fn directory_that_stops_taking_fsyncs_closes_the_queue() {
    for error in ["unsupported", "invalid", "bad-descriptor"] {
        let mut system = Simulated::new();
        system.world().fail(Operation::SyncDirectory, error);
        assert_eq!(code(system.put(None, &mail(b"x"), None)), ErrorCode::Unsupported, "before any change");
        assert!(!system.needs_recovery().expect("the queue is open"));
        put(&mut system, "x", b"body");
        system.world().fail(Operation::SyncDirectory, error);
        assert_eq!(code(system.put(None, &mail(b"y"), None)), ErrorCode::Indeterminate, "after a change");
        assert!(system.needs_recovery().expect("the queue is open"));
    }
}

#[test]
fn existing_id_without_fsync_of_directories_is_unsupported() {
    let mut system = Simulated::new();
    put(&mut system, "x", b"body");
    let mut other = system.sibling();
    other.world().fail(Operation::SyncDirectory, "unsupported");
    assert_eq!(code(other.put(Some("x"), &mail(b"y"), None)), ErrorCode::Unsupported);
    assert!(!other.needs_recovery().expect("the queue is open"));
}

/// Adds an item that is not fsynced.
fn add_unsynced(system: &Simulated, name: &str) {
    let mut world = system.world();
    let inode = world.create(name).expect("the name is free");
    let text = b"ID: \"\" rcpt: { address: \"b@x\" } data: \"1\" created_at_ts: {}";
    world.write(inode, 0, text).expect("the disk has space");
}

#[test]
fn recovery_reports_an_item_that_no_mark_can_name() {
    let mut system = Simulated::new();
    add_unsynced(&system, "m:");
    system.world().fail(Operation::SyncFile, "io");
    // Two creations make a mark, and the third one the new file.
    system.world().fail_after(2, Operation::Create, "insufficient-space");
    let recovery = system.recover(0).expect("the failure is that of an item");
    assert_eq!(recovery.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [ErrorCode::NoSpace]);
    assert!(system.needs_recovery().expect("the queue is open"));
    let recovery = system.recover(0).expect("the disk works again");
    assert_eq!((recovery.rewritten, recovery.problems), (1, vec![]));
    assert!(!system.needs_recovery().expect("the queue is open"));
}

#[test]
fn intake_stays_closed_after_a_recovery_that_left_an_item_unsynced() {
    let mut system = Simulated::new();
    add_unsynced(&system, "m:x");
    refuse_marks(&mut system);
    system.world().fail_after(1, Operation::SyncDirectory, "io");
    let to = one("b@example.com");
    assert_eq!(code(system.submit("a@example.com", &to, b"1")), ErrorCode::Indeterminate);
    assert!(!system.world().disk.is_marked());
    system.world().fail(Operation::SyncFile, "io");
    let recovery = system.recover(0).expect("the failures are those of items");
    assert!(!recovery.problems.is_empty() && !system.world().disk.is_marked());
    assert_eq!(code(system.submit("a@example.com", &to, b"2")), ErrorCode::NeedsRecovery);
}
