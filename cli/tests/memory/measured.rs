//! Commands whose memory is measured, and what passes through them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use wait4::Wait4;

pub(crate) const MEBIBYTE: usize = 1 << 20;

/// Bytes that the command may have resident, those of this process at its start among them.
const MAX_BYTES: u64 = 96 * MEBIBYTE as u64;

/// Returns the command with a queue.
pub(crate) fn command(queue: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queue-store"));
    command.args(arguments).env("QUEUE_STORE_DIR", queue);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Runs a command to its end: `write` gets its standard input, and then `read` its standard output.
pub(crate) fn run(command: &mut Command, write: impl FnOnce(&mut dyn Write), read: impl FnOnce(&mut dyn Read)) {
    let mut child = command.spawn().expect("the command can be started");
    if let Some(mut stdin) = child.stdin.take() {
        write(&mut stdin);
    }
    read(&mut child.stdout.take().expect("standard output is a pipe"));
    let used = child.wait4().expect("a child can be waited for");
    assert!(used.status.success(), "{}", used.status);
    assert!(used.rusage.maxrss < MAX_BYTES, "{:?} had {} bytes resident", command.get_args(), used.rusage.maxrss);
}

pub(crate) fn text(read: &mut dyn Read) -> String {
    let mut text = String::new();
    read.read_to_string(&mut text).expect("the command prints UTF-8");
    text
}

/// Counts the lines that have some words.
pub(crate) fn count_lines(read: &mut dyn Read, words: &str) -> usize {
    let lines = BufReader::new(read).lines().map(|line| line.expect("the command prints UTF-8"));
    lines.filter(|line| line.contains(words)).count()
}

/// Writes a body of so many blocks.
pub(crate) fn write_body(write: &mut dyn Write, blocks: usize) {
    let mut block = vec![0; MEBIBYTE];
    for number in 0..blocks {
        fill_block(number, &mut block);
        write.write_all(&block).expect("the body can be written");
    }
}

/// Reads a body of so many blocks, and nothing after it.
pub(crate) fn check_body(read: &mut dyn Read, blocks: usize) {
    let (mut block, mut expected) = (vec![0; MEBIBYTE], vec![0; MEBIBYTE]);
    for number in 0..blocks {
        read.read_exact(&mut block).expect("the body is as long as it was put");
        fill_block(number, &mut expected);
        assert!(block == expected, "block {number} differs");
    }
    assert_eq!(text(read), "");
}

/// Fills a block of a body with lines that no other block has.
fn fill_block(number: usize, block: &mut [u8]) {
    let line = format!("block {number:08} {}\r\n", "Lorem ipsum dolor sit amet consectetur".repeat(2));
    block.chunks_mut(line.len()).for_each(|chunk| chunk.copy_from_slice(&line.as_bytes()[..chunk.len()]));
}

/// An envelope as large as the format allows, with as many entries as it may have.
pub(crate) fn hostile_item(number: usize) -> String {
    let entries = if number.is_multiple_of(3) {
        "rcpt: {address: \"dddddddddddddddddd@example.org\"}\n".repeat(60_000)
    } else if number.is_multiple_of(2) {
        "To: \"\"\n".repeat(60_000)
    } else {
        format!("rcpt: {{{}}}\n", "via: \"\" ".repeat(60_000))
    };
    format!("ID: \"{number}\"\nfrom: \"a@example.com\"\n{entries}data: \"x\"\ncreated_at_ts: {{seconds: {number}}}\n")
}
