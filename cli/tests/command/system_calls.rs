//! The system calls of each change, in their order: a change is fsynced before it is reported.

use crate::process::{run, wait};
use crate::queue::Queue;
use crate::strace;
use crate::trial::trials;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::NamedTempFile;

trials![
    put_fsyncs_file_and_directory_before_printing => Strace,
    put_under_chosen_id_never_replaces => Strace,
    streamed_put_makes_same_calls => Strace,
    weaker_durability_fsyncs_less => Strace,
    created_queue_is_fsynced => Strace,
    entry_of_existing_directory_is_fsynced => Strace,
    directory_whose_entry_was_not_fsynced_is_removed => Strace,
    removal_fsyncs_directory => Strace,
    update_fsyncs_before_and_after_replacing => Strace,
    moves_fsync_directory => Strace,
    recovery_fsyncs_directory_then_every_item_then_directory => Strace,
    import_fsyncs_directory_once => Strace,
    directory_is_opened_once => Strace,
    failed_directory_fsync_is_not_retried => Strace,
    reads_change_nothing => Strace,
    command_has_one_thread_beside_epoch_ticker,
];

impl Queue {
    /// Returns the changes of a command to the queue.
    fn changes(&self, command: &Command, input: &[u8]) -> Vec<String> {
        strace::changes(&self.path(), command, input)
    }

    fn changes_of(&self, arguments: &[&str]) -> Vec<String> {
        self.changes(&self.command(arguments), b"")
    }
}

/// Returns the looks for every name that an item of this id may have.
fn looks(id: &str) -> Vec<String> {
    ["m:", "m=", "h:", "h=", "q:", "q="].iter().map(|prefix| format!("look {prefix}{id}")).collect()
}

/// Returns the changes without the looks.
fn done(changes: &[String]) -> Vec<&str> {
    changes.iter().map(String::as_str).filter(|change| !change.starts_with("look ")).collect()
}

fn put_fsyncs_file_and_directory_before_printing() {
    for format in ["text", "binary"] {
        let queue = Queue::existing();
        let changes = queue.changes(&queue.put_command(&["--format", format]), b"body");
        let name = &queue.names()[0];
        let id = &name[2..];
        // Whether an fsync failed before; and entries that were there before become durable.
        let mut expected = ["look .unsynced", "sync .", "create T1"].map(String::from).to_vec();
        // While the temporary file keeps other puts from generating the same id.
        expected.push(format!("look {name}"));
        expected.extend(["write T1", "sync T1"].map(String::from));
        expected.push(format!("rename T1 {name}"));
        expected.extend(["sync .".to_string(), format!("print {id}\\n")]);
        assert_eq!(changes, expected);
    }
}

fn put_under_chosen_id_never_replaces() {
    let queue = Queue::existing();
    let changes = queue.changes(&queue.put_command(&["--id", "x"]), b"body");
    // Entries that were there before are made durable before a decision depends on them.
    let mut expected = ["look .unsynced", "sync ."].map(String::from).to_vec();
    expected.extend(looks("x"));
    expected.extend(
        ["create T1", "write T1", "sync T1", "link T1 m:x", "unlink T1", "sync .", "print x\\n"].map(String::from),
    );
    assert_eq!(changes, expected);
}

fn streamed_put_makes_same_calls() {
    let queue = Queue::existing();
    let changes = queue.changes(&queue.put_command(&["--format", "binary"]), &[b'x'; 3 << 20]);
    let name = &queue.names()[0];
    let (rename, print) = (format!("rename T1 {name}"), format!("print {}\\n", &name[2..]));
    assert_eq!(done(&changes), ["sync .", "create T1", "write T1", "sync T1", &rename, "sync .", &print]);
}

fn weaker_durability_fsyncs_less() {
    for (durability, synced) in [("content-only", &["sync T1"][..]), ("none", &[])] {
        let queue = Queue::existing();
        let changes = queue.changes(&queue.put_command(&["--id", "x", "--durability", durability]), b"body");
        let expected = [&["create T1", "write T1"], synced, &["link T1 m:x", "unlink T1", "print x\\n"]].concat();
        assert_eq!(done(&changes), expected);

        let update = ["update", "x", "--rcpt", "b@example.com", "--status", "sent", "--durability", durability];
        let expected = [&["create T1", "write T1"], synced, &["rename T1 m:x"]].concat();
        assert_eq!(done(&queue.changes_of(&update)), expected);
        let removal = ["unlink m:x", "print removed 1 item\\n"];
        assert_eq!(done(&queue.changes_of(&["remove", "x", "--durability", durability])), removal);
    }
}

fn created_queue_is_fsynced() {
    let queue = Queue::new();
    let path = queue.beside("new/queue");
    let put =
        queue.put_command(&["--queue", path.to_str().expect("temporary directories have names in UTF-8"), "--id", "x"]);
    let changes = strace::changes(&queue.beside(""), &put, b"body");
    let put = changes.iter().position(|change| change.starts_with("create ")).expect("the put creates a file");
    assert_eq!(done(&changes[..put]), ["make new", "sync .", "make new/queue", "sync new", "sync new/queue"]);
}

fn entry_of_existing_directory_is_fsynced() {
    // A process that was killed can have created it, and not have fsynced its entry.
    let queue = Queue::new();
    fs::create_dir(queue.path()).expect("the name is free");
    let parent = queue.beside("");
    let changes = strace::changes(&parent, &queue.put_command(&[]), b"body");
    assert_eq!(done(&changes)[0], "sync .");
}

fn directory_whose_entry_was_not_fsynced_is_removed() {
    let queue = Queue::new();
    let parent = queue.beside("").canonicalize().expect("it exists");
    let parent = parent.to_str().expect("temporary directories have names in UTF-8");
    let fault = ["-P", parent, "-e", "inject=fsync:error=EIO"];
    let put = &mut strace::traced(&queue.put_command(&[]), &fault, Path::new("/dev/null"));
    let line = run(put, b"body").failed(74);
    assert!(line.ends_with("; look at the system's log"), "{line}");
    assert!(!queue.path().exists(), "a later fsync would succeed without writing the entry");
}

fn removal_fsyncs_directory() {
    let queue = Queue::existing();
    for id in ["x", "y", "z"] {
        queue.put(&["--id", id], b"x");
    }
    assert_eq!(
        done(&queue.changes_of(&["remove", "x"])),
        ["sync .", "unlink m:x", "sync .", "print removed 1 item\\n"]
    );
    assert_eq!(
        done(&queue.changes_of(&["remove", "y", "z"])),
        ["sync .", "unlink m:y", "unlink m:z", "sync .", "print removed 2 items\\n"],
        "one fsync of the directory serves all"
    );
    queue.put(&["--id", "x"], b"x");
    queue.run(&["quarantine", "x"]).done();
    let expected = ["sync .", "unlink q:x", "sync .", "print removed 1 item\\n"];
    assert_eq!(done(&queue.changes_of(&["remove", "--quarantined", "x"])), expected);
}

fn update_fsyncs_before_and_after_replacing() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let update = queue.changes_of(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"]);
    let expected = ["sync .", "create T1", "write T1", "sync T1", "rename T1 m:x", "sync ."];
    assert_eq!(done(&update), expected);
    let expected = [&expected[..], &["print sealed 1 item\\n"]].concat();
    assert_eq!(done(&queue.changes_of(&["seal", "x"])), expected);
}

fn moves_fsync_directory() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    for (command, expected) in [
        (&["hold", "x"][..], ["rename m:x h:x", "sync .", "print held 1 item\\n"]),
        (&["release", "--keep-time", "x"], ["rename h:x m:x", "sync .", "print released 1 item\\n"]),
        // An item that is in the state already may not be durable yet.
        (&["release", "x"], ["sync m:x", "sync .", "print released 1 item\\n"]),
        (&["quarantine", "x"], ["rename m:x q:x", "sync .", "print quarantined 1 item\\n"]),
        (&["restore", "--keep-time", "x"], ["rename q:x m:x", "sync .", "print restored 1 item\\n"]),
    ] {
        let expected = [&["sync ."], &expected[..]].concat();
        assert_eq!(done(&queue.changes_of(command)), expected, "{command:?}");
    }
}

fn recovery_fsyncs_directory_then_every_item_then_directory() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"x");
    queue.put(&["--id", "y"], b"x");
    queue.file_within(".m:y123456", b"");
    let changes = queue.changes_of(&["recover", "--grace", "0"]);
    let mut done = done(&changes);
    assert!(done.pop().is_some_and(|printed| printed.starts_with("print items: 2 durable")));
    assert_eq!(done.pop(), Some("sync ."));
    assert_eq!(done.drain(..2).collect::<Vec<_>>(), ["unlink T1", "sync ."]);
    done.sort_unstable();
    assert_eq!(done, ["sync m:x", "sync m:y"]);
}

fn import_fsyncs_directory_once() {
    let queue = Queue::existing();
    let mbox =
        queue.file("mbox", "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\nbody\n\n".repeat(2));
    let mut import = queue.command(&["import"]);
    let changes = queue.changes(import.arg(mbox), b"");
    let done = done(&changes);
    assert_eq!(done[..7], ["sync .", "create T1", "write T1", "create T2", "write T2", "sync T1", "sync T2"]);
    // The ids are chosen, and an item that has one is never replaced.
    assert!(done[7].starts_with("link T1 m:") && done[9].starts_with("link T2 m:"), "{done:?}");
    assert_eq!([done[8], done[10], done[11]], ["unlink T1", "unlink T2", "sync ."]);
    assert!(done[12].starts_with("print ") && done[13].starts_with("print ") && done.len() == 14, "{done:?}");
}

fn directory_is_opened_once() {
    let queue = Queue::existing();
    let log = strace::log(&queue.put_command(&["--id", "x"]), &["-e", "trace=openat,openat2,fsync"], b"body");
    let calls = |call: &str| log.lines().filter(|line| line.contains(call)).count();
    assert_eq!((calls("fsync("), calls(", \".\", ")), (4, 1), "{log}");
}

fn failed_directory_fsync_is_not_retried() {
    let queue = Queue::existing();
    let log = NamedTempFile::new().expect("a test can create a temporary file");
    // The first fsyncs are of the directory's entry, of the directory as it was, and of the file.
    let options = ["-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=4"];
    let line = run(&mut strace::traced(&queue.put_command(&[]), &options, log.path()), b"body").failed(74);
    let log = fs::read_to_string(log.path()).expect("strace escapes all but ASCII");
    assert_eq!(log.lines().filter(|line| line.contains("fsync(")).count(), 4, "{line}: {log}");
}

fn reads_change_nothing() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    for arguments in [&["list"][..], &["show", "x"], &["cat", "x"], &["verify"]] {
        let changes = queue.changes_of(arguments);
        assert!(done(&changes).iter().all(|change| change.starts_with("print ")), "{changes:?}");
    }
}

fn command_has_one_thread_beside_epoch_ticker() {
    let queue = Queue::existing();
    let mut put = queue.put_command(&[]);
    let mut put = put.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command can be started");
    let mut stdin = put.stdin.take().expect("standard input is a pipe");
    // Enough that the component has written some of it, while the command waits for more.
    stdin.write_all(&[b'x'; 3 << 20]).expect("the command reads its input");
    let threads = fs::read_dir(format!("/proc/{}/task", put.id())).expect("the command waits for input").count();
    assert_eq!(threads, 2);
    drop(stdin);
    let printed = wait(put).done();
    assert_eq!(queue.cat(printed.trim_end()).len(), 3 << 20);
}
