//! The owner of a queue: root becomes that user, since a mail server cannot read files of root.

use crate::process::{launched_by, run};
use crate::queue::Queue;
use crate::trial::trials;
use nix::unistd::chown;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

trials![
    new_files_are_private_under_any_umask,
    root_becomes_owner_of_queue => Root,
    root_creates_queue_as_owner_of_parent_directory => Root,
    root_opens_mail_before_it_becomes_owner => Root,
    root_that_cannot_become_owner_exits_77 => Root,
    put_whose_item_owner_could_not_read_exits_77 => Root,
];

const USER: u32 = 4711;
const GROUP: u32 = 4712;

/// Returns the owner, the group and the mode of a file.
fn owner_and_mode(path: &Path) -> (u32, u32, u32) {
    let found = fs::metadata(path).expect("the command created the file");
    (found.uid(), found.gid(), found.mode() & 0o7777)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the test owns the file");
}

/// Gives a directory to a user, who may enter the directory of the test.
fn give(queue: &Queue, path: &Path) {
    set_mode(&queue.beside(""), 0o755);
    chown(path, Some(USER.into()), Some(GROUP.into())).expect("root may give files away");
}

fn new_files_are_private_under_any_umask() {
    let queue = Queue::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(env!("CARGO_BIN_EXE_queue-store"));
    shell.args(["put", "--id", "x", "--from", "a@example.com", "--to", "b@example.com", "--queue"]).arg(queue.path());
    assert_eq!(run(&mut shell, b"body").code, 0);
    assert_eq!(owner_and_mode(&queue.path()).2, 0o700);
    assert_eq!(owner_and_mode(&queue.path().join("m:x")).2, 0o600);
}

fn root_becomes_owner_of_queue() {
    let queue = Queue::existing();
    give(&queue, &queue.path());
    let file = |name: &str| owner_and_mode(&queue.path().join(name));
    queue.put(&["--id", "x"], b"body");
    assert_eq!(file("m:x"), (USER, GROUP, 0o600));
    queue.put(&["--id", "large"], &[b'x'; 2 << 20]);
    assert_eq!(file("m:large"), (USER, GROUP, 0o600));
    // Each of these replaces the file.
    queue.run(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"]).done();
    assert_eq!(file("m:x"), (USER, GROUP, 0o600));
    queue.run(&["seal", "x"]).done();
    assert_eq!(file("m:x"), (USER, GROUP, 0o600));
    let mbox = queue.file("mbox", "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\nbody\n");
    set_mode(&mbox, 0o644);
    let imported = run(queue.command(&["import"]).arg(mbox), b"");
    let (id, _) = imported.text().split_once(' ').expect("an import prints an id and a source");
    assert_eq!(file(&format!("m:{id}")), (USER, GROUP, 0o600));
    for command in ["hold", "release", "remove"] {
        queue.run(&[command, "x"]).done();
    }
    assert_eq!(queue.run(&["list", "--ids"]).done().lines().count(), 2);
}

fn root_creates_queue_as_owner_of_parent_directory() {
    let queue = Queue::new();
    let home = queue.beside("home");
    fs::create_dir(&home).expect("the temporary directory is writable");
    give(&queue, &home);
    let path = home.join("spool/queue");
    assert_eq!(run(queue.put_command(&["--id", "x", "--queue"]).arg(&path), b"body").code, 0);
    for (path, mode) in [(home.join("spool"), 0o700), (path.clone(), 0o700), (path.join("m:x"), 0o600)] {
        assert_eq!(owner_and_mode(&path), (USER, GROUP, mode), "{}", path.display());
    }
}

fn root_opens_mail_before_it_becomes_owner() {
    let queue = Queue::existing();
    give(&queue, &queue.path());
    let mail = queue.file("mail", b"for root alone");
    set_mode(&mail, 0o600);
    let id = run(queue.put_command(&[]).arg(&mail), b"").done();
    assert_eq!(queue.cat(id.trim_end()), b"for root alone");
    // An import opens its files as the owner of the queue.
    let line = queue.refused(queue.command(&["import", "--to", "b@example.com"]).arg(&mail), b"", 77);
    let expected = "DIR/mail: Permission denied; started by root, this acts as user 4711, the owner of the queue: let that \
                    user do it";
    assert!(line.starts_with(expected), "{line}");
    let sealed = queue.beside("sealed");
    fs::create_dir(&sealed).expect("the temporary directory is writable");
    set_mode(&sealed, 0o700);
    let mut export = queue.command(&["export", "--all", "--format", "mbox", "--output"]);
    let line = queue.refused(export.arg(sealed.join("mbox")), b"", 77);
    assert!(line.contains("acts as user 4711"), "{line}");
}

/// Returns a command that root executes without the capabilities to change its user and groups.
fn without_setuid(command: &Command) -> Command {
    launched_by(&["setpriv", "--bounding-set=-setgid,-setuid"], command)
}

fn root_that_cannot_become_owner_exits_77() {
    let queue = Queue::existing();
    give(&queue, &queue.path());
    let line = "DIR/queue: cannot become its owner, user 4711: Operation not permitted; run this as that user";
    for arguments in [&["list"][..], &["remove", "x"], &["recover"]] {
        assert_eq!(queue.refused(&mut without_setuid(&queue.command(arguments)), b"", 77), line);
    }
    assert_eq!(queue.refused(&mut without_setuid(&queue.put_command(&[])), b"body", 77), line);
}

fn put_whose_item_owner_could_not_read_exits_77() {
    let queue = Queue::existing();
    give(&queue, &queue.path());
    set_mode(&queue.path(), 0o777);
    let mail = queue.file("mail", b"To: b@example.com\n\nbody\n");
    set_mode(&mail, 0o644);
    let line = "DIR/queue: it belongs to user 4711, who could not read a mail that user 4713 puts there: run this as user \
                4711";
    for mut command in [queue.put_command(&[]), queue.command(&["import"])] {
        assert_eq!(queue.refused(command.arg(&mail).uid(USER + 2).gid(GROUP), b"", 77), line);
    }
    // Root can read every file.
    chown(&queue.path(), Some(0.into()), None).expect("root may give files away");
    run(queue.put_command(&[]).arg(&mail).uid(USER + 2).gid(GROUP), b"").done();
}
