//! Sums of the mail that is not delivered, and listings of it.

use crate::aged::Aged;
use crate::queue::{Queue, parse_json};
use crate::terminal;
use crate::trial::trials;
use serde_json::{Value, json};

trials![
    summary_counts_by_domain,
    summary_counts_by_age_as_qshape,
    summary_of_wrong_directory_counts_its_files,
    delivered_recipients_are_not_counted,
];

fn queue() -> Queue {
    let queue = Queue::existing();
    let items = [
        ("m:1", Aged { hours: 30, failure: "450 later", ..Aged::default() }),
        ("m:2", Aged { hours: 2, failure: "450 later", from: "<>", ..Aged::default() }),
        ("h:3", Aged { hours: 0, failure: "550 no", to: "c@Example.COM", ..Aged::default() }),
        ("m:4", Aged { to: "d@example.net", ..Aged::default() }),
        ("q:5", Aged { to: "e@example.org", ..Aged::default() }),
    ];
    for (name, item) in items {
        queue.file_within(name, item.text(&name[2..]));
    }
    queue
}

/// Returns the words of each line.
fn words(printed: &str) -> Vec<Vec<&str>> {
    printed.lines().map(|line| line.split_whitespace().collect()).collect()
}

fn summary_counts_by_domain() {
    let queue = queue();
    let printed = queue.run(&["summary"]).done();
    let lines = words(&printed);
    assert_eq!(lines[0][..5], ["DOMAIN", "ITEMS", "SIZE", "OLDEST", "NEWEST"]);
    assert_eq!(
        [&lines[1][..2], &lines[1][3..4], &lines[1][5..]].concat(),
        ["example.com", "3", "30h", "2:", "450", "later"]
    );
    assert_eq!(lines[2][..2], ["example.net", "1"]);
    assert!(lines[3].starts_with(&["4", "items,"]) && lines.len() == 4, "{printed}");

    let summary = queue.json(&["summary", "--json"]);
    assert_eq!([&summary["items"], &summary["unreadable_items"]], [4, 0]);
    let first = &summary["domains"][0];
    assert_eq!([&first["domain"], &first["items"]], [&json!("example.com"), &json!(3)]);
    assert_eq!(first["failure"], json!({"message": "450 later", "items": 2}));
    assert!(first["oldest"]["seconds"].as_u64() < first["newest"]["seconds"].as_u64());

    let by_sender = queue.run(&["summary", "--by-sender"]).done();
    let lines = words(&by_sender);
    assert_eq!([&lines[1][..2], &lines[2][..2]], [["example.com", "3"], ["(none)", "1"]]);
}

fn summary_counts_by_age_as_qshape() {
    let printed = queue().run(&["summary", "--ages"]).done();
    let lines = words(&printed);
    assert_eq!(lines[0], ["DOMAIN", "T", "5", "10", "20", "40", "80", "160", "320", "640", "1280", "1280+"]);
    assert_eq!(lines[1], ["example.com", "3", "1", "0", "0", "0", "0", "1", "0", "0", "0", "1"]);
    assert_eq!(lines[2], ["example.net", "1", "0", "0", "0", "0", "1", "0", "0", "0", "0", "0"]);
    let (_, screen) = terminal::run(&mut queue().command(&["summary", "--ages"]), "");
    assert!(screen.lines().all(|line| line.len() <= 80), "{screen}");
}

fn summary_of_wrong_directory_counts_its_files() {
    let queue = Queue::existing();
    assert_eq!(queue.run(&["summary"]).done(), "no items\n");
    assert_eq!(queue.run(&["list"]).done(), "the queue is empty\n");
    queue.file_within("passwd", "");
    let note = "1 file of the directory is not an item";
    assert_eq!(queue.run(&["summary"]).done(), format!("no items; {note}\n"));
    assert_eq!(queue.run(&["list"]).done(), format!("the queue is empty; {note}\n"));
}

fn delivered_recipients_are_not_counted() {
    let queue = Queue::existing();
    queue.file_within("m:x", Aged { status: "SENT", ..Aged::default() }.text("x"));
    queue.file_within("m:bad", "");
    let summary = parse_json(&queue.run(&["summary", "--json"]).done());
    assert_eq!([&summary["items"], &summary["unreadable_items"]], [2, 1]);
    assert_eq!(summary["domains"], Value::Array(Vec::new()));
    let printed = queue.run(&["summary"]).done();
    assert!(printed.ends_with("; 1 item is damaged or unreadable, and in no domain\n"), "{printed}");
}
