//! Every code of the contract is returned by a call.

use crate::support::{edit, put};
use ErrorCode::{
    Aborted, Access, Busy, ChecksumMismatch, Conflict, Corrupt, Exists, IdMismatch, Indeterminate, InvalidArgument, Io,
    NeedsRecovery, NoSpace, NotFound, Other, QueueFull, Quota, ReadOnly, TooLarge, Unsupported,
};
use queue_store_host_test::bindings::{
    EnvelopeChange, Error, ErrorCode, WriteOptions, envelope, mail, no_change, options,
};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::{ErrorName, Operation};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;
use std::path::Path;
use wit_parser::{Resolve, TypeDefKind};

const CODES: [ErrorCode; 20] = [
    InvalidArgument,
    NotFound,
    Exists,
    Conflict,
    Corrupt,
    ChecksumMismatch,
    IdMismatch,
    TooLarge,
    QueueFull,
    NoSpace,
    Quota,
    ReadOnly,
    Access,
    Unsupported,
    Busy,
    Io,
    Aborted,
    Indeterminate,
    NeedsRecovery,
    Other,
];

/// A call that is refused, and the fields of its error beside the code.
struct Refused {
    error: Error,
    operation: &'static str,
    /// The path, or the prefix of the path before a final `*`.
    path: &'static str,
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, operation: &'static str, path: &'static str) -> Refused {
    Refused { error: result.expect_err("the call must be refused"), operation, path }
}

/// Puts a mail while an operation fails.
fn put_fails(operation: Operation, error: ErrorName) -> Result<String, Error> {
    let mut system = Simulated::new();
    system.world().fail(operation, error);
    system.put(None, &mail(b"body"), None)
}

/// Makes a call that is refused with this code. A code without a call does not compile.
fn provoke(code: ErrorCode) -> Refused {
    let mut queue = TestQueue::new();
    match code {
        InvalidArgument => refused(queue.get(".."), "", ""),
        NotFound => refused(queue.get("x"), "stat", "queue/m:x"),
        Exists => {
            put(&mut queue, "x", b"body");
            refused(queue.put(Some("x"), &mail(b"other"), None), "link", "queue/m:x")
        }
        Conflict => {
            put(&mut queue, "x", b"body");
            let change = EnvelopeChange { if_revision: Some("another".to_string()), ..no_change() };
            refused(queue.update("x", &change, None), "", "queue/m:x")
        }
        Corrupt => {
            fs::write(queue.file("m:x"), "nonsense").expect("the file can be written");
            refused(queue.get("x"), "decode", "queue/m:x")
        }
        ChecksumMismatch => {
            put(&mut queue, "x", b"Subject: hello\r\n");
            edit(&queue.file("m:x"), b"hello", b"HELLO");
            refused(queue.get("x"), "decode", "queue/m:x")
        }
        IdMismatch => {
            put(&mut queue, "x", b"body");
            fs::rename(queue.file("m:x"), queue.file("m:y")).expect("the file can be renamed");
            refused(queue.update("y", &no_change(), None), "decode", "queue/m:y")
        }
        TooLarge => {
            let options = WriteOptions { max_body_bytes: Some(3), ..options() };
            refused(queue.put(None, &mail(b"body"), Some(options)), "", "")
        }
        QueueFull => {
            let options = WriteOptions { max_items: Some(0), ..options() };
            refused(queue.put(None, &mail(b"body"), Some(options)), "", "queue")
        }
        NoSpace => refused(put_fails(Operation::Write, "insufficient-space"), "write", "queue/.m:*"),
        Quota => refused(put_fails(Operation::Create, "quota"), "create", "queue/.m:*"),
        ReadOnly => refused(put_fails(Operation::Create, "read-only"), "create", "queue/.m:*"),
        Access => refused(put_fails(Operation::Rename, "access"), "rename", "queue/m:*"),
        Unsupported => {
            fs::create_dir(queue.file("m:x")).expect("the directory can be created");
            refused(queue.get("x"), "stat", "queue/m:x")
        }
        Busy => {
            for _ in 0..queue.limit("max-drafts") {
                queue.begin(None, &envelope(), None).expect("fewer drafts are open than may be");
            }
            refused(queue.begin(None, &envelope(), None), "", "")
        }
        Io => refused(put_fails(Operation::SyncFile, "io"), "sync", "queue/.m:*"),
        Aborted => {
            let draft = queue.begin(None, &envelope(), None).expect("a valid envelope is accepted");
            queue.draft_write(draft, &[0; 65537]).expect_err("the chunk is too large");
            refused(queue.draft_commit(draft), "", "")
        }
        Indeterminate => {
            // The first fsync of the directory comes before the change.
            let mut system = Simulated::new();
            system.world().fail_after(1, Operation::SyncDirectory, "io");
            refused(system.put(None, &mail(b"body"), None), "sync-directory", "queue")
        }
        NeedsRecovery => {
            queue.require_recovery().expect("the queue is open");
            refused(queue.put(None, &mail(b"body"), None), "", "queue")
        }
        Other => refused(put_fails(Operation::Write, "no-device"), "write", "queue/.m:*"),
    }
}

#[test]
fn every_code_is_returned_by_a_call() {
    for code in CODES {
        let Refused { error, operation, path } = provoke(code);
        assert_eq!((error.code, error.operation.as_str()), (code, operation), "{error:?}");
        match path.strip_suffix('*') {
            Some(prefix) => assert!(error.path.starts_with(prefix) && error.path.len() > prefix.len(), "{error:?}"),
            None => assert_eq!(error.path, path, "{error:?}"),
        }
        assert!(!error.detail.is_empty(), "{code:?} has no detail");
        assert_eq!(error.position.is_some(), code == Corrupt, "{error:?}");
    }
}

#[test]
fn table_has_every_code_of_the_contract() {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(wit).expect("the contract is valid WIT");
    let types = resolve.packages[package].interfaces["types"];
    let TypeDefKind::Enum(codes) = &resolve.types[resolve.interfaces[types].types["error-code"]].kind else {
        panic!("`error-code` is an enum");
    };
    let table = CODES.map(|code| format!("{code:?}").to_lowercase());
    let contract: Vec<String> =
        codes.cases.iter().map(|case| format!("errorcode::{}", case.name.replace('-', ""))).collect();
    assert_eq!(table.to_vec(), contract);
}
