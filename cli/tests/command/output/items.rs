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
