//! Several files of one id: the second name that a crash left, and different content under one id.

use crate::support::{body, code, done, one, only_code, put};
use queue_store_host_test::bindings::{
    Attempt, Detail, Durability, ErrorCode, State, WriteOptions, mail, no_change, options,
};
use queue_store_host_test::simulator::disk::FailedSync;
use queue_store_host_test::simulator::fault::{Fault, FaultAt, FaultKind};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::operation::Operation;
use queue_store_host_test::simulator::power::{Profile, Sampling, cuts};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

/// Returns a queue in which the item `x` has the name `m:x` and a second one.
fn linked(second: &str) -> TestQueue {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"1");
    fs::hard_link(queue.file("m:x"), queue.file(second)).expect("the file system has hard links");
    queue
}

/// Returns a queue in which the item `x` has the name `m:x`, and a copy has a second one.
fn copied(second: &str) -> TestQueue {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"1");
    fs::copy(queue.file("m:x"), queue.file(second)).expect("the file can be copied");
    queue
}

#[test]
fn recovery_removes_a_second_name() {
    for (second, is_copy) in [("h:x", false), ("q:x", false), ("h:x", true)] {
        let mut queue = if is_copy { copied(second) } else { linked(second) };
        assert_eq!(body(&mut queue, "x"), b"1", "two names of one content are one item");
        let recovery = queue.recover(0).expect("the directory is intact");
        assert_eq!((recovery.rewritten, recovery.problems), (1, Vec::new()), "{second}");
        assert_eq!(queue.names(), [second], "the name of the later state is kept");
        let again = queue.recover(0).expect("the directory is intact");
        assert_eq!((again.rewritten, again.durable_items), (0, 1));
    }
}

#[test]
fn recovery_removes_a_second_name_beside_another_item_in_quarantine() {
    let mut queue = linked("h:x");
    put(&mut queue, "y", b"2");
    fs::rename(queue.file("m:y"), queue.file("q:x")).expect("the name is free");
    queue.recover(0).expect("the directory is intact");
    assert_eq!(queue.names(), ["h:x", "q:x"]);
}

#[test]
fn set_state_leaves_one_of_two_names() {
    for second in ["h:x", "q:x"] {
        for (state, kept) in [(State::Ready, "m:x"), (State::Held, "h:x"), (State::Quarantined, "q:x")] {
            let mut queue = linked(second);
            done(queue.set_state(&one("x"), state));
            assert_eq!(queue.names(), [kept], "of m:x and {second}");
        }
    }
}

/// Returns a system in which `x` is ready, and held by a copy that is not fsynced, and the content of both.
fn with_unsynced_copy() -> (Simulated, Vec<u8>) {
    let mut system = Simulated::new();
    put(&mut system, "x", b"1");
    let content = system.world().content("m:x").expect("the put wrote the file").to_vec();
    {
        let mut world = system.world();
        let inode = world.create("h:x").expect("the name is free");
        world.write(inode, 0, &content).expect("the disk has space");
        world.log.clear();
    }
    (system, content)
}

#[test]
fn copy_that_stays_is_durable() {
    for state in [State::Ready, State::Held, State::Quarantined] {
        let (mut system, content) = with_unsynced_copy();
        done(system.set_state(&one("x"), state));
        let disk = system.world().disk.clone();
        let mut sampling = Sampling { most: usize::MAX, random: &mut |_| 0 };
        for cut in cuts(&disk, Profile::Posix, &mut sampling) {
            let files: Vec<&[u8]> = cut.entries.keys().filter_map(|name| cut.content(name)).collect();
            assert_eq!(files, [content.as_slice()], "{state:?}");
        }
    }
}

#[test]
fn recovery_keeps_the_other_copy_where_an_fsync_reverts_one() {
    let mut reverted = 0;
    for operation in 0..64 {
        let (mut system, content) = with_unsynced_copy();
        system.world().fault_at = Some(FaultAt { operation, kind: FaultKind::LosesPages(FailedSync::Reverted) });
        let recovery = system.recover(0);
        let world = system.world();
        let copies: Vec<_> = world.entries.keys().filter(|name| world.content(name) == Some(&content)).collect();
        assert!(!copies.is_empty(), "operation {operation}: {recovery:?}");
        reverted += u32::from(recovery.is_ok_and(|recovery| !recovery.problems.is_empty()));
    }
    assert!(reverted > 0, "the fsync of the copy fails once");
}

#[test]
fn recovery_where_directories_have_no_fsync_goes_on_after_two_names() {
    let mut system = Simulated::new();
    let options = WriteOptions { durability: Some(Durability::None), ..options() };
    for id in ["x", "y"] {
        system.put(Some(id), &mail(b"1"), Some(options)).expect("it needs no fsync");
    }
    system.world().disk.link("m:x", "h:x").expect("the second name is free");
    let no_fsync = Fault {
        operation: Operation::SyncDirectory,
        skip: 0,
        times: usize::MAX,
        error: "unsupported",
        takes_effect: false,
    };
    system.world().faults.push(no_fsync);
    let recovery = system.recover(0).expect("the items can be read");
    assert_eq!(recovery.durable_items, 3, "{:?}", recovery.problems);
    assert!(!system.needs_recovery().expect("the queue is open"));
    assert_eq!(system.world().entries.keys().collect::<Vec<_>>(), ["h:x", "m:x", "m:y"]);
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
        for (second, is_copy, kept) in
            [("h:x", false, "h:x"), ("h:x", true, "h:x"), ("q:x", false, "m:x"), ("q:x", true, "m:x")]
        {
            let mut queue = if is_copy { copied(second) } else { linked(second) };
            call(&mut queue, &attempts);
            assert_eq!(queue.names(), [kept], "the other name would keep the old content");
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
    for (second, states) in [("h:x", &[][..]), ("q:x", &[]), ("q:x", &[State::Ready]), ("q:x", &[State::Quarantined])] {
        let mut queue = linked(second);
        done(queue.remove(&one("x"), states, None));
        assert_eq!(queue.names(), [""; 0], "of m:x and {second}, in {states:?}");
    }
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
