//! An import can be repeated: it queues what is missing, and nothing twice.

use super::{FROM, ids};
use crate::process::{send, spawn, wait};
use crate::queue::Queue;
use crate::trial::trials;
use fastrand::Rng;
use nix::sys::signal::Signal;
use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::thread;
use std::time::Duration;

trials![
    repeated_import_queues_nothing_twice,
    mail_whose_item_is_damaged_or_quarantined_is_refused,
    identical_mails_are_all_queued,
    ids_depend_on_mail_alone,
    killed_import_is_completed
];

fn repeated_import_queues_nothing_twice() {
    let queue = Queue::existing();
    let large = format!("To: b@example.com\n\n{}", "x".repeat(9 << 20));
    let paths = [queue.file("one", "To: b@example.com\n\none\n"), queue.file("large", large)];
    let paths = [paths[0].as_path(), &paths[1]];
    let first = queue.import(&[], &paths, "2 mails queued");
    assert!(queue.import(&[], &paths, "0 mails queued, 2 queued already") == first);
    // Also where an operator keeps one from being delivered meanwhile.
    let id = queue.names()[0].trim_start_matches("m:").to_string();
    queue.run(&["hold", &id]).done();
    assert!(queue.import(&[], &paths, "0 mails queued, 2 queued already") == first);
}

fn mail_whose_item_is_damaged_or_quarantined_is_refused() {
    let queue = Queue::existing();
    let path = queue.file("one", "To: b@example.com\n\none\n");
    queue.import(&[], &[&path], "1 mail queued");
    let name = queue.names()[0].clone();
    let id = name.trim_start_matches("m:");
    let refused = |reason: &str| {
        let output = queue.try_import(&[], &[&path]);
        assert_eq!((output.code, output.text()), (65, ""));
        assert!(output.stderr.contains(reason), "{}", output.stderr);
        assert!(output.stderr.ends_with("queue-store: 0 mails queued, 1 refused\n"), "{}", output.stderr);
    };
    queue.file_within(&name, "");
    refused("the item is incomplete");
    queue.run(&["quarantine", id]).done();
    refused(id);
}

fn identical_mails_are_all_queued() {
    let queue = Queue::existing();
    let mbox = queue.file("mbox", format!("{FROM}To: b@example.com\n\none\n\n").repeat(3));
    queue.import(&[], &[&mbox], "3 mails queued");
    queue.import(&[], &[&mbox], "0 mails queued, 3 queued already");
}

fn ids_depend_on_mail_alone() {
    let queue = Queue::existing();
    let mail = |number: u32| format!("{FROM}To: b@example.com\n\n{number}\n\n");
    let there = queue.file("there", mail(1) + &mail(2) + &mail(1));
    let elsewhere = queue.file("elsewhere", mail(1) + &mail(1) + &mail(3) + &mail(2));
    let first = queue.try_import(&[], &[&there]);
    let second = queue.try_import(&[], &[&elsewhere]);
    assert_eq!(second.stderr, "queue-store: 1 mail queued, 3 queued already\n");
    let known: HashSet<&str> = ids(first.text()).map(|(id, _)| id).collect();
    let new: Vec<&str> = ids(second.text()).filter(|(id, _)| !known.contains(id)).map(|(_, source)| source).collect();
    assert_eq!(new, [format!("{}:3", elsewhere.display())]);
    // Another envelope makes another mail.
    let other = queue.try_import(&["--to", "c@example.com"], &[&there]);
    assert_eq!(other.stderr, "queue-store: 3 mails queued\n");
}

fn killed_import_is_completed() {
    const MAILS: usize = 900;
    let queue = Queue::existing();
    let mut content = String::new();
    for number in 0..MAILS {
        // Some are the same.
        write!(content, "{FROM}To: b@example.com\n\nmail {}\n\n", number / 2).expect("a string can be written");
    }
    let mbox = queue.file("mbox", content);
    let mut random = Rng::with_seed(14);
    for _ in 0..20 {
        let import = spawn(queue.command(&["import"]).arg(&mbox));
        thread::sleep(Duration::from_millis(random.u64(20..120)));
        send(Signal::SIGKILL, &import);
        let output = wait(import);
        for (id, _) in ids(output.text().rsplit_once('\n').unwrap_or_default().0) {
            assert!(queue.names().contains(&format!("m:{id}")), "a printed id is queued");
        }
    }
    let before = queue.names().iter().filter(|name| name.starts_with("m:")).count();
    let output = queue.try_import(&[], &[&mbox]);
    let total = if before == 0 { String::new() } else { format!(", {before} queued already") };
    assert_eq!(output.stderr, format!("queue-store: {} mails queued{total}\n", MAILS - before));
    queue.run(&["recover", "--grace", "0"]).done();
    assert_eq!(queue.run(&["verify"]).done(), format!("{MAILS} items, 0 damaged, 0 without checksums\n"));
    let imported: Vec<(&str, &str)> = ids(output.text()).collect();
    assert_eq!(imported.len(), MAILS);
    for (number, (id, source)) in imported.into_iter().enumerate() {
        let item = fs::read_to_string(queue.path().join(format!("m:{id}"))).expect("the item exists");
        assert!(source.ends_with(&format!(":{}", number + 1)) && item.contains(&format!("mail {}\\n", number / 2)));
    }
}
