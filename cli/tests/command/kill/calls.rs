//! A command killed before each of its system calls: its change is complete or absent, and its output is true.

use crate::aged::{Aged, now};
use crate::process::run;
use crate::queue::{Queue, UPDATE};
use crate::strace::with_fault;
use crate::trial::trials;
use std::process::Command;

trials![killed_change_is_complete_or_absent => Strace];

/// The system calls that change files, and the one that prints.
const CALLS: [&str; 7] = ["openat2", "pwrite64", "fsync", "renameat", "linkat", "unlinkat", "write"];

/// A change, and a way to see whether it was made.
struct Case {
    prepare: fn(&Queue),
    command: fn(&Queue) -> Command,
    input: &'static [u8],
    is_made: fn(&Queue) -> bool,
}

/// Runs a command on a new queue again and again, killed before its first, second... call of each kind, until it has no
/// more calls of that kind.
fn kill_everywhere(Case { prepare, command, input, is_made }: &Case) {
    let (mut kills, mut made, mut unmade) = (0, 0, 0);
    for call in CALLS {
        for number in 1.. {
            let queue = Queue::existing();
            prepare(&queue);
            let fault = format!("{call}:signal=KILL:when={number}");
            let output = run(&mut with_fault(&fault, &command(&queue)), input);
            queue.run(&["recover", "--grace", "0"]).done();
            queue.run(&["verify"]).done();
            let names = queue.names();
            assert!(names.iter().all(|name| !name.starts_with(".m:")), "{fault}: recovery left a temporary file");
            let is_made = is_made(&queue);
            assert!(is_made || (output.code != 0 && output.stdout.is_empty()), "{fault}: it reported more than it did");
            if output.code == 0 {
                break;
            }
            assert_eq!(output.code, -9, "{fault}: {}", output.stderr);
            kills += 1;
            (made, unmade) = (made + u32::from(is_made), unmade + u32::from(!is_made));
        }
    }
    assert!(kills > 3 && made > 0 && unmade > 0, "{kills} kills, {made} times made, {unmade} times not");
}

fn killed_change_is_complete_or_absent() {
    const X: fn(&Queue) = |queue| _ = queue.put(&["--id", "x"], b"body");
    const OLD: fn(&Queue) = |queue| queue.file_within("h:x", Aged { hours: 48, ..Aged::default() }.text("x"));
    const NOTHING: fn(&Queue) = |_| {};
    const MAILS: &[u8] = b"From a@example.com Mon Jan  1 00:00:00 2024\nX: y\n\none\n\n\
                           From a@example.com Mon Jan  1 00:00:00 2024\nX: y\n\ntwo\n";
    let has_one_item = |queue: &Queue| queue.names().len() == 1;
    let cases = [
        Case { prepare: NOTHING, command: |queue| queue.put_command(&[]), input: b"body", is_made: has_one_item },
        Case {
            prepare: NOTHING,
            command: |queue| queue.put_command(&["--id", "x"]),
            input: b"body",
            is_made: has_one_item,
        },
        Case {
            prepare: NOTHING,
            command: |queue| queue.put_command(&["--format", "binary"]),
            input: &[b'x'; 1_100_000],
            is_made: has_one_item,
        },
        Case {
            prepare: NOTHING,
            command: |queue| queue.command(&["import", "--to", "b@example.com", "/dev/stdin"]),
            input: MAILS,
            is_made: |queue| queue.names().len() == 2,
        },
        Case {
            prepare: X,
            command: |queue| queue.command(&UPDATE),
            input: b"",
            is_made: |queue| queue.run(&["show", "x"]).done().contains("SENT"),
        },
        Case {
            prepare: X,
            command: |queue| queue.command(&["remove", "x"]),
            input: b"",
            is_made: |queue| queue.names().is_empty(),
        },
        Case {
            prepare: X,
            command: |queue| queue.command(&["hold", "x"]),
            input: b"",
            is_made: |queue| queue.names() == ["h:x"],
        },
        Case {
            prepare: X,
            command: |queue| queue.command(&["quarantine", "x"]),
            input: b"",
            is_made: |queue| queue.names() == ["q:x"],
        },
        Case {
            prepare: OLD,
            command: |queue| queue.command(&["release", "x"]),
            input: b"",
            is_made: |queue| {
                let is_ready = queue.names() == ["m:x"];
                let created = queue.json(&["show", "--json", "x"])["created_at_ts"]["seconds"].as_u64();
                let is_old = created.is_some_and(|created| now() - created > 3600);
                assert!(!(is_ready && is_old), "chasquid would bounce it at once");
                is_ready
            },
        },
    ];
    cases.iter().for_each(kill_everywhere);
}
