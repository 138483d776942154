//! Standard input, output and error that are closed, full or read by nobody.

use crate::support::{self, Output, Queue, run, start, wait};
use std::fs::{self, File};
use std::io::Read;
use std::process::{Command, Stdio};

support::trials![
    a_put_whose_id_nobody_reads_is_taken_back,
    output_that_nobody_takes_is_74,
    what_was_imported_stays_when_nobody_reads_its_ids,
    an_error_that_nobody_reads_is_still_an_exit_code,
    a_closed_descriptor_never_becomes_a_file_of_the_queue,
];

/// A pipe that nobody reads.
fn broken_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("the device").into()
}

type Sink = fn() -> Stdio;

/// Outputs that take nothing, and what the system says of them.
const OUTPUTS: [(Sink, &str); 2] = [(broken_pipe, "Broken pipe"), (full, "No space left on device")];

/// Runs a command whose output nobody takes.
fn run_into(output: Stdio, command: &mut Command) -> Output {
    let child = command.stdout(output).stderr(Stdio::piped()).spawn().expect("the command starts");
    wait(child)
}

fn a_put_whose_id_nobody_reads_is_taken_back() {
    let queue = Queue::existing();
    queue.put(&[], b"another mail");
    let body = File::open(queue.file("mail", vec![b'x'; 3 << 20])).expect("the mail");
    let before = queue.content();
    for (output, what) in OUTPUTS {
        for arguments in [&[][..], &["--id", "x"], &["--format", "binary"]] {
            for input in [Stdio::null(), body.try_clone().expect("the mail").into()] {
                let said = run_into(output(), queue.put_command(arguments).stdin(input)).failed(74);
                assert_eq!(
                    said,
                    format!("standard output: {what}; the mail was taken back, since nobody was told its id")
                );
                assert!(queue.content() == before);
            }
        }
    }
}

fn output_that_nobody_takes_is_74() {
    let queue = Queue::new();
    let id = queue.put(&["--id", "x"], &[b'x'; 1 << 20]);
    let before = queue.content();
    for (output, what) in OUTPUTS {
        for arguments in [
            &["list"][..],
            &["list", "--json"],
            &["show", &id],
            &["show", "--json", &id],
            &["cat", &id],
            &["verify"],
            &["recover"],
            &["component"],
            &["--help"],
        ] {
            let said = run_into(output(), &mut queue.command(arguments)).failed(74);
            assert_eq!(said, format!("standard output: {what}"), "{arguments:?}");
        }
    }
    assert!(queue.content() == before);
    // Somebody who reads the beginning and then no more, like `head`.
    let mut cat = start(&mut queue.command(&["cat", &id]), b"");
    cat.stdout.take().expect("it is a pipe").read_exact(&mut [0; 10]).expect("the beginning");
    assert_eq!(wait(cat).failed(74), "standard output: Broken pipe");
}

fn what_was_imported_stays_when_nobody_reads_its_ids() {
    let queue = Queue::existing();
    let mbox =
        queue.file("mbox", "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\nbody\n\n".repeat(2));
    let said = run_into(broken_pipe(), queue.command(&["import"]).arg(mbox)).failed(74);
    assert_eq!(said, "standard output: Broken pipe; what was queued so far stays queued; list shows it");
    assert_eq!(queue.names().len(), 2);
}

fn an_error_that_nobody_reads_is_still_an_exit_code() {
    let queue = Queue::existing();
    for (output, _) in OUTPUTS {
        for (arguments, code) in [(&["show", "x"][..], 66), (&["frobnicate"], 64), (&["hold", "x", "y"], 66)] {
            let status = queue.command(arguments).stderr(output()).status().expect("it runs");
            assert_eq!(status.code(), Some(code), "{arguments:?}");
        }
    }
}

fn a_closed_descriptor_never_becomes_a_file_of_the_queue() {
    let queue = Queue::existing();
    let script = r#"exec "$0" put --from a@example.com --to b@example.com --queue "$1""#;
    let mut mails = 0;
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{script} {closed}"), env!("CARGO_BIN_EXE_queue-store")]).arg(queue.path());
        let output = run(&mut shell, b"body");
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{closed}");
        mails += 1;
        assert_eq!(queue.names().len(), mails);
    }
    // Had an item been descriptor 1, it would contain its id.
    assert_eq!(queue.run(&["verify"]).done(), "6 items, 0 damaged, 0 without checksums\n");
    // An error goes nowhere, and not into a file.
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"exec "$0" show --queue "$1" x 2>&-"#, env!("CARGO_BIN_EXE_queue-store")]).arg(queue.path());
    let before = queue.content();
    assert_eq!(run(&mut shell, b"").code, 66);
    assert!(queue.content() == before);
    assert!(fs::read_dir(queue.beside("")).expect("a directory").count() == 1);
}
