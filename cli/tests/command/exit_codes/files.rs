//! Directories and files that are missing, unreadable or not writable: 66, 73, 74 and 77.

use crate::import::REST;
use crate::process::run;
use crate::queue::{Queue, UPDATE};
use crate::trial::trials;
use nix::unistd::{chown, geteuid};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

trials![
    missing_directory_exits_66,
    put_creates_missing_directory_for_owner_alone,
    file_in_place_of_directory_is_refused,
    unreadable_mail_exits_66_or_74,
    mail_without_read_permission_exits_77 => Root,
    component_into_unwritable_path_exits_73,
    queue_without_write_permission_exits_77,
];

/// The user and group ids without any rights of their own.
const NOBODY: u32 = 65534;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the test owns the file");
}

fn missing_directory_exits_66() {
    let queue = Queue::new();
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["show", "x"],
        &["cat", "x"],
        &["verify"],
        &["recover"],
        &["remove", "x"],
        &["hold", "x"],
        &["release", "x"],
        &["quarantine", "x"],
        &["restore", "x"],
        &["seal", "x"],
        &UPDATE,
    ] {
        let line = queue.refused(&mut queue.command(arguments), b"", 66);
        assert_eq!(line, "DIR/queue: No such file or directory; check the path");
    }
}

fn put_creates_missing_directory_for_owner_alone() {
    let queue = Queue::new();
    let output = queue.try_put(&["--id", "x"], b"body");
    let line = format!("queue-store: {}: the directory did not exist, and was created\n", queue.path().display());
    assert_eq!((output.code, output.text(), &output.stderr), (0, "x\n", &line));
    queue.put(&[], b"body");
    let mode = |path| fs::metadata(path).expect("the put created it").permissions().mode() & 0o7777;
    assert_eq!(mode(queue.path()), 0o700);
    assert_eq!(mode(queue.path().join("m:x")), 0o600);
}

fn file_in_place_of_directory_is_refused() {
    let queue = Queue::new();
    queue.file("queue", b"not a directory");
    assert_eq!(queue.refused(&mut queue.command(&["list"]), b"", 66), "DIR/queue: not a directory; check the path");
    assert_eq!(queue.refused(&mut queue.put_command(&[]), b"", 73), "DIR/queue: not a directory; check the path");
    let below = queue.beside("queue/below");
    let line = queue.refused(queue.put_command(&["--queue"]).arg(below), b"", 73);
    assert_eq!(line, "DIR/queue/below: Not a directory; check the path");
}

fn unreadable_mail_exits_66_or_74() {
    let queue = Queue::existing();
    let directory = File::open(queue.path()).expect("the queue exists");
    let put = queue.put_command(&[]).stdin(directory).output().expect("the command can be started");
    let line = "queue-store: standard input: Is a directory; check the path; nothing was queued\n";
    assert_eq!((put.status.code(), String::from_utf8_lossy(&put.stderr).as_ref()), (Some(74), line));
    for (file, cause) in [("missing", "No such file or directory"), ("queue", "is a directory")] {
        let path = queue.beside(file);
        let line = queue.refused(queue.put_command(&[]).arg(&path), b"", 66);
        assert_eq!(line, format!("DIR/{file}: {cause}; check the path"));
    }
    let line = queue.refused(queue.command(&["import", "--to=b@x"]).arg(queue.beside("missing")), b"", 66);
    assert_eq!(line, "DIR/missing: No such file or directory; check the path");
}

/// Has a user who is not root run the command, and enter the directory of the test.
fn as_nobody<'a>(queue: &Queue, command: &'a mut Command) -> &'a mut Command {
    set_mode(&queue.beside(""), 0o755);
    command.uid(NOBODY).gid(NOBODY)
}

fn mail_without_read_permission_exits_77() {
    let queue = Queue::existing();
    set_mode(&queue.path(), 0o777);
    let secret = queue.file("secret", b"");
    set_mode(&secret, 0o600);
    let line = "DIR/secret: Permission denied; run this as a user who may";
    assert_eq!(queue.refused(as_nobody(&queue, queue.put_command(&[]).arg(&secret)), b"", 77), line);
    let import = &mut queue.command(&["import", "--to", "b@example.com"]);
    assert_eq!(queue.refused(as_nobody(&queue, import.arg(&secret)), b"", 77), format!("{line}; {REST}"));
}

fn component_into_unwritable_path_exits_73() {
    let queue = Queue::existing();
    let line = queue.refused(queue.command(&["component", "--output"]).arg(queue.path()), b"", 73);
    assert_eq!(line, "DIR/queue: Is a directory; check the path");
    let path = queue.beside("component.wasm");
    run(queue.command(&["component", "--output"]).arg(&path), b"").done();
    let printed = queue.run(&["component"]).stdout;
    assert_eq!(printed, fs::read(&path).expect("the command wrote the file"));
    assert_eq!(printed, queue_store_host::COMPONENT);
}

fn queue_without_write_permission_exits_77() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let path = queue.path();
    let is_root = geteuid().is_root();
    if is_root {
        // Root may write anywhere, and so becomes the owner of the directory first.
        for owned in [path.clone(), path.join("m:x")] {
            chown(&owned, Some(NOBODY.into()), Some(NOBODY.into())).expect("root may give files away");
        }
        set_mode(&queue.beside(""), 0o755);
    }
    set_mode(&path, 0o500);
    let advice = |user| match is_root {
        true => format!("started by root, this acts as user {NOBODY}, the owner of the queue: let that user do it"),
        false => format!("run this as {user}"),
    };
    let cause = format!("permission was denied; {}", advice("the owner of the queue"));
    assert_eq!(queue.refused(&mut queue.put_command(&[]), b"body", 77), format!("DIR/queue/.m:*: {cause}"));
    for command in ["remove", "hold", "quarantine"] {
        let line = queue.refused(&mut queue.command(&[command, "x"]), b"", 77);
        assert_eq!(line, format!("DIR/queue/m:x: {cause}"));
    }
    let below = path.join("below");
    let line = queue.refused(queue.put_command(&["--queue"]).arg(below), b"", 77);
    assert_eq!(line, format!("DIR/queue/below: Permission denied; {}", advice("a user who may")));
    assert_eq!(queue.cat("x"), b"body");
    // So that the directory can be removed by a user who is not root.
    set_mode(&path, 0o700);
}
