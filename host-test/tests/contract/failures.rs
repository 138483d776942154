//! Every function with every operation of the system failing under it, once, in every way. A call that failed changed
//! nothing, or is `indeterminate` (P5), and the code alone tells whether the queue is closed.

use crate::functions::{Effect, FUNCTIONS, Function};
use crate::support::one;
use queue_store_host_test::bindings::{Error, ErrorCode, mail};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::types::ERRORS;
use queue_store_host_test::simulator::world::{ErrorName, Fault, Operation};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the code that the contract has for an error of WASI.
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

/// Whether an operation can fail with this error.
fn is_possible(operation: Operation, error: ErrorName) -> bool {
    match error {
        "exist" => matches!(operation, Operation::Create | Operation::Link),
        "no-entry" => operation != Operation::Read,
        _ => true,
    }
}

/// Whether a call may succeed although this fails, because its promise does not need the operation.
fn is_tolerated(function: &Function, fault: Fault) -> bool {
    match fault.operation {
        // The temporary name of a published file, which recovery removes.
        Operation::Unlink => !function.name.starts_with("remove"),
        // An entry that vanished while the directory was read, or that cannot be a name of the queue.
        Operation::ReadEntry | Operation::Stat | Operation::Open => {
            matches!(fault.error, "no-entry" | "illegal-byte-sequence")
        }
        // Another name is generated.
        Operation::Create => fault.error == "exist",
        // The link took effect all the same, which a network file system can answer.
        Operation::Link => fault.takes_effect && fault.error == "exist",
        _ => false,
    }
}

/// Returns every name in the directory, and the content of its file.
fn visible(system: &Simulated) -> BTreeMap<String, Vec<u8>> {
    let world = system.world();
    world.entries.iter().map(|(name, inode)| (name.clone(), world.files[inode].content.clone())).collect()
}

/// Asserts that the code is right about the change and about the queue being closed.
fn assert_code_tells(function: &Function, fault: Fault, error: &Error, changed: bool, closed: bool) {
    let what = format!("{} with {fault:?}: {error:?}", function.name);
    match error.code {
        ErrorCode::Indeterminate => {
            let ambiguous = fault.takes_effect || fault.operation == Operation::SyncDirectory;
            assert!(ambiguous && function.effect != Effect::Reads, "{what}");
            assert_eq!(closed, function.effect == Effect::ChangesQueue, "{what}");
        }
        ErrorCode::NeedsRecovery => {
            assert!(!changed, "{what} changed something");
            assert!(closed, "{what} left the queue open");
            let is_fsync = matches!(fault.operation, Operation::SyncFile | Operation::SyncDirectory);
            assert!(is_fsync && function.effect == Effect::ChangesQueue, "{what}");
        }
        // Another process, or this call when it was sent the first time, removed the file.
        ErrorCode::NotFound if fault.takes_effect && fault.operation == Operation::Unlink => {
            assert!(!closed, "{what} closed the queue");
        }
        _ => {
            assert!(!changed, "{what} changed something");
            assert!(!closed, "{what} closed the queue");
        }
    }
}

/// Puts another mail into the queue of the function, which for the intake is one of its own.
fn put_another(function: &Function, system: &mut Simulated) -> Result<String, Error> {
    if function.name.starts_with("subm") {
        return system.submit("a@example.com", &one("b@example.com"), b"another");
    }
    let closed = system.needs_recovery()?;
    let put = system.put(None, &mail(b"another"), None);
    assert_eq!(closed, put.is_err(), "{}: a queue that refuses changes needs recovery", function.name);
    put
}

/// Calls a function with one operation failing. Returns its error, or none where the failure is tolerated.
fn fail(function: &Function, fault: Fault) -> Option<Error> {
    let what = format!("{} with {fault:?}", function.name);
    let mut system = Simulated::new();
    (function.prepare)(&mut system);
    let before = visible(&system);
    system.world().faults.push(fault);
    let result = (function.call)(&mut system);
    system.world().faults.clear();
    let after = visible(&system);
    let Err(error) = result else {
        assert!(is_tolerated(function, fault), "{what} is not noticed");
        return None;
    };
    let next = put_another(function, &mut system).err().map(|error| error.code);
    assert!(matches!(next, None | Some(ErrorCode::NeedsRecovery)), "{what}, then a put: {next:?}");
    assert_code_tells(function, fault, &error, after != before, next.is_some());
    let recovery = system.recover(0).expect("the system works again");
    assert_eq!(recovery.problems, [], "{what}, then a recovery");
    put_another(function, &mut system).unwrap_or_else(|error| panic!("{what}, then a recovery and a put: {error:?}"));
    Some(error)
}

#[test]
fn failed_calls_change_nothing_or_are_indeterminate() {
    for function in FUNCTIONS {
        for (operation, times) in function.operations() {
            for skip in 0..times {
                for error in ["io", "no-entry", "access", "insufficient-space", "exist"] {
                    for takes_effect in [false, true] {
                        // Only changes of directory entries can take effect and fail.
                        let is_change = matches!(operation, Operation::Link | Operation::Rename | Operation::Unlink);
                        if is_possible(operation, error) && (is_change || !takes_effect) {
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
        let failed = fail(put, fault).expect("a write that fails is noticed");
        assert_eq!((failed.code, failed.operation.as_str()), (code_of(error), "write"), "{error}");
        assert!(!failed.detail.is_empty() && failed.path.starts_with("queue/.m:"), "{failed:?}");
    }
}

#[test]
fn every_function_reports_the_codes_of_its_operations() {
    for function in FUNCTIONS {
        let operations = function.operations();
        let mut seen = BTreeSet::new();
        for (&operation, times) in &operations {
            for &error in ERRORS.iter().filter(|error| is_possible(operation, error)) {
                // The first of several equal operations, and the last one.
                for skip in [0, times - 1] {
                    let fault = Fault { operation, skip, times: 1, error, takes_effect: false };
                    if let Some(error) = fail(function, fault) {
                        seen.insert(format!("{:?}", error.code));
                    }
                }
            }
        }
        let mut expected =
            vec![ErrorCode::Access, ErrorCode::Io, ErrorCode::Other, ErrorCode::Busy, ErrorCode::Unsupported];
        if operations.contains_key(&Operation::Write) {
            expected.extend([ErrorCode::NoSpace, ErrorCode::Quota, ErrorCode::ReadOnly]);
        }
        if operations.contains_key(&Operation::SyncDirectory) {
            let changed_before = function.name != "put under a taken id";
            expected.push(if changed_before { ErrorCode::Indeterminate } else { ErrorCode::NeedsRecovery });
        }
        for code in expected {
            assert!(seen.contains(&format!("{code:?}")), "{} never reports {code:?}: {seen:?}", function.name);
        }
    }
}
