//! What the command prints: for people aligned and harmless, for programs in one documented shape.

use crate::support::{self, Queue, run};
use serde_json::{Value, json};
use std::fs;

support::trials![
    put_prints_the_id_and_nothing_else,
    list_prints_aligned_columns_the_oldest_item_first,
    show_prints_a_line_for_each_field,
    nothing_that_an_item_says_drives_the_terminal,
    a_show_in_json_has_the_documented_shape,
    a_list_in_json_is_an_array_of_the_same_shape,
    a_damaged_item_of_a_list_in_json_has_its_problem,
    verify_and_recover_speak_json,
    changes_print_nothing,
    help_and_version_are_printed_where_asked_for,
];

/// Items as chasquid writes them, at times that are known.
fn known_items() -> Queue {
    let queue = Queue::existing();
    for (name, text) in [
        (
            "m:first",
            r#"ID: "first" from: "sender@example.com" To: "b@example.com" To: "c@example.com"
               rcpt: { address: "b@example.com" original_address: "list@example.com" status: SENT }
               rcpt: { address: "c@example.com" status: FAILED last_failure_message: "550 no such user" original_address: "c@example.com" }
               rcpt: { address: "d@example.com" type: FORWARD original_address: "d@example.com" via: "mx1.example.com" via: "mx2.example.com" }
               data: "Subject: x\r\n\r\nbody\r\n" created_at_ts: { seconds: 1760785824 nanos: 5 }"#,
        ),
        (
            "q:odd",
            r#"ID: "other" from: "<>" rcpt: { address: "/usr/bin/filter" type: 7 status: -2 } created_at_ts: { seconds: -9223372036854775808 }"#,
        ),
    ] {
        fs::write(queue.path().join(name), text).expect("a file of the test");
    }
    queue.put(&["--id", "later-and-longer", "--format", "binary"], b"1234567890");
    queue.run(&["hold", "later-and-longer"]).done();
    queue
}

/// What the command prints as JSON.
fn json(queue: &Queue, arguments: &[&str]) -> Value {
    serde_json::from_str(&queue.run(arguments).done()).expect("JSON")
}

fn put_prints_the_id_and_nothing_else() {
    let queue = Queue::new();
    for arguments in [&[][..], &["--format", "binary"], &["--durability", "none"], &["--max-items", "9"]] {
        for body in [&b"body"[..], &[b'x'; 2 << 20]] {
            let printed = queue.try_put(arguments, body).done();
            let id = printed.strip_suffix('\n').expect("a line");
            assert_eq!(id.len(), 11);
            assert!(id.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character)), "{id}");
            assert!(!id.starts_with('-'), "it is no option when it is passed on");
        }
    }
    assert_eq!(queue.try_put(&["--id", "mine"], b"").done(), "mine\n");
}

fn list_prints_aligned_columns_the_oldest_item_first() {
    let queue = known_items();
    let listed = queue.run(&["list"]).done();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines[0], "ID                STATE        SIZE  CREATED                FROM                TO");
    assert_eq!(
        lines[1],
        "odd               quarantined     0  -9223372036854775808s  <>                  /usr/bin/filter (0 pending)"
    );
    assert_eq!(
        lines[2],
        "first             ready          20  2025-10-18T11:10:24Z   sender@example.com  b@example.com and 2 more (1 pending)"
    );
    let (before, after) = lines[3].split_at(37);
    assert_eq!(before, "later-and-longer  held           10  ");
    assert_eq!(&after[20..], "   a@example.com       b@example.com", "{}", lines[3]);
    assert_eq!(lines.len(), 4);
    assert_eq!(Queue::existing().run(&["list"]).done(), "", "nothing is listed as nothing");
}

fn show_prints_a_line_for_each_field() {
    let queue = known_items();
    assert_eq!(
        queue.run(&["show", "first"]).done(),
        "id:        first\n\
         state:     ready\n\
         from:      sender@example.com\n\
         to:        b@example.com\n\
         to:        c@example.com\n\
         created:   2025-10-18T11:10:24Z\n\
         size:      20 bytes, 560 in the file\n\
         format:    text, unchecked\n\
         delivery:  SENT EMAIL b@example.com\n           \
                    for list@example.com\n\
         delivery:  FAILED EMAIL c@example.com\n           \
                    said 550 no such user\n\
         delivery:  PENDING FORWARD d@example.com\n           \
                    via mx1.example.com\n           \
                    via mx2.example.com\n"
    );
    let odd = queue.run(&["show", "odd"]).done();
    assert!(odd.contains("state:     quarantined\n") && odd.contains("delivery:  -2 7 /usr/bin/filter\n"), "{odd}");
    assert!(odd.contains("created:   -9223372036854775808s\n") && odd.ends_with("item-id:   other\n"), "{odd}");
}

/// Clears the screen, sets the title, starts a sequence in 8 bits, rings, goes back, turns the direction of writing.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{8}\u{7f}\r\u{202e}\u{2066}\u{61c}";

/// Whether a terminal shows this as what it is.
#[track_caller]
fn assert_harmless(printed: &str) {
    let obeyed = |character: char| {
        (character.is_control() && character != '\n') || "\u{202e}\u{2066}\u{61c}".contains(character)
    };
    assert!(!printed.contains(obeyed), "{printed:?}");
}

fn nothing_that_an_item_says_drives_the_terminal() {
    let queue = Queue::existing();
    let (id, text) = (format!("id{HOSTILE}"), format!("text{HOSTILE}"));
    let item = format!(
        r#"ID: "{text}" from: "{text}" To: "{text}"
        rcpt: {{ address: "{text}" type: PIPE last_failure_message: "{text}" original_address: "other {text}" via: "{text}" }}
        data: "{text}" created_at_ts: {{ seconds: 1 }}"#
    );
    fs::write(queue.path().join(format!("m:{id}")), item).expect("a file of the test");
    fs::write(queue.path().join(format!("m:damaged{HOSTILE}")), format!("field{HOSTILE}: 1")).expect("a file");

    for arguments in [&["list"][..], &["list", "--json"], &["show", &id], &["show", "--json", &id], &["recover"]] {
        let printed = queue.run(arguments).done();
        assert_harmless(&printed);
        assert!(printed.contains("text") || arguments == ["recover"], "{arguments:?}: {printed}");
    }
    let shown = json(&queue, &["show", "--json", &id]);
    assert_eq!([&shown["id"], &shown["from"], &shown["to"][0]], [&json!(id), &json!(text), &json!(text)]);
    assert_eq!(shown["rcpt"][0]["last_failure_message"], json!(text));

    let damaged = format!("damaged{HOSTILE}");
    for (arguments, code) in [
        (&["verify"][..], 65),
        (&["verify", "--json"], 65),
        (&["show", &damaged], 65),
        (&["show", &text], 66),
        (&["remove", &text, HOSTILE], 66),
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
        assert_harmless(&String::from_utf8(output.stdout).expect("text"));
    }

    let mail = queue.file(&format!("mail{HOSTILE}"), b"Subject: x\n\nbody\n");
    let imported = run(queue.command(&["import", "--to", "b@example.com"]).arg(mail), b"").done();
    assert_harmless(&imported);
    // The body itself is what it is.
    assert_eq!(queue.cat(&id), text.as_bytes());
}

const SHAPE: [&str; 8] = ["id", "from", "to", "rcpt", "created_at_ts", "size", "format", "state"];

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn a_show_in_json_has_the_documented_shape() {
    let queue = known_items();
    let shown = json(&queue, &["show", "--json", "first"]);
    assert_eq!(keys(&shown), SHAPE);
    assert_eq!(
        shown,
        json!({
            "id": "first",
            "from": "sender@example.com",
            "to": ["b@example.com", "c@example.com"],
            "rcpt": [
                {
                    "address": "b@example.com", "type": "EMAIL", "status": "SENT", "last_failure_message": "",
                    "original_address": "list@example.com", "via": [],
                },
                {
                    "address": "c@example.com", "type": "EMAIL", "status": "FAILED",
                    "last_failure_message": "550 no such user", "original_address": "c@example.com", "via": [],
                },
                {
                    "address": "d@example.com", "type": "FORWARD", "status": "PENDING", "last_failure_message": "",
                    "original_address": "d@example.com", "via": ["mx1.example.com", "mx2.example.com"],
                },
            ],
            "created_at_ts": {"seconds": 1_760_785_824, "nanos": 5},
            "size": 20,
            "format": "text",
            "state": "ready",
        })
    );
    let held = json(&queue, &["show", "--json", "later-and-longer"]);
    assert_eq!(keys(&held), SHAPE);
    assert_eq!([&held["format"], &held["state"], &held["size"]], [&json!("binary"), &json!("held"), &json!(10)]);

    // Numbers where the format has no name, and what is odd beside what is documented.
    let odd = json(&queue, &["show", "--json", "odd"]);
    assert_eq!(keys(&odd), [&SHAPE[..], &["item_id"]].concat());
    assert_eq!([&odd["rcpt"][0]["type"], &odd["rcpt"][0]["status"]], [&json!(7), &json!(-2)]);
    assert_eq!([&odd["state"], &odd["item_id"]], ["quarantined", "other"]);
}

fn a_list_in_json_is_an_array_of_the_same_shape() {
    let queue = known_items();
    let listed = json(&queue, &["list", "--json"]);
    let ids: Vec<&str> = listed.as_array().expect("an array").iter().filter_map(|item| item["id"].as_str()).collect();
    assert_eq!(ids, ["odd", "first", "later-and-longer"]);
    for (item, id) in listed.as_array().expect("an array").iter().zip(ids) {
        let mut shown = json(&queue, &["show", "--json", id]);
        assert_eq!(keys(item), keys(&shown));
        if item["size"].is_null() {
            // Only reading it all tells, which a listing does not.
            shown["size"] = Value::Null;
        }
        assert_eq!(*item, shown);
    }
    assert_eq!(json(&Queue::existing(), &["list", "--json"]), json!([]));
}

fn a_damaged_item_of_a_list_in_json_has_its_problem() {
    let queue = Queue::existing();
    fs::write(queue.path().join("m:bad"), "ID: \"bad\"\nfrom: 7").expect("a file of the test");
    let listed = json(&queue, &["list", "--json"]);
    assert_eq!(keys(&listed[0]), [&SHAPE[..], &["problem"]].concat());
    let mut problem = listed[0]["problem"].clone();
    let detail = problem["detail"].take();
    assert!(detail.as_str().is_some_and(|detail| !detail.is_empty()));
    let path = format!("{}/m:bad", queue.path().display());
    assert_eq!(
        problem,
        json!({
            "code": "corrupt", "operation": "decode", "path": path, "detail": null,
            "at": {"offset": 16, "line": 2, "column": 7},
        })
    );
}

fn verify_and_recover_speak_json() {
    let queue = known_items();
    fs::write(queue.path().join(".m:AAAAAAAAAAA"), b"").expect("a file of the test");
    fs::write(queue.path().join("unrelated"), b"").expect("a file of the test");
    let verified = json(&queue, &["verify", "--json"]);
    let integrity: Vec<&Value> = verified.as_array().expect("an array").iter().map(|item| &item["integrity"]).collect();
    assert_eq!(integrity, ["unchecked", "unchecked", "whole"]);
    assert_eq!(
        json(&queue, &["recover", "--json"]),
        json!({"items": 3, "swept": 0, "kept": 1, "settled": 0, "problems": [], "truncated": false})
    );
    assert_eq!(
        queue.run(&["recover", "--grace", "0"]).done(),
        "3 items are safe, 0 of them settled; 1 temporary files swept, 0 kept\n"
    );
    assert_eq!(queue.names(), ["h=later-and-longer", "m:first", "q:odd", "unrelated"]);
    assert_eq!(queue.run(&["verify"]).done(), "3 items, 0 damaged, 2 without checksums\n");
}

fn changes_print_nothing() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"body");
    let update = ["update", "x", "--rcpt", "b@example.com", "--status", "failed", "--failure", "-550 \u{1b}no"];
    assert_eq!(queue.run(&update).done(), "");
    for command in ["hold", "release", "quarantine", "restore", "seal", "remove"] {
        assert_eq!(queue.run(&[command, "x"]).done(), "", "{command}");
    }
}

fn help_and_version_are_printed_where_asked_for() {
    let queue = Queue::new();
    assert_eq!(queue.run(&["--version"]).done(), format!("queue-store {}\n", env!("CARGO_PKG_VERSION")));
    let help = queue.run(&["--help"]).done();
    for command in [
        "put",
        "list",
        "show",
        "cat",
        "update",
        "remove",
        "hold",
        "release",
        "quarantine",
        "restore",
        "recover",
        "verify",
        "import",
        "component",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        assert!(queue.run(&[command, "--help"]).done().contains("Usage:"), "{command}");
    }
    // Either it or `--rcpt` is needed, of which clap shows neither.
    assert!(queue.run(&["put", "--help"]).done().contains(" --to <ADDR> [FILE]\n"));
}
