//! The log of changes, in a file and in the system's log.

use crate::mounts::{mount_tmpfs, with_mounts};
use crate::process::run;
use crate::queue::Queue;
use crate::trial::trials;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

trials![
    changes_are_appended_to_a_file,
    hostile_ids_are_logged_in_one_line,
    changes_are_sent_to_syslog => Root Mounts,
    log_that_cannot_be_opened_prevents_the_change,
    put_that_cannot_be_logged_prints_its_id,
    change_and_log_that_fail_are_both_reported,
    changes_that_cannot_be_logged_are_counted,
    reading_is_not_logged,
];

/// Returns the lines of the log beside a queue without their times, which it checks.
fn lines(queue: &Queue) -> Vec<String> {
    let log = fs::read_to_string(queue.beside("log")).expect("the log was created");
    let without_time = |line: &str| {
        let (time, line) = line.split_once(' ').expect("a line begins with its time");
        assert!(time.starts_with("20") && time.ends_with('Z') && time.contains('T'), "{time}");
        line.to_string()
    };
    log.lines().map(without_time).collect()
}

/// Runs the command with its log beside the queue.
fn logged(queue: &Queue, arguments: &[&str]) {
    run(queue.command(arguments).arg("--log").arg(queue.beside("log")), b"body");
}

/// Returns the line of a change without its time and its user.
fn change(queue: &Queue, command: &str, id: &str, outcome: &str) -> String {
    format!(" command=\"{command}\" queue=\"{}\" id=\"{id}\" outcome=\"{outcome}\"", queue.path().display())
}

fn changes_are_appended_to_a_file() {
    let queue = Queue::existing();
    logged(&queue, &["put", "--id", "x", "--from", "a@example.com", "--to", "b@example.com"]);
    logged(&queue, &["hold", "x", "missing"]);
    logged(&queue, &["update", "x", "--rcpt", "b@example.com", "--status", "sent"]);
    logged(&queue, &["recover"]);
    let by_environment = queue.command(&["remove", "x"]).env("QUEUE_STORE_LOG", queue.beside("log")).status();
    assert!(by_environment.is_ok_and(|status| status.success()));
    let missing = queue.path().join("m:missing");
    let expected = [
        change(&queue, "put", "x", "done"),
        change(&queue, "hold", "x", "done"),
        change(
            &queue,
            "hold",
            "missing",
            &format!("{}: there is no item of this id; list shows the items", missing.display()),
        ),
        change(&queue, "update", "x", "done"),
        change(&queue, "recover", "", "done"),
        change(&queue, "remove", "x", "done"),
    ];
    let lines = lines(&queue);
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with("user=\"") && line.ends_with(&expected), "{line} and {expected}");
    }
}

fn hostile_ids_are_logged_in_one_line() {
    let queue = Queue::existing();
    logged(&queue, &["hold", "x\" outcome=\"done\n\u{1b}[2J\u{202e}"]);
    let [line] = &*lines(&queue) else { panic!("one line for one item") };
    assert!(line.contains(r#" id="x\" outcome=\"done\n\u001b[2J\u202e" outcome="#), "{line}");
}

fn changes_are_sent_to_syslog() {
    with_mounts(|| {
        let queue = Queue::existing();
        queue.put(&["--id", "x"], b"body");
        // A /dev of the test, which has the null device and the socket.
        mount_tmpfs(Path::new("/dev"), "size=64k");
        mknod("/dev/null", SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), makedev(1, 3))
            .expect("root may create devices");
        let syslog = UnixDatagram::bind("/dev/log").expect("the file system in memory is writable");
        syslog.set_read_timeout(Some(Duration::from_secs(60))).expect("the timeout is not zero");
        run(&mut queue.command(&["hold", "x", "--log", "syslog"]), b"").done();
        let mut message = [0; 1024];
        let length = syslog.recv(&mut message).expect("the command sent its change");
        let message = str::from_utf8(&message[..length]).expect("the log is UTF-8");
        assert!(message.starts_with("<22>queue-store["), "{message}");
        assert!(message.ends_with(&change(&queue, "hold", "x", "done")), "{message}");
    });
}

fn log_that_cannot_be_opened_prevents_the_change() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let line = queue.refused(queue.command(&["hold", "x", "--log"]).arg(queue.beside("missing/log")), b"", 73);
    assert_eq!(line, "DIR/missing/log: No such file or directory; check the path");
}

fn put_that_cannot_be_logged_prints_its_id() {
    let problem = "queue-store: /dev/full: the change could not be logged: No space left on device; ";
    for id in [&["--id", "x"][..], &[]] {
        let queue = Queue::existing();
        let put = queue.try_put(&[id, &["--log", "/dev/full"]].concat(), b"body");
        // Not 75, by which a caller would queue it again.
        assert_eq!(put.code, 74);
        let id = put.text().trim_end();
        assert_eq!(put.stderr, format!("{problem}the mail stays queued as {id}\n"));
        assert_eq!(queue.names(), [format!("m:{id}")]);
    }
    let queue = Queue::existing();
    let mail = queue.file("mail", "To: b@example.com\n\nbody\n");
    let imported = run(queue.command(&["import", "--log", "/dev/full"]).arg(mail), b"");
    assert_eq!((imported.code, imported.text().lines().count()), (74, 1));
    let lines =
        format!("queue-store: 1 mail queued\n{problem}the mails that were queued stay queued; list shows them\n");
    assert_eq!(imported.stderr, lines);
}

fn change_and_log_that_fail_are_both_reported() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let problem = "/dev/full: the change could not be logged: No space left on device";
    let run = |arguments: &[&str]| queue.run(&[arguments, &["--log", "/dev/full"]].concat());
    let update = |rcpt| ["update", "x", "--status", "sent", "--rcpt", rcpt];
    assert_eq!(run(&update("b@example.com")).failed(74), format!("{problem}; the change was made"));
    let line = run(&update("z@example.com")).failed(65);
    assert_eq!(line, format!("x: the item has no delivery to z@example.com; show lists those it has; {problem}"));
    let line = run(&["edit", "x", "--drop", "z@example.com"]).failed(65);
    assert!(line.starts_with("x: the item has no delivery") && line.ends_with(problem), "{line}");
    let line = queue.try_put(&["--id", "x", "--log", "/dev/full"], b"another").failed(73);
    assert!(line.contains("already") && line.ends_with(problem), "{line}");
    let recovered = run(&["recover"]);
    assert_eq!((recovered.code, recovered.text().lines().count()), (74, 1), "{}", recovered.stderr);
    assert_eq!(recovered.stderr, format!("queue-store: {problem}; the change was made\n"));
}

fn reading_is_not_logged() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    for arguments in [&["list"][..], &["show", "x"], &["cat", "x"], &["verify"], &["check"]] {
        logged(&queue, arguments);
    }
    assert!(!queue.beside("log").exists());
}

fn changes_that_cannot_be_logged_are_counted() {
    let queue = Queue::existing();
    ["x", "y"].iter().for_each(|id| drop(queue.put(&["--id", id], b"body")));
    let line = queue.run(&["remove", "x", "y", "--yes", "--log", "/dev/full"]).failed(74);
    assert!(line.ends_with("removed 2 items of 2 until then"), "{line}");
    assert_eq!(queue.names(), [""; 0]);
    ["x", "y"].iter().for_each(|id| drop(queue.put(&["--id", id], b"body")));
    let line = queue.run(&["seal", "x", "--log", "/dev/full"]).failed(74);
    assert!(line.ends_with("sealed 1 item of 1 until then"), "{line}");
    let line = queue.run(&["seal", "x", "y", "--log", "/dev/full"]).failed(74);
    assert!(line.ends_with("sealed 2 items of 2 until then"), "{line}");
}
