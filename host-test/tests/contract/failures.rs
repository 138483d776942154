//! Every function with every operation of the system failing under it, once, in every way: a call that failed changed
//! nothing, or says `indeterminate` (P5), and every code of the contract is returned by something.

use queue_store_host_test::bindings::{
    self, Detail, Durability, EnvelopeChange, ErrorCode, Format, Mail, Outcome, Publish, WriteOptions, envelope, mail,
    no_change, options,
};
use queue_store_host_test::instance::ids;
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::types::ERRORS;
use queue_store_host_test::simulator::world::{ErrorName, Fault, Operation};
use std::collections::BTreeMap;

/// A function of the contract, called in a way that does its work.
struct Function {
    name: &'static str,
    prepare: fn(&mut Simulated),
    call: fn(&mut Simulated) -> Result<(), bindings::Error>,
    /// Whether the call has an effect that must not be there after a failure.
    changes: bool,
}

/// The problem of the only outcome.
fn one(outcomes: Result<Vec<Outcome>, bindings::Error>) -> Result<(), bindings::Error> {
    match outcomes?.remove(0).problem {
        None => Ok(()),
        Some(problem) => Err(problem),
    }
}

fn x() -> Vec<String> {
    ids(&["x"])
}

fn submission() -> Mail {
    let mut mail = mail(b"body");
    mail.envelope.created_at = None;
    mail
}

fn put_x(system: &mut Simulated) {
    system.put(Some("x"), &mail(b"body"), None).expect("a put");
}

const FUNCTIONS: &[Function] = &[
    Function {
        name: "put",
        prepare: |_| {},
        call: |system| system.put(None, &mail(b"body"), None).map(|_| ()),
        changes: true,
    },
    Function {
        name: "put of an id",
        prepare: |_| {},
        call: |system| system.put(Some("x"), &mail(b"body"), None).map(|_| ()),
        changes: true,
    },
    Function {
        name: "put of an id that exists",
        prepare: put_x,
        call: |system| match system.put(Some("x"), &mail(b"other"), None) {
            Err(error) if error.code == ErrorCode::Exists => Ok(()),
            other => other.map(|_| panic!("it replaced an item")),
        },
        changes: true,
    },
    Function {
        name: "put with max-items",
        prepare: put_x,
        call: |system| {
            let options = WriteOptions { max_items: Some(9), ..options() };
            system.put(None, &mail(b"body"), Some(&options)).map(|_| ())
        },
        changes: true,
    },
    Function {
        name: "put-many",
        prepare: |_| {},
        call: |system| one(system.put_many(&[(None, mail(b"body"))], None)),
        changes: true,
    },
    Function {
        name: "draft",
        prepare: |_| {},
        call: |system| {
            let draft = system.draft_begin(Some("x"), &envelope(), None)?;
            if let Err(error) = system.draft_write(draft, &b"body".repeat(16_000)) {
                system.drop_resource(draft);
                return Err(error);
            }
            system.draft_commit(draft).map(|_| ())
        },
        changes: true,
    },
    Function {
        name: "submit",
        prepare: |_| {},
        call: |system| system.submit(&submission()).map(|_| ()),
        changes: true,
    },
    Function {
        name: "submission",
        prepare: |_| {},
        call: |system| {
            let open = system.submission_begin(&submission().envelope)?;
            system.submission_write(open, b"body")?;
            system.submission_commit(open).map(|_| ())
        },
        changes: true,
    },
    Function {
        name: "update",
        prepare: put_x,
        call: |system| {
            let change = EnvelopeChange { to: Some(vec!["new@example.com".to_string()]), ..no_change() };
            system.update("x", &change, None).map(|_| ())
        },
        changes: true,
    },
    Function { name: "remove", prepare: put_x, call: |system| one(system.remove(&x(), None)), changes: true },
    Function { name: "hold", prepare: put_x, call: |system| one(system.hold(&x())), changes: true },
    Function {
        name: "hold of a held item",
        prepare: |system| {
            put_x(system);
            one(system.hold(&x())).expect("a hold");
        },
        call: |system| one(system.hold(&x())),
        changes: true,
    },
    Function {
        name: "release",
        prepare: |system| {
            put_x(system);
            one(system.hold(&x())).expect("a hold");
        },
        call: |system| one(system.release(&x())),
        changes: true,
    },
    Function { name: "quarantine", prepare: put_x, call: |system| one(system.quarantine(&x())), changes: true },
    Function {
        name: "restore",
        prepare: |system| {
            put_x(system);
            one(system.quarantine(&x())).expect("a move");
        },
        call: |system| one(system.restore(&x())),
        changes: true,
    },
    Function {
        name: "discard",
        prepare: |system| {
            put_x(system);
            one(system.quarantine(&x())).expect("a move");
        },
        call: |system| one(system.discard(&x(), None)),
        changes: true,
    },
    Function {
        name: "seal",
        prepare: |system| {
            put_x(system);
            let mut world = system.world();
            let content = world.content_mut("m:x").expect("the file");
            let at = content.windows(4).position(|window| window == b"body").expect("the body");
            content[at..at + 4].copy_from_slice(b"BODY");
        },
        call: |system| one(system.seal(&x())),
        changes: true,
    },
    Function { name: "get", prepare: put_x, call: |system| system.get("x").map(|_| ()), changes: false },
    Function { name: "info", prepare: put_x, call: |system| system.info("x").map(|_| ()), changes: false },
    Function { name: "verify", prepare: put_x, call: |system| one(system.verify(&x())), changes: false },
    Function { name: "count", prepare: put_x, call: |system| system.count().map(|_| ()), changes: false },
    Function {
        name: "list-ids",
        prepare: put_x,
        call: |system| system.list_ids(&[], None, 10).map(|_| ()),
        changes: false,
    },
    Function {
        name: "list-items",
        prepare: put_x,
        call: |system| {
            let mut page = system.list_items(&[], None, 10)?;
            page.entries.pop().and_then(|entry| entry.problem).map_or(Ok(()), Err)
        },
        changes: false,
    },
    Function {
        name: "listing",
        prepare: put_x,
        call: |system| {
            let mut entries = system.list(&[], Detail::Whole, 10)?;
            entries.pop().and_then(|entry| entry.problem).map_or(Ok(()), Err)
        },
        changes: false,
    },
    Function { name: "body", prepare: put_x, call: |system| system.read_body("x", 0, 2).map(|_| ()), changes: false },
    Function {
        name: "write-file",
        prepare: |_| {},
        call: |system| system.write_file("queue/file", b"data", &[], Publish::Replace, Durability::Full),
        changes: true,
    },
    Function {
        name: "write-file of a new file",
        prepare: |_| {},
        call: |system| system.write_file("queue/file", b"data", &[], Publish::CreateNew, Durability::Full),
        changes: true,
    },
    Function {
        name: "read-file",
        prepare: put_x,
        call: |system| system.read_file("queue/m:x").map(|_| ()),
        changes: false,
    },
    Function { name: "sync-file", prepare: put_x, call: |system| system.sync_file("queue/m:x"), changes: false },
];

/// What the contract says of an error of WASI.
fn code_of(error: ErrorName) -> ErrorCode {
    match error {
        "no-entry" => ErrorCode::NotFound,
        "exist" => ErrorCode::Exists,
        "insufficient-space" => ErrorCode::NoSpace,
        "quota" => ErrorCode::Quota,
        "read-only" => ErrorCode::ReadOnly,
        "access" | "not-permitted" => ErrorCode::Access,
        "io" => ErrorCode::Io,
        "file-too-large" => ErrorCode::TooLarge,
        "is-directory" | "not-directory" | "loop" | "unsupported" | "cross-device" | "too-many-links" => {
            ErrorCode::Unsupported
        }
        "name-too-long" | "invalid" | "illegal-byte-sequence" => ErrorCode::InvalidArgument,
        "busy" | "would-block" | "interrupted" | "insufficient-memory" => ErrorCode::Busy,
        _ => ErrorCode::Other,
    }
}

/// The operations of the system that a call does, each once.
fn operations_of(function: &Function) -> BTreeMap<Operation, usize> {
    let mut system = Simulated::new();
    (function.prepare)(&mut system);
    system.world().log.clear();
    (function.call)(&mut system).unwrap_or_else(|error| panic!("{}: {error:?}", function.name));
    let mut operations = BTreeMap::new();
    for operation in system.world().operations() {
        *operations.entry(operation).or_default() += 1;
    }
    operations
}

/// Whether an operation can fail in this way.
fn possible(operation: Operation, error: ErrorName) -> bool {
    match error {
        "exist" => matches!(operation, Operation::Create | Operation::Link),
        "no-entry" => operation != Operation::Read,
        _ => true,
    }
}

/// What is visible: every name, and what its file has.
fn visible(system: &Simulated) -> BTreeMap<String, Vec<u8>> {
    let world = system.world();
    world.names.iter().map(|(name, inode)| (name.clone(), world.files[inode].content.clone())).collect()
}

/// Calls a function with one operation failing; what it said, if it failed.
fn fail(function: &Function, fault: Fault) -> Option<bindings::Error> {
    let what = format!("{} with {fault:?}", function.name);
    let mut system = Simulated::new();
    (function.prepare)(&mut system);
    let before = visible(&system);
    system.world().faults.push(fault);
    let result = (function.call)(&mut system);
    system.world().faults.clear();
    let after = visible(&system);
    let Err(error) = result else {
        // Only what the promise does not need may fail unnoticed.
        let tolerated = match fault.operation {
            // The temporary name of a file that has its own, which recovery sweeps.
            Operation::Unlink => function.name != "remove" && function.name != "discard",
            // An entry that vanished while the names were read, or that cannot be a name of the queue.
            Operation::ReadEntry | Operation::Stat | Operation::Open => {
                matches!(fault.error, "no-entry" | "illegal-byte-sequence")
            }
            // Another name is drawn.
            Operation::Create => fault.error == "exist",
            // Took effect all the same, as a network file system has it.
            Operation::Link => fault.takes_effect && fault.error == "exist",
            _ => false,
        };
        assert!(tolerated, "{what} is not noticed");
        return None;
    };
    if error.code == ErrorCode::Indeterminate {
        let ambiguous = fault.takes_effect || fault.operation == Operation::SyncDirectory;
        assert!(ambiguous && function.changes, "{what}: {error:?}");
    } else if fault.takes_effect && (fault.operation, fault.error) == (Operation::Unlink, "no-entry") {
        // Somebody else, or this request when it was sent the first time, removed it.
        assert_eq!(error.code, ErrorCode::NotFound, "{what}");
    } else if function.changes {
        assert_eq!(after, before, "{what} changed something, and says {error:?}");
    }
    // A queue in doubt is closed; any other one goes on as if nothing had been.
    let closed = system.put(Some("next"), &mail(b"next"), None).err().map(|error| error.code);
    let in_doubt = matches!(error.code, ErrorCode::Indeterminate) && !function.name.starts_with("write-file");
    let doubtful_answer = fault.operation == Operation::SyncDirectory || fault.operation == Operation::SyncFile;
    match closed {
        Some(ErrorCode::NeedsRecovery) => assert!(in_doubt || doubtful_answer, "{what} closed the queue"),
        Some(other) => panic!("{what}: the next put says {other:?}"),
        None => assert!(!in_doubt, "{what} left the queue open, and says {error:?}"),
    }
    let recovery = system.recover(0).expect("the system works again");
    assert_eq!(recovery.problems, [], "{what}");
    system.put(Some("after"), &mail(b"after"), None).unwrap_or_else(|error| panic!("{what}, then {error:?}"));
    Some(error)
}

#[test]
fn a_call_that_failed_changed_nothing_or_says_so_whatever_fails_whenever() {
    for function in FUNCTIONS {
        for (operation, times) in operations_of(function) {
            for skip in 0..times {
                for error in ["io", "no-entry", "access", "insufficient-space", "exist"] {
                    for takes_effect in [false, true] {
                        // Only changes of names can take effect and fail.
                        let is_change = matches!(operation, Operation::Link | Operation::Rename | Operation::Unlink);
                        if possible(operation, error) && (is_change || !takes_effect) {
                            fail(function, Fault { operation, skip, times: 1, error, takes_effect });
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn every_error_of_the_system_has_its_code() {
    let put = &FUNCTIONS[0];
    for &error in ERRORS {
        let fault = Fault { operation: Operation::Write, skip: 0, times: 1, error, takes_effect: false };
        let said = fail(put, fault).expect("a write that fails is noticed");
        assert_eq!((said.code, said.operation), (code_of(error), bindings::Operation::Write), "{error}");
        assert!(!said.detail.is_empty() && said.path.starts_with("queue/.m:"), "{said:?}");
    }
}

#[test]
fn every_code_is_returned_by_something() {
    let mut seen: BTreeMap<&str, Vec<ErrorCode>> = BTreeMap::new();
    for function in FUNCTIONS {
        for (operation, times) in operations_of(function) {
            for &error in ERRORS.iter().filter(|error| possible(operation, error)) {
                // The first one, and the last one, which is what others lead to.
                for skip in [0, times - 1] {
                    let fault = Fault { operation, skip, times: 1, error, takes_effect: false };
                    if let Some(error) = fail(function, fault) {
                        seen.entry(function.name).or_default().push(error.code);
                    }
                }
            }
        }
    }
    // What every function that reads or changes files can say, because the system can.
    for function in FUNCTIONS {
        for code in [ErrorCode::Access, ErrorCode::Io, ErrorCode::Other, ErrorCode::Busy, ErrorCode::Unsupported] {
            assert!(seen[function.name].contains(&code), "{} never says {code:?}", function.name);
        }
        let writes = operations_of(function).contains_key(&Operation::Write);
        for code in [ErrorCode::NoSpace, ErrorCode::Quota, ErrorCode::ReadOnly].into_iter().filter(|_| writes) {
            assert!(seen[function.name].contains(&code), "{} never says {code:?}", function.name);
        }
        let syncs = operations_of(function).contains_key(&Operation::SyncDirectory);
        if syncs && function.name != "put of an id that exists" {
            assert!(seen[function.name].contains(&ErrorCode::Indeterminate), "{} never says so", function.name);
        }
    }
}

#[test]
fn short_writes_are_continued() {
    for most in [1, 7, 100] {
        let mut system = Simulated::new();
        system.world().write_at_most = Some(most);
        let id = system.put(None, &mail(b"body of some length"), None).expect("a put");
        assert_eq!(system.get(&id).expect("the item").body, b"body of some length");
        system.update(&id, &no_change(), None).expect("an update");
        system.write_file("queue/file", b"data", &[], Publish::Replace, Durability::Full).expect("a write");
        assert_eq!(system.world().content("file"), Some(&b"data"[..]));
    }
    let mut system = Simulated::new();
    system.world().write_at_most = Some(0);
    assert_eq!(system.put(None, &mail(b"x"), None).expect_err("it takes nothing").code, ErrorCode::Io);
    assert_eq!(system.world().names.len(), 0);
}

#[test]
fn short_reads_are_continued() {
    for format in [Format::Text, Format::Binary] {
        for most in [1, 7, 100] {
            let mut system = Simulated::new();
            let options = WriteOptions { format: Some(format), ..options() };
            let body = b"body of some length".repeat(100);
            let id = system.put(None, &mail(&body), Some(&options)).expect("a put");
            system.world().read_at_most = Some(most);
            let ids = [id.clone()];
            assert_eq!(system.verify(&ids).expect("a check")[0].problem, None, "{format:?}, {most} at a time");
            assert_eq!(system.get(&id).expect("the item").body, body);
            system.update(&id, &no_change(), None).expect("an update");
            assert_eq!(system.info(&id).expect("the envelope").body_size, Some(body.len() as u64));
        }
    }
}

#[test]
fn a_failed_directory_sync_closes_the_queue_until_a_recovery_that_writes_the_item_anew() {
    let mut system = Simulated::new();
    put_x(&mut system);
    system.world().fail(Operation::SyncDirectory, "io");
    let error = system.put(Some("y"), &mail(b"doubtful"), None).expect_err("the sync failed");
    assert_eq!((error.code, error.operation), (ErrorCode::Indeterminate, bindings::Operation::SyncDirectory));
    assert_eq!(system.get("y").expect("it is visible").body, b"doubtful");
    assert_eq!(system.put(None, &mail(b"z"), None).expect_err("closed").code, ErrorCode::NeedsRecovery);
    let inode = system.world().names["m:y"];
    // As long as the directory cannot be synced, the queue stays closed.
    system.world().fail(Operation::SyncDirectory, "io");
    let error = system.recover(0).expect_err("the sync failed again");
    assert_eq!((error.code, error.operation), (ErrorCode::NeedsRecovery, bindings::Operation::SyncDirectory));
    assert_eq!(system.put(None, &mail(b"z"), None).expect_err("closed").code, ErrorCode::NeedsRecovery);
    let recovery = system.recover(0).expect("a recovery");
    assert_eq!((recovery.items, recovery.settled, recovery.problems), (2, 1, Vec::new()));
    assert_ne!(system.world().names["m:y"], inode, "the doubtful item is a new file");
    assert_eq!(system.get("y").expect("the item").body, b"doubtful");
    system.put(None, &mail(b"z"), None).expect("it is open again");
}

#[test]
fn recovery_works_on_a_full_disk_and_reports_on_a_read_only_one() {
    for (error, code) in [("insufficient-space", ErrorCode::NoSpace), ("read-only", ErrorCode::ReadOnly)] {
        let mut system = Simulated::new();
        put_x(&mut system);
        let draft = system.draft_begin(None, &envelope(), None).expect("a draft");
        system.draft_write(draft, b"x").expect("a chunk");
        system.world().now += 40 * 3600;
        let mut broken = vec![Operation::Create, Operation::Write];
        if error == "read-only" {
            broken.extend([Operation::Unlink, Operation::Rename, Operation::Link]);
        }
        let fault = |operation| Fault { operation, skip: 0, times: usize::MAX, error, takes_effect: false };
        system.world().faults.extend(broken.into_iter().map(fault));
        let mut other = system.sibling();
        let recovery = other.recover(0).expect("a recovery");
        assert_eq!(recovery.items, 1);
        if error == "read-only" {
            assert_eq!((recovery.swept, recovery.problems.len()), (0, 1));
            assert_eq!(recovery.problems[0].code, code);
        } else {
            assert_eq!((recovery.swept, recovery.problems.len()), (1, 0));
        }
        // With a grace, the time of the file system is asked of a file that cannot be created now.
        let recovery = other.recover(36 * 3600).expect("a recovery");
        assert_eq!(recovery.items, 1);
        assert_eq!(recovery.problems[0].code, code);
        assert_eq!(recovery.swept, 0);
    }
}

#[test]
fn an_item_whose_sync_fails_in_recovery_is_written_anew_or_reported() {
    let mut system = Simulated::new();
    put_x(&mut system);
    let inode = system.world().names["m:x"];
    system.world().fail(Operation::SyncFile, "io");
    let recovery = system.recover(0).expect("a recovery");
    assert_eq!((recovery.items, recovery.settled, recovery.problems), (1, 1, Vec::new()));
    assert_ne!(system.world().names["m:x"], inode);
    let fault = |operation, error| Fault { operation, skip: 0, times: 1, error, takes_effect: false };
    let faults = [fault(Operation::SyncFile, "io"), fault(Operation::Create, "insufficient-space")];
    system.world().faults.extend(faults);
    let recovery = system.recover(0).expect("a recovery");
    assert_eq!((recovery.items, recovery.problems.len()), (0, 1));
    assert_eq!(recovery.problems[0].code, ErrorCode::NoSpace);
    assert!(recovery.problems[0].detail.contains("may not survive power loss"), "{:?}", recovery.problems[0]);
    // The next one tries again, although the pages look clean by now.
    let recovery = system.recover(0).expect("a recovery");
    assert_eq!((recovery.items, recovery.settled, recovery.problems), (1, 1, Vec::new()));
}
