//! Failed fsyncs, full and read-only disks, and the recovery from them.

use crate::functions::put_x;
use crate::support::{body, code, put};
use queue_store_host_test::bindings::{ErrorCode, State, envelope, mail};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::{ErrorName, Fault, Operation};
use queue_store_host_test::test_queue::TestQueue;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

fn fault(operation: Operation, times: usize, error: ErrorName) -> Fault {
    Fault { operation, skip: 0, times, error, takes_effect: false }
}

#[test]
fn recovery_rewrites_items_of_a_failed_directory_fsync() {
    let mut system = Simulated::new();
    put_x(&mut system);
    system.world().fail(Operation::SyncDirectory, "io");
    let error = system.put(Some("y"), &mail(b"doubtful"), None).expect_err("the fsync after publishing fails");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::Indeterminate, "sync-directory"));
    assert_eq!(body(&mut system, "y"), b"doubtful", "the item is visible");
    assert_eq!(code(system.put(None, &mail(b"z"), None)), ErrorCode::NeedsRecovery);
    let inode = system.world().entries["m:y"];
    // As long as the directory cannot be fsynced, the queue stays closed.
    system.world().fail(Operation::SyncDirectory, "io");
    let error = system.recover(0).expect_err("the fsync of the directory fails again");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::NeedsRecovery, "sync-directory"));
    assert_eq!(code(system.put(None, &mail(b"z"), None)), ErrorCode::NeedsRecovery);
    let recovery = system.recover(0).expect("the directory works again");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems), (2, 1, Vec::new()));
    assert_ne!(system.world().entries["m:y"], inode, "the unsynced item is a new file");
    assert_eq!(body(&mut system, "y"), b"doubtful");
    put(&mut system, "z", b"z");
}

#[test]
fn recovery_frees_space_on_a_full_disk() {
    let mut system = Simulated::new();
    put_x(&mut system);
    let draft = system.begin(None, &envelope(), None).expect("the disk has space");
    system.draft_write(draft, b"x").expect("the disk has space");
    system.world().now += 40 * 3600;
    let full = |operation| fault(operation, usize::MAX, "insufficient-space");
    system.world().faults.extend([Operation::Create, Operation::Write].map(full));
    let mut other = system.sibling();
    // With a grace, the time of the file system is that of a file that cannot be created now.
    let recovery = other.recover(36 * 3600).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.temporary_removed), (1, 0));
    assert_eq!(recovery.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [ErrorCode::NoSpace]);
    let recovery = other.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.temporary_removed, recovery.problems), (1, 1, Vec::new()));
}

#[test]
fn recovery_reports_what_a_read_only_disk_refuses() {
    let mut system = Simulated::new();
    put_x(&mut system);
    let draft = system.begin(None, &envelope(), None).expect("the disk can be written");
    system.draft_write(draft, b"x").expect("the disk can be written");
    system.world().now += 40 * 3600;
    let refused = |operation| fault(operation, usize::MAX, "read-only");
    let operations = [Operation::Create, Operation::Write, Operation::Unlink, Operation::Rename, Operation::Link];
    system.world().faults.extend(operations.map(refused));
    let mut other = system.sibling();
    for grace in [0, 36 * 3600] {
        let recovery = other.recover(grace).expect("the directory can be read");
        assert_eq!((recovery.durable_items, recovery.temporary_removed), (1, 0));
        assert_eq!(recovery.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [ErrorCode::ReadOnly]);
    }
}

#[test]
fn recovery_rewrites_an_item_whose_fsync_fails() {
    let mut system = Simulated::new();
    put_x(&mut system);
    let inode = system.world().entries["m:x"];
    system.world().fail(Operation::SyncFile, "io");
    let recovery = system.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems), (1, 1, Vec::new()));
    assert_ne!(system.world().entries["m:x"], inode);
}

#[test]
fn recovery_retries_a_rewrite_that_failed() {
    let mut system = Simulated::new();
    put_x(&mut system);
    // The second one keeps the component from leaving a mark, too, so that this process alone knows of the failure.
    let faults = [fault(Operation::SyncFile, 1, "io"), fault(Operation::Create, 3, "insufficient-space")];
    system.world().faults.extend(faults);
    let recovery = system.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems.len()), (0, 0, 1));
    let problem = &recovery.problems[0];
    assert_eq!(problem.code, ErrorCode::NoSpace);
    assert!(problem.detail.contains("no mark could be left"), "{problem:?}");
    assert_eq!(code(system.put(None, &mail(b"y"), None)), ErrorCode::NeedsRecovery);
    // The pages of the file look clean by now, so that an fsync alone would succeed.
    let recovery = system.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems), (1, 1, Vec::new()));
    put(&mut system, "y", b"y");
}

#[test]
fn another_process_rewrites_what_a_recovery_could_not() {
    let mut system = Simulated::new();
    put_x(&mut system);
    // The mark needs two creations: its directory and itself.
    let no_space = Fault { skip: 2, ..fault(Operation::Create, 1, "insufficient-space") };
    system.world().faults.extend([fault(Operation::SyncFile, 1, "io"), no_space]);
    let recovery = system.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems.len()), (0, 0, 1));
    let mut other = system.sibling();
    assert_eq!(code(other.put(None, &mail(b"y"), None)), ErrorCode::NeedsRecovery);
    let recovery = other.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems), (1, 1, Vec::new()));
    assert_eq!(other.world().marks, None);
    put(&mut other, "y", b"y");
}

#[test]
fn failed_fsync_of_an_existing_item_closes_the_queue_for_every_process() {
    let mut system = Simulated::new();
    let mut open_before = system.sibling();
    put_x(&mut system);
    put(&mut open_before, "z", b"z");
    system.world().fail(Operation::SyncFile, "io");
    assert_eq!(code(system.put(Some("x"), &mail(b"x"), None)), ErrorCode::NeedsRecovery);
    let mut opened_after = system.sibling();
    for (name, process) in [("open before", &mut open_before), ("opened after", &mut opened_after)] {
        assert_eq!(code(process.put(Some("x"), &mail(b"x"), None)), ErrorCode::NeedsRecovery, "{name}");
        let outcomes = process.set_state(&["x".to_string()], State::Held);
        assert_eq!(code(outcomes), ErrorCode::NeedsRecovery, "{name}");
        assert!(process.needs_recovery().expect("the queue is open"), "{name}");
    }
    let recovery = opened_after.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems), (2, 1, Vec::new()));
    assert!(!opened_after.needs_recovery().expect("the queue is open"));
}

#[test]
fn recovery_does_not_open_the_queue_over_a_failure_meanwhile() {
    let mut system = Simulated::new();
    put_x(&mut system);
    system.require_recovery().expect("the queue is open");
    // The mark of a process whose fsync fails after the recovery read the marks: seen by the look at its end alone.
    system.world().late_mark = Some("AAAAAAAAAAA:x".to_string());
    assert_eq!(code(system.recover(0)), ErrorCode::NeedsRecovery, "the item may have been taken for durable");
    assert!(system.needs_recovery().expect("the queue is open"), "another process failed meanwhile");
    let recovery = system.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems), (1, 1, Vec::new()));
    assert!(!system.needs_recovery().expect("the queue is open"));
}

#[test]
fn recovery_that_cannot_read_the_directory_decides_nothing() {
    for needs_recovery in [false, true] {
        let mut system = Simulated::new();
        put_x(&mut system);
        if needs_recovery {
            system.require_recovery().expect("the queue is open");
        }
        system.world().fail(Operation::ReadDirectory, "io");
        let error = system.recover(0).expect_err("the directory cannot be read");
        assert_eq!((error.code, error.operation.as_str()), (ErrorCode::Io, "read-directory"));
        let closed = system.needs_recovery().expect("the queue is open");
        assert_eq!(closed, needs_recovery, "the queue is as open as before");
    }
}

#[test]
fn item_of_an_indeterminate_put_is_rewritten_later() {
    let mut system = Simulated::new();
    put_x(&mut system);
    system.world().fail(Operation::SyncDirectory, "io");
    assert_eq!(code(system.put(Some("y"), &mail(b"y"), None)), ErrorCode::Indeterminate);
    system.world().fail(Operation::Create, "insufficient-space");
    let recovery = system.recover(0).expect("the directory works again");
    assert_eq!(recovery.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [ErrorCode::NoSpace]);
    assert_eq!(recovery.rewritten, 0);
    let recovery = system.recover(0).expect("the directory works again");
    assert_eq!((recovery.durable_items, recovery.rewritten, recovery.problems), (2, 1, Vec::new()));
    put(&mut system, "z", b"z");
}

#[test]
fn foreign_marks_close_the_queue_for_changes_alone() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let marks = queue.file(".unsynced");
    fs::create_dir(&marks).expect("the name is free");
    put(&mut queue, "y", b"an empty directory is no mark");
    for name in [&b"\xff"[..], b"directory"] {
        let path = marks.join(OsStr::from_bytes(name));
        fs::create_dir_all(&marks).expect("the name is free");
        if name == b"directory" { fs::create_dir(&path) } else { fs::write(&path, "") }.expect("the name is free");
        queue.close();
        assert_eq!(code(queue.put(Some("z"), &mail(b"z"), None)), ErrorCode::NeedsRecovery);
        assert_eq!(body(&mut queue, "x"), b"body", "a closed queue can be read");
        let error = queue.recover(0).expect_err("the mark cannot be removed");
        assert!(error.path.starts_with("queue/.unsynced/"), "{error:?}");
        assert!(queue.needs_recovery().expect("the queue is open"));
        if name == b"directory" { fs::remove_dir(&path) } else { fs::remove_file(&path) }.expect("the file exists");
        queue.recover(0).expect("no mark is left");
    }
    assert!(!marks.exists());
    put(&mut queue, "z", b"z");
}

#[test]
fn file_in_the_place_of_the_marks_closes_the_queue_for_changes_alone() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    fs::write(queue.file(".unsynced"), "").expect("the name is free");
    queue.close();
    assert_eq!(code(queue.put(Some("z"), &mail(b"z"), None)), ErrorCode::NeedsRecovery);
    assert_eq!(body(&mut queue, "x"), b"body", "a closed queue can be read");
    let error = queue.recover(0).expect_err("the place of the marks is taken");
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::Unsupported, "queue/.unsynced"));
    fs::remove_file(queue.file(".unsynced")).expect("the file exists");
    queue.recover(0).expect("the place of the marks is free");
    put(&mut queue, "z", b"z");
}

#[test]
fn failed_directory_fsync_is_not_repeated_within_a_batch() {
    let mut system = Simulated::new();
    put_x(&mut system);
    put(&mut system, "y", b"y");
    system.world().disk.link("m:x", "h:x").expect("the second name is free");
    // The name in quarantine is made durable before the second name goes.
    system.world().fail(Operation::SyncDirectory, "io");
    system.world().log.clear();
    let outcomes = system.set_state(&["x", "y"].map(String::from), State::Quarantined).expect("the queue is open");
    let codes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.problem.map(|problem| problem.code)).collect();
    assert_eq!(codes, [Some(ErrorCode::Indeterminate), Some(ErrorCode::NeedsRecovery)]);
    let operations = system.world().operations();
    assert_eq!(operations.iter().filter(|operation| **operation == Operation::SyncDirectory).count(), 1);
    assert!(system.world().entries.contains_key("m:y"), "the second item is not changed");
}

#[test]
fn marks_of_a_batch_are_bounded() {
    const MAX_UNSYNCED: usize = 4_096;
    let mut system = Simulated::new();
    put_x(&mut system);
    let ids: Vec<String> = (0..MAX_UNSYNCED + 10).map(|number| number.to_string()).collect();
    let item = system.world().disk.content("m:x").expect("it was put").to_vec();
    for id in &ids {
        system.world().create(&format!("m:{id}")).expect("the name is free");
        *system.world().content_mut(&format!("m:{id}")).expect("it was created") = item.clone();
    }
    system.world().fail(Operation::SyncDirectory, "io");
    let outcomes = system.set_state(&ids, State::Held).expect("the queue is open");
    assert!(
        outcomes.iter().all(|outcome| {
            outcome.problem.as_ref().is_some_and(|problem| problem.code == ErrorCode::Indeterminate)
        })
    );
    let marks = system.world().disk.marks.clone().expect("an fsync failed");
    // One of the entries, one of each item that is remembered, and one of every item.
    assert_eq!(marks.len(), 1 + MAX_UNSYNCED + 1);
    assert_eq!(marks.iter().filter(|mark| !mark.contains(':')).count(), 1);
    let recovery = system.sibling().recover(0).expect("the disk works again");
    assert_eq!(recovery.rewritten, ids.len() as u64 + 1, "every item, x too, is written anew");
}

#[test]
fn temporary_file_is_removed_when_it_is_as_old_as_the_grace() {
    let mut system = Simulated::new();
    put_x(&mut system);
    system.world().create(".m:old").expect("the name is free");
    system.world().now += 99;
    assert_eq!(system.recover(100).expect("the disk works").temporary_kept, 1);
    system.world().now += 1;
    assert_eq!(system.recover(100).expect("the disk works").temporary_removed, 1);
}

#[test]
fn ages_on_a_full_disk_are_measured_against_the_newest_file() {
    let mut system = Simulated::new();
    put(&mut system, "a", b"old");
    system.world().create(".m:old").expect("the name is free");
    system.world().now += 100;
    put(&mut system, "b", b"new");
    put(&mut system, "c", b"new");
    system.world().now += 100;
    system.world().faults.push(fault(Operation::Create, usize::MAX, "insufficient-space"));
    assert_eq!(system.recover(101).expect("the directory can be read").temporary_kept, 1);
    assert_eq!(system.recover(100).expect("the directory can be read").temporary_removed, 1);
}

#[test]
fn files_that_vanish_during_a_recovery_are_no_problem() {
    for operation in [Operation::Unlink, Operation::Open] {
        let mut system = Simulated::new();
        put_x(&mut system);
        system.world().create(".m:old").expect("the name is free");
        system.world().fail(operation, "no-entry");
        let recovery = system.recover(0).expect("the disk works");
        assert_eq!(recovery.problems, [], "{operation:?}");
        assert!(!system.needs_recovery().expect("the queue is open"));
    }
}

#[test]
fn recovery_without_fsync_of_directories_reports_it_and_goes_on() {
    let mut system = Simulated::new();
    put_x(&mut system);
    let mut other = system.sibling();
    other.world().faults.push(fault(Operation::SyncDirectory, usize::MAX, "unsupported"));
    let recovery = other.recover(0).expect("every item was made durable");
    assert_eq!(recovery.durable_items, 1);
    assert_eq!(recovery.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [ErrorCode::Unsupported]);
}

#[test]
fn failed_fsync_of_the_directory_ends_a_recovery_that_removes_second_names() {
    let mut system = Simulated::new();
    put_x(&mut system);
    system.world().disk.link("m:x", "h:x").expect("the second name is free");
    system.world().fail(Operation::SyncDirectory, "io");
    let error = system.recover(0).expect_err("the name that stays is not durable");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::NeedsRecovery, "sync-directory"));
    assert!(system.needs_recovery().expect("the queue is open"));
    system.recover(0).expect("the directory works again");
}

#[test]
fn item_that_cannot_be_opened_is_reported_and_not_rewritten() {
    let mut system = Simulated::new();
    put_x(&mut system);
    system.world().fail(Operation::Open, "access");
    let recovery = system.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.damaged_items, recovery.rewritten), (0, 0, 0));
    assert_eq!(recovery.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [ErrorCode::Access]);
    assert!(!system.needs_recovery().expect("the queue is open"), "no fsync failed");
    assert!(!system.world().disk.is_marked());
}
