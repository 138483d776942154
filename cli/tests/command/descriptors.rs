//! Standard input, output and error that are closed, full, or pipes without a reader.

use crate::process::{Output, run, start, wait};
use crate::queue::{Queue, names};
use crate::trial::trials;
use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

trials![
    put_removes_mail_whose_id_cannot_be_printed,
    mail_under_chosen_id_stays_queued_where_output_fails,
    unwritable_output_exits_74,
    import_keeps_mails_whose_ids_cannot_be_printed,
    unwritable_error_output_keeps_exit_code,
    closed_standard_output_exits_74_before_anything_is_done,
    closed_descriptor_never_becomes_file_of_queue,
];

/// Returns a pipe without a reader.
fn broken_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a test can create a pipe");
    drop(reader);
    writer.into()
}

fn full_device() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has /dev/full").into()
}

type Sink = fn() -> Stdio;

/// Outputs that refuse every write, and the error of the system.
const SINKS: [(Sink, &str); 2] = [(broken_pipe, "Broken pipe"), (full_device, "No space left on device")];

/// Runs a command with this standard output.
fn run_into(output: Stdio, command: &mut Command) -> Output {
    let child = command.stdout(output).stderr(Stdio::piped()).spawn();
    wait(child.expect("the program exists and can be started"))
}

fn put_removes_mail_whose_id_cannot_be_printed() {
    let queue = Queue::existing();
    queue.put(&[], b"another mail");
    let mails = [queue.file("small", b"body"), queue.file("large", vec![b'x'; 3 << 20])];
    let before = queue.content();
    for (sink, error) in SINKS {
        for arguments in [&[][..], &["--format", "binary"]] {
            for mail in &mails {
                let line = run_into(sink(), queue.put_command(arguments).arg(mail)).failed(74);
                let note = "the mail was taken back, since its id could not be printed";
                assert_eq!(line, format!("standard output: {error}; {note}"));
                assert!(queue.content() == before);
            }
        }
    }
}

fn mail_under_chosen_id_stays_queued_where_output_fails() {
    for (sink, error) in SINKS {
        let queue = Queue::existing();
        let line = run_into(sink(), &mut queue.put_command(&["--id", "x", "--allow-empty"])).failed(74);
        assert!(line.starts_with(&format!("standard output: {error}; ")) && line.contains("queued"), "{line}");
        // Another put of the id may have been told that the item exists.
        assert_eq!(queue.names(), ["m:x"]);
    }
}

fn unwritable_output_exits_74() {
    let queue = Queue::existing();
    let id = queue.put(&["--id", "x"], &[&b"Subject: x\n\n"[..], &[b'x'; 1 << 20]].concat());
    let before = queue.content();
    for (sink, error) in SINKS {
        for arguments in [
            &["list"][..],
            &["list", "--json"],
            &["summary"],
            &["show", &id],
            &["show", "--json", &id],
            &["headers", &id],
            &["cat", &id],
            &["verify"],
            &["recover"],
            &["component"],
            &["--help"],
        ] {
            let output = run_into(sink(), &mut queue.command(arguments));
            if error == "Broken pipe" && !["recover", "component", "--help"].contains(&arguments[0]) {
                assert_eq!((output.code, output.stderr.as_str()), (-13, ""), "{arguments:?} ends by SIGPIPE");
            } else {
                assert_eq!(output.failed(74), format!("standard output: {error}"), "{arguments:?}");
            }
        }
    }
    assert!(queue.content() == before);
    // A reader that reads the beginning and then no more, as `head` does.
    let mut cat = start(&mut queue.command(&["cat", &id]), b"");
    let mut stdout = cat.stdout.take().expect("standard output is a pipe");
    stdout.read_exact(&mut [0; 10]).expect("the body has more than ten bytes");
    drop(stdout);
    let output = wait(cat);
    assert_eq!((output.code, output.stderr.as_str()), (-13, ""));
}

fn import_keeps_mails_whose_ids_cannot_be_printed() {
    let queue = Queue::existing();
    let mbox =
        queue.file("mbox", "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\nbody\n\n".repeat(2));
    let output = run_into(broken_pipe(), queue.command(&["import"]).arg(mbox));
    assert_eq!(output.code, 74);
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines[0], "queue-store: 2 mails queued");
    assert_eq!(
        lines[1],
        "queue-store: standard output: Broken pipe; the mails that were queued stay queued; list shows them"
    );
    assert_eq!(queue.names().len(), 2);
}

fn unwritable_error_output_keeps_exit_code() {
    let queue = Queue::existing();
    for (sink, _) in SINKS {
        for (arguments, code) in [(&["show", "x"][..], 66), (&["frobnicate"], 64), (&["hold", "x", "y"], 66)] {
            let status = queue.command(arguments).stderr(sink()).status().expect("the command can be started");
            assert_eq!(status.code(), Some(code), "{arguments:?}");
        }
    }
}

fn closed_standard_output_exits_74_before_anything_is_done() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    for arguments in [
        "put --from a@example.com --to b@example.com",
        "import /dev/null",
        "export --format eml --output out --all",
        "list",
        "show x",
        "cat x",
        "hold x",
        "verify",
        "recover",
        "check",
        "stats",
        "component",
        "wit",
        "completions bash",
        "--help",
        "--version",
    ] {
        for closed in [">&-", "<&- >&-", ">&- 2>&-"] {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("exec \"$0\" {arguments} {closed}"), env!("CARGO_BIN_EXE_queue-store")]);
            let output = run(shell.env("QUEUE_STORE_DIR", queue.path()), b"body");
            // Nagios knows no other code of a check.
            assert_eq!(output.code, if arguments == "check" { 3 } else { 74 }, "{arguments} {closed}");
            if !closed.contains("2>&-") {
                let line = "queue-store: standard output is closed: redirect it to a file, or to /dev/null\n";
                assert_eq!(output.stderr, line, "{arguments}");
            }
        }
    }
    assert_eq!(queue.names(), ["m:x"]);
    for redirected in [">/dev/null", "1<>/dev/null"] {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec \"$0\" hold x {redirected}"), env!("CARGO_BIN_EXE_queue-store")]);
        run(shell.env("QUEUE_STORE_DIR", queue.path()), b"").done();
    }
}

fn closed_descriptor_never_becomes_file_of_queue() {
    let queue = Queue::existing();
    let shell = |script: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_queue-store")]).arg(queue.path());
        shell
    };
    let put = r#"exec "$0" put --allow-empty --from a@example.com --to b@example.com --queue "$1""#;
    for (closed, number) in ["<&-", "2>&-", "<&- 2>&-"].into_iter().zip(1..) {
        let output = run(&mut shell(&format!("{put} {closed}")), b"body");
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{closed}");
        assert_eq!(queue.names().len(), number, "{closed}");
    }
    assert_eq!(queue.run(&["verify"]).done(), "3 items, 0 damaged, 0 without checksums\n");
    // An error is not written into a file either.
    let before = queue.content();
    let show = run(&mut shell(r#"exec "$0" show --queue "$1" x 2>&-"#), b"");
    assert_eq!(show.code, 66);
    assert!(queue.content() == before);
    assert_eq!(names(&queue.beside("")), ["queue"]);
}
