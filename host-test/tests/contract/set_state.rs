//! `queue.set-state`: every state, and every combination of files that one id can have.

use crate::layout::{Content, Contents, Layout};
use crate::support::{body, code, codes, done, formats, one, only_code, put};
use Content::{A, B, Edited, Truncated};
use State::{Held, Quarantined, Ready};
use queue_store_host_test::bindings::{ErrorCode, State, ids};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

/// The files before, the state, the code, and the files after where the call succeeds.
type Row = (&'static Layout, State, Result<&'static Layout, ErrorCode>);

const ROWS: [Row; 47] = [
    (&[], Ready, Err(ErrorCode::NotFound)),
    (&[], Held, Err(ErrorCode::NotFound)),
    (&[], Quarantined, Err(ErrorCode::NotFound)),
    (&[('m', A)], Ready, Ok(&[('m', A)])),
    (&[('m', A)], Held, Ok(&[('h', A)])),
    (&[('m', A)], Quarantined, Ok(&[('q', A)])),
    (&[('h', A)], Ready, Ok(&[('m', A)])),
    (&[('h', A)], Held, Ok(&[('h', A)])),
    (&[('h', A)], Quarantined, Ok(&[('q', A)])),
    (&[('q', A)], Ready, Ok(&[('m', A)])),
    (&[('q', A)], Held, Ok(&[('h', A)])),
    (&[('q', A)], Quarantined, Ok(&[('q', A)])),
    // The second of two quarantined files, whose first one was removed.
    (&[('d', A)], Ready, Ok(&[('m', A)])),
    (&[('d', A)], Held, Ok(&[('h', A)])),
    (&[('d', A)], Quarantined, Ok(&[('d', A)])),
    // The live item is moved, and never the quarantined one beside it.
    (&[('m', A), ('q', B)], Ready, Ok(&[('m', A), ('q', B)])),
    (&[('m', A), ('q', B)], Held, Ok(&[('h', A), ('q', B)])),
    (&[('m', A), ('q', B)], Quarantined, Ok(&[('d', A), ('q', B)])),
    (&[('h', A), ('q', B)], Ready, Ok(&[('m', A), ('q', B)])),
    (&[('h', A), ('q', B)], Held, Ok(&[('h', A), ('q', B)])),
    (&[('h', A), ('q', B)], Quarantined, Ok(&[('d', A), ('q', B)])),
    (&[('m', A), ('d', B)], Held, Ok(&[('d', B), ('h', A)])),
    (&[('m', A), ('d', B)], Quarantined, Ok(&[('d', B), ('q', A)])),
    (&[('m', A), ('q', Truncated)], Held, Ok(&[('h', A), ('q', Truncated)])),
    // Two names of one item, which a crash left.
    (&[('m', A), ('q', A)], Ready, Ok(&[('m', A)])),
    (&[('m', A), ('q', A)], Held, Ok(&[('h', A)])),
    (&[('m', A), ('q', A)], Quarantined, Ok(&[('q', A)])),
    (&[('m', A), ('h', A)], Quarantined, Ok(&[('q', A)])),
    (&[('m', A), ('h', A), ('q', A)], Ready, Ok(&[('m', A)])),
    // Several candidates, and none is chosen.
    (&[('q', A), ('d', B)], Ready, Err(ErrorCode::Conflict)),
    (&[('q', A), ('d', B)], Held, Err(ErrorCode::Conflict)),
    (&[('q', A), ('d', B)], Quarantined, Ok(&[('d', B), ('q', A)])),
    (&[('d', A), ('d', B)], Ready, Err(ErrorCode::Conflict)),
    (&[('m', A), ('h', B)], Ready, Err(ErrorCode::Conflict)),
    (&[('m', A), ('h', B)], Held, Err(ErrorCode::Conflict)),
    (&[('m', A), ('h', B)], Quarantined, Err(ErrorCode::Conflict)),
    // Damage is moved, but not out of quarantine.
    (&[('m', Truncated)], Ready, Ok(&[('m', Truncated)])),
    (&[('m', Truncated)], Held, Ok(&[('h', Truncated)])),
    (&[('m', Truncated)], Quarantined, Ok(&[('q', Truncated)])),
    (&[('h', Edited)], Ready, Ok(&[('m', Edited)])),
    (&[('h', Edited)], Quarantined, Ok(&[('q', Edited)])),
    (&[('q', Truncated)], Ready, Err(ErrorCode::Corrupt)),
    (&[('q', Truncated)], Held, Err(ErrorCode::Corrupt)),
    (&[('q', Truncated)], Quarantined, Ok(&[('q', Truncated)])),
    (&[('q', Edited)], Ready, Err(ErrorCode::ChecksumMismatch)),
    (&[('q', Edited)], Held, Err(ErrorCode::ChecksumMismatch)),
    (&[('q', Edited)], Quarantined, Ok(&[('q', Edited)])),
];

#[test]
fn each_state_follows_from_each_combination() {
    for options in formats() {
        let contents = Contents::new(options);
        for (before, state, expected) in ROWS {
            let mut queue = contents.queue(before);
            let outcome = only_code(queue.set_state(&one("x"), state));
            assert_eq!(outcome, expected.err(), "{before:?} to {state:?}");
            let mut after = expected.unwrap_or(before).to_vec();
            after.sort();
            assert_eq!(contents.layout(&queue), after, "{before:?} to {state:?}");
        }
    }
}

#[test]
fn set_state_twice_equals_once() {
    for options in formats() {
        let contents = Contents::new(options);
        for (before, state, expected) in ROWS {
            let Ok(after) = expected else { continue };
            let mut queue = contents.queue(before);
            done(queue.set_state(&one("x"), state));
            done(queue.set_state(&one("x"), state));
            assert_eq!(contents.layout(&queue), after, "{before:?} to {state:?}");
        }
    }
}

#[test]
fn item_in_the_state_is_fsynced() {
    for state in [Ready, Held, Quarantined] {
        let mut queue = TestQueue::new();
        put(&mut queue, "x", b"body");
        done(queue.set_state(&one("x"), state));
        let before = (queue.counter("file-syncs"), queue.counter("directory-syncs"), queue.counter("moves"));
        done(queue.set_state(&one("x"), state));
        let after = (queue.counter("file-syncs"), queue.counter("directory-syncs"), queue.counter("moves"));
        assert_eq!((after.0 - before.0, after.1 - before.1, after.2 - before.2), (1, 1, 0), "{state:?}");
    }
}

#[test]
fn batch_has_an_outcome_for_each_id() {
    let mut queue = TestQueue::new();
    put(&mut queue, "a", b"1");
    put(&mut queue, "b", b"2");
    let batch = ids(&["missing", "a", "../x", "b", "a"]);
    for state in [Held, Quarantined, Ready] {
        let expected = [Some(ErrorCode::NotFound), None, Some(ErrorCode::InvalidArgument), None, None];
        assert_eq!(codes(queue.set_state(&batch, state)), expected, "{state:?}");
        assert_eq!(queue.info("b").expect("the item is intact").state, state);
    }
    assert_eq!(queue.set_state(&[], Held).expect("an empty batch is valid"), []);
    assert_eq!(queue.names(), ["m:a", "m:b"]);
}

#[test]
fn batch_beyond_max_batch_moves_nothing() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let beyond = vec!["x".to_string(); queue.limit("max-batch") as usize + 1];
    assert_eq!(code(queue.set_state(&beyond, Held)), ErrorCode::TooLarge);
    assert_eq!(queue.names(), ["m:x"]);
}

#[test]
fn quarantine_with_repeated_randomness_replaces_no_file() {
    let mut system = Simulated::new();
    for number in 1..=4 {
        // A put is refused while one is quarantined, so these come from a backup.
        let inode = system.world().create("m:x").expect("the name is free");
        system.world().write(inode, 0, &[number]).expect("the disk has space");
        system.world().random = vec![7, 7, 8];
        done(system.quarantine(&one("x")));
    }
    let world = system.world();
    let mut contents: Vec<_> = world.entries.keys().map(|name| world.content(name).expect("it is a file")).collect();
    contents.sort_unstable();
    assert_eq!(contents, [[1], [2], [3], [4]]);
}

#[test]
fn one_id_is_quarantined_repeatedly() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"1");
    done(queue.quarantine(&one("x")));
    for body in ["2", "3"] {
        // A put is refused while one is quarantined, so these come from a backup.
        let text = format!("ID: \"x\" rcpt: {{ address: \"b@x\" }} data: \"{body}\" created_at_ts: {{}}");
        fs::write(queue.file("m:x"), text).expect("the file can be written");
        done(queue.quarantine(&one("x")));
    }
    assert_eq!(queue.count().expect("the directory can be read").quarantined, 3);
    assert_eq!(only_code(queue.release(&one("x"))), Some(ErrorCode::Conflict));
    assert_eq!(code(queue.get("x")), ErrorCode::Conflict);
    // Without the other two, the one that is left is released.
    for name in queue.names().into_iter().filter(|name| name.starts_with("d:")) {
        fs::remove_file(queue.file(&name)).expect("the file can be removed");
    }
    done(queue.release(&one("x")));
    assert_eq!(body(&mut queue, "x"), b"1");
}
