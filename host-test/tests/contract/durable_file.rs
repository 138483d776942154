//! `durable-file`, with the cases of chasquid's `safeio`: an operation on a normal file, a file that does not exist, a
//! file that cannot be fsynced, an operation that fails, a file that is replaced.

use crate::support::code;
use queue_store_host_test::bindings::{Durability, ErrorCode, FileOperation, FileOperationKind, Publish, Timestamp};
use queue_store_host_test::instance::{Instance, Preopen, Result, State};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::Operation;
use queue_store_host_test::test_queue::TestQueue;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

const SYNC: FileOperation = FileOperation { kind: FileOperationKind::Sync, modified: None };
const SYNC_DATA: FileOperation = FileOperation { kind: FileOperationKind::SyncData, modified: None };

fn set_times(seconds: i64, nanos: i32) -> FileOperation {
    FileOperation { kind: FileOperationKind::SetTimes, modified: Some(Timestamp { seconds, nanos }) }
}

/// Writes a file with durability `full` and without operations.
fn write<T>(instance: &mut Instance<T>, path: &str, data: &[u8], publish: Publish) -> Result<()> {
    instance.write_file(path, data, &[], publish, Durability::Full)
}

#[test]
fn file_is_written_read_and_replaced() {
    let mut queue = TestQueue::new();
    for data in [&b"first"[..], b"", &[0xff; 1 << 20]] {
        for durability in [Durability::Full, Durability::ContentOnly, Durability::None] {
            queue.write_file("queue/file", data, &[], Publish::Replace, durability).expect("the directory exists");
            assert_eq!(queue.read_file("queue/file").expect("the file exists"), data);
            assert_eq!(queue.names(), ["file"]);
        }
    }
}

#[test]
fn operations_run_before_publishing() {
    let mut queue = TestQueue::new();
    let operations = [SYNC, set_times(1_760_785_824, 123_456_789), SYNC_DATA];
    queue
        .write_file("queue/file", b"data", &operations, Publish::CreateNew, Durability::None)
        .expect("the directory exists");
    let metadata = fs::metadata(queue.file("file")).expect("the file exists");
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (1_760_785_824, 123_456_789));
    assert_eq!((queue.counter("file-syncs"), queue.counter("directory-syncs")), (2, 0));
    queue.sync_file("queue/file").expect("the file exists");
    assert_eq!(queue.counter("file-syncs"), 3);
    queue
        .write_file("queue/file", b"data", &[set_times(0, 0)], Publish::Replace, Durability::None)
        .expect("the epoch is a time");
    assert_eq!(fs::metadata(queue.file("file")).expect("the file exists").mtime(), 0);
}

#[test]
fn missing_files_and_directories_are_not_found() {
    let mut queue = TestQueue::new();
    for error in [queue.sync_file("queue/missing"), queue.read_file("queue/missing").map(|_| ())] {
        let error = error.expect_err("the file does not exist");
        assert_eq!((error.code, error.operation.as_str()), (ErrorCode::NotFound, "open"));
        assert_eq!(error.path, "queue/missing");
    }
    for path in ["queue/missing/file", "elsewhere/file"] {
        let error = write(&mut queue, path, b"", Publish::Replace).expect_err("the directory does not exist");
        assert_eq!(error.code, ErrorCode::NotFound, "{path}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn file_that_cannot_be_fsynced_is_reported() {
    let mut instance = Instance::with(&[Preopen { path: Path::new("/proc"), name: "proc", read_only: false }]);
    let error = instance.sync_file("proc/version").expect_err("procfs refuses fsync");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::InvalidArgument, "sync"));
}

#[test]
fn failed_operation_keeps_the_old_file() {
    for (operation, error, code, reported) in [
        (Operation::Create, "access", ErrorCode::Access, "create"),
        (Operation::Write, "insufficient-space", ErrorCode::NoSpace, "write"),
        (Operation::Write, "quota", ErrorCode::Quota, "write"),
        (Operation::SetTimes, "not-permitted", ErrorCode::Access, "set-times"),
        (Operation::SyncFile, "io", ErrorCode::Io, "sync"),
        (Operation::Rename, "read-only", ErrorCode::ReadOnly, "rename"),
    ] {
        let mut system = Simulated::new();
        write(&mut system, "queue/file", b"old", Publish::Replace).expect("the directory exists");
        system.world().fail(operation, error);
        let operations = [set_times(1, 0)];
        let mut replace = || system.write_file("queue/file", b"new", &operations, Publish::Replace, Durability::Full);
        let error = replace().expect_err("an operation fails");
        assert_eq!((error.code, error.operation.as_str()), (code, reported));
        assert_eq!(error.path, "queue/file");
        assert_eq!(system.world().content("file"), Some(&b"old"[..]));
        assert_eq!(system.world().entries.len(), 1, "no temporary file is left after {reported}");
        let mut replace = || system.write_file("queue/file", b"new", &operations, Publish::Replace, Durability::Full);
        replace().expect("the system works again");
        assert_eq!(system.world().content("file"), Some(&b"new"[..]));
    }
}

#[test]
fn failed_fdatasync_keeps_the_old_file() {
    let mut system = Simulated::new();
    write(&mut system, "queue/file", b"old", Publish::Replace).expect("the directory exists");
    system.world().fail(Operation::SyncFile, "io");
    let replaced = system.write_file("queue/file", b"new", &[SYNC_DATA], Publish::Replace, Durability::None);
    assert_eq!(code(replaced), ErrorCode::Io);
    assert_eq!(system.world().content("file"), Some(&b"old"[..]));
}

#[test]
fn failed_unlink_of_temporary_file_is_told() {
    let mut system = Simulated::new();
    system.world().fail(Operation::SyncFile, "io");
    system.world().fail(Operation::Unlink, "access");
    let error = write(&mut system, "queue/file", b"new", Publish::Replace).expect_err("the fsync fails");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::Io, "sync"));
    assert!(error.detail.contains("temporary file could not be removed"), "{}", error.detail);
    assert_eq!(system.world().entries.len(), 1, "the temporary file is left for recovery");
    assert_eq!(system.recover(0).expect("the directory works again").temporary_removed, 1);
}

#[test]
fn failed_directory_fsync_is_indeterminate_and_closes_nothing() {
    let mut system = Simulated::new();
    system.world().fail(Operation::SyncDirectory, "io");
    let error = write(&mut system, "queue/file", b"new", Publish::Replace).expect_err("the fsync fails");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::Indeterminate, "sync-directory"));
    assert_eq!(system.world().content("file"), Some(&b"new"[..]), "the file is visible");
    write(&mut system, "queue/file", b"newer", Publish::Replace).expect("this interface keeps no state");
    assert!(!system.needs_recovery().expect("the queue is open"));
}

#[test]
fn create_new_keeps_an_existing_file() {
    let mut queue = TestQueue::new();
    write(&mut queue, "queue/file", b"first", Publish::CreateNew).expect("the name is free");
    assert_eq!(code(write(&mut queue, "queue/file", b"second", Publish::CreateNew)), ErrorCode::Exists);
    assert_eq!(queue.read_file("queue/file").expect("the file exists"), b"first");
    assert_eq!(queue.names(), ["file"]);
    let mut system = Simulated::new();
    system.world().fail(Operation::Link, "unsupported");
    assert_eq!(code(write(&mut system, "queue/file", b"", Publish::CreateNew)), ErrorCode::Unsupported);
    assert_eq!(system.world().entries.len(), 0);
}

#[test]
fn full_write_fsyncs_file_then_directory() {
    use Operation::{Create, Link, Rename, SyncDirectory, SyncFile, Unlink, Write};
    let mut system = Simulated::new();
    for (publish, durability, expected) in [
        (Publish::Replace, Durability::Full, &[Create, Write, SyncFile, Rename, SyncDirectory][..]),
        (Publish::Replace, Durability::ContentOnly, &[Create, Write, SyncFile, Rename]),
        (Publish::Replace, Durability::None, &[Create, Write, Rename]),
        (Publish::CreateNew, Durability::Full, &[Create, Write, SyncFile, Link, Unlink, SyncDirectory]),
    ] {
        system.world().log.clear();
        let path = format!("queue/{publish:?}");
        system.write_file(&path, b"data", &[], publish, durability).expect("the directory exists");
        assert_eq!(system.world().operations(), expected);
    }
}

#[test]
fn malformed_paths_are_refused_before_any_change() {
    let mut queue = TestQueue::new();
    for path in [
        "queue",
        "queue/",
        "queue/.",
        "queue/..",
        "queue//file",
        "queue/./file",
        "queue/../file",
        "file",
        "",
        "/",
        "queue/a\\b",
        "queue/a\0b",
        "queue/.m:AAAAAAAAAAA",
        "queue/.m:",
    ] {
        let code = code(write(&mut queue, path, b"data", Publish::Replace));
        assert!(matches!(code, ErrorCode::InvalidArgument | ErrorCode::NotFound), "{path:?}: {code:?}");
    }
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn malformed_operations_are_refused_before_any_change() {
    let mut queue = TestQueue::new();
    let modified = Some(Timestamp { seconds: 1, nanos: 0 });
    for operation in [
        FileOperation { kind: FileOperationKind::SetTimes, modified: None },
        FileOperation { kind: FileOperationKind::Sync, modified },
        FileOperation { kind: FileOperationKind::SyncData, modified },
        set_times(-1, 0),
        set_times(0, 1_000_000_000),
        set_times(0, -1),
    ] {
        let result = queue.write_file("queue/file", b"data", &[operation], Publish::Replace, Durability::Full);
        assert_eq!(code(result), ErrorCode::InvalidArgument, "{operation:?}");
    }
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn irregular_files_are_never_opened() {
    let mut queue = TestQueue::new();
    fs::create_dir(queue.file("directory")).expect("the directory can be created");
    symlink("/etc/passwd", queue.file("symlink")).expect("the link can be created");
    nix::unistd::mkfifo(&queue.file("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("the FIFO can be created");
    for name in ["directory", "symlink", "fifo"] {
        let path = format!("queue/{name}");
        for error in [queue.read_file(&path).map(|_| ()), queue.sync_file(&path)] {
            let error = error.expect_err("the file is not regular");
            assert_eq!((error.code, error.operation.as_str()), (ErrorCode::Unsupported, "open"), "{name}");
        }
    }
    // A rename replaces the link, and not the file that it leads to.
    write(&mut queue, "queue/symlink", b"data", Publish::Replace).expect("the directory exists");
    assert!(fs::symlink_metadata(queue.file("symlink")).expect("the file exists").is_file());
    let error = write(&mut queue, "queue/directory", b"data", Publish::Replace);
    assert_eq!(error.expect_err("a file does not replace a directory").operation, "rename");
    assert_eq!(queue.names(), ["directory", "fifo", "symlink"]);
}

#[test]
fn files_beyond_a_list_are_too_large() {
    let mut queue = TestQueue::new();
    let limit = queue.limit("max-list-body-bytes");
    let file = fs::File::create(queue.file("large")).expect("the file can be created");
    file.set_len(limit + 1).expect("the file system has sparse files");
    let error = queue.read_file("queue/large").expect_err("the file is too large");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::TooLarge, "read"));
    file.set_len(limit).expect("the file system has sparse files");
    assert_eq!(queue.read_file("queue/large").expect("the file is within the limit").len() as u64, limit);
}

#[test]
fn preopen_names_may_have_any_form() {
    let directory = tempfile::tempdir().expect("a test can create a temporary directory");
    fs::create_dir_all(directory.path().join("a/b")).expect("the directories can be created");
    for (name, path) in [("/", "/a/b/file"), ("/", "/file"), ("x/y", "x/y/a/file"), (".", "./file"), ("", "/file")] {
        let mut instance: Instance<State> =
            Instance::with(&[Preopen { path: directory.path(), name, read_only: false }]);
        if let Err(error) = write(&mut instance, path, path.as_bytes(), Publish::Replace) {
            panic!("{name:?} {path:?}: {error:?}");
        }
        assert_eq!(instance.read_file(path).expect("the file exists"), path.as_bytes());
    }
}
