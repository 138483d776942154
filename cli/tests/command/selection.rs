//! The items that options select.

use crate::aged::Aged;
use crate::process::{launched_by, run};
use crate::queue::Queue;
use crate::strace::with_fault;
use crate::trial::trials;
use nix::unistd::chown;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

trials![
    options_select_items,
    repeated_option_is_or_and_different_ones_are_and,
    delivery_must_match_all_options,
    damaged_items_are_selected_by_whole_files,
    ids_are_read_from_standard_input,
    change_without_selection_exits_64,
    empty_filter_selects_nothing,
    ids_and_options_exclude_each_other,
    malformed_duration_and_size_exit_64,
    items_that_cannot_be_read_are_counted => Root,
    subject_that_cannot_be_read_is_counted => Strace,
];

/// Returns a queue with items of every kind.
fn queue() -> Queue {
    let queue = Queue::existing();
    let items = [
        ("m:fresh", Aged { hours: 0, ..Aged::default() }),
        ("m:old", Aged { hours: 50, from: "<>", failure: "450 Greylisted, try again", ..Aged::default() }),
        ("h:other", Aged { to: "c@Example.NET", subject: "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", ..Aged::default() }),
        ("q:failed", Aged { from: "x@example.net", status: "FAILED", failure: "550 no such user", ..Aged::default() }),
    ];
    for (name, item) in items {
        queue.file_within(name, item.text(&name[2..]));
    }
    queue.put(&["--id", "large"], &[b'x'; 5000]);
    queue
}

/// Returns the ids that `list` prints with these options, sorted.
fn selected(queue: &Queue, options: &[&str]) -> Vec<String> {
    let listed = queue.run(&[&["list", "--sort", "id", "--ids"], options].concat()).done();
    listed.lines().map(str::to_string).collect()
}

fn options_select_items() {
    let queue = queue();
    for (options, expected) in [
        (&["--all"][..], &["failed", "fresh", "large", "old", "other"][..]),
        (&["--from", "X@Example.Net"], &["failed"]),
        (&["--from", "<>"], &["old"]),
        (&["--to", "c@example.net"], &["other"]),
        (&["--domain", "example.net"], &["other"]),
        (&["--domain", "net"], &[]),
        (&["--state", "held"], &["other"]),
        (&["--status", "failed"], &["failed"]),
        (&["--failure", "greylisted"], &["old"]),
        (&["--older-than", "2d"], &["old"]),
        (&["--older-than", "51h"], &[]),
        (&["--older-than", "1800"], &["failed", "old", "other"]),
        (&["--larger-than", "4kB"], &["large"]),
        (&["--larger-than", "1GiB"], &[]),
        (&["--subject", "GRÜSSE"], &[]),
        (&["--subject", "grüße"], &["other"]),
        (&["--subject", "hello"], &["failed", "fresh", "old"]),
        (&["--damaged"], &[]),
    ] {
        assert_eq!(selected(&queue, options), expected, "{options:?}");
    }
}

fn repeated_option_is_or_and_different_ones_are_and() {
    let queue = queue();
    assert_eq!(selected(&queue, &["--state", "held", "--state", "quarantined"]), ["failed", "other"]);
    assert_eq!(selected(&queue, &["--state", "held", "--domain", "example.com"]), [""; 0]);
    assert_eq!(selected(&queue, &["--from", "<>", "--from", "x@example.net", "--older-than", "10h"]), ["old"]);
}

fn delivery_must_match_all_options() {
    let queue = Queue::existing();
    queue.file_within(
        "m:x",
        r#"ID: "x" from: "<>" rcpt: { address: "b@example.com" status: SENT } rcpt: { address: "c@example.net" }
           data: "" created_at_ts: { seconds: 1 }"#,
    );
    assert_eq!(selected(&queue, &["--domain", "example.net", "--status", "pending"]), ["x"]);
    assert_eq!(selected(&queue, &["--domain", "example.com", "--status", "pending"]), [""; 0]);
}

fn damaged_items_are_selected_by_whole_files() {
    let queue = queue();
    queue.file_within("m:empty", "");
    let path = queue.path().join("m:large");
    let damaged = std::fs::read_to_string(&path).expect("it is text").replace("xxx\"", "xxy\"");
    std::fs::write(&path, damaged).expect("the item is writable");
    assert_eq!(selected(&queue, &["--damaged"]), ["empty", "large"]);
    assert_eq!(queue.run(&["quarantine", "--damaged"]).done(), "quarantined 2 items\n");
    assert!(queue.names().contains(&"q:empty".to_string()) && queue.names().contains(&"q:large".to_string()));
}

fn ids_are_read_from_standard_input() {
    let queue = queue();
    let held = run(&mut queue.command(&["hold", "-"]), b"fresh\n\nold\nfresh\n").done();
    assert_eq!(held, "held 2 items\n");
    let missing = run(&mut queue.command(&["hold", "-", "old"]), b"nothing\n");
    assert_eq!((missing.code, missing.text()), (66, "held 1 item\n"));
    assert_eq!(run(&mut queue.command(&["hold", "-"]), b"\n").done(), "held 0 items\n");
}

fn change_without_selection_exits_64() {
    let queue = queue();
    for command in ["hold", "release", "requeue", "quarantine", "restore", "remove"] {
        for arguments in [&[command][..], &[command, "--dry-run"], &[command, "--yes"]] {
            let line = queue.refused(&mut queue.command(arguments), b"", 64);
            assert_eq!(line, "which items: name their ids, select them by options such as --domain, or all by --all");
        }
    }
}

fn empty_filter_selects_nothing() {
    let queue = queue();
    for option in ["--from", "--to", "--domain", "--failure", "--subject"] {
        queue.refused(&mut queue.command(&["remove", "--yes", option, ""]), b"", 64);
    }
}

fn ids_and_options_exclude_each_other() {
    let queue = queue();
    for arguments in
        [&["remove", "fresh", "--all"][..], &["remove", "fresh", "--from", "<>"], &["remove", "--all", "--damaged"]]
    {
        let line = queue.refused(&mut queue.command(arguments), b"", 64);
        assert!(line.contains("cannot be used with"), "{line}");
    }
}

fn malformed_duration_and_size_exit_64() {
    let queue = queue();
    for arguments in
        [["--older-than", "soon"], ["--older-than", "3 parsecs"], ["--larger-than", "huge"], ["--larger-than", "-1"]]
    {
        let line = queue.refused(queue.command(&["list"]).args(arguments), b"", 64);
        assert!(line.contains(arguments[0]) || line.contains("-1"), "{line}");
    }
}

/// Returns the line that counts items which may match.
fn unjudged(items: &str) -> String {
    format!(
        "queue-store: could not be read, and may match: {items}: run this as the owner, or look at the system's log\n"
    )
}

fn items_that_cannot_be_read_are_counted() {
    const USER: u32 = 4732;
    let queue = Queue::existing();
    ["x", "y", "z"].iter().for_each(|id| queue.file_within(&format!("m:{id}"), Aged::default().text(id)));
    fs::set_permissions(queue.path().join("m:z"), Permissions::from_mode(0o600)).expect("the test owns it");
    fs::set_permissions(queue.beside(""), Permissions::from_mode(0o755)).expect("the test owns it");
    for path in ["", "m:x", "m:y"] {
        chown(&queue.path().join(path), Some(USER.into()), None).expect("root may give files away");
    }
    let reuid = format!("--reuid={USER}");
    let by_user = |arguments: &[&str]| {
        run(&mut launched_by(&["setpriv", &reuid, "--clear-groups"], &queue.command(arguments)), b"")
    };
    for (filter, matching) in [
        (["--from", "a@example.com"], 2),
        (["--domain", "example.com"], 2),
        (["--older-than", "1s"], 2),
        (["--larger-than", "1B"], 2),
        (["--subject", "hello"], 2),
        (["--subject", "goodbye"], 0),
        (["--damaged", "--state=ready"], 0),
    ] {
        for form in ["--ids", "--json-lines", "--unsorted"] {
            let listed = by_user(&[&["list", form], &filter[..]].concat());
            assert_eq!((listed.code, listed.stderr.as_str()), (77, unjudged("1 item").as_str()), "{filter:?}");
            assert!(form == "--unsorted" || listed.text().lines().count() == matching, "{filter:?}");
        }
    }
    assert_eq!(by_user(&["list", "--ids", "--state", "ready"]).done().lines().count(), 3);
    let planned = by_user(&["hold", "--from", "a@example.com", "--dry-run"]);
    assert_eq!((planned.code, planned.stderr), (77, unjudged("1 item")));
    let held = by_user(&["hold", "--from", "a@example.com"]);
    assert_eq!((held.code, held.text(), held.stderr.as_str()), (77, "held 2 items\n", unjudged("1 item").as_str()));
    let summary = by_user(&["summary", "--from", "a@example.com"]);
    assert_eq!((summary.code, summary.stderr), (77, unjudged("1 item")));
    let export = by_user(&["export", "--format=mbox", "--output=/dev/null", "--from", "a@example.com"]);
    assert!(export.stderr.starts_with(&unjudged("1 item")), "{}", export.stderr);
}

fn subject_that_cannot_be_read_is_counted() {
    let queue = Queue::existing();
    queue.file_within("m:x", Aged::default().text("x"));
    let list = queue.command(&["list", "--ids", "--subject", "hello"]);
    // Each pass opens the directory and the item: the first reads the envelope, and the second the subject.
    let listed = run(&mut with_fault("openat2:error=EIO:when=4", &list), b"");
    assert_eq!((listed.code, listed.text(), listed.stderr.as_str()), (74, "", unjudged("1 item").as_str()));
}
