//! A chasquid that runs: it keeps items in memory, so no command changes its queue unasked.

use super::site::Site;
use crate::process::{launched_by, run, spawn, wait, wait_until};
use crate::queue::{self, Queue};
use crate::trial::trials;
use nix::libc;
use nix::unistd::chown;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

trials![
    changes_are_refused_while_chasquid_runs => Chasquid,
    new_items_wait_for_next_start_of_chasquid => Chasquid,
    chasquid_of_another_queue_is_no_obstacle => Chasquid,
    owner_decides_where_configuration_is_unreadable => Root,
    chasquid_started_during_selection_is_found => Root,
];

const CHANGES: [&[&str]; 9] = [
    &["hold", "x"],
    &["release", "x"],
    &["quarantine", "x"],
    &["restore", "x"],
    &["seal", "x"],
    &["remove", "x"],
    &["update", "x", "--rcpt", "b@example.test", "--status", "sent"],
    &["recover"],
    &["recover", "--json"],
];

fn changes_are_refused_while_chasquid_runs() {
    let site = Site::new();
    site.close(true);
    site.put("x", "body");
    let running = site.start();
    let queue = site.path("data/queue");
    for change in CHANGES {
        let line = run(&mut site.command(change), b"").failed(75);
        let expected = format!(
            "{}: chasquid (process {}) uses this queue, keeps its items in memory and writes them back: stop it first, or \
             give --while-running",
            queue.display(),
            running.id()
        );
        assert_eq!(line, expected, "{change:?}");
        assert_eq!(site.names(), ["m:x"], "{change:?}");
    }
    let plugin = site.path("plugin.wasm");
    fs::write(&plugin, "\0asm\u{d}\0\u{1}\0").expect("the temporary directory is writable");
    run(site.command(&["plugin", "run", "--operator"]).arg(&plugin), b"").failed(75);
    // Another path of the directory is the same queue.
    let link = site.path("link");
    std::os::unix::fs::symlink(&queue, &link).expect("the temporary directory is writable");
    run(site.command(&["hold", "x", "--queue"]).arg(&link), b"").failed(75);
    for read in [&["list"][..], &["show", "x"], &["cat", "x"], &["verify"], &["stats"], &["check"]] {
        site.run(read);
    }
    site.run(&["hold", "x", "--while-running"]);
    drop(running);
    site.run(&["release", "x"]);
}

fn new_items_wait_for_next_start_of_chasquid() {
    let site = Site::new();
    let running = site.start();
    let warning = format!(
        "queue-store: {}: warning: chasquid (process {}) uses this queue, and sees new items only when it starts again\n",
        site.path("data/queue").display(),
        running.id()
    );
    let mail = site.path("mail.eml");
    fs::write(&mail, "Subject: imported\n\nbody\n").expect("the temporary directory is writable");
    let addresses = ["--from", "a@example.com", "--to", "b@example.test"];
    for subcommand in ["put", "import"] {
        let added = run(site.command(&[subcommand]).args(addresses).arg(&mail), b"");
        assert_eq!(added.code, 0, "{}", added.stderr);
        assert!(added.stderr.starts_with(&warning), "{}", added.stderr);
    }
    drop(running);
    assert_eq!(site.names().iter().filter(|name| name.starts_with("m:")).count(), 2);
    site.deliver_all();
    assert_eq!(site.deliveries(), 2);
}

fn chasquid_of_another_queue_is_no_obstacle() {
    let site = Site::new();
    let running = site.start();
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    queue.run(&["hold", "x"]).done();
    queue.run(&["recover"]).done();
    drop(running);
}

/// Starts a shell that is called chasquid, whose configuration does not exist, and waits until it is executed.
fn impostor(directory: &Path, user: u32) -> std::process::Child {
    let program = directory.join("chasquid");
    fs::copy("/bin/sh", &program).expect("the temporary directory is writable");
    let mut shell = Command::new(&program);
    shell.args(["-c", "read line", "chasquid", "-config_dir", "/nonexistent"]);
    let user = format!("--reuid={user}");
    let child = spawn(launched_by(&["setpriv", &user, "--clear-groups"], &shell).stdin(Stdio::piped()));
    let name = format!("/proc/{}/comm", child.id());
    wait_until("the shell runs", || fs::read_to_string(&name).is_ok_and(|name| name == "chasquid\n"));
    child
}

fn owner_decides_where_configuration_is_unreadable() {
    const OWNER: u32 = 4721;
    const OTHER: u32 = 4722;
    let queue = Queue::existing();
    fs::set_permissions(queue.beside(""), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("the test owns it");
    chown(&queue.path(), Some(OWNER.into()), Some(OWNER.into())).expect("root may give files away");
    queue.put(&["--id", "x"], b"body");
    let mut other = impostor(&queue.beside(""), OTHER);
    queue.run(&["hold", "x"]).done();
    // Its program is busy as long as it runs.
    drop(other.stdin.take());
    other.wait().expect("a child can be waited for");
    let mut owner = impostor(&queue.beside(""), OWNER);
    assert!(queue.run(&["release", "x"]).failed(75).contains("chasquid (process "));
    drop(owner.stdin.take());
    owner.wait().expect("a child can be waited for");
    queue.run(&["release", "x"]).done();
    assert_eq!(queue::names(&queue.path()), ["m:x"]);
}

fn chasquid_started_during_selection_is_found() {
    const OWNER: u32 = 4723;
    let queue = Queue::existing();
    fs::set_permissions(queue.beside(""), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("the test owns it");
    chown(&queue.path(), Some(OWNER.into()), Some(OWNER.into())).expect("root may give files away");
    queue.put(&["--id", "x"], b"body");
    let mut hold = spawn(queue.command(&["hold", "-"]).stdin(Stdio::piped()));
    let call = format!("/proc/{}/syscall", hold.id());
    let read = format!("{} 0x0 ", libc::SYS_read);
    wait_until("the command reads ids", || fs::read_to_string(&call).is_ok_and(|call| call.starts_with(&read)));
    let mut chasquid = impostor(&queue.beside(""), OWNER);
    let mut stdin = hold.stdin.take().expect("it is a pipe");
    stdin.write_all(b"x\n").expect("the command reads its input");
    drop(stdin);
    assert!(wait(hold).failed(75).contains("chasquid (process "));
    assert_eq!(queue.names(), ["m:x"]);
    drop(chasquid.stdin.take());
    chasquid.wait().expect("a child can be waited for");
}
