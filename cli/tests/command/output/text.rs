//! Output for people.

use super::items::{copied_item, known_items};
use crate::queue::Queue;
use crate::trial::trials;

trials![
    put_prints_only_the_id,
    list_prints_columns_oldest_item_first,
    list_names_differing_field_id,
    show_prints_a_line_for_each_field,
    verify_prints_damaged_items_and_totals,
    recover_prints_its_report,
    update_prints_nothing,
    help_and_version_go_to_standard_output,
];

fn put_prints_only_the_id() {
    let queue = Queue::existing();
    for arguments in [&[][..], &["--format", "binary"], &["--durability", "none"], &["--max-items", "9"]] {
        for body in [&b"body"[..], &[b'x'; 2 << 20]] {
            let printed = queue.try_put(arguments, body).done();
            let id = printed.strip_suffix('\n').expect("the id is a line");
            assert_eq!(id.len(), 11);
            assert!(id.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character)), "{id}");
            assert!(!id.starts_with('-'), "a generated id is not taken for an option");
        }
    }
    assert_eq!(queue.try_put(&["--id", "mine"], b"x").done(), "mine\n");
}

fn list_prints_columns_oldest_item_first() {
    let queue = known_items();
    let listed = queue.run(&["list"]).done();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines[0], "ID           STATE         AGE    SIZE  SENDER    RECIPIENTS  LAST FAILURE");
    assert!(lines[1].starts_with("odd          quarantined  "), "{}", lines[1]);
    assert!(lines[1].ends_with("  0B  <>        -2: /usr/bin/filter"), "{}", lines[1]);
    assert!(lines[2].starts_with("first        ready        "), "{}", lines[2]);
    let cells = "20B  sender@example.com  1 pending, 1 sent, 1 failed: c@example.com, d@example.com, b@example.com  550 no such user";
    assert!(lines[2].ends_with(cells), "{}", lines[2]);
    assert!(lines[3].starts_with("later-and-longer  held         "), "nothing is cut: {}", lines[3]);
    assert!(lines[3].ends_with("  10B  a@example.com  b@example.com"), "{}", lines[3]);
    assert_eq!(lines[4], "3 items, 30B");
    assert!(lines[5].starts_with("1 item is older than 20h"), "{}", lines[5]);
    assert_eq!(lines.len(), 6);
}

fn list_names_differing_field_id() {
    let listed = copied_item().run(&["list"]).done();
    assert!(listed.contains("\ncopy         damaged ") && listed.contains("original"), "{listed}");
}

fn show_prints_a_line_for_each_field() {
    let queue = known_items();
    let created = "created:   2025-10-18T11:10:24Z (";
    let shown = queue.run(&["show", "first"]).done();
    let shown = shown.lines().map(|line| if line.starts_with(created) { created } else { line });
    let path = queue.path().join("m:first");
    assert_eq!(
        shown
            .map(|line| format!("{line}\n")
                .replace(path.to_str().expect("temporary directories have names in UTF-8"), "PATH"))
            .collect::<String>(),
        "id:        first\n\
         state:     ready\n\
         from:      sender@example.com\n\
         to:        b@example.com\n\
         to:        c@example.com\n\
         created:   2025-10-18T11:10:24Z (\n\
         size:      20 bytes, 544 in the file\n\
         format:    text, unchecked\n\
         path:      PATH\n\
         subject:   x\n\
         delivery:  SENT EMAIL b@example.com\n           \
                    for list@example.com\n\
         delivery:  FAILED EMAIL c@example.com\n           \
                    said 550 no such user\n\
         delivery:  PENDING FORWARD d@example.com\n           \
                    via mx1.example.com\n           \
                    via mx2.example.com\n\
         warning:   older than 20h: chasquid bounces it at once, unless requeued\n"
    );
    let odd = queue.run(&["show", "odd"]).done();
    assert!(odd.contains("state:     quarantined\n") && odd.contains("delivery:  -2 7 /usr/bin/filter\n"), "{odd}");
    assert!(odd.contains("created:   -9223372036854775808s (") && !odd.contains("field ID:"), "{odd}");
    let copy = copied_item().run(&["show", "copy"]).done();
    assert!(copy.starts_with("id:        copy\nfield ID:  original\nstate:     ready\n"), "{copy}");
}

fn verify_prints_damaged_items_and_totals() {
    let queue = known_items();
    assert_eq!(queue.run(&["verify"]).done(), "3 items, 0 damaged, 2 without checksums\n");
    queue.file_within("h:bad", "ID: 7");
    let verified = queue.run(&["verify"]);
    assert_eq!(verified.code, 65);
    let printed = verified.text();
    assert!(printed.starts_with("bad  held  corrupt: "), "{printed}");
    assert!(printed.ends_with("\n4 items, 1 damaged, 2 without checksums\n"), "{printed}");
}

fn recover_prints_its_report() {
    let queue = known_items();
    queue.file_within(".m:AAAAAAAAAAA", b"");
    queue.file_within("unrelated", b"");
    assert_eq!(
        queue.run(&["recover"]).done(),
        "items: 3 durable, 0 damaged, 0 rewritten; temporary files: 0 removed, 1 kept\n"
    );
    assert_eq!(
        queue.run(&["recover", "--grace", "0"]).done(),
        "items: 3 durable, 0 damaged, 0 rewritten; temporary files: 1 removed, 0 kept\n"
    );
    assert_eq!(queue.names(), ["h=later-and-longer", "m:first", "q:odd", "unrelated"]);
}

fn update_prints_nothing() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let update = ["update", "x", "--rcpt", "b@example.com", "--status", "failed", "--failure", "-550 \u{1b}no"];
    assert_eq!(queue.run(&update).done(), "");
}

fn help_and_version_go_to_standard_output() {
    let queue = Queue::new();
    assert!(queue.run(&["--version"]).done().starts_with("queue-store "));
    let help = queue.run(&["--help"]).done();
    for command in [
        "put",
        "list",
        "summary",
        "show",
        "headers",
        "cat",
        "update",
        "edit",
        "remove",
        "hold",
        "release",
        "requeue",
        "quarantine",
        "restore",
        "resolve",
        "seal",
        "recover",
        "verify",
        "import",
        "component",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        assert!(queue.run(&[command, "--help"]).done().contains("Usage:"), "{command}");
    }
    assert!(help.contains("\n  69  unavailable\n"), "{help}");
    // Either `--to` or `--rcpt` is required, and clap shows neither.
    assert!(queue.run(&["put", "--help"]).done().contains(" --to <ADDR> [FILE]\n"));
}
