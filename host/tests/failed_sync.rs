//! Threads that share a queue while syncs fail, of files and of the directory: what is answered is true, the queue is closed
//! in every instance until it is recovered, and works again after that.
//!
//! The program of each test is this file itself, under `strace`, which has the syncs fail.

mod mail;

use libtest_mimic::{Arguments, Failed};
use mail::mail;
use queue_store_host::types::{EnvelopeChange, ErrorCode, Operation, WriteOptions};
use queue_store_host::{Error, Host, Queue};
use queue_store_host_test::requirement::{self, Requirement};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, thread};

const THREADS: usize = 4;

/// Calls of each thread while syncs fail.
const CALLS: usize = 4;

/// Set in the program, to the directory of the queue.
const PROGRAM: &str = "QUEUE_STORE_FAILED_SYNC";

/// What is printed where a call failed.
const FAILED: &str = "a sync failed";

fn main() -> ExitCode {
    if let Some(directory) = env::var_os(PROGRAM) {
        program(Path::new(&directory));
        return ExitCode::SUCCESS;
    }
    // strace counts the syncs of each thread. The first one that a thread needs is of the directory, then files take turns with it.
    let faults = ["when=1", "when=2", "when=3", "when=4", "when=5", "when=1..3", "when=2..4", "when=3..5"];
    let trials = faults.iter().map(|fault| {
        let name = format!("what_is_answered_is_true_where_a_sync_fails_{fault}");
        requirement::trial(name, vec![Requirement::Strace], || failing(fault))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// Runs the program while syncs fail.
fn failing(fault: &str) -> Result<(), Failed> {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir()?;
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fsync", "-e", &format!("inject=fsync:error=EIO:{fault}"), "-o", "/dev/null"])
        .arg(env::current_exe()?)
        .env(PROGRAM, directory.path())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(said.into_owned().into());
    }
    if !said.contains(FAILED) {
        return Err("no sync failed, so nothing was tested".into());
    }
    Ok(())
}

fn put(queue: &Queue, id: &str) -> Result<String, Error> {
    queue.put(Some(id), &mail(id.as_bytes()), &WriteOptions::default())
}

/// Whether an item is there, whole.
fn is_there(queue: &Queue, id: &str) -> bool {
    match queue.get(id) {
        Ok(item) => {
            assert_eq!(item.body, id.as_bytes());
            true
        }
        Err(error) => {
            assert_eq!(error.code(), Some(ErrorCode::NotFound), "{error}");
            false
        }
    }
}

/// The error of the queue, if it is one.
fn code_and_operation<T>(result: &Result<T, Error>) -> Option<(ErrorCode, Operation)> {
    match result {
        Ok(_) => None,
        Err(Error::Queue(error)) => Some((error.code, error.operation)),
        Err(error) => panic!("{error}"),
    }
}

/// What a thread is answered. Whether each item may and must be there.
fn work(queue: &Queue, thread: usize) -> (BTreeMap<String, [bool; 2]>, bool) {
    let (mut expected, mut closed) = (BTreeMap::new(), false);
    for call in 0..CALLS {
        let id = format!("{thread}-{call}");
        let answer = put(queue, &id);
        let (may, must) = match code_and_operation(&answer) {
            None => (true, true),
            Some((ErrorCode::Indeterminate, Operation::SyncDirectory)) => (true, false),
            Some((ErrorCode::NeedsRecovery, _) | (ErrorCode::Io, Operation::Sync | Operation::SyncDirectory)) => {
                (false, false)
            }
            Some(unexpected) => panic!("{id}: {unexpected:?}"),
        };
        // Once the queue is closed for this thread, only a recovery opens it.
        assert!(!(closed && may), "{id}: a queue in need of recovery took a put");
        closed |=
            matches!(code_and_operation(&answer), Some((ErrorCode::NeedsRecovery, _) | (_, Operation::SyncDirectory)));
        expected.insert(id, [may, must]);
    }
    (expected, closed)
}

fn program(directory: &Path) {
    let host = Host::new().expect("the component");
    let queue = host.open(directory).expect("the directory");
    // It has an instance of its own, which is not told what another one is.
    let beside = queue.draft(None, &mail(b"").envelope, &WriteOptions::default()).expect("a draft");
    let first = put(&queue, "first");
    drop(beside);
    if let Some((_, Operation::SyncDirectory)) = code_and_operation(&first) {
        refuses(&queue);
        recover(&queue);
    }
    let answered = thread::scope(|scope| {
        let queue = &queue;
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || work(queue, thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread fails")).collect::<Vec<_>>()
    });
    let closed = answered.iter().any(|(_, closed)| *closed);
    let expected: BTreeMap<String, [bool; 2]> = answered.into_iter().flat_map(|(expected, _)| expected).collect();
    if expected.values().any(|[may, must]| !(*may && *must)) {
        eprintln!("{FAILED}");
    }
    if closed {
        refuses(&queue);
    }
    recover(&queue);
    let mut there = BTreeMap::new();
    for (id, [may, must]) in &expected {
        let found = is_there(&queue, id);
        assert!((*may || !found) && (!must || found), "{id}: found: {found}, allowed: {may}, promised: {must}");
        there.insert(id, found);
    }
    // It works again, in as many instances as there were, and what was found stays true.
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let queue = &queue;
            scope.spawn(move || {
                let again = |call: usize| {
                    let id = format!("again-{thread}-{call}");
                    match code_and_operation(&put(queue, &id)) {
                        None => assert!(is_there(queue, &id)),
                        // The fault of a thread that has not synced before.
                        Some((_, Operation::Sync | Operation::SyncDirectory)) => {}
                        Some((ErrorCode::NeedsRecovery, _)) => {}
                        Some(unexpected) => panic!("{id}: {unexpected:?}"),
                    }
                };
                (0..CALLS).for_each(again);
            });
        }
    });
    for (id, found) in there {
        assert_eq!(is_there(&queue, id), found, "{id}");
    }
}

/// Recovers, again and again while syncs fail.
fn recover(queue: &Queue) {
    for _ in 0..20 {
        match queue.recover(0) {
            Ok(recovery) if recovery.problems.is_empty() => return,
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.code(), Some(ErrorCode::NeedsRecovery), "{error}");
                refuses(queue);
            }
        }
    }
    panic!("the queue cannot be recovered");
}

/// A queue in need of recovery takes no change, whichever instance is asked, and can be read.
fn refuses(queue: &Queue) {
    let before = queue.count().expect("a count");
    for _ in 0..2 * THREADS {
        let refused = [
            put(queue, "refused").map(drop),
            queue.update("0-0", &EnvelopeChange::default(), &WriteOptions::default()).map(drop),
            queue.hold(&["0-0".to_string()]).map(drop),
        ];
        for answer in refused {
            assert_eq!(answer.expect_err("it is closed").code(), Some(ErrorCode::NeedsRecovery));
        }
    }
    assert_eq!(queue.count().expect("a count"), before);
}
