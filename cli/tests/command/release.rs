//! The time of acceptance, by which chasquid gives up: renewed by what makes an item ready.

use crate::aged::{Aged, now};
use crate::mounts::{mount_tmpfs, with_mounts};
use crate::queue::Queue;
use crate::strace;
use crate::trial::trials;
use std::fs;

trials![
    release_renews_time,
    release_of_ready_item_keeps_time,
    restore_renews_time,
    failed_restore_leaves_the_item_in_quarantine => Root,
    requeue_renews_time_and_makes_failed_deliveries_pending,
    keep_time_keeps_it,
    time_is_renewed_while_the_item_is_held => Strace,
    listings_warn_of_items_that_chasquid_gives_up,
];

/// Returns a queue with an item that is two days old, under this file name.
fn old(name: &str, status: &'static str) -> Queue {
    let queue = Queue::existing();
    queue.file_within(name, Aged { hours: 48, status, ..Aged::default() }.text("x"));
    queue
}

/// Returns the age of the item in seconds.
fn age(queue: &Queue) -> u64 {
    let created = queue.json(&["show", "--json", "x"])["created_at_ts"]["seconds"].as_u64();
    now() - created.expect("the item was accepted after 1970")
}

fn is_renewed(queue: &Queue) -> bool {
    age(queue) < 3600
}

fn release_renews_time() {
    for name in ["h:x", "q:x"] {
        let queue = old(name, "PENDING");
        queue.run(&["release", "x"]).done();
        assert_eq!(queue.names(), ["m:x"]);
        assert!(is_renewed(&queue));
        assert_eq!(queue.cat("x"), b"Subject: hello\r\n\r\nbody\r\n");
    }
}

fn release_of_ready_item_keeps_time() {
    let queue = old("m:x", "PENDING");
    queue.run(&["release", "x"]).done();
    assert!(!is_renewed(&queue));
}

fn restore_renews_time() {
    let queue = old("q:x", "PENDING");
    queue.run(&["restore", "x"]).done();
    assert_eq!(queue.names(), ["m:x"]);
    assert!(is_renewed(&queue));
}

fn requeue_renews_time_and_makes_failed_deliveries_pending() {
    for name in ["m:x", "h:x"] {
        for (status, requeued) in [("FAILED", "PENDING"), ("PENDING", "PENDING"), ("SENT", "SENT")] {
            let queue = old(name, status);
            queue.run(&["requeue", "x"]).done();
            assert_eq!(queue.names(), [name]);
            assert!(is_renewed(&queue));
            assert_eq!(queue.json(&["show", "--json", "x"])["rcpt"][0]["status"], requeued);
        }
    }
}

fn keep_time_keeps_it() {
    for (command, name) in [("release", "h:x"), ("restore", "q:x"), ("requeue", "m:x")] {
        let queue = old(name, "FAILED");
        queue.run(&[command, "--keep-time", "x"]).done();
        assert_eq!(queue.names(), ["m:x"]);
        assert!(!is_renewed(&queue), "{command}");
    }
}

fn time_is_renewed_while_the_item_is_held() {
    for (command, name, before) in [("release", "h:x", &[][..]), ("restore", "q:x", &["rename q:x h:x"])] {
        let queue = old(name, "PENDING");
        let changes = strace::changes(&queue.path(), &queue.command(&[command, "x"]), b"");
        let renames: Vec<&str> =
            changes.iter().map(String::as_str).filter(|change| change.starts_with("rename")).collect();
        assert_eq!(renames, [before, &["rename T1 h:x", "rename h:x m:x"]].concat());
        let place = |change: &str| changes.iter().position(|made| made == change).expect(change);
        assert!(place("sync T1") < place("rename T1 h:x"), "the new file is durable before it has a name: {changes:?}");
        assert!(changes[place("rename h:x m:x")..].contains(&"sync .".to_string()), "{changes:?}");
    }
}

fn listings_warn_of_items_that_chasquid_gives_up() {
    let warning = "older than 20h: chasquid bounces it at once, unless requeued";
    for (name, status, hours, is_warned) in [
        ("m:x", "PENDING", 21, true),
        ("m:x", "PENDING", 19, false),
        ("m:x", "SENT", 21, false),
        ("h:x", "PENDING", 21, false),
    ] {
        let queue = Queue::existing();
        queue.file_within(name, Aged { hours, status, ..Aged::default() }.text("x"));
        let listed = queue.run(&["list"]).done();
        assert_eq!(listed.ends_with(&format!("\n1 item is {warning}\n")), is_warned, "{listed}");
        let shown = queue.run(&["show", "x"]).done();
        assert_eq!(shown.ends_with(&format!("warning:   {warning}\n")), is_warned, "{shown}");
    }
}

fn failed_restore_leaves_the_item_in_quarantine() {
    with_mounts(|| {
        let queue = Queue::new();
        mount_tmpfs(&queue.path(), "size=256k");
        queue.file_within("q:x", Aged { hours: 48, ..Aged::default() }.text("x"));
        // Until the file system is full.
        let full = fs::write(queue.path().join("full"), vec![0; 1 << 20]);
        full.expect_err("the file system is smaller");
        queue.run(&["restore", "x"]).failed(75);
        assert_eq!(queue.names(), ["full", "q:x"]);
        fs::remove_file(queue.path().join("full")).expect("it is ours");
        assert_eq!(queue.run(&["restore", "--all"]).done(), "restored 1 item\n");
        assert_eq!(queue.names(), ["m:x"]);
    });
}
