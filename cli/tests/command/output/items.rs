//! Queues with known items.

use crate::queue::Queue;

/// Returns a queue with items as chasquid writes them, at known times, and a binary one.
pub(super) fn known_items() -> Queue {
    let queue = Queue::existing();
    queue.file_within(
        "m:first",
        r#"ID: "first" from: "sender@example.com" To: "b@example.com" To: "c@example.com"
           rcpt: { address: "b@example.com" original_address: "list@example.com" status: SENT }
           rcpt: { address: "c@example.com" status: FAILED last_failure_message: "550 no such user" original_address: "c@example.com" }
           rcpt: { address: "d@example.com" type: FORWARD original_address: "d@example.com" via: "mx1.example.com" via: "mx2.example.com" }
           data: "Subject: x\r\n\r\nbody\r\n" created_at_ts: { seconds: 1760785824 nanos: 5 }"#,
    );
    queue.file_within(
        "q:odd",
        r#"ID: "odd" from: "<>" rcpt: { address: "/usr/bin/filter" type: 7 status: -2 } created_at_ts: { seconds: -9223372036854775808 }"#,
    );
    queue.put(&["--id", "later-and-longer", "--format", "binary"], b"1234567890");
    queue.run(&["hold", "later-and-longer"]).done();
    queue
}

/// Returns a queue with an item `copy` whose field `ID` is `original`.
pub(super) fn copied_item() -> Queue {
    let queue = Queue::existing();
    queue.file_within(
        "m:copy",
        r#"ID: "original" from: "<>" rcpt: { address: "b@example.com" } data: "body" created_at_ts: { seconds: 1 }"#,
    );
    queue
}

/// Clears the screen, sets the title, begins a sequence in 8 bits, rings, goes back, reverses the direction of writing.
pub(super) const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{8}\u{7f}\r\u{202e}\u{2066}\u{61c}";

/// Returns a queue with an intact item and a damaged one, both hostile in every field, and their ids.
pub(super) fn hostile_items() -> (Queue, [String; 2]) {
    let queue = Queue::existing();
    let (intact, damaged, text) = (format!("id{HOSTILE}"), format!("damaged{HOSTILE}"), format!("text{HOSTILE}"));
    let item = format!(
        r#"ID: "{text}" from: "{text}" To: "{text}"
        rcpt: {{ address: "{text}" type: PIPE last_failure_message: "{text}" original_address: "other {text}" via: "{text}" }}
        data: "{text}" created_at_ts: {{ seconds: 1 }}"#
    );
    queue.file_within(&format!("m:{intact}"), item);
    queue.file_within(&format!("m:{damaged}"), format!("field{HOSTILE}: 1"));
    (queue, [intact, damaged])
}
