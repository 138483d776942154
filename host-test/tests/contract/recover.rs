//! `queue.recover` on real directories: its report, temporary files, and files of other programs.

use crate::support::{body, done, edit, one, put, put_as};
use queue_store_host_test::bindings::{ErrorCode, Format, Recovery, ids, stored_as};
use queue_store_host_test::test_queue::TestQueue;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

const HOUR: u32 = 3600;

/// Returns the report of a recovery that found these items intact, and nothing to do.
fn nothing_to_do(durable_items: u64) -> Recovery {
    Recovery {
        durable_items,
        damaged_items: 0,
        temporary_removed: 0,
        temporary_kept: 0,
        rewritten: 0,
        problems: Vec::new(),
        truncated: false,
    }
}

#[test]
fn recovery_counts_intact_items_of_every_state() {
    let mut queue = TestQueue::new();
    assert_eq!(queue.recover(0).expect("the directory is intact"), nothing_to_do(0));
    for id in ["r", "h", "q"] {
        put(&mut queue, id, b"body");
        put_as(&mut queue, &format!("{id}b"), b"body", Some(stored_as(Format::Binary)));
    }
    done(queue.hold(&ids(&["h", "hb"])));
    done(queue.quarantine(&ids(&["q", "qb"])));
    let names = queue.names();
    for _ in 0..2 {
        assert_eq!(queue.recover(0).expect("the directory is intact"), nothing_to_do(6));
        assert_eq!(queue.names(), names);
    }
}

#[test]
fn recovery_reports_each_damaged_item() {
    let mut queue = TestQueue::new();
    for id in ["good", "truncated", "envelope", "body", "quarantined"] {
        put(&mut queue, id, b"Subject: hello\r\n");
    }
    let truncated = fs::read(queue.file("m:truncated")).expect("the file exists");
    fs::write(queue.file("m:truncated"), &truncated[..60]).expect("the file can be written");
    edit(&queue.file("m:envelope"), b"a@example.com", b"z@example.com");
    // The envelope is what recovery reads: an edited body is for `verify`.
    edit(&queue.file("m:body"), b"hello", b"HELLO");
    fs::write(queue.file("m:nonsense"), "nonsense").expect("the file can be written");
    fs::write(queue.file("m:quarantined"), "").expect("the file can be written");
    done(queue.quarantine(&one("quarantined")));
    let names = queue.names();
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.damaged_items, recovery.truncated), (2, 4, false));
    let mut problems: Vec<_> = recovery.problems.iter().map(|problem| (problem.path.as_str(), problem.code)).collect();
    problems.sort_by_key(|(path, _)| *path);
    let expected = [
        ("queue/m:envelope", ErrorCode::ChecksumMismatch),
        ("queue/m:nonsense", ErrorCode::Corrupt),
        ("queue/m:truncated", ErrorCode::Corrupt),
        ("queue/q:quarantined", ErrorCode::Corrupt),
    ];
    assert_eq!(problems, expected);
    assert_eq!(queue.names(), names, "recovery deletes no damaged item");
    put(&mut queue, "next", b"body");
}

#[test]
fn problems_beyond_max_problems_are_counted() {
    let mut queue = TestQueue::new();
    let limit = queue.limit("max-problems");
    for number in 0..limit + 5 {
        fs::write(queue.file(&format!("m:{number}")), "nonsense").expect("the file can be written");
    }
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!((recovery.damaged_items, recovery.truncated), (limit + 5, true));
    assert_eq!(recovery.problems.len() as u64, limit);
}

#[test]
fn temporary_files_are_removed_by_age() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    fs::create_dir(queue.file(".m:directory")).expect("the directory can be created");
    let hours = Duration::from_secs(37 * 3600);
    let (past, future) = (SystemTime::now() - hours, SystemTime::now() + hours);
    for (name, modified) in
        [(".m:old", Some(past)), (".m:x123456", Some(past)), (".m:young", None), (".m:future", Some(future))]
    {
        let file = File::create(queue.file(name)).expect("the file can be created");
        if let Some(modified) = modified {
            file.set_modified(modified).expect("the file system keeps times");
        }
    }
    let recovery = queue.recover(36 * HOUR).expect("the directory is intact");
    assert_eq!(recovery, Recovery { temporary_removed: 2, temporary_kept: 2, ..nothing_to_do(1) });
    assert_eq!(queue.names(), [".m:directory", ".m:future", ".m:young", "m:x"]);
    let recovery = queue.recover(0).expect("the directory is intact");
    assert_eq!(recovery, Recovery { temporary_removed: 2, ..nothing_to_do(1) });
    assert_eq!(queue.names(), [".m:directory", "m:x"]);
}

#[test]
fn largest_grace_keeps_every_temporary_file() {
    let mut queue = TestQueue::new();
    let file = File::create(queue.file(".m:old")).expect("the file can be created");
    file.set_modified(SystemTime::now() - Duration::from_secs(40 * 3600)).expect("the file system keeps times");
    let recovery = queue.recover(u32::MAX).expect("the directory is intact");
    assert_eq!(recovery, Recovery { temporary_kept: 1, ..nothing_to_do(0) });
    assert_eq!(queue.names(), [".m:old"]);
}

#[test]
fn foreign_files_are_counted_and_kept() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    for name in [".DS_Store", "backup~", "M:x", "#m:x#", "x"] {
        fs::write(queue.file(name), b"foreign").expect("the file can be written");
    }
    fs::create_dir(queue.file("directory")).expect("the directory can be created");
    // An editor's backup that keeps the prefix is an item of another id.
    fs::write(queue.file("m:x~backup"), b"foreign").expect("the file can be written");
    let counts = queue.count().expect("the directory can be read");
    assert_eq!((counts.ready, counts.foreign), (2, 6));
    let names = queue.names();
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.damaged_items), (1, 1));
    done(queue.remove(&one("x"), &[], None));
    let left: Vec<String> = names.into_iter().filter(|name| name != "m:x").collect();
    assert_eq!(queue.names(), left);
}

#[test]
fn recovery_reports_names_of_items_that_are_no_files() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    fs::create_dir(queue.file("m:directory")).expect("the directory can be created");
    // Opening it would wait for a writer.
    nix::unistd::mkfifo(&queue.file("h:fifo"), nix::sys::stat::Mode::S_IRWXU).expect("the FIFO can be created");
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.damaged_items), (1, 0));
    let mut problems: Vec<_> = recovery.problems.iter().map(|problem| (problem.path.as_str(), problem.code)).collect();
    problems.sort_by_key(|(path, _)| *path);
    assert_eq!(problems, [("queue/h:fifo", ErrorCode::Unsupported), ("queue/m:directory", ErrorCode::Unsupported)]);
    assert_eq!(queue.names(), ["h:fifo", "m:directory", "m:x"]);
}

#[test]
fn recovery_keeps_edited_items_readable_after_seal() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"Subject: hello\r\n");
    edit(&queue.file("m:x"), b"a@example.com", b"z@example.com");
    assert_eq!(queue.recover(0).expect("the directory can be read").damaged_items, 1);
    done(queue.seal(&one("x")));
    assert_eq!(queue.recover(0).expect("the directory is intact"), nothing_to_do(1));
    assert_eq!(body(&mut queue, "x"), b"Subject: hello\r\n");
}
