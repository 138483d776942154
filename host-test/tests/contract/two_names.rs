//! Several files of one id: the second name that a crash left, and different content under one id.

use crate::support::{body, code, done, one, only_code, put};
use queue_store_host_test::bindings::{Attempt, Detail, Durability, ErrorCode, WriteOptions, mail, no_change, options};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::Operation;
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

/// Returns a queue in which the item `x` has the name `m:x` and a second one.
fn linked(second: &str) -> TestQueue {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"1");
    fs::hard_link(queue.file("m:x"), queue.file(second)).expect("the file system has hard links");
    queue
}

#[test]
fn recovery_removes_a_second_name() {
    for (second, copied) in [("h:x", false), ("q:x", false), ("h:x", true)] {
        let mut queue = linked(second);
        if copied {
            fs::remove_file(queue.file(second)).expect("the file can be removed");
            fs::copy(queue.file("m:x"), queue.file(second)).expect("the file can be copied");
        }
        assert_eq!(body(&mut queue, "x"), b"1", "two names of one content are one item");
        let recovery = queue.recover(0).expect("the directory is intact");
        assert_eq!((recovery.rewritten, recovery.problems), (1, Vec::new()), "{second}");
        assert_eq!(queue.names(), [second], "the name of the later state is kept");
        let again = queue.recover(0).expect("the directory is intact");
        assert_eq!((again.rewritten, again.durable_items), (0, 1));
    }
}

#[test]
fn set_state_leaves_one_of_two_names() {
    for (hold, kept) in [(true, "h:x"), (false, "m:x")] {
        let mut queue = linked("h:x");
        done(if hold { queue.hold(&one("x")) } else { queue.release(&one("x")) });
        assert_eq!(queue.names(), [kept]);
    }
}

#[test]
fn change_leaves_one_of_two_names() {
    let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
    let calls: [fn(&mut TestQueue, &[Attempt]); 3] = [
        |queue, attempts| drop(queue.record_attempts("x", attempts, None, None).expect("the item is live")),
        |queue, _| drop(queue.update("x", &no_change(), None).expect("the item is live")),
        |queue, _| done(queue.seal(&one("x"))),
    ];
    for call in calls {
        for copied in [false, true] {
            let mut queue = linked("h:x");
            if copied {
                fs::remove_file(queue.file("h:x")).expect("the file can be removed");
                fs::copy(queue.file("m:x"), queue.file("h:x")).expect("the file can be copied");
            }
            call(&mut queue, &attempts);
            assert_eq!(queue.names(), ["h:x"], "the other name would keep the old content");
            assert_eq!(body(&mut queue, "x"), b"1");
        }
    }
}

#[test]
fn refused_change_keeps_both_names() {
    let mut queue = linked("h:x");
    let attempts = [Attempt { recipient: 9, status: 1, message: String::new() }];
    assert_eq!(code(queue.record_attempts("x", &attempts, None, None)), ErrorCode::InvalidArgument);
    assert_eq!(code(queue.record_attempts("x", &[], Some("1"), None)), ErrorCode::Conflict);
    assert_eq!(queue.names(), ["h:x", "m:x"]);
}

#[test]
fn change_where_directories_have_no_fsync_keeps_both_names() {
    let mut system = Simulated::new();
    let options = WriteOptions { durability: Some(Durability::None), ..options() };
    system.put(Some("x"), &mail(b"1"), Some(options)).expect("it needs no fsync");
    system.world().disk.link("m:x", "h:x").expect("the second name is free");
    system.world().fail(Operation::SyncDirectory, "unsupported");
    assert_eq!(code(system.update("x", &no_change(), Some(Durability::None))), ErrorCode::Unsupported);
    assert!(!system.needs_recovery().expect("the queue is open"));
    assert_eq!(system.world().entries.keys().collect::<Vec<_>>(), ["h:x", "m:x"]);
}

#[test]
fn remove_removes_both_names() {
    let mut queue = linked("h:x");
    done(queue.remove(&one("x"), &[], None));
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn different_content_under_one_id_is_a_conflict() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"1");
    done(queue.hold(&one("x")));
    fs::write(queue.file("m:x"), "ID: \"x\"\ncreated_at_ts: {}\n").expect("the file can be written");
    let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
    let codes = [
        code(queue.get("x")),
        code(queue.info("x")),
        code(queue.read("x", 0)),
        code(queue.update("x", &no_change(), None)),
        code(queue.record_attempts("x", &attempts, None, None)),
    ];
    assert_eq!(codes, [ErrorCode::Conflict; 5]);
    let x = one("x");
    for outcomes in [
        queue.hold(&x),
        queue.release(&x),
        queue.quarantine(&x),
        queue.seal(&x),
        queue.verify(&x),
        queue.remove(&x, &[], None),
    ] {
        assert_eq!(only_code(outcomes), Some(ErrorCode::Conflict));
    }
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!(recovery.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [ErrorCode::Conflict]);
    assert_eq!(queue.names(), ["h:x", "m:x"], "recovery keeps both");
    assert_eq!(queue.list(&[], Detail::Envelope, 10).expect("the directory can be read").len(), 2);
}
