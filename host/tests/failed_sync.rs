//! Threads share a queue while fsyncs fail, of files and of the directory: each answer is true, the queue is closed in
//! every instance until it is recovered, and works again afterwards.
//!
//! Each test runs this file itself under `strace`, which makes the fsyncs fail.

use libtest_mimic::{Arguments, Failed};
use queue_store_host::types::{Durability, EnvelopeChange, Mail, State, WriteOptions};
use queue_store_host::{Error, Host, Queue};
use queue_store_host_test::requirement::{self, Requirement};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, thread};

const THREADS: usize = 4;

/// Puts of each thread while fsyncs fail.
const PUTS: usize = 4;

/// Environment variable with the directory of the queue, for the program under `strace`.
const PROGRAM: &str = "QUEUE_STORE_FAILED_SYNC";

/// The body of a submitted item.
const SUBMITTED: &[u8] = b"submitted";

/// Printed by the program if an fsync failed.
const FAILED: &str = "an fsync failed";

fn main() -> ExitCode {
    if let Some(directory) = env::var_os(PROGRAM) {
        program(Path::new(&directory));
        return ExitCode::SUCCESS;
    }
    // strace counts the fsyncs of each thread. The first is of the directory, then files take turns with it.
    let faults = [
        "when=1",
        "when=2",
        "when=3",
        "when=4",
        "when=5",
        "when=6",
        "when=1..3",
        "when=2..4",
        "when=3..4",
        "when=3..5",
    ];
    let trials = faults.iter().map(|fault| {
        let name = format!("answers_are_true_when_an_fsync_fails_{fault}");
        requirement::trial(name, vec![Requirement::Strace], || failing(fault))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// Runs the program while fsyncs fail.
fn failing(fault: &str) -> Result<(), Failed> {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir()?;
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fsync", "-e", &format!("inject=fsync:error=EIO:{fault}"), "-o", "/dev/null"])
        .arg(env::current_exe()?)
        .env(PROGRAM, directory.path())
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(stderr.into_owned().into());
    }
    if !stderr.contains(FAILED) {
        return Err("no fsync failed, so nothing was tested".into());
    }
    Ok(())
}

fn mail(body: &str) -> Mail {
    Mail::new("a@example.com", ["b@example.com"], body)
}

fn put(queue: &Queue, id: &str) -> Result<String, Error> {
    queue.put_with(Some(id), &mail(id), &WriteOptions::default())
}

/// Whether an item exists. An item that exists is intact.
fn exists(queue: &Queue, id: &str) -> bool {
    match queue.get(id) {
        Ok(item) => {
            assert_eq!(item.body, id.as_bytes());
            true
        }
        Err(Error::NotFound(_)) => false,
        Err(error) => panic!("{id}: {error}"),
    }
}

/// The item that an answer to a put promises.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Promise {
    /// It exists for good.
    Present,
    /// It exists or not, for good after a recovery.
    Either,
    /// It does not exist.
    Absent,
}

/// Reads the answer to a put of an id that no item has: the promise, and whether the queue is closed.
fn promise(id: &str, answer: &Result<String, Error>) -> (Promise, bool) {
    match answer {
        Ok(_) => (Promise::Present, false),
        Err(Error::Indeterminate(_)) => (Promise::Either, true),
        Err(Error::NeedsRecovery(_)) => (Promise::Absent, true),
        Err(Error::Io(_)) => (Promise::Absent, false),
        Err(error) => panic!("{id}: {error}"),
    }
}

/// Puts items, each of them twice, and submits others. Returns the promises for the put items, the ids of the submitted
/// ones, and whether the queue is closed.
fn work(queue: &Queue, thread: usize) -> (BTreeMap<String, Promise>, Vec<String>, bool) {
    let (mut promises, mut submitted, mut closed) = (BTreeMap::new(), Vec::new(), false);
    for call in 0..PUTS {
        let id = format!("{thread}-{call}");
        let (promise, closes) = promise(&id, &put(queue, &id));
        // Once the queue is closed for this thread, only a recovery opens it.
        assert!(!closed || closes, "{id}: a queue in need of recovery answered {promise:?}");
        closed |= closes;
        if promise == Promise::Present {
            match put(queue, &id) {
                Err(Error::Exists(_)) => assert!(!closed, "{id}: a queue in need of recovery looked at an item"),
                Err(Error::NeedsRecovery(_)) => closed = true,
                again => panic!("{id}: the second put answered {again:?}"),
            }
        }
        let submission = queue.submit("a@example.com", &["b@example.com"], SUBMITTED);
        let (submission_promise, closes) = self::promise("submission", &submission);
        assert!(!closed || closes, "a queue in need of recovery answered {submission_promise:?}");
        closed |= closes;
        assert!(!closed || queue.needs_recovery(), "{id}: the queue is closed and does not tell");
        promises.insert(id, promise);
        submitted.extend(submission);
    }
    (promises, submitted, closed)
}

fn program(directory: &Path) {
    let host = Host::new().expect("the component loads");
    let queue = host.open(directory).expect("the queue opens");
    // Holds an instance, which has to be closed when another one is.
    let begin = || queue.draft(None, &mail("").envelope, &WriteOptions::default());
    let (beside, refused) = match begin() {
        Err(Error::NeedsRecovery(_)) => {
            refuses(&queue);
            recover(&queue);
            (begin(), true)
        }
        begun => (begun, false),
    };
    let beside = beside.expect("a queue that is open takes drafts");
    let first = promise("first", &put(&queue, "first"));
    let committed = promise("beside", &beside.commit());
    assert!(
        !first.1 || committed == (Promise::Absent, true),
        "the first put answered {first:?}, the draft {committed:?}"
    );
    let mut failed = refused || first.0 != Promise::Present || committed.0 != Promise::Present;
    if first.1 || committed.1 {
        refuses(&queue);
        let rewritten = recover(&queue);
        let unsynced = first.0 == Promise::Either && exists(&queue, "first");
        assert!(rewritten > 0 || !unsynced, "the first item was unsynced, and not rewritten");
    }
    let answered = thread::scope(|scope| {
        let queue = &queue;
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || work(queue, thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect::<Vec<_>>()
    });
    let closed = answered.iter().any(|(_, _, closed)| *closed);
    let mut promises = BTreeMap::new();
    let mut submitted = Vec::new();
    for (put, ids, _) in answered {
        promises.extend(put);
        submitted.extend(ids);
    }
    failed |=
        closed || submitted.len() < THREADS * PUTS || promises.values().any(|promise| *promise != Promise::Present);
    if failed {
        eprintln!("{FAILED}");
    }
    if closed {
        refuses(&queue);
    }
    let rewritten = recover(&queue);
    for id in &submitted {
        assert_eq!(queue.get(id).expect("a submitted item exists for good").body, SUBMITTED, "{id}");
    }
    let (mut found, mut unsynced) = (BTreeMap::new(), 0);
    for (id, promise) in &promises {
        let exists = exists(&queue, id);
        let kept = match promise {
            Promise::Present => exists,
            Promise::Either => true,
            Promise::Absent => !exists,
        };
        assert!(kept, "{id}: promised {promise:?}, exists: {exists}");
        found.insert(id, exists);
        unsynced += u64::from(exists && *promise == Promise::Either);
    }
    // A recovery that does not know these items would take the success of another fsync for theirs.
    assert!(rewritten >= unsynced, "{unsynced} items were unsynced, and {rewritten} rewritten");
    // The queue works again, in as many instances as before, and the results of recovery stay true.
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let queue = &queue;
            scope.spawn(move || {
                for call in 0..PUTS {
                    let id = format!("again-{thread}-{call}");
                    // A thread that did not fsync before meets its fault here.
                    if promise(&id, &put(queue, &id)).0 == Promise::Present {
                        assert!(exists(queue, &id));
                    }
                    promise("submission", &queue.submit("a@example.com", &["b@example.com"], SUBMITTED));
                }
            });
        }
    });
    for (id, existed) in found {
        assert_eq!(exists(&queue, id), existed, "{id}");
    }
}

/// Recovers again and again while fsyncs fail. Returns the number of items that were rewritten.
fn recover(queue: &Queue) -> u64 {
    let mut rewritten = 0;
    for _ in 0..20 {
        match queue.recover(Duration::ZERO) {
            Ok(recovery) => {
                rewritten += recovery.rewritten;
                if recovery.problems.is_empty() {
                    assert!(!queue.needs_recovery(), "the queue was recovered without problems and is closed");
                    return rewritten;
                }
            }
            Err(Error::NeedsRecovery(_)) => refuses(queue),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the queue cannot be recovered");
}

/// A queue in need of recovery takes no change, in any instance, and can be read.
fn refuses(queue: &Queue) {
    assert!(queue.needs_recovery(), "the queue is closed and does not tell");
    let before = queue.count().expect("the queue is readable");
    for _ in 0..2 * THREADS {
        let refused = [
            put(queue, "refused").map(drop),
            queue.submit("a@example.com", &["b@example.com"], b"refused").map(drop),
            queue.update("0-0", &EnvelopeChange::default(), Durability::Full).map(drop),
            queue.set_state(&["0-0"], State::Held).map(drop),
            queue.remove(&["0-0"], &[], Durability::Full).map(drop),
        ];
        for answer in refused {
            assert!(matches!(answer, Err(Error::NeedsRecovery(_))), "a queue in need of recovery answered {answer:?}");
        }
    }
    assert_eq!(queue.count().expect("the queue is readable"), before);
}
