//! Whose files they are: root becomes the owner of a queue, since a mail server cannot read files that are root's.

use crate::support::{self, Queue, run};
use nix::libc;
use nix::unistd::chown;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

support::trials![
    what_is_created_is_for_its_owner_alone_whatever_the_umask,
    root_becomes_the_owner_of_the_queue => Root,
    root_creates_a_queue_as_the_owner_of_the_directory_around_it => Root,
    root_reads_the_mail_before_it_becomes_somebody_else => Root,
    who_cannot_become_the_owner_is_told_so_with_77 => Root,
];

const USER: u32 = 4711;
const GROUP: u32 = 4712;

/// Who owns a file, and what others may do with it.
fn owner_and_mode(path: &Path) -> (u32, u32, u32) {
    let found = fs::metadata(path).expect("it is there");
    (found.uid(), found.gid(), found.mode() & 0o7777)
}

/// Gives a directory to a user, who may enter the directory of the test.
fn give(queue: &Queue, path: &Path) {
    fs::set_permissions(queue.beside(""), Permissions::from_mode(0o755)).expect("the directory is the test's");
    chown(path, Some(USER.into()), Some(GROUP.into())).expect("root may");
}

fn what_is_created_is_for_its_owner_alone_whatever_the_umask() {
    let queue = Queue::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(env!("CARGO_BIN_EXE_queue-store"));
    shell.args(["put", "--id", "x", "--from", "a@example.com", "--to", "b@example.com", "--queue"]).arg(queue.path());
    run(&mut shell, b"body").done();
    assert_eq!(owner_and_mode(&queue.path()).2, 0o700);
    assert_eq!(owner_and_mode(&queue.path().join("m:x")).2, 0o600);
}

fn root_becomes_the_owner_of_the_queue() {
    let queue = Queue::existing();
    give(&queue, &queue.path());
    let file = |name: &str| owner_and_mode(&queue.path().join(name));
    queue.put(&["--id", "x"], b"body");
    assert_eq!(file("m:x"), (USER, GROUP, 0o600));
    queue.put(&["--id", "large"], &[b'x'; 2 << 20]);
    assert_eq!(file("m:large"), (USER, GROUP, 0o600));
    // Each of these writes the item anew.
    queue.run(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"]).done();
    assert_eq!(file("m:x"), (USER, GROUP, 0o600));
    queue.run(&["seal", "x"]).done();
    assert_eq!(file("m:x"), (USER, GROUP, 0o600));
    let mbox = queue.file("mbox", "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\nbody\n");
    fs::set_permissions(&mbox, Permissions::from_mode(0o644)).expect("the file is the test's");
    let imported = run(queue.command(&["import"]).arg(mbox), b"").done();
    let (id, _) = imported.split_once(' ').expect("an id and a source");
    assert_eq!(file(&format!("m:{id}")), (USER, GROUP, 0o600));
    for command in ["hold", "release", "remove"] {
        queue.run(&[command, "x"]).done();
    }
    assert_eq!(queue.run(&["list"]).done().lines().count(), 3);
}

fn root_creates_a_queue_as_the_owner_of_the_directory_around_it() {
    let queue = Queue::new();
    let home = queue.beside("home");
    fs::create_dir(&home).expect("a directory");
    give(&queue, &home);
    let path = home.join("spool/queue");
    run(queue.put_command(&["--id", "x", "--queue"]).arg(&path), b"body").done();
    for (path, mode) in [(home.join("spool"), 0o700), (path.clone(), 0o700), (path.join("m:x"), 0o600)] {
        assert_eq!(owner_and_mode(&path), (USER, GROUP, mode), "{}", path.display());
    }
}

fn root_reads_the_mail_before_it_becomes_somebody_else() {
    let queue = Queue::existing();
    give(&queue, &queue.path());
    let mail = queue.file("mail", b"for root alone");
    fs::set_permissions(&mail, Permissions::from_mode(0o600)).expect("the file is the test's");
    let id = run(queue.put_command(&[]).arg(&mail), b"").done();
    assert_eq!(queue.cat(id.trim_end()), b"for root alone");
    // The owner of the queue may not read it, and it is read as that.
    let said = queue.refused(queue.command(&["import", "--to", "b@example.com"]).arg(&mail), b"", 77);
    assert!(said.starts_with("DIR/mail: Permission denied; run this as a user who may"), "{said}");
}

/// A command that may not change who it is, although it is root.
fn without_setuid(command: &mut Command) -> &mut Command {
    let drop = || {
        for capability in [6, 7] {
            // SAFETY: the call drops CAP_SETGID or CAP_SETUID of what is executed next, and touches no memory.
            if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes system calls alone.
    unsafe { command.pre_exec(drop) }
}

fn who_cannot_become_the_owner_is_told_so_with_77() {
    let queue = Queue::existing();
    give(&queue, &queue.path());
    let what = "DIR/queue: cannot become its owner, user 4711: Operation not permitted; run this as that user";
    for arguments in [&["list"][..], &["remove", "x"], &["recover"]] {
        assert_eq!(queue.refused(without_setuid(&mut queue.command(arguments)), b"", 77), what);
    }
    assert_eq!(queue.refused(without_setuid(&mut queue.put_command(&[])), b"body", 77), what);
}
