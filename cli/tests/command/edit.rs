//! Changes of the sender and the recipients of an item.

use crate::queue::Queue;
use crate::trial::trials;
use serde_json::Value;

trials![
    recipients_are_added_dropped_and_replaced,
    replacement_keeps_what_is_not_the_address,
    sender_is_changed,
    equals_sign_in_address_is_not_a_separator,
    edit_that_makes_no_sense_is_refused,
];

fn queue() -> Queue {
    let queue = Queue::existing();
    queue.put(&["--id", "x", "--to", "c@example.com"], b"body");
    queue
}

/// Returns the addresses of the deliveries.
fn recipients(queue: &Queue) -> Vec<String> {
    let shown = queue.json(&["show", "--json", "x"]);
    let recipients = shown["rcpt"].as_array().expect("the recipients are an array");
    recipients.iter().map(|recipient| recipient["address"].as_str().expect("an address is text").to_string()).collect()
}

fn edit(queue: &Queue, arguments: &[&str]) {
    assert_eq!(queue.run(&[&["edit", "x"], arguments].concat()).done(), "");
}

fn recipients_are_added_dropped_and_replaced() {
    let queue = queue();
    queue.run(&["update", "x", "--rcpt", "b@example.com", "--status", "failed", "--failure", "550 no"]).done();
    edit(&queue, &["--replace", "b@example.com=B@example.net"]);
    assert_eq!(recipients(&queue), ["B@example.net", "c@example.com"]);
    let replaced = queue.json(&["show", "--json", "x"])["rcpt"][0].clone();
    assert_eq!([&replaced["status"], &replaced["last_failure_message"]], [&Value::from("PENDING"), &Value::from("")]);
    edit(&queue, &["--add", "d@example.com", "--add", "e@example.com", "--drop", "c@example.com"]);
    assert_eq!(recipients(&queue), ["B@example.net", "d@example.com", "e@example.com"]);
    assert_eq!(queue.cat("x"), b"body");
}

fn sender_is_changed() {
    let queue = queue();
    for (sender, stored) in [("new@example.com", "new@example.com"), ("<>", "<>"), ("", "<>")] {
        edit(&queue, &["--sender", sender]);
        assert_eq!(queue.json(&["show", "--json", "x"])["from"], stored);
    }
    assert_eq!(recipients(&queue), ["b@example.com", "c@example.com"]);
}

fn equals_sign_in_address_is_not_a_separator() {
    let queue = Queue::existing();
    queue.put(&["--id", "x", "--to", "l+u=h@example.com"], b"x");
    edit(&queue, &["--replace", "l+u=h@example.com=l+v=h@example.com"]);
    assert_eq!(recipients(&queue), ["b@example.com", "l+v=h@example.com"]);
}

fn edit_that_makes_no_sense_is_refused() {
    let queue = queue();
    for (arguments, code, cause) in [
        (&[][..], 64, "required"),
        (&["--add", "two words@example.com"], 64, "give one address as local-part@domain"),
        (&["--sender", "nobody"], 64, "give one address as local-part@domain"),
        (&["--replace", "b@example.com=nobody"], 64, "give one address as local-part@domain"),
        (&["--replace", "z@example.com=y@example.com"], 65, "the item has no delivery to z@example.com"),
        (&["--replace", "b@example.com"], 65, "the item has no delivery to b@example.com"),
        (&["--drop", "z@example.com"], 65, "the item has no delivery to z@example.com"),
        (&["--add", "b@example.com"], 65, "the item has a delivery to b@example.com already"),
        (&["--add", "b@EXAMPLE.com"], 65, "the item has a delivery to b@EXAMPLE.com already"),
        (&["--replace", "b@example.com=c@Example.com"], 65, "the item has a delivery to c@Example.com already"),
        (&["--drop", "b@example.com", "--drop", "c@example.com"], 65, "an item needs a delivery"),
    ] {
        let line = queue.refused(queue.command(&["edit", "x"]).args(arguments), b"", code);
        assert!(line.contains(cause), "{arguments:?}: {line}");
    }
    queue.run(&["quarantine", "x"]).done();
    let line = queue.refused(&mut queue.command(&["edit", "x", "--add", "d@example.com"]), b"", 65);
    assert!(line.ends_with("the item is quarantined: restore it first"), "{line}");
}

fn replacement_keeps_what_is_not_the_address() {
    let queue = Queue::existing();
    let deliveries = "rcpt: {address: \"c@x.example\" type: FORWARD status: SENT original_address: \"a@x.example\" via: \"mx\"}\n\
                      rcpt: {address: \"c@x.example\" type: FORWARD original_address: \"b@x.example\" via: \"mx\"}\n\
                      rcpt: {address: \"c@x.example\" type: FORWARD original_address: \"e@x.example\" via: \"mx\"}\n\
                      rcpt: {address: \"/bin/cat\" type: PIPE original_address: \"p@x.example\"}\n";
    let item = format!("ID: \"x\"\nfrom: \"a@example.com\"\n{deliveries}data: \"x\"\ncreated_at_ts: {{seconds: 1}}\n");
    queue.file_within("m:x", item);
    edit(&queue, &["--replace", "c@x.example=d@y.example", "--replace", "/bin/cat=q@y.example"]);
    let shown = queue.json(&["show", "--json", "x"]);
    let facts = |place: usize| {
        let delivery = &shown["rcpt"][place];
        ["address", "type", "status", "original_address"]
            .map(|name| delivery[name].as_str().unwrap_or_default().to_string())
    };
    assert_eq!(facts(0), ["c@x.example", "FORWARD", "SENT", "a@x.example"]);
    assert_eq!(facts(1), ["d@y.example", "FORWARD", "PENDING", "b@x.example"]);
    assert_eq!(facts(2), ["q@y.example", "EMAIL", "PENDING", "q@y.example"]);
    assert_eq!(shown["rcpt"].as_array().map(Vec::len), Some(3), "{shown}");
}
