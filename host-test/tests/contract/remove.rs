//! `queue.remove`: which files go, by the states that are given.

use crate::layout::{Content, Contents, Layout};
use crate::support::{code, codes, done, formats, one, only_code, put};
use Content::{A, B, C, Truncated};
use State::{Held, Quarantined, Ready};
use queue_store_host_test::bindings::{ErrorCode, State, ids};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::{Fault, Operation};
use queue_store_host_test::test_queue::TestQueue;

/// The files before, the states, and the files after or the code.
type Row = (&'static Layout, &'static [State], Result<&'static Layout, ErrorCode>);

const ROWS: [Row; 30] = [
    (&[], &[], Err(ErrorCode::NotFound)),
    (&[], &[Ready, Held, Quarantined], Err(ErrorCode::NotFound)),
    (&[('m', A)], &[], Ok(&[])),
    (&[('m', A)], &[Ready], Ok(&[])),
    (&[('m', A)], &[Held], Err(ErrorCode::NotFound)),
    (&[('m', A)], &[Quarantined], Err(ErrorCode::NotFound)),
    (&[('m', A)], &[Held, Ready], Ok(&[])),
    (&[('m', A)], &[Held, Quarantined], Err(ErrorCode::NotFound)),
    (&[('h', A)], &[], Ok(&[])),
    (&[('h', A)], &[Ready], Err(ErrorCode::NotFound)),
    (&[('h', A)], &[Held], Ok(&[])),
    (&[('h', A)], &[Quarantined], Err(ErrorCode::NotFound)),
    (&[('q', A)], &[], Err(ErrorCode::NotFound)),
    (&[('q', A)], &[Ready, Held], Err(ErrorCode::NotFound)),
    (&[('q', A)], &[Quarantined], Ok(&[])),
    (&[('q', A)], &[Ready, Quarantined], Ok(&[])),
    (&[('d', A)], &[], Err(ErrorCode::NotFound)),
    (&[('d', A)], &[Quarantined], Ok(&[])),
    (&[('q', A), ('d', B), ('d', C)], &[], Err(ErrorCode::NotFound)),
    (&[('q', A), ('d', B), ('d', C)], &[Quarantined], Ok(&[])),
    (&[('m', A), ('q', B)], &[], Ok(&[('q', B)])),
    (&[('m', A), ('q', B)], &[Ready], Ok(&[('q', B)])),
    (&[('m', A), ('q', B)], &[Held], Err(ErrorCode::NotFound)),
    (&[('m', A), ('q', B)], &[Quarantined], Ok(&[('m', A)])),
    (&[('m', A), ('q', B), ('d', C)], &[Ready, Held, Quarantined], Ok(&[])),
    (&[('m', Truncated)], &[], Ok(&[])),
    (&[('q', Truncated)], &[Quarantined], Ok(&[])),
    // Two live files with different content: removal would be a choice between them.
    (&[('m', A), ('h', B)], &[], Err(ErrorCode::Conflict)),
    (&[('m', A), ('h', B)], &[Ready, Held], Err(ErrorCode::Conflict)),
    (&[('m', A), ('h', B)], &[Ready, Held, Quarantined], Err(ErrorCode::Conflict)),
];

#[test]
fn states_choose_the_removed_files() {
    for options in formats() {
        let contents = Contents::new(options);
        for (before, states, expected) in ROWS {
            let mut queue = contents.queue(before);
            let outcome = only_code(queue.remove(&one("x"), states, None));
            assert_eq!(outcome, expected.err(), "{before:?} in {states:?}");
            let mut after = expected.unwrap_or(before).to_vec();
            after.sort();
            assert_eq!(contents.layout(&queue), after, "{before:?} in {states:?}");
        }
    }
}

#[test]
fn batch_is_removed_with_one_directory_fsync() {
    let mut queue = TestQueue::new();
    for id in ["a", "b", "c"] {
        put(&mut queue, id, b"body");
    }
    done(queue.hold(&one("b")));
    let syncs = queue.counter("directory-syncs");
    let removed = queue.remove(&ids(&["a", "b", "missing", "../x", "a"]), &[], None);
    let (missing, invalid) = (Some(ErrorCode::NotFound), Some(ErrorCode::InvalidArgument));
    assert_eq!(codes(removed), [None, None, missing, invalid, missing]);
    assert_eq!(queue.counter("directory-syncs") - syncs, 1);
    assert_eq!(queue.counter("removals"), 2);
    assert_eq!(queue.names(), ["m:c"]);
}

#[test]
fn not_found_is_answered_after_a_directory_fsync() {
    let mut queue = TestQueue::new();
    assert_eq!(only_code(queue.remove(&one("x"), &[], None)), Some(ErrorCode::NotFound));
    assert_eq!(queue.counter("directory-syncs"), 2, "a retry may take `not-found` for a durable removal");
}

#[test]
fn failed_directory_fsync_makes_removals_indeterminate() {
    let mut system = Simulated::new();
    put(&mut system, "x", b"body");
    system.world().fail(Operation::SyncDirectory, "io");
    assert_eq!(only_code(system.remove(&one("x"), &[], None)), Some(ErrorCode::Indeterminate));
    assert_eq!(code(system.remove(&one("x"), &[], None)), ErrorCode::NeedsRecovery);
}

#[test]
fn removal_of_one_of_two_names_is_indeterminate() {
    let mut system = Simulated::new();
    put(&mut system, "x", b"body");
    system.world().disk.link("m:x", "h:x").expect("the second name is free");
    let second = Fault { operation: Operation::Unlink, skip: 1, times: 1, error: "io", takes_effect: false };
    system.world().faults.push(second);
    assert_eq!(only_code(system.remove(&one("x"), &[], None)), Some(ErrorCode::Indeterminate));
}

#[test]
fn batch_beyond_max_batch_removes_nothing() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let mut ids = vec!["x".to_string(); queue.limit("max-batch") as usize + 1];
    assert_eq!(code(queue.remove(&ids, &[], None)), ErrorCode::TooLarge);
    assert_eq!(queue.names(), ["m:x"]);
    ids.pop();
    assert_eq!(queue.remove(&ids, &[], None).expect("it is as many as a call may have").len(), ids.len());
    assert_eq!(queue.names(), [""; 0]);
}
