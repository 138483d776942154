//! Output for people.

use super::items::{copied_item, known_items};
use crate::queue::Queue;
use crate::trial::trials;

trials![
    put_prints_only_the_id,
    list_prints_aligned_columns_oldest_item_first,
    list_names_differing_field_id,
    show_prints_a_line_for_each_field,
    verify_prints_damaged_items_and_totals,
    recover_prints_its_report,
    changes_print_nothing,
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

fn list_prints_aligned_columns_oldest_item_first() {
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
        "first             ready          20  2025-10-18T11:10:24Z   sender@example.com  b@example.com and 2 more \
         (1 pending)"
    );
    let (before, after) = lines[3].split_at(37);
    assert_eq!(before, "later-and-longer  held           10  ");
    assert_eq!(&after[20..], "   a@example.com       b@example.com", "{}", lines[3]);
    assert_eq!(lines.len(), 4);
    assert_eq!(Queue::existing().run(&["list"]).done(), "", "an empty queue has no header line");
}

fn list_names_differing_field_id() {
    let listed = copied_item().run(&["list"]).done();
    assert!(listed.ends_with("  b@example.com (field ID is original)\n"), "{listed}");
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
         size:      20 bytes, 544 in the file\n\
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
    assert!(odd.contains("created:   -9223372036854775808s\n") && !odd.contains("field ID:"), "{odd}");
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
        "3 items are durable, 0 are damaged, 0 were rewritten; 0 temporary files were removed, 1 were kept\n"
    );
    assert_eq!(
        queue.run(&["recover", "--grace", "0"]).done(),
        "3 items are durable, 0 are damaged, 0 were rewritten; 1 temporary files were removed, 0 were kept\n"
    );
    assert_eq!(queue.names(), ["h=later-and-longer", "m:first", "q:odd", "unrelated"]);
}

fn changes_print_nothing() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let update = ["update", "x", "--rcpt", "b@example.com", "--status", "failed", "--failure", "-550 \u{1b}no"];
    assert_eq!(queue.run(&update).done(), "");
    for command in ["hold", "release", "quarantine", "restore", "seal", "remove"] {
        assert_eq!(queue.run(&[command, "x"]).done(), "", "{command}");
    }
}

fn help_and_version_go_to_standard_output() {
    let queue = Queue::existing();
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
        "seal",
        "recover",
        "verify",
        "import",
        "component",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        assert!(queue.run(&[command, "--help"]).done().contains("Usage:"), "{command}");
    }
    // Either `--to` or `--rcpt` is required, and clap shows neither.
    assert!(queue.run(&["put", "--help"]).done().contains(" --to <ADDR> [FILE]\n"));
}
