//! Signals: a mail that is still being read is given up, and leaves nothing.

use crate::import::REST;
use crate::process::{launched_by, send, spawn, wait, wait_until};
use crate::queue::Queue;
use crate::trial::trials;
use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::mkfifo;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};

trials![
    interrupted_put_leaves_nothing,
    put_of_endless_input_can_be_interrupted,
    reading_of_unopened_pipe_can_be_interrupted,
    interrupted_import_keeps_printed_mails,
    interrupted_import_names_file_and_mail_once,
    ignored_signal_stays_ignored,
    signal_after_end_of_mail_is_too_late,
    signal_ends_listing_that_waits_for_its_reader,
];

const SIGNALS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// The disposition of [`SIGNALS`] with which a command starts.
#[derive(Clone, Copy)]
enum Disposition {
    /// The signals end the process. This process may ignore them (`nohup`, the `&` of a shell).
    Default,
    Ignored,
}

/// Returns the command as a process that starts with a disposition.
fn with_signals(disposition: Disposition, command: &Command) -> Command {
    let option = match disposition {
        Disposition::Default => "--default-signal=INT,TERM,HUP",
        Disposition::Ignored => "--ignore-signal=INT,TERM,HUP",
    };
    launched_by(&["env", option], command)
}

/// Starts a command that reads from a pipe.
fn start(disposition: Disposition, command: &Command) -> (Child, io::PipeWriter) {
    let (reader, writer) = io::pipe().expect("a test can create a pipe");
    (spawn(with_signals(disposition, command).stdin(reader)), writer)
}

/// Waits until a process polls two files: its input, and the pipe that a signal is written to. (When it starts, Rust's
/// runtime polls three.)
fn wait_until_it_reads(child: &Child) {
    #[cfg(target_arch = "x86_64")]
    let polls = [libc::SYS_poll, libc::SYS_ppoll];
    #[cfg(not(target_arch = "x86_64"))]
    let polls = [libc::SYS_ppoll];
    wait_until("the command waits for input", || {
        let call = fs::read_to_string(format!("/proc/{}/syscall", child.id())).expect("the command waits for input");
        let mut words = call.split(' ');
        let (number, files) = (words.next(), words.nth(1));
        polls.iter().any(|poll| number == Some(&poll.to_string())) && files == Some("0x2")
    });
}

/// Writes to a command. Its pipe has room, or the command reads.
fn feed(stdin: &mut io::PipeWriter, input: &[u8]) {
    stdin.write_all(input).expect("the command reads its input");
}

fn interrupted_put_leaves_nothing() {
    for signal in SIGNALS {
        for size in [0, 10, 3 << 20] {
            let queue = Queue::existing();
            let before = queue.content();
            let (put, mut stdin) = start(Disposition::Default, &queue.put_command(&[]));
            feed(&mut stdin, &vec![b'x'; size]);
            wait_until_it_reads(&put);
            if size > 2 << 20 {
                assert!(queue.names()[0].starts_with(".m:"), "a large mail is written while it is read");
            }
            send(signal, &put);
            assert_eq!(wait(put).failed(75), "standard input: interrupted; nothing was queued");
            assert!(queue.content() == before, "{signal} after {size} bytes");
        }
    }
}

fn put_of_endless_input_can_be_interrupted() {
    let queue = Queue::existing();
    let zeros = File::open("/dev/zero").expect("Linux has /dev/zero");
    let put = spawn(with_signals(Disposition::Default, &queue.put_command(&[])).stdin(zeros));
    wait_until("the mail is being written", || queue.names().iter().any(|name| name.starts_with(".m:")));
    send(Signal::SIGINT, &put);
    assert_eq!(wait(put).failed(75), "standard input: interrupted; nothing was queued");
    assert_eq!(queue.names(), [""; 0]);
}

fn reading_of_unopened_pipe_can_be_interrupted() {
    let queue = Queue::existing();
    let pipe = queue.beside("pipe");
    mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("the temporary directory is writable");
    let before = queue.content();
    for arguments in
        [&["put", "--from", "a@example.com", "--to", "b@example.com"][..], &["import", "--to", "b@example.com"]]
    {
        let (command, _stdin) = start(Disposition::Default, queue.command(arguments).arg(&pipe));
        wait_until_it_reads(&command);
        send(Signal::SIGINT, &command);
        let line = wait(command).failed(75);
        assert!(line.contains("pipe: interrupted; "), "{line}");
        assert!(queue.content() == before);
    }
    let (put, _stdin) = start(Disposition::Default, queue.put_command(&[]).arg(&pipe));
    fs::write(&pipe, b"body").expect("the open of a FIFO waits for its reader");
    assert_eq!(queue.cat(wait(put).done().trim_end()), b"body");
}

fn interrupted_import_keeps_printed_mails() {
    let queue = Queue::existing();
    let mail =
        |number: u32| format!("From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\nbody {number}\n\n");
    // One batch, and a part of the next.
    let mbox = queue.file("mbox", (0..130).map(mail).collect::<String>());
    let (import, mut stdin) = start(Disposition::Default, queue.command(&["import"]).arg(&mbox).arg("-"));
    feed(&mut stdin, mail(130).as_bytes());
    wait_until("the first batch is queued", || queue.names().iter().any(|name| name.starts_with("m:")));
    wait_until_it_reads(&import);
    send(Signal::SIGTERM, &import);
    let output = wait(import);
    assert_eq!(output.code, 75);
    let lines = format!("queue-store: 130 mails queued\nqueue-store: -: interrupted; {REST}\n");
    assert_eq!(output.stderr, lines);
    let mut names: Vec<String> = output.text().lines().map(|line| format!("m:{}", &line[..32])).collect();
    names.sort();
    assert_eq!(queue.names(), names);
    assert_eq!(names.len(), 130);
}

fn ignored_signal_stays_ignored() {
    let queue = Queue::existing();
    let (put, mut stdin) = start(Disposition::Ignored, &queue.put_command(&[]));
    wait_until_it_reads(&put);
    SIGNALS.into_iter().for_each(|signal| send(signal, &put));
    feed(&mut stdin, b"body");
    drop(stdin);
    assert_eq!(queue.cat(wait(put).done().trim_end()), b"body");
}

fn signal_after_end_of_mail_is_too_late() {
    let queue = Queue::existing();
    for _ in 0..20 {
        let (put, mut stdin) = start(Disposition::Default, &queue.put_command(&[]));
        feed(&mut stdin, b"body");
        wait_until_it_reads(&put);
        drop(stdin);
        send(Signal::SIGTERM, &put);
        // The command sees the end of the mail or the signal first.
        let before = queue.names().len();
        let output = wait(put);
        match output.code {
            0 => assert_eq!(queue.cat(output.done().trim_end()), b"body"),
            75 => assert_eq!(queue.names().len(), before),
            code => panic!("{code}: {}", output.stderr),
        }
    }
    assert!(queue.names().iter().all(|name| name.starts_with("m:")));
}

fn signal_ends_listing_that_waits_for_its_reader() {
    let queue = Queue::existing();
    for number in 0..40 {
        // The rows of long addresses fill the pipe.
        let command = "a".repeat(2000 + number);
        let pipe = |command: &str| serde_json::json!({ "address": command, "type": "PIPE" }).to_string();
        queue.put(&["--rcpt", &pipe(&command), "--rcpt", &pipe(&command.to_uppercase())], b"x");
    }
    for signal in SIGNALS {
        for order in ["--sort=age", "--unsorted"] {
            let command = with_signals(Disposition::Default, &queue.command(&["list", order]));
            let list = spawn(&mut { command });
            let is_blocked = || {
                let call = fs::read_to_string(format!("/proc/{}/syscall", list.id()));
                call.expect("the listing waits for its reader").starts_with(&format!("{} 0x1 ", libc::SYS_write))
            };
            wait_until("the listing waits for its reader", is_blocked);
            send(signal, &list);
            let status = list.wait_with_output().expect("a child can be waited for").status;
            assert_eq!(status.signal(), Some(signal as i32), "{order}");
        }
    }
}

fn interrupted_import_names_file_and_mail_once() {
    let queue = Queue::existing();
    let mbox = queue.file("mails.mbox", "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\n");
    // A mail that takes long, and no space in the file.
    let file = File::options().write(true).open(&mbox).expect("the file is ours");
    file.set_len(512 << 20).expect("the file may have holes");
    let import = spawn(queue.command(&["import"]).arg(&mbox));
    wait_until("the mail is written", || queue.names().iter().any(|name| name.starts_with(".m:")));
    send(Signal::SIGINT, &import);
    assert_eq!(wait(import).failed(75), format!("{}:1: interrupted; {REST}", mbox.display()));
    assert_eq!(queue.names(), [""; 0]);
}
