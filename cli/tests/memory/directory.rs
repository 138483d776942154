//! Queues in directories.

use crate::measured::{MEBIBYTE, check_body, command, count_lines, hostile_item, run, text, write_body};
use crate::trial::trials;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::{fs, thread};
use tempfile::TempDir;

trials![
    gibibyte_of_text_is_never_held,
    gibibyte_of_binary_is_never_held,
    body_that_update_copies_is_never_held,
    imported_mails_are_never_held,
    envelopes_of_listed_items_are_never_held,
];

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
        let path = self.directory.path().to_str().expect("temporary directories have names in UTF-8");
        command(path, arguments)
    }

    /// Runs a command, and asserts that it prints `expected`.
    fn run(&self, arguments: &[&str], expected: &str) {
        run(&mut self.command(arguments), |_| {}, |stdout| assert_eq!(text(stdout), expected));
    }

    fn put(&self, format: &str) {
        let put = ["put", "--from", "a@example.com", "--to", "b@example.com", "--id", "x", "--format", format];
        let write = |stdin: &mut dyn Write| write_body(stdin, self.blocks);
        run(self.command(&put).stdin(Stdio::piped()), write, |stdout| assert_eq!(text(stdout), "x\n"));
    }

    fn cat(&self) {
        run(&mut self.command(&["cat", "x"]), |_| {}, |stdout| check_body(stdout, self.blocks));
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

fn gibibyte_of_text_is_never_held() {
    put_and_cat_gibibyte("text");
}

fn gibibyte_of_binary_is_never_held() {
    put_and_cat_gibibyte("binary");
}

fn body_that_update_copies_is_never_held() {
    let stream = Stream::new(150);
    stream.put("text");
    stream.run(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"], "");
    stream.run(&["verify"], "1 item, 0 damaged, 0 without checksums\n");
    stream.run(&["recover"], "items: 1 durable, 0 damaged, 0 rewritten; temporary files: 0 removed, 0 kept\n");
    stream.cat();
}

fn imported_mails_are_never_held() {
    let stream = Stream::new(150);
    let files = Stream::new(0);
    let path = files.directory.path().join("mbox");
    let mut mbox = fs::File::create(&path).expect("the temporary directory is writable");
    let mut block = vec![0; MEBIBYTE];
    let from = b"From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\n";
    for length in [stream.blocks, 0, stream.blocks / 2] {
        mbox.write_all(from).expect("the temporary directory is writable");
        write_body(&mut mbox, length);
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

fn envelopes_of_listed_items_are_never_held() {
    const ITEMS: usize = 60;
    let stream = Stream::new(0);
    for number in 0..ITEMS {
        let path = stream.directory.path().join(format!("m:{number}"));
        fs::write(path, hostile_item(number)).expect("the temporary directory is writable");
    }
    // Every line that has the text is about one of the items, or about all.
    for (arguments, words, expected) in [
        (&["list"][..], "  ready  ", ITEMS),
        (&["list", "--json"], "\"id\": ", ITEMS),
        (&["verify"], "60 items, 0 damaged", 1),
        (&["verify", "--json"], "\"id\": ", ITEMS),
        (&["recover"], "items: 60 durable", 1),
    ] {
        run(
            &mut stream.command(arguments),
            |_| {},
            |stdout| assert_eq!(count_lines(stdout, words), expected, "{arguments:?}"),
        );
    }
}
