//! Memory of the command: a body of 1 GiB passes through it without being held, and so do the envelopes of many items.
//!
//! A test executable of its own, since the resident memory of a child is counted from that of its parent at the start.

#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::{fs, thread};
use tempfile::TempDir;
use wait4::Wait4;

const MEBIBYTE: usize = 1 << 20;

/// Bytes that the command may have resident.
const MAX_BYTES: u64 = 64 * MEBIBYTE as u64;

/// Fills a block of the body with lines that no other block has.
fn write_block(number: usize, block: &mut [u8]) {
    let line = format!("block {number:08} {}\r\n", "Lorem ipsum dolor sit amet consectetur".repeat(2));
    block.chunks_mut(line.len()).for_each(|chunk| chunk.copy_from_slice(&line.as_bytes()[..chunk.len()]));
}

/// Runs a command to its end: `write` gets its standard input, and then `read` its standard output.
fn run(command: &mut Command, write: impl FnOnce(&mut dyn Write), read: impl FnOnce(&mut dyn Read)) {
    let mut child = command.spawn().expect("the command can be started");
    if let Some(mut stdin) = child.stdin.take() {
        write(&mut stdin);
    }
    read(&mut child.stdout.take().expect("standard output is a pipe"));
    let used = child.wait4().expect("a child can be waited for");
    assert!(used.status.success(), "{}", used.status);
    assert!(used.rusage.maxrss < MAX_BYTES, "{:?} had {} bytes resident", command.get_args(), used.rusage.maxrss);
}

fn text(read: &mut dyn Read) -> String {
    let mut text = String::new();
    read.read_to_string(&mut text).expect("the command prints UTF-8");
    text
}

/// A queue, and the number of blocks of a body that passes through it.
struct Stream {
    directory: TempDir,
    blocks: usize,
}

impl Stream {
    fn new(blocks: usize) -> Stream {
        let directory = tempfile::Builder::new().prefix("queue-store-").tempdir();
        let directory = directory.expect("a test can create a temporary directory");
        Stream { directory, blocks }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queue-store"));
        command.args(arguments).env("QUEUE_STORE_DIR", self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    /// Runs a command, and asserts that it prints `expected`.
    fn run(&self, arguments: &[&str], expected: &str) {
        run(&mut self.command(arguments), |_| {}, |stdout| assert_eq!(text(stdout), expected));
    }

    fn put(&self, format: &str) {
        let put = ["put", "--from", "a@example.com", "--to", "b@example.com", "--id", "x", "--format", format];
        let write = |stdin: &mut dyn Write| {
            let mut block = vec![0; MEBIBYTE];
            for number in 0..self.blocks {
                write_block(number, &mut block);
                stdin.write_all(&block).expect("the command reads its input");
            }
        };
        run(self.command(&put).stdin(Stdio::piped()), write, |stdout| assert_eq!(text(stdout), "x\n"));
    }

    fn cat(&self) {
        let read = |stdout: &mut dyn Read| {
            let (mut block, mut expected) = (vec![0; MEBIBYTE], vec![0; MEBIBYTE]);
            for number in 0..self.blocks {
                stdout.read_exact(&mut block).expect("the body is as long as it was put");
                write_block(number, &mut expected);
                assert!(block == expected, "block {number} differs");
            }
            assert_eq!(text(stdout), "");
        };
        run(&mut self.command(&["cat", "x"]), |_| {}, read);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !thread::panicking() {
            let files = fs::read_dir(self.directory.path()).expect("the temporary directory can be read");
            let names = files.map(|file| file.expect("the temporary directory can be read").file_name());
            let temporary: Vec<_> = names.filter(|name| name.as_encoded_bytes().starts_with(b".")).collect();
            assert!(temporary.is_empty(), "a temporary file is left: {temporary:?}");
        }
    }
}

fn put_and_cat_gibibyte(format: &str) {
    let stream = Stream::new(1024);
    stream.put(format);
    stream.cat();
}

#[test]
fn gibibyte_of_text_is_never_held() {
    put_and_cat_gibibyte("text");
}

#[test]
fn gibibyte_of_binary_is_never_held() {
    put_and_cat_gibibyte("binary");
}

#[test]
fn body_that_update_copies_is_never_held() {
    let stream = Stream::new(150);
    stream.put("text");
    stream.run(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"], "");
    stream.run(&["verify"], "1 item, 0 damaged, 0 without checksums\n");
    stream.run(&["recover"], "items: 1 durable, 0 damaged, 0 rewritten; temporary files: 0 removed, 0 kept\n");
    stream.cat();
}

#[test]
fn imported_mails_are_never_held() {
    let stream = Stream::new(150);
    let files = Stream::new(0);
    let path = files.directory.path().join("mbox");
    let mut mbox = fs::File::create(&path).expect("the temporary directory is writable");
    let mut block = vec![0; MEBIBYTE];
    let from = b"From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\n";
    for length in [stream.blocks, 0, stream.blocks / 2] {
        mbox.write_all(from).expect("the temporary directory is writable");
        for number in 0..length {
            write_block(number, &mut block);
            mbox.write_all(&block).expect("the temporary directory is writable");
        }
        // One line of the whole length.
        if length != stream.blocks {
            block.fill(b'>');
            (0..length).for_each(|_| mbox.write_all(&block).expect("the temporary directory is writable"));
        }
        mbox.write_all(b"\n\n").expect("the temporary directory is writable");
    }
    let path = path.to_str().expect("temporary directories have names in UTF-8");
    for arguments in [&["import", path][..], &["import", "--format", "eml", path], &["import", path]] {
        let count = |stdout: &mut dyn Read| {
            let mails = if arguments.len() == 2 { 3 } else { 1 };
            assert_eq!(text(stdout).lines().count(), mails);
        };
        run(&mut stream.command(arguments), |_| {}, count);
    }
}

/// An envelope as large as the format allows, with as many entries as it may have.
fn hostile_item(number: usize) -> String {
    let entries = if number.is_multiple_of(3) {
        "rcpt: {address: \"dddddddddddddddddd@example.org\"}\n".repeat(60_000)
    } else if number.is_multiple_of(2) {
        "To: \"\"\n".repeat(60_000)
    } else {
        format!("rcpt: {{{}}}\n", "via: \"\" ".repeat(60_000))
    };
    format!("ID: \"{number}\"\nfrom: \"a@example.com\"\n{entries}data: \"x\"\ncreated_at_ts: {{seconds: {number}}}\n")
}

#[test]
fn envelopes_of_listed_items_are_never_held() {
    const ITEMS: usize = 60;
    let stream = Stream::new(0);
    for number in 0..ITEMS {
        let path = stream.directory.path().join(format!("m:{number}"));
        fs::write(path, hostile_item(number)).expect("the temporary directory is writable");
    }
    // Every line that has the text is about one of the items, or about all.
    for (arguments, text, expected) in [
        (&["list"][..], "  ready  ", ITEMS),
        (&["list", "--json"], "\"id\": ", ITEMS),
        (&["verify"], "60 items, 0 damaged", 1),
        (&["verify", "--json"], "\"id\": ", ITEMS),
        (&["recover"], "items: 60 durable", 1),
    ] {
        let count = |stdout: &mut dyn Read| {
            let lines = BufReader::new(stdout).lines().map(|line| line.expect("the command prints UTF-8"));
            assert_eq!(lines.filter(|line| line.contains(text)).count(), expected, "{arguments:?}");
        };
        run(&mut stream.command(arguments), |_| {}, count);
    }
}
