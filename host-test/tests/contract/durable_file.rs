//! Every function of `durable-file`, with the cases of chasquid's `safeio`: an operation on a normal file, a file that does
//! not exist, a file that cannot be synced, an operation that fails, a file that is replaced.

use queue_store_host_test::bindings::{
    Durability, ErrorCode, FileOperation, FileOperationKind, Operation, Publish, Timestamp,
};
use queue_store_host_test::instance::{Instance, Preopen, State, TestQueue};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

const SYNC: FileOperation = FileOperation { kind: FileOperationKind::Sync, modified: None };
const SYNC_DATA: FileOperation = FileOperation { kind: FileOperationKind::SyncData, modified: None };

fn set_times(seconds: i64, nanos: i32) -> FileOperation {
    FileOperation { kind: FileOperationKind::SetTimes, modified: Some(Timestamp { seconds, nanos }) }
}

#[test]
fn a_file_is_written_read_and_replaced() {
    let mut queue = TestQueue::new();
    for data in [&b"first"[..], b"", &[0xff; 1 << 20]] {
        for durability in [Durability::Full, Durability::File, Durability::None] {
            queue.write_file("queue/file", data, &[], Publish::Replace, durability).expect("a write");
            assert_eq!(queue.read_file("queue/file").expect("a read"), data);
            assert_eq!(queue.names(), ["file"]);
        }
    }
}

#[test]
fn operations_run_on_a_normal_file() {
    let mut queue = TestQueue::new();
    let operations = [SYNC, set_times(1_760_785_824, 123_456_789), SYNC_DATA];
    queue.write_file("queue/file", b"data", &operations, Publish::CreateNew, Durability::None).expect("a write");
    let metadata = fs::metadata(queue.file("file")).expect("the file");
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (1_760_785_824, 123_456_789));
    assert_eq!(queue.counter("file-syncs"), 2);
    assert_eq!(queue.counter("directory-syncs"), 0);
    queue.sync_file("queue/file").expect("a sync");
    assert_eq!(queue.counter("file-syncs"), 3);
}

#[test]
fn a_file_that_does_not_exist_is_not_found_by_the_open() {
    let mut queue = TestQueue::new();
    for error in [queue.sync_file("queue/nobody"), queue.read_file("queue/nobody").map(|_| ())] {
        let error = error.expect_err("it does not exist");
        assert_eq!((error.code, error.operation), (ErrorCode::NotFound, Operation::Open));
        assert_eq!(error.path, "queue/nobody");
    }
    let error =
        queue.write_file("queue/no/file", b"", &[], Publish::Replace, Durability::Full).expect_err("no directory");
    assert_eq!((error.code, error.operation), (ErrorCode::NotFound, Operation::Resolve));
    let error =
        queue.write_file("elsewhere/file", b"", &[], Publish::Replace, Durability::Full).expect_err("no preopen");
    assert_eq!((error.code, error.operation), (ErrorCode::NotFound, Operation::Resolve));
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_be_synced_says_that_the_sync_failed() {
    let mut instance = Instance::with(&[Preopen { path: Path::new("/proc"), name: "proc", read_only: false }]);
    let error = instance.sync_file("proc/version").expect_err("a file of the kernel is on no disk");
    assert_eq!((error.code, error.operation), (ErrorCode::InvalidArgument, Operation::Sync));
}

#[test]
fn an_operation_that_fails_leaves_no_temporary_file_and_the_file_as_it_was() {
    for (operation, error, code, reported) in [
        (world::Operation::Create, "access", ErrorCode::Access, Operation::Create),
        (world::Operation::Write, "insufficient-space", ErrorCode::NoSpace, Operation::Write),
        (world::Operation::Write, "quota", ErrorCode::Quota, Operation::Write),
        (world::Operation::SetTimes, "not-permitted", ErrorCode::Access, Operation::SetTimes),
        (world::Operation::SyncFile, "io", ErrorCode::Io, Operation::Sync),
        (world::Operation::Rename, "read-only", ErrorCode::ReadOnly, Operation::Rename),
    ] {
        let mut system = Simulated::new();
        system.write_file("queue/file", b"old", &[], Publish::Replace, Durability::Full).expect("a write");
        system.world().fail(operation, error);
        let operations = [set_times(1, 0)];
        let error = system.write_file("queue/file", b"new", &operations, Publish::Replace, Durability::Full);
        let error = error.expect_err("it was made to fail");
        assert_eq!((error.code, error.operation, error.path.as_str()), (code, reported, "queue/file"));
        assert_eq!(system.world().content("file"), Some(&b"old"[..]));
        assert_eq!(system.world().names.len(), 1, "no temporary file is left after {reported:?}");
        system.write_file("queue/file", b"new", &operations, Publish::Replace, Durability::Full).expect("a write");
        assert_eq!(system.world().content("file"), Some(&b"new"[..]));
    }
}

#[test]
fn a_directory_that_cannot_be_synced_leaves_the_write_indeterminate() {
    let mut system = Simulated::new();
    system.world().fail(world::Operation::SyncDirectory, "io");
    let error = system.write_file("queue/file", b"new", &[], Publish::Replace, Durability::Full);
    let error = error.expect_err("it was made to fail");
    assert_eq!((error.code, error.operation), (ErrorCode::Indeterminate, Operation::SyncDirectory));
    assert_eq!(system.world().content("file"), Some(&b"new"[..]), "it is visible");
}

#[test]
fn a_file_is_created_or_kept() {
    let mut queue = TestQueue::new();
    queue.write_file("queue/file", b"first", &[], Publish::CreateNew, Durability::Full).expect("a write");
    let error = queue.write_file("queue/file", b"second", &[], Publish::CreateNew, Durability::Full);
    assert_eq!(error.expect_err("it exists").code, ErrorCode::Exists);
    assert_eq!(queue.read_file("queue/file").expect("a read"), b"first");
    assert_eq!(queue.names(), ["file"]);
    let mut system = Simulated::new();
    system.world().fail(world::Operation::Link, "unsupported");
    let error = system.write_file("queue/file", b"", &[], Publish::CreateNew, Durability::Full);
    assert_eq!(error.expect_err("no hard links").code, ErrorCode::Unsupported);
    assert_eq!(system.world().names.len(), 0);
}

#[test]
fn a_full_write_syncs_the_file_before_its_name_and_the_directory_after_it() {
    use world::Operation::{Create, Link, Rename, SyncDirectory, SyncFile, Unlink, Write};
    let mut system = Simulated::new();
    for (publish, durability, expected) in [
        (Publish::Replace, Durability::Full, &[Create, Write, SyncFile, Rename, SyncDirectory][..]),
        (Publish::Replace, Durability::File, &[Create, Write, SyncFile, Rename]),
        (Publish::Replace, Durability::None, &[Create, Write, Rename]),
        (Publish::CreateNew, Durability::Full, &[Create, Write, SyncFile, Link, Unlink, SyncDirectory]),
    ] {
        system.world().log.clear();
        let name = format!("queue/{publish:?}");
        system.write_file(&name, b"data", &[], publish, durability).expect("a write");
        assert_eq!(system.world().operations(), expected);
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused_before_anything_is_touched() {
    let mut queue = TestQueue::new();
    let mut write = |path: &str, operations: &[FileOperation]| {
        let error = queue.write_file(path, b"data", operations, Publish::Replace, Durability::Full);
        error.expect_err("it makes no sense").code
    };
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
        assert!(matches!(write(path, &[]), ErrorCode::InvalidArgument | ErrorCode::NotFound), "{path:?}");
    }
    for operation in [
        FileOperation { kind: FileOperationKind::SetTimes, modified: None },
        FileOperation { kind: FileOperationKind::Sync, modified: Some(Timestamp { seconds: 1, nanos: 0 }) },
        set_times(-1, 0),
        set_times(0, 1_000_000_000),
        set_times(0, -1),
    ] {
        assert_eq!(write("queue/file", &[operation]), ErrorCode::InvalidArgument);
    }
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn what_is_not_a_regular_file_is_not_opened() {
    let mut queue = TestQueue::new();
    fs::create_dir(queue.file("directory")).expect("a directory");
    symlink("/etc/passwd", queue.file("symlink")).expect("a symbolic link");
    nix::unistd::mkfifo(&queue.file("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    for name in ["directory", "symlink", "fifo"] {
        let path = format!("queue/{name}");
        for error in [queue.read_file(&path).map(|_| ()), queue.sync_file(&path)] {
            let error = error.expect_err("it is no regular file");
            assert_eq!((error.code, error.operation), (ErrorCode::Unsupported, Operation::Open), "{name}");
        }
    }
    // Replacing takes the name, and never what the link leads to.
    queue.write_file("queue/symlink", b"data", &[], Publish::Replace, Durability::Full).expect("a write");
    assert!(fs::symlink_metadata(queue.file("symlink")).expect("a file").is_file());
    let error = queue.write_file("queue/directory", b"data", &[], Publish::Replace, Durability::Full);
    assert_eq!(error.expect_err("a directory is not replaced").operation, Operation::Rename);
    assert_eq!(queue.names(), ["directory", "fifo", "symlink"]);
}

#[test]
fn a_file_that_is_too_large_for_a_list_is_refused() {
    let mut queue = TestQueue::new();
    let file = fs::File::create(queue.file("large")).expect("a file");
    file.set_len((64 << 20) + 1).expect("a sparse file");
    let error = queue.read_file("queue/large").expect_err("too large");
    assert_eq!((error.code, error.operation), (ErrorCode::TooLarge, Operation::Read));
    file.set_len(64 << 20).expect("a sparse file");
    assert_eq!(queue.read_file("queue/large").expect("as large as it may be").len(), 64 << 20);
}

#[test]
fn a_preopen_may_be_the_root_and_have_directories_below() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(directory.path().join("a/b")).expect("directories");
    let root =
        |name| -> Instance<State> { Instance::with(&[Preopen { path: directory.path(), name, read_only: false }]) };
    for (preopen, path) in [("/", "/a/b/file"), ("/", "/file"), ("x/y", "x/y/a/file"), (".", "./file"), ("", "/file")] {
        let mut instance = root(preopen);
        match instance.write_file(path, path.as_bytes(), &[], Publish::Replace, Durability::Full) {
            Ok(()) => assert_eq!(instance.read_file(path).expect("a read"), path.as_bytes()),
            Err(error) => panic!("{preopen:?} {path:?}: {error:?}"),
        }
    }
}
