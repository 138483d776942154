//! Signals: a mail that is still being read is given up, and leaves nothing.

use crate::support::{self, Queue, wait};
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, mkfifo};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

support::trials![
    a_put_that_is_interrupted_leaves_nothing,
    a_put_that_never_waits_can_be_interrupted,
    a_put_that_waits_for_a_pipe_can_be_interrupted,
    an_import_that_is_interrupted_keeps_what_it_printed,
    a_signal_that_was_ignored_stays_ignored,
    a_signal_after_the_end_of_the_mail_comes_too_late,
];

const SIGNALS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Starts a command that reads from a pipe.
fn start(command: &mut Command) -> (Child, io::PipeWriter) {
    let (reader, writer) = io::pipe().expect("a pipe");
    (start_with(command.stdin(reader)), writer)
}

/// Starts a command that ignores no signal, although this process may (`nohup`, a shell's `&`).
fn start_with(command: &mut Command) -> Child {
    start_handling(command, libc::SIG_DFL)
}

/// Starts a command with what it does when a signal comes.
fn start_handling(command: &mut Command, handler: libc::sighandler_t) -> Child {
    let set = move || {
        for signal in SIGNALS {
            // SAFETY: it sets the disposition of a signal to one that runs nothing, and touches no memory.
            unsafe { libc::signal(signal as i32, handler) };
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes system calls alone.
    unsafe { command.pre_exec(set) };
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
}

fn send(signal: Signal, child: &Child) {
    kill(Pid::from_raw(child.id().try_into().expect("an id of a process")), signal).expect("it runs");
}

/// Waits until a command waits for one of two: something to read, or a signal. (Rust's runtime polls three, when it starts.)
fn wait_until_it_reads(child: &Child) {
    #[cfg(target_arch = "x86_64")]
    let polls = [libc::SYS_poll, libc::SYS_ppoll];
    #[cfg(not(target_arch = "x86_64"))]
    let polls = [libc::SYS_ppoll];
    wait_until(|| {
        let call = fs::read_to_string(format!("/proc/{}/syscall", child.id())).expect("it runs");
        let mut words = call.split(' ');
        let (number, files) = (words.next(), words.nth(1));
        polls.iter().any(|poll| number == Some(&poll.to_string())) && files == Some("0x2")
    });
}

fn wait_until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come to that");
        thread::sleep(Duration::from_millis(1));
    }
}

fn a_put_that_is_interrupted_leaves_nothing() {
    for signal in SIGNALS {
        for size in [0, 10, 3 << 20] {
            let queue = Queue::existing();
            let before = queue.content();
            let (put, mut stdin) = start(&mut queue.put_command(&[]));
            stdin.write_all(&vec![b'x'; size]).expect("it reads");
            wait_until_it_reads(&put);
            if size > 2 << 20 {
                assert!(queue.names()[0].starts_with(".m:"), "it is in the middle of it");
            }
            send(signal, &put);
            assert_eq!(wait(put).failed(75), "standard input: interrupted; nothing was queued");
            assert!(queue.content() == before, "{signal} after {size} bytes");
        }
    }
}

fn a_put_that_never_waits_can_be_interrupted() {
    let queue = Queue::existing();
    let zeros = File::open("/dev/zero").expect("the device");
    let put = start_with(queue.put_command(&[]).stdin(zeros));
    wait_until(|| queue.names().iter().any(|name| name.starts_with(".m:")));
    send(Signal::SIGINT, &put);
    assert_eq!(wait(put).failed(75), "standard input: interrupted; nothing was queued");
    assert_eq!(queue.names(), [""; 0]);
}

fn a_put_that_waits_for_a_pipe_can_be_interrupted() {
    let queue = Queue::existing();
    let pipe = queue.beside("pipe");
    mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    let before = queue.content();
    for arguments in
        [&["put", "--from", "a@example.com", "--to", "b@example.com"][..], &["import", "--to", "b@example.com"]]
    {
        let command = start_with(queue.command(arguments).arg(&pipe));
        wait_until_it_reads(&command);
        send(Signal::SIGINT, &command);
        let said = wait(command).failed(75);
        assert!(said.contains("pipe: interrupted; "), "{said}");
        assert!(queue.content() == before);
    }
    let put = start_with(queue.put_command(&[]).arg(&pipe));
    fs::write(&pipe, b"body").expect("it reads");
    assert_eq!(queue.cat(wait(put).done().trim_end()), b"body");
}

fn an_import_that_is_interrupted_keeps_what_it_printed() {
    let queue = Queue::existing();
    let (import, mut stdin) = start(&mut queue.command(&["import", "/dev/stdin"]));
    let mail = "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\nbody\n\n";
    // One batch and some of the next, the last of them not whole.
    stdin.write_all(mail.repeat(130).as_bytes()).expect("it reads");
    wait_until_it_reads(&import);
    send(Signal::SIGTERM, &import);
    let output = wait(import);
    assert_eq!(output.code, 75);
    let rest = "the mails whose ids were printed are queued, this one and those after it are not";
    assert_eq!(output.stderr, format!("queue-store: /dev/stdin: interrupted; {rest}\n"));
    let printed = String::from_utf8(output.stdout).expect("text");
    assert_eq!(printed.lines().count(), 129);
    let mut names: Vec<String> = printed.lines().map(|line| format!("m:{}", &line[..11])).collect();
    names.sort();
    assert_eq!(queue.names(), names);
}

fn a_signal_that_was_ignored_stays_ignored() {
    let queue = Queue::existing();
    let (reader, mut stdin) = io::pipe().expect("a pipe");
    let put = start_handling(queue.put_command(&[]).stdin(reader), libc::SIG_IGN);
    wait_until_it_reads(&put);
    SIGNALS.into_iter().for_each(|signal| send(signal, &put));
    stdin.write_all(b"body").expect("it reads");
    drop(stdin);
    assert_eq!(queue.cat(wait(put).done().trim_end()), b"body");
}

fn a_signal_after_the_end_of_the_mail_comes_too_late() {
    let queue = Queue::existing();
    for _ in 0..20 {
        let (put, mut stdin) = start(&mut queue.put_command(&[]));
        stdin.write_all(b"body").expect("it reads");
        wait_until_it_reads(&put);
        drop(stdin);
        send(Signal::SIGTERM, &put);
        // Whichever of the two it saw first.
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
