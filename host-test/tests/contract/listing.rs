//! `queue.items` and `queue.count`.

use crate::support::{code, done, edit, one, put, put_as};
use queue_store_host_test::bindings::{Detail, Entry, ErrorCode, Format, Integrity, State, ids, stored_as};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::Operation;
use queue_store_host_test::test_queue::TestQueue;
use std::fs::{self, File};

const DETAILS: [Detail; 3] = [Detail::Name, Detail::Envelope, Detail::Whole];

fn sorted_ids(entries: Vec<Entry>) -> Vec<String> {
    let mut ids: Vec<String> = entries.into_iter().map(|entry| entry.id).collect();
    ids.sort();
    ids
}

#[test]
fn listing_has_every_item_with_every_detail() {
    let mut queue = TestQueue::new();
    for number in 0..50 {
        put(&mut queue, &format!("id{number:02}"), b"body");
    }
    done(queue.hold(&one("id03")));
    fs::write(queue.file("m:damaged"), b"damaged").expect("the file can be written");
    fs::write(queue.file("foreign"), b"").expect("the file can be written");
    for detail in DETAILS {
        for limit in [1, 7, 1000, u32::MAX] {
            let entries = queue.list(&[], detail, limit).expect("the directory can be read");
            assert_eq!(entries.len(), 51);
            for entry in entries {
                let damaged = entry.id == "damaged";
                assert_eq!(entry.state, if entry.id == "id03" { State::Held } else { State::Ready });
                assert_eq!(entry.info.is_some(), detail != Detail::Name && !damaged);
                assert_eq!(entry.problem.is_some(), detail != Detail::Name && damaged);
            }
        }
    }
    let held = queue.list(&[State::Held], Detail::Whole, 10).expect("the directory can be read");
    assert_eq!((held.len(), held[0].id.as_str()), (1, "id03"));
    assert_eq!(held[0].info.as_ref().map(|info| info.integrity), Some(Integrity::Whole));
}

#[test]
fn page_has_at_most_limit_entries() {
    let mut queue = TestQueue::new();
    for id in ["a", "b", "c", "d", "e"] {
        put(&mut queue, id, b"body");
    }
    for detail in DETAILS {
        let listing = queue.items(&[], detail).expect("the directory can be read");
        assert_eq!(code(queue.listing_next(listing, 0)), ErrorCode::InvalidArgument);
        let mut seen = Vec::new();
        while let Some(page) = queue.listing_next(listing, 2).expect("an invalid limit does not abort the listing") {
            assert!(!page.is_empty() && page.len() <= 2, "{} entries", page.len());
            seen.extend(page);
        }
        assert_eq!(sorted_ids(seen), ["a", "b", "c", "d", "e"]);
        assert_eq!(queue.listing_next(listing, 2).expect("the end stays the end"), None);
        queue.drop_resource(listing);
    }
}

#[test]
fn states_choose_the_listed_items() {
    use State::{Held, Quarantined, Ready};
    let mut queue = TestQueue::new();
    for id in ["r1", "r2", "h1", "h2", "q1"] {
        put(&mut queue, id, b"body");
    }
    put_as(&mut queue, "r3", b"body", Some(stored_as(Format::Binary)));
    done(queue.hold(&ids(&["h1", "h2"])));
    done(queue.quarantine(&one("q1")));
    let expected: [(&[State], &[&str]); 8] = [
        (&[], &["h1", "h2", "q1", "r1", "r2", "r3"]),
        (&[Ready], &["r1", "r2", "r3"]),
        (&[Held], &["h1", "h2"]),
        (&[Quarantined], &["q1"]),
        (&[Ready, Held], &["h1", "h2", "r1", "r2", "r3"]),
        (&[Held, Quarantined], &["h1", "h2", "q1"]),
        (&[Quarantined, Ready, Held], &["h1", "h2", "q1", "r1", "r2", "r3"]),
        (&[Held, Held], &["h1", "h2"]),
    ];
    for (states, expected) in expected {
        for detail in DETAILS {
            let entries = queue.list(states, detail, 100).expect("the directory can be read");
            assert_eq!(sorted_ids(entries), expected, "{states:?} {detail:?}");
        }
    }
}

#[test]
fn listing_of_an_empty_queue_ends_at_once() {
    let mut queue = TestQueue::new();
    fs::write(queue.file("foreign"), b"").expect("the file can be written");
    for detail in DETAILS {
        let listing = queue.items(&[], detail).expect("the directory can be read");
        assert_eq!(queue.listing_next(listing, 10).expect("the directory can be read"), None);
    }
}

#[test]
fn entries_have_sizes_and_places_of_damage() {
    let mut queue = TestQueue::new();
    put(&mut queue, "a", b"1");
    put_as(&mut queue, "b", b"22", Some(stored_as(Format::Binary)));
    fs::write(queue.file("m:c"), b"ID: \"c\"\nnonsense").expect("the file can be written");
    put(&mut queue, "d", b"4444");
    let mut entries = queue.list(&[], Detail::Envelope, 3).expect("the directory can be read");
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    let sizes: Vec<_> = entries.iter().map(|entry| entry.info.as_ref().and_then(|info| info.body_size)).collect();
    assert_eq!(sizes, [Some(1), Some(2), None, Some(4)]);
    let problem = entries[2].problem.as_ref().expect("the text does not parse");
    assert_eq!((problem.code, problem.path.as_str()), (ErrorCode::Corrupt, "queue/m:c"));
    assert_eq!(problem.position.map(|position| (position.line, position.column)), Some((2, 1)));
}

#[test]
fn only_detail_whole_sees_damage_in_bodies() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"Subject: hello\r\n");
    edit(&queue.file("m:x"), b"hello", b"HELLO");
    for (detail, expected) in
        [(Detail::Name, None), (Detail::Envelope, None), (Detail::Whole, Some(ErrorCode::ChecksumMismatch))]
    {
        let entries = queue.list(&[], detail, 10).expect("the directory can be read");
        assert_eq!(entries[0].problem.as_ref().map(|problem| problem.code), expected, "{detail:?}");
    }
}

#[test]
fn items_that_vanish_are_left_out() {
    let mut queue = TestQueue::new();
    for number in 0..10 {
        put(&mut queue, &format!("id{number}"), b"body");
    }
    let listing = queue.items(&[], Detail::Envelope).expect("the directory can be read");
    assert_eq!(queue.listing_next(listing, 1).expect("the directory can be read").map(|page| page.len()), Some(1));
    for name in queue.names() {
        fs::remove_file(queue.file(&name)).expect("the file can be removed");
    }
    assert_eq!(queue.listing_next(listing, 100).expect("a vanished item is no failure"), None);
}

#[test]
fn large_pages_end_before_a_host_refuses_them() {
    let mut queue = TestQueue::new();
    for id in 0..10 {
        let text = format!("ID: \"{id}\" {} created_at_ts {{}}", "To: \"\" ".repeat(65_536));
        fs::write(queue.file(&format!("m:{id}")), text).expect("the file can be written");
    }
    let listing = queue.items(&[], Detail::Envelope).expect("the directory can be read");
    let mut pages = Vec::new();
    while let Some(page) = queue.listing_next(listing, 1000).expect("every item parses") {
        pages.push(page.len());
    }
    // Beside its content a string takes 48 bytes in wasmtime, where the types of a call are not known beforehand.
    assert!(pages.iter().all(|entries| entries * 65_536 * 48 < 20 << 20), "{pages:?}");
    assert_eq!(pages.iter().sum::<usize>(), 10);
}

#[test]
fn failed_listing_is_aborted() {
    let mut system = Simulated::new();
    put(&mut system, "x", b"body");
    let listing = system.items(&[], Detail::Name).expect("the directory can be read");
    system.world().fail(Operation::ReadEntry, "io");
    let error = system.listing_next(listing, 10).expect_err("the directory cannot be read");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::Io, "read-directory"));
    assert_eq!(code(system.listing_next(listing, 10)), ErrorCode::Aborted);
}

#[test]
fn count_tells_items_from_other_files() {
    let mut queue = TestQueue::new();
    let path = queue.path().to_path_buf();
    for id in ["r1", "r2", "h1", "q1"] {
        put(&mut queue, id, b"body");
    }
    done(queue.hold(&one("h1")));
    done(queue.quarantine(&one("q1")));
    for name in [".m:AAAAAAAAAAA", ".m:chasquid123", ".m:another99", "foreign"] {
        fs::write(queue.file(name), b"").expect("the file can be written");
    }
    let mut all = || {
        let counts = queue.count().expect("the directory can be read");
        (counts.ready, counts.held, counts.quarantined, counts.temporary, counts.foreign)
    };
    assert_eq!(all(), (2, 1, 1, 3, 1));
    let directory = |name: &str| fs::create_dir(path.join(name)).expect("the name is free");
    directory(".unsynced");
    assert_eq!(all(), (2, 1, 1, 3, 1), "the marks of failed fsyncs are the queue's");
    ["m:d", "h:d", "q:d", ".m:d"].into_iter().for_each(directory);
    assert_eq!(all(), (2, 1, 1, 3, 5), "a directory is no item");
    fs::remove_dir(path.join(".unsynced")).expect("it is empty");
    fs::write(path.join(".unsynced"), b"").expect("the name is free");
    assert_eq!(all(), (2, 1, 1, 3, 6), "a file has no marks");
}

#[test]
fn page_ends_after_many_bytes_of_files() {
    const BYTES: u64 = 300 << 20;
    let mut queue = TestQueue::new();
    for number in 0..3 {
        let file = File::create(queue.file(&format!("m:{number}"))).expect("the file can be created");
        file.set_len(BYTES).expect("the file system has sparse files");
    }
    for (detail, pages) in [(Detail::Name, 1), (Detail::Envelope, 3), (Detail::Whole, 3)] {
        let listing = queue.items(&[], detail).expect("the directory can be read");
        let mut found = Vec::new();
        while let Some(page) = queue.listing_next(listing, 10).expect("the directory can be read") {
            found.push(page.len());
        }
        assert_eq!((found.len(), found.iter().sum::<usize>()), (pages, 3), "{detail:?}");
        queue.drop_resource(listing);
    }
}
