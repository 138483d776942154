//! The system calls of each change, in their order: what is promised is synced before it is answered.

use crate::support::{self, Queue};
use crate::trace;
use std::fs;
use std::process::{Command, Stdio};

support::trials![
    a_put_is_synced_published_and_synced_before_its_id_is_printed => Strace,
    a_put_of_an_id_is_published_without_replacing => Strace,
    a_streamed_put_is_no_different => Strace,
    a_weaker_durability_syncs_less => Strace,
    a_queue_that_is_created_is_durable_itself => Strace,
    a_removal_is_synced => Strace,
    an_update_is_synced_before_and_after_it_replaces => Strace,
    moves_are_synced => Strace,
    recovery_syncs_every_item_and_then_the_directory => Strace,
    an_import_shares_the_sync_of_the_directory => Strace,
    a_directory_is_opened_once_however_often_it_is_synced => Strace,
    a_directory_sync_that_failed_is_not_tried_again => Strace,
    reads_change_nothing => Strace,
    the_command_has_one_thread_beside_the_clock,
];

impl Queue {
    /// What a command does to the queue.
    fn changes(&self, command: &Command, input: &[u8]) -> Vec<String> {
        trace::changes(&self.path(), command, input)
    }

    fn changes_of(&self, arguments: &[&str]) -> Vec<String> {
        self.changes(&self.command(arguments), b"")
    }
}

/// The names that an item of this id may have.
fn looks(id: &str) -> Vec<String> {
    ["m:", "m=", "h:", "h=", "q:", "q="].iter().map(|prefix| format!("look {prefix}{id}")).collect()
}

/// What is done, without what is looked at.
fn done(changes: &[String]) -> Vec<&str> {
    changes.iter().map(String::as_str).filter(|change| !change.starts_with("look ")).collect()
}

fn a_put_is_synced_published_and_synced_before_its_id_is_printed() {
    for format in ["text", "binary"] {
        let queue = Queue::existing();
        let changes = queue.changes(&queue.put_command(&["--format", format]), b"body");
        let name = &queue.names()[0];
        let id = &name[2..];
        let mut expected = vec!["create T1".to_string()];
        // While the temporary name keeps others from drawing the same id.
        expected.push(format!("look {name}"));
        expected.extend(["write T1", "sync T1"].map(String::from));
        expected.push(format!("rename T1 {name}"));
        expected.extend(["sync .".to_string(), format!("print {id}\\n")]);
        assert_eq!(changes, expected);
    }
}

fn a_put_of_an_id_is_published_without_replacing() {
    let queue = Queue::existing();
    let changes = queue.changes(&queue.put_command(&["--id", "x"]), b"body");
    // What was there before is durable before anything is built on it.
    let mut expected = vec!["sync .".to_string()];
    expected.extend(looks("x"));
    expected.extend(
        ["create T1", "write T1", "sync T1", "link T1 m:x", "unlink T1", "sync .", "print x\\n"].map(String::from),
    );
    assert_eq!(changes, expected);
}

fn a_streamed_put_is_no_different() {
    let queue = Queue::existing();
    let changes = queue.changes(&queue.put_command(&["--format", "binary"]), &[b'x'; 3 << 20]);
    let name = &queue.names()[0];
    let (rename, print) = (format!("rename T1 {name}"), format!("print {}\\n", &name[2..]));
    assert_eq!(done(&changes), ["create T1", "write T1", "sync T1", &rename, "sync .", &print]);
}

fn a_weaker_durability_syncs_less() {
    for (durability, synced) in [("file", &["sync T1"][..]), ("none", &[])] {
        let queue = Queue::existing();
        let changes = queue.changes(&queue.put_command(&["--id", "x", "--durability", durability]), b"body");
        let expected = [&["create T1", "write T1"], synced, &["link T1 m:x", "unlink T1", "print x\\n"]].concat();
        assert_eq!(done(&changes), expected);

        let update = ["update", "x", "--rcpt", "b@example.com", "--status", "sent", "--durability", durability];
        let expected = [&["create T1", "write T1"], synced, &["rename T1 m:x"]].concat();
        assert_eq!(done(&queue.changes_of(&update)), expected);
        assert_eq!(done(&queue.changes_of(&["remove", "x", "--durability", durability])), ["unlink m:x"]);
    }
}

fn a_queue_that_is_created_is_durable_itself() {
    let queue = Queue::new();
    let path = queue.beside("new/queue");
    let put = queue.put_command(&["--queue", path.to_str().expect("text"), "--id", "x"]);
    let changes = trace::changes(&queue.beside(""), &put, b"body");
    let put = changes.iter().position(|change| change.starts_with("create ")).expect("a file is created");
    assert_eq!(done(&changes[..put]), ["make new", "sync .", "make new/queue", "sync new", "sync new/queue"]);
}

fn a_removal_is_synced() {
    let queue = Queue::new();
    for id in ["x", "y", "z"] {
        queue.put(&["--id", id], b"");
    }
    assert_eq!(done(&queue.changes_of(&["remove", "x"])), ["unlink m:x", "sync ."]);
    assert_eq!(done(&queue.changes_of(&["remove", "y", "z"])), ["unlink m:y", "unlink m:z", "sync ."], "once for all");
    queue.put(&["--id", "x"], b"");
    queue.run(&["quarantine", "x"]).done();
    assert_eq!(done(&queue.changes_of(&["remove", "--quarantined", "x"])), ["unlink q:x", "sync ."]);
}

fn an_update_is_synced_before_and_after_it_replaces() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"body");
    let update = queue.changes_of(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"]);
    // What was there before is durable before anything is built on it.
    let expected = ["create T1", "write T1", "sync T1", "sync .", "rename T1 m:x", "sync ."];
    assert_eq!(done(&update), expected);
    assert_eq!(done(&queue.changes_of(&["seal", "x"])), expected);
}

fn moves_are_synced() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"body");
    for (command, expected) in [
        ("hold", ["rename m:x h:x", "sync ."]),
        ("release", ["rename h:x m:x", "sync ."]),
        // What is done already may not be durable yet.
        ("release", ["sync m:x", "sync ."]),
        ("quarantine", ["rename m:x q:x", "sync ."]),
        ("restore", ["rename q:x m:x", "sync ."]),
    ] {
        assert_eq!(done(&queue.changes_of(&[command, "x"])), expected, "{command}");
    }
}

fn recovery_syncs_every_item_and_then_the_directory() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"");
    queue.put(&["--id", "y"], b"");
    fs::write(queue.path().join(".m:y123456"), b"").expect("a file of the test");
    let changes = queue.changes_of(&["recover", "--grace", "0"]);
    let mut done = done(&changes);
    assert!(done.pop().is_some_and(|printed| printed.starts_with("print 2 items are safe")));
    assert_eq!(done.pop(), Some("sync ."));
    assert_eq!(done.remove(0), "unlink T1");
    done.sort_unstable();
    assert_eq!(done, ["sync m:x", "sync m:y"]);
}

fn an_import_shares_the_sync_of_the_directory() {
    let queue = Queue::existing();
    let mbox =
        queue.file("mbox", "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\nbody\n\n".repeat(2));
    let mut import = queue.command(&["import"]);
    let changes = queue.changes(import.arg(mbox), b"");
    let done = done(&changes);
    assert_eq!(done[..6], ["create T1", "write T1", "create T2", "write T2", "sync T1", "sync T2"]);
    assert!(done[6].starts_with("rename T1 m:") && done[7].starts_with("rename T2 m:"), "{done:?}");
    assert_eq!(done[8], "sync .");
    assert!(done[9].starts_with("print ") && done[10].starts_with("print ") && done.len() == 11, "{done:?}");
}

fn a_directory_is_opened_once_however_often_it_is_synced() {
    let queue = Queue::existing();
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let put = queue.put_command(&["--id", "x"]);
    let mut strace = trace::strace(&put, &["-e", "trace=openat,openat2,fsync", "-o"], log.path());
    support::run(&mut strace, b"body").done();
    let log = fs::read_to_string(log.path()).expect("the log of strace is text");
    let calls = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert_eq!((calls("fsync("), calls(", \".\", ")), (3, 1), "{log}");
}

fn a_directory_sync_that_failed_is_not_tried_again() {
    let queue = Queue::existing();
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    // The first sync is of the file.
    let fault = ["-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=2", "-o"];
    let said = support::run(&mut trace::strace(&queue.put_command(&[]), &fault, log.path()), b"body").failed(74);
    let log = fs::read_to_string(log.path()).expect("the log of strace is text");
    assert_eq!(log.lines().filter(|line| line.contains("fsync(")).count(), 2, "{said}: {log}");
}

fn reads_change_nothing() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"body");
    for arguments in [&["list"][..], &["show", "x"], &["cat", "x"], &["verify"]] {
        let changes = queue.changes_of(arguments);
        assert!(done(&changes).iter().all(|change| change.starts_with("print ")), "{changes:?}");
    }
}

fn the_command_has_one_thread_beside_the_clock() {
    let queue = Queue::new();
    let mut put = queue.put_command(&[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = put.stdin.take().expect("it is a pipe");
    // So much that it was called for some of it; and it waits for more.
    std::io::Write::write_all(&mut stdin, &[b'x'; 3 << 20]).expect("it reads");
    let threads = fs::read_dir(format!("/proc/{}/task", put.id())).expect("it runs").count();
    assert_eq!(threads, 2);
    drop(stdin);
    let printed = support::wait(put).done();
    assert_eq!(queue.cat(printed.trim_end()).len(), 3 << 20);
}
