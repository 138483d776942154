//! A body of 1 GiB passes through the command without being held in memory.
//!
//! In a process of its own: what a child takes is counted from what its parent had when it was started.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::{fs, thread};
use tempfile::TempDir;
use wait4::Wait4;

const MEBIBYTE: usize = 1 << 20;

/// Bytes that the command may have resident.
const MOST_BYTES: u64 = 100 * MEBIBYTE as u64;

/// A block of the body, in lines as mail has them. Each is another.
fn write_block(number: usize, block: &mut [u8]) {
    let line = format!("block {number:08} {}\r\n", "Lorem ipsum dolor sit amet consectetur".repeat(2));
    block.chunks_mut(line.len()).for_each(|chunk| chunk.copy_from_slice(&line.as_bytes()[..chunk.len()]));
}

/// Runs a command to its end, while it is written to and read from.
fn run(command: &mut Command, write: impl FnOnce(&mut dyn Write), read: impl FnOnce(&mut dyn Read)) {
    let mut child = command.spawn().expect("the command starts");
    if let Some(mut stdin) = child.stdin.take() {
        write(&mut stdin);
    }
    read(&mut child.stdout.take().expect("it is a pipe"));
    let used = child.wait4().expect("it ends");
    assert!(used.status.success(), "{}", used.status);
    assert!(used.rusage.maxrss < MOST_BYTES, "{:?} had {} bytes resident", command.get_args(), used.rusage.maxrss);
}

fn text(read: &mut dyn Read) -> String {
    let mut text = String::new();
    read.read_to_string(&mut text).expect("text");
    text
}

/// A queue, and a body that passes through it.
struct Stream {
    directory: TempDir,
    blocks: usize,
}

impl Stream {
    fn new(blocks: usize) -> Stream {
        let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
        Stream { directory, blocks }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queue-store"));
        command.args(arguments).env("QUEUE_STORE_DIR", self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    /// Runs a command that prints this.
    fn run(&self, arguments: &[&str], prints: &str) {
        run(&mut self.command(arguments), |_| {}, |stdout| assert_eq!(text(stdout), prints));
    }

    fn put(&self, format: &str) {
        let put = ["put", "--from", "a@example.com", "--to", "b@example.com", "--id", "x", "--format", format];
        let write = |stdin: &mut dyn Write| {
            let mut block = vec![0; MEBIBYTE];
            for number in 0..self.blocks {
                write_block(number, &mut block);
                stdin.write_all(&block).expect("it reads");
            }
        };
        run(self.command(&put).stdin(Stdio::piped()), write, |stdout| assert_eq!(text(stdout), "x\n"));
    }

    fn cat(&self) {
        let read = |stdout: &mut dyn Read| {
            let (mut block, mut expected) = (vec![0; MEBIBYTE], vec![0; MEBIBYTE]);
            for number in 0..self.blocks {
                stdout.read_exact(&mut block).expect("there is more");
                write_block(number, &mut expected);
                assert!(block == expected, "block {number} is another");
            }
            assert_eq!(text(stdout), "");
        };
        run(&mut self.command(&["cat", "x"]), |_| {}, read);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !thread::panicking() {
            let files = fs::read_dir(self.directory.path()).expect("the queue");
            assert_eq!(files.count(), 1, "a temporary file is left");
        }
    }
}

fn a_gibibyte_passes_through(format: &str) {
    let stream = Stream::new(1024);
    stream.put(format);
    stream.cat();
}

#[test]
fn a_gibibyte_as_text_passes_through() {
    a_gibibyte_passes_through("text");
}

#[test]
fn a_gibibyte_in_binary_passes_through() {
    a_gibibyte_passes_through("binary");
}

#[test]
fn what_an_update_copies_is_not_held_in_memory() {
    let stream = Stream::new(150);
    stream.put("text");
    stream.run(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"], "");
    stream.run(&["verify"], "1 items, 0 damaged, 0 without checksums\n");
    stream.run(&["recover"], "1 items are safe, 0 of them settled; 0 temporary files swept, 0 kept\n");
    stream.cat();
}
