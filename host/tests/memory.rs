//! A body of 1 GiB passes through the library without being held in memory.
//!
//! Each test runs this file itself in a process of its own, whose memory is counted above that of its parent.

use libtest_mimic::{Arguments, Failed, Trial};
use queue_store_host::types::{Attempt, Durability, Format, Mail, WriteOptions};
use queue_store_host::{Host, Queue};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, fs};
use wait4::Wait4;

const MEBIBYTE: usize = 1 << 20;

/// Bytes that a program may have resident.
const MOST_BYTES: u64 = 100 * MEBIBYTE as u64;

/// Environment variables with the action and the directory of the queue, for the programs.
const ACTION: &str = "QUEUE_STORE_MEMORY_ACTION";
const DIRECTORY: &str = "QUEUE_STORE_MEMORY_DIRECTORY";

/// The id of the item.
const ID: &str = "x";

/// Blocks of 1 MiB in the body that is put, read and verified.
const BLOCKS: usize = 1024;

/// Blocks of 1 MiB in the body that is copied by an update.
const COPIED_BLOCKS: usize = 150;

fn main() -> ExitCode {
    if let (Ok(action), Ok(directory)) = (env::var(ACTION), env::var(DIRECTORY)) {
        program(&action, Path::new(&directory));
        return ExitCode::SUCCESS;
    }
    let trials = vec![
        Trial::test("gibibyte_as_text_passes_through", || run(&["put-text", "read", "verify"])),
        Trial::test("gibibyte_in_binary_passes_through", || run(&["put-binary", "read", "verify"])),
        Trial::test("gibibyte_submitted_is_refused_without_being_held", || run(&["submit"])),
        Trial::test("body_that_an_update_copies_is_not_held", || {
            run(&["put-copied", "update", "recover", "read-copied"])
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Runs a program for each action, one after the other, in one queue.
fn run(actions: &[&str]) -> Result<(), Failed> {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir()?;
    for action in actions {
        let child = Command::new(env::current_exe()?).env(ACTION, action).env(DIRECTORY, directory.path()).spawn()?;
        let used = child.wait4()?;
        assert!(used.status.success(), "{action}: {}", used.status);
        assert!(used.rusage.maxrss < MOST_BYTES, "{action}: {} bytes were resident", used.rusage.maxrss);
    }
    let files = fs::read_dir(directory.path())?.count();
    assert!(files <= 1, "a temporary file is left");
    Ok(())
}

fn program(action: &str, directory: &Path) {
    let queue = Host::new().expect("the component loads").open(directory).expect("the queue opens");
    match action {
        "put-text" => put(&queue, Format::Text, BLOCKS),
        "put-binary" => put(&queue, Format::Binary, BLOCKS),
        "put-copied" => put(&queue, Format::Text, COPIED_BLOCKS),
        "read" => read(&queue, BLOCKS),
        "read-copied" => read(&queue, COPIED_BLOCKS),
        "verify" => verify(&queue),
        "submit" => submit(&queue),
        "update" => update(&queue),
        "recover" => recover(&queue),
        _ => panic!("there is no action {action}"),
    }
}

/// Writes a block of the body, in lines as mail has them. No two blocks are equal.
fn write_block(number: usize, block: &mut [u8]) {
    let line = format!("block {number:08} {}\r\n", "Lorem ipsum dolor sit amet consectetur".repeat(2));
    block.chunks_mut(line.len()).for_each(|chunk| chunk.copy_from_slice(&line.as_bytes()[..chunk.len()]));
}

fn put(queue: &Queue, format: Format, blocks: usize) {
    let envelope = Mail::new("a@example.com", ["b@example.com"], "").envelope;
    let options = WriteOptions { format: Some(format), ..WriteOptions::default() };
    let mut draft = queue.draft(Some(ID), &envelope, &options).expect("a draft begins");
    let mut block = vec![0; MEBIBYTE];
    for number in 0..blocks {
        write_block(number, &mut block);
        draft.write_all(&block).expect("a block is written");
    }
    assert_eq!(draft.commit().expect("the draft is committed"), ID);
}

fn read(queue: &Queue, blocks: usize) {
    let mut reader = queue.read(ID, 0).expect("the body opens");
    let (mut block, mut expected) = (vec![0; MEBIBYTE], vec![0; MEBIBYTE]);
    for number in 0..blocks {
        reader.read_exact(&mut block).expect("the body has another block");
        write_block(number, &mut expected);
        assert!(block == expected, "block {number} differs");
    }
    assert_eq!(reader.read(&mut block).expect("the body is intact"), 0);
}

fn verify(queue: &Queue) {
    let outcomes = queue.verify(&[ID]).expect("the items are verified");
    assert!(matches!(&outcomes[..], [outcome] if outcome.problem.is_none()), "{outcomes:?}");
}

fn submit(queue: &Queue) {
    let mut submission = queue.submission("a@example.com", &["b@example.com"]).expect("a submission begins");
    let mut block = vec![0; MEBIBYTE];
    let written = (0..BLOCKS).try_for_each(|number| {
        write_block(number, &mut block);
        submission.append(&block)
    });
    assert!(matches!(written, Err(queue_store_host::Error::TooLarge(_))), "{written:?}");
}

fn update(queue: &Queue) {
    let sent = Attempt { recipient: 0, status: 1, message: String::new() };
    queue.record_attempts(ID, &[sent], None, Durability::Full).expect("the item is updated");
    assert_eq!(queue.info(ID).expect("the item is readable").envelope.recipients[0].status, 1);
    verify(queue);
}

fn recover(queue: &Queue) {
    let recovery = queue.recover(Duration::from_hours(36)).expect("the queue is recovered");
    assert_eq!((recovery.durable_items, recovery.temporary_removed, recovery.temporary_kept), (1, 0, 0));
    assert_eq!(recovery.problems, []);
}
