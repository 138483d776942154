//! Items, arguments and paths that would drive the operator's terminal.

use super::items::{HOSTILE, hostile_items};
use crate::process::run;
use crate::trial::trials;
use serde_json::json;

trials![hostile_items_are_printed_escaped, hostile_arguments_are_reported_escaped];

/// Asserts that a terminal shows every character of this and obeys none.
#[track_caller]
fn assert_harmless(printed: &str) {
    let obeyed = |character: char| {
        (character.is_control() && character != '\n') || "\u{202e}\u{2066}\u{61c}".contains(character)
    };
    assert!(!printed.contains(obeyed), "{printed:?}");
}

fn hostile_items_are_printed_escaped() {
    let (queue, [id, damaged]) = hostile_items();
    let text = format!("text{HOSTILE}");
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["list", "--json-lines"],
        &["summary"],
        &["summary", "--json"],
        &["show", &id],
        &["show", "--json", &id],
        &["headers", &id],
        &["resolve", &id],
        &["remove", "--all", "--dry-run"],
    ] {
        let printed = queue.run(arguments).done();
        assert_harmless(&printed);
        assert!(printed.contains("text"), "{arguments:?}: {printed}");
    }
    for arguments in [&["verify"][..], &["verify", "--json"], &["recover"], &["recover", "--json"], &["show", &damaged]]
    {
        let output = queue.run(arguments);
        assert_eq!(output.code, 65, "{arguments:?}: {}", output.stderr);
        assert_harmless(&output.stderr);
        assert_harmless(output.text());
    }
    // An escaped id is that of no item, which is better than two ids in two lines.
    assert_harmless(&queue.run(&["list", "--ids"]).done());
    let shown = queue.json(&["show", "--json", &id]);
    assert_eq!([&shown["id"], &shown["from"], &shown["to"][0]], [&json!(id), &json!(text), &json!(text)]);
    assert_eq!(shown["rcpt"][0]["last_failure_message"], json!(text));
    // The body is written as it is.
    assert_eq!(queue.cat(&id), text.as_bytes());
}

fn hostile_arguments_are_reported_escaped() {
    let (queue, [id, _]) = hostile_items();
    for (arguments, code) in [
        (&["show", HOSTILE][..], 66),
        (&["remove", "x", HOSTILE], 66),
        (&["restore", HOSTILE], 66),
        (&["show", "--json", HOSTILE, HOSTILE], 64),
        (&["put", "--from", HOSTILE, "--to", HOSTILE], 64),
        (&["put", "--from", "a@example.com", "--rcpt", &format!("{{{HOSTILE}")], 64),
        (&["put", "--from", "a@example.com", "--to", "b@example.com", HOSTILE], 66),
        (&["list", "--queue", HOSTILE], 66),
        (&["update", &id, "--rcpt", HOSTILE, "--status", "sent"], 65),
        (&[HOSTILE], 64),
    ] {
        let output = queue.run(arguments);
        assert_eq!(output.code, code, "{arguments:?}: {}", output.stderr);
        assert_harmless(&output.stderr);
        assert_harmless(output.text());
    }
    let mail = queue.file(&format!("mail{HOSTILE}"), b"Subject: x\n\nbody\n");
    let imported = run(queue.command(&["import", "--to", "b@example.com"]).arg(mail), b"");
    assert_eq!((imported.code, imported.stderr.as_str()), (0, "queue-store: 1 mail queued\n"));
    assert_harmless(imported.text());
}
