//! Items that are damaged, edited, or copies: 65.

use crate::process::run;
use crate::queue::{Queue, UPDATE};
use crate::trial::trials;
use std::fs;

trials![truncated_item_exits_65, edited_item_exits_65_until_sealed, copied_item_exits_65, recover_of_damage_exits_65];

/// Returns a queue with an item `x` that is truncated within its body.
fn truncated() -> Queue {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"a body that is not whole");
    let path = queue.path().join("m:x");
    let intact = fs::read(&path).expect("the item was just put");
    let at = intact.windows(5).position(|window| window == b"whole").expect("text keeps letters as they are");
    fs::write(&path, &intact[..at]).expect("the item is writable");
    queue
}

/// Returns a queue with an item `x` whose file is a copy of that of `y`, under another name.
fn copied() -> Queue {
    let queue = Queue::existing();
    queue.put(&["--id", "y"], b"body");
    fs::rename(queue.path().join("m:y"), queue.path().join("m:x")).expect("the item was just put");
    queue
}

fn truncated_item_exits_65() {
    let queue = truncated();
    let advice = "quarantine it, or replace it from a backup";
    for arguments in [&["show", "x"][..], &["show", "--json", "x"], &["cat", "x"], &["seal", "x"], &UPDATE] {
        let line = queue.refused(&mut queue.command(arguments), b"", 65);
        assert!(line.starts_with("DIR/queue/m:x: ") && line.contains(advice), "{arguments:?}: {line}");
    }
    let before = queue.content();
    let verified = queue.run(&["verify"]);
    assert_eq!(verified.code, 65);
    assert_eq!(verified.stderr, "queue-store: damaged: 1 of 1 item: look at them, then seal or quarantine them\n");
    let listed = queue.run(&["list"]).done();
    assert!(listed.contains("\nx            damaged "), "a damaged item is listed: {listed}");
    assert!(queue.content() == before);
}

fn edited_item_exits_65_until_sealed() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let path = queue.path().join("m:x");
    let text = fs::read_to_string(&path).expect("the item was just put, as text").replace("body\"", "BODY\"");
    fs::write(&path, text).expect("the item is writable");
    let cat = run(&mut queue.command(&["cat", "x"]), b"");
    assert_eq!((cat.code, cat.stdout.as_slice()), (65, &b"BODY"[..]));
    let line = cat.stderr.replace(queue.path().to_str().expect("temporary directories have names in UTF-8"), "QUEUE");
    let cause = "the item parses and its checksum does not match: it was edited by hand, or damaged; look at it, then \
                 seal or quarantine it";
    assert_eq!(line, format!("queue-store: QUEUE/m:x: {cause}; the output so far is not to be trusted\n"));
    queue.run(&["seal", "x"]).done();
    assert_eq!(queue.cat("x"), b"BODY");
}

fn copied_item_exits_65() {
    let queue = copied();
    for arguments in [&["seal", "x"][..], &UPDATE] {
        let line = queue.refused(&mut queue.command(arguments), b"", 65);
        assert!(line.starts_with("DIR/queue/m:x: "), "{line}");
        assert!(line.ends_with(": correct one of them by hand, or quarantine the item"), "{line}");
    }
    let verified = queue.run(&["verify"]);
    assert_eq!(verified.code, 65);
    let (problem, total) = verified.text().split_once('\n').expect("one line for each problem precedes the total");
    assert!(problem.starts_with("x  ready  id-mismatch: "), "{problem}");
    assert_eq!(total, "1 item, 1 damaged, 0 without checksums\n");
    // It can be read, shown and set aside.
    assert_eq!(queue.cat("x"), b"body");
    assert!(queue.run(&["show", "x"]).done().contains("\nfield ID:  y\n"));
    let listed = queue.run(&["list"]).done();
    assert!(
        listed.contains("\nx            damaged ") && listed.contains("the field `ID` of the item is `y`"),
        "{listed}"
    );
    queue.run(&["quarantine", "x"]).done();
    assert_eq!(queue.names(), ["q:x"]);
}

fn recover_of_damage_exits_65() {
    for queue in [truncated(), copied()] {
        queue.put(&["--id", "intact"], b"body");
        let before = queue.content();
        let recovered = queue.run(&["recover"]);
        assert_eq!(recovered.code, 65, "{}", recovered.stderr);
        let place = format!("queue-store: {}/m:x: ", queue.path().display());
        assert!(recovered.stderr.starts_with(&place) && recovered.stderr.lines().count() == 1, "{}", recovered.stderr);
        let report = "items: 1 durable, 1 damaged, 0 rewritten; temporary files: 0 removed, 0 kept\n";
        assert_eq!(recovered.text(), report);
        assert!(queue.content() == before, "a damaged item is never removed");
    }
}
