//! `verify` and `recover` as gates: they fail by damage that is to be remedied, and name it.

use crate::aged::Aged;
use crate::process::{launched_by, run};
use crate::queue::Queue;
use crate::trial::trials;
use nix::unistd::chown;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

trials![
    damage_in_quarantine_is_counted_apart,
    every_file_of_an_id_is_counted,
    names_that_are_not_utf8_are_named,
    unreadable_item_is_not_called_damaged => Root,
    thousand_damaged_items_are_found_and_set_aside,
    progress_is_shown_on_a_terminal,
    other_output_has_no_progress,
];

fn damage_in_quarantine_is_counted_apart() {
    let queue = Queue::existing();
    queue.put(&["--id", "intact"], b"body");
    for name in ["m:x", "q:y", "d=AAAAAAAAAAA:y"] {
        queue.file_within(name, "not an item");
    }
    let verified = queue.run(&["verify"]);
    assert_eq!((verified.code, verified.text().lines().count()), (65, 4), "{}", verified.text());
    assert!(verified.text().ends_with("4 items, 1 damaged, 0 without checksums, 2 damaged in quarantine\n"));
    queue.run(&["quarantine", "x"]).done();
    let verified = queue.run(&["verify"]).done();
    assert!(verified.ends_with("4 items, 0 damaged, 0 without checksums, 3 damaged in quarantine\n"), "{verified}");
    let recovered = queue.run(&["recover"]).done();
    assert!(
        recovered.starts_with("items: 1 durable, 0 damaged, 3 damaged in quarantine, 0 rewritten; "),
        "{recovered}"
    );
}

fn every_file_of_an_id_is_counted() {
    let queue = Queue::existing();
    for name in ["m:x", "h:x"] {
        queue.file_within(name, Aged { subject: name, ..Aged::default() }.text("x"));
    }
    let verified = queue.run(&["verify"]);
    assert_eq!((verified.code, verified.text().lines().count()), (65, 3), "{}", verified.text());
    assert!(verified.text().ends_with("\n2 items, 2 damaged, 0 without checksums\n"), "{}", verified.text());
    assert!(verified.stderr.ends_with("look at them, then seal or quarantine them\n"), "{}", verified.stderr);
    for command in [&["show", "x"][..], &["hold", "x"], &["remove", "x"]] {
        let line = queue.refused(&mut queue.command(command), b"", 65);
        assert!(line.ends_with("; queue-store resolve shows them"), "{line}");
    }
    let queue = Queue::existing();
    ["q:x", "d:AAAAAAAAAAA:x"].iter().for_each(|name| queue.file_within(name, Aged::default().text("x")));
    let line = queue.refused(&mut queue.command(&["show", "x"]), b"", 65);
    assert!(line.ends_with("; queue-store resolve shows them"), "{line}");
    queue.put(&["--id", "z"], b"body");
    queue.run(&["quarantine", "z"]).done();
    let line = queue.refused(&mut queue.command(&["edit", "z", "--add", "c@example.com"]), b"", 65);
    assert!(line.ends_with("restore it first"), "{line}");
}

fn names_that_are_not_utf8_are_named() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let name = |prefix: &[u8]| queue.path().join(OsStr::from_bytes(&[prefix, b"caf\xe9\x1b"].concat()));
    fs::copy(queue.path().join("m:x"), name(b"m:")).expect("the queue is writable");
    fs::write(name(b"q:"), "").expect("the queue is writable");
    fs::write(name(b"unrelated"), "").expect("the queue is writable");
    let expected = format!(
        "queue-store: {}/m:caf\\xe9\\x1b: its name is not UTF-8, so that no command can name it, and chasquid delivers it: \
         rename it with mv\n",
        queue.path().display()
    );
    let verified = queue.run(&["verify"]);
    assert_eq!((verified.code, verified.stderr.as_str()), (65, expected.as_str()));
    let total = "1 item, 0 damaged, 0 without checksums, 1 beside them with names that are not UTF-8\n";
    assert_eq!(verified.text(), total);
    for arguments in [&["recover"][..], &["recover", "--json"], &["verify", "--json"]] {
        let output = queue.run(arguments);
        assert_eq!((output.code, output.stderr.as_str()), (65, expected.as_str()), "{arguments:?}");
    }
}

fn unreadable_item_is_not_called_damaged() {
    const USER: u32 = 4731;
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    queue.put(&["--id", "y"], b"body");
    fs::set_permissions(queue.beside(""), Permissions::from_mode(0o755)).expect("the test owns it");
    for path in ["", "m:y"] {
        chown(&queue.path().join(path), Some(USER.into()), None).expect("root may give files away");
    }
    let reuid = format!("--reuid={USER}");
    let by_user = |arguments: &[&str]| {
        run(&mut launched_by(&["setpriv", &reuid, "--clear-groups"], &queue.command(arguments)), b"")
    };
    let verified = by_user(&["verify"]);
    assert_eq!(verified.code, 77);
    let advice = "run this as the owner, or look at the system's log";
    assert_eq!(verified.stderr, format!("queue-store: could not be read: 1 of 2 items: {advice}\n"));
    assert!(verified.text().starts_with("x  ready  access: "), "{}", verified.text());
    assert!(verified.text().ends_with("2 items, 0 damaged, 0 without checksums, 1 that could not be read\n"));
    let recovered = by_user(&["recover"]);
    assert_eq!(recovered.code, 77);
    assert!(recovered.text().starts_with("items: 1 durable, 0 damaged, "), "{}", recovered.text());
    let output = [verified.text(), &verified.stderr, recovered.text(), &recovered.stderr].concat();
    assert!(!output.contains("quarantine"), "nothing is to be quarantined: {output}");
}

fn thousand_damaged_items_are_found_and_set_aside() {
    const DAMAGED: usize = 1_000;
    let queue = Queue::existing();
    queue.put(&["--id", "intact"], b"body");
    let ids: Vec<String> = (0..DAMAGED).map(|number| format!("x{number}")).collect();
    ids.iter().for_each(|id| queue.file_within(&format!("m:{id}"), ""));
    for gate in ["verify", "recover"] {
        let output = queue.run(&[gate]);
        assert_eq!(output.code, 65, "{gate}");
        let named = format!("{}{}", output.text(), output.stderr);
        let missing = ids.iter().find(|id| !named.contains(id.as_str()));
        assert_eq!(missing, None, "{gate}");
    }
    run(queue.command(&["quarantine"]).args(&ids), b"");
    queue.run(&["verify"]).done();
    queue.run(&["recover"]).done();
}

/// Runs a command with a terminal as standard error, and returns the text that the terminal got.
fn on_terminal(queue: &Queue, arguments: &str) -> String {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_queue-store"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]).env("QUEUE_STORE_DIR", queue.path());
    let output = run(&mut script, b"");
    assert_eq!(output.code, 0, "{}", output.text());
    output.text().to_string()
}

fn progress_is_shown_on_a_terminal() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    assert!(on_terminal(&queue, "verify").contains("/1 items "));
    assert!(on_terminal(&queue, "recover").contains("recovering 1 item"));
}

fn other_output_has_no_progress() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    queue.run(&["verify"]).done();
    queue.run(&["recover"]).done();
}
