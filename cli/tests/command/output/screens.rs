//! Output on a terminal of 80 columns, and into pipes.

use super::items::hostile_items;
use crate::aged::Aged;
use crate::process::run;
use crate::queue::Queue;
use crate::terminal;
use crate::trial::trials;

trials![
    list_fits_the_terminal,
    list_of_hostile_items_fits_the_terminal,
    list_forms_for_programs,
    list_sorts_and_limits,
    body_on_terminal_is_escaped_unless_raw,
    headers_are_decoded_and_escaped,
];

/// Returns a queue with a stuck item, and one with a long sender and several recipients.
fn ordinary() -> Queue {
    let queue = Queue::existing();
    let stuck = Aged { hours: 30, failure: "450 4.7.1 Greylisted, please try again in an hour", ..Aged::default() };
    queue.file_within("m:AAAAAAAAAAA", stuck.text("AAAAAAAAAAA"));
    put_from(&queue, "BBBBBBBBBBB", "a.very.long.sender@mail.example.com", b"x");
    queue.run(&["update", "BBBBBBBBBBB", "--rcpt", "b@example.com", "--status", "sent"]).done();
    queue
}

/// Puts a mail to two recipients.
fn put_from(queue: &Queue, id: &str, from: &str, body: &[u8]) {
    let put = ["put", "--id", id, "--from", from, "--to", "b@example.com", "--to", "c@example.com"];
    run(&mut queue.command(&put), body).done();
}

fn list_fits_the_terminal() {
    let (code, screen) = terminal::run(&mut ordinary().command(&["list"]), "");
    assert_eq!(code, 0);
    let lines: Vec<&str> = screen.lines().collect();
    let expected = [
        "ID           STATE         AGE    SIZE  SENDER       RECIPIENTS    LAST FAILURE",
        "AAAAAAAAAAA  ready         30h     24B  a@example.…  b@example.c…  450 4.7.1 G…",
        "BBBBBBBBBBB  ready          0s      1B  a.very.lon…  1 pending, …",
        "2 items, 25B",
        "1 item is older than 20h: chasquid bounces it at once, unless requeued",
    ];
    // A slow machine makes the new item older.
    assert_eq!(lines.iter().map(|line| line.replace("  1s  ", "  0s  ")).collect::<Vec<_>>(), expected);
}

fn list_of_hostile_items_fits_the_terminal() {
    let (queue, _) = hostile_items();
    let (code, screen) = terminal::run(&mut queue.command(&["list"]), "");
    assert_eq!(code, 0);
    // The footer and the warning are sentences.
    for line in screen.lines().take(3) {
        assert!(console::measure_text_width(line) <= 80 && !line.contains(char::is_control), "{line:?}");
    }
}

fn list_forms_for_programs() {
    let queue = ordinary();
    assert_eq!(queue.run(&["list", "--ids"]).done(), "AAAAAAAAAAA\nBBBBBBBBBBB\n");
    let array = queue.json(&["list", "--json"]);
    let lines = queue.run(&["list", "--json-lines"]).done();
    let items: Vec<serde_json::Value> = lines.lines().map(crate::queue::parse_json).collect();
    assert_eq!(array, serde_json::Value::Array(items));
    queue.refused(&mut queue.command(&["list", "--ids", "--json"]), b"", 64);
}

fn list_sorts_and_limits() {
    let queue = ordinary();
    put_from(&queue, "large", "aa@example.com", &[b'x'; 9000]);
    for (options, ids) in [
        (&["--sort", "age"][..], ["AAAAAAAAAAA", "BBBBBBBBBBB", "large"]),
        (&["--reverse"], ["large", "BBBBBBBBBBB", "AAAAAAAAAAA"]),
        (&["--sort", "size"], ["large", "AAAAAAAAAAA", "BBBBBBBBBBB"]),
        (&["--sort", "sender"], ["BBBBBBBBBBB", "AAAAAAAAAAA", "large"]),
        (&["--sort", "id", "--reverse"], ["large", "BBBBBBBBBBB", "AAAAAAAAAAA"]),
    ] {
        let listed = queue.run(&[&["list", "--ids"], options].concat()).done();
        assert_eq!(listed.lines().collect::<Vec<_>>(), ids, "{options:?}");
    }
    assert_eq!(queue.run(&["list", "--ids", "--unsorted"]).done().lines().count(), 3);
    queue.refused(&mut queue.command(&["list", "--unsorted", "--reverse"]), b"", 64);
    for order in ["--sort=age", "--unsorted"] {
        let listed = queue.run(&["list", "--limit", "1", order]).done();
        assert!(listed.contains("\n3 items, ") && listed.contains(", not all shown\n"), "{listed}");
        assert_eq!(listed.lines().count(), 4, "a header, an item, a footer, a warning: {listed}");
    }
}

fn body_on_terminal_is_escaped_unless_raw() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"Subject: x\r\n\r\n\x1b[2Jbody\tof \xff\r\n");
    let (_, screen) = terminal::run(&mut queue.command(&["cat", "x"]), "");
    assert_eq!(screen, "Subject: x\n\n\\u{1b}[2Jbody\tof \u{fffd}\n");
    queue.put(&["--id", "y"], b"\x1b[2Jbody\n");
    let (_, screen) = terminal::run(&mut queue.command(&["cat", "--raw", "y"]), "");
    assert_eq!(screen, "\x1b[2Jbody\n");
    assert_eq!(queue.cat("y"), b"\x1b[2Jbody\n", "what is no terminal gets every byte");
}

fn headers_are_decoded_and_escaped() {
    let queue = Queue::existing();
    let mail = b"From: =?utf-8?b?w4RubmU=?= <a@example.com>\r\nSubject: =?iso-8859-1?q?caf=E9?=\r\n folded\r\n\
                 X-Hostile: =?utf-8?q?=1B[2J?=\r\nSubject: second\r\n\r\nbody: no header\r\n";
    queue.put(&["--id", "x"], mail);
    let headers = queue.run(&["headers", "x"]).done();
    let expected = "From: Änne <a@example.com>\nSubject: café folded\nX-Hostile: \\u{1b}[2J\nSubject: second\n";
    assert_eq!(headers, expected);
    assert!(queue.run(&["show", "x"]).done().contains("subject:   café folded\n"));
    queue.put(&["--id", "none"], b"\r\nbody\r\n");
    assert_eq!(queue.run(&["headers", "none"]).done(), "");
}
