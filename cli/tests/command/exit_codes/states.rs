//! Items that are missing (66), taken (73), or in a state that forbids the call (65).

use crate::queue::{Queue, UPDATE};
use crate::trial::trials;
use std::fs;

trials![
    update_without_such_delivery_exits_65,
    update_of_quarantined_item_exits_65,
    hold_and_release_take_quarantined_item,
    damaged_quarantined_item_stays_quarantined,
    unknown_id_exits_66,
    name_taken_by_fifo_exits_69,
    put_under_existing_id_exits_73,
    restore_beside_live_item_exits_73,
];

fn update_without_such_delivery_exits_65() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"x");
    let update = ["update", "x", "--rcpt", "c@example.com", "--status", "sent"];
    let line = queue.refused(&mut queue.command(&update), b"", 65);
    assert_eq!(line, "x: the item has no delivery to c@example.com; show lists those it has");
}

fn update_of_quarantined_item_exits_65() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"x");
    queue.run(&["quarantine", "x"]).done();
    let line = queue.refused(&mut queue.command(&UPDATE), b"", 65);
    assert_eq!(line, "DIR/queue/q:x: the item is quarantined: restore it first");
}

fn hold_and_release_take_quarantined_item() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    for (command, name) in [("hold", "h:x"), ("release", "m:x")] {
        queue.run(&["quarantine", "x"]).done();
        assert_eq!(queue.names(), ["q:x"]);
        queue.run(&[command, "x"]).done();
        assert_eq!(queue.names(), [name]);
        assert_eq!(queue.cat("x"), b"body");
    }
}

fn damaged_quarantined_item_stays_quarantined() {
    let queue = Queue::existing();
    queue.file_within("q:x", "ID: \"x\"\nfrom: 7");
    for command in ["hold", "release", "restore"] {
        let line = queue.refused(&mut queue.command(&[command, "x"]), b"", 65);
        assert!(line.starts_with("DIR/queue/q:x: "), "{command}: {line}");
    }
}

fn unknown_id_exits_66() {
    let queue = Queue::existing();
    for arguments in [
        &["show", "x"][..],
        &["show", "--json", "x"],
        &["cat", "x"],
        &UPDATE,
        &["remove", "x"],
        &["remove", "--quarantined", "x"],
        &["hold", "x"],
        &["release", "x"],
        &["quarantine", "x"],
        &["restore", "x"],
        &["seal", "x"],
    ] {
        let line = queue.refused(&mut queue.command(arguments), b"", 66);
        assert_eq!(line, "DIR/queue/m:x: there is no item of this id; list shows the items");
    }
    queue.put(&["--id", "y"], b"x");
    let removed = queue.run(&["remove", "x", "y", "z"]);
    assert_eq!((removed.code, removed.stderr.lines().count()), (66, 2), "a missing item does not keep the others");
    assert_eq!(queue.names(), [""; 0]);
}

fn name_taken_by_fifo_exits_69() {
    let queue = Queue::existing();
    nix::unistd::mkfifo(&queue.path().join("m:x"), nix::sys::stat::Mode::S_IRWXU).expect("the queue is writable");
    let cause = "the name of an item is taken by something that is not a regular file: move it away by hand";
    for command in ["show", "cat", "remove", "hold", "quarantine"] {
        let line = queue.refused(&mut queue.command(&[command, "x"]), b"", 69);
        assert_eq!(line, format!("DIR/queue/m:x: {cause}"), "{command}");
    }
}

fn put_under_existing_id_exits_73() {
    let queue = Queue::existing();
    for (id, arguments, moved) in
        [("ready", &[][..], None), ("held", &[], Some("hold")), ("set-aside", &[], Some("quarantine"))]
            .into_iter()
            .chain([("binary", &["--format", "binary"][..], None)])
    {
        queue.put(&[&["--id", id], arguments].concat(), b"first");
        if let Some(moved) = moved {
            queue.run(&[moved, id]).done();
        }
        for body in [&b"second"[..], &[b'x'; 2 << 20]] {
            for format in ["text", "binary"] {
                let put = &mut queue.put_command(&["--id", id, "--format", format]);
                let line = queue.refused(put, body, 73);
                assert!(
                    line.ends_with(
                        "an item of this id exists, and survives power loss; if it is this mail, it is queued already"
                    ),
                    "{line}"
                );
            }
        }
        assert_eq!(queue.cat(id), b"first");
    }
}

fn restore_beside_live_item_exits_73() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"x");
    queue.run(&["quarantine", "x"]).done();
    let cause = "an item of this id is ready or held: restore this one when that one is delivered";
    for name in ["m:x", "h:x"] {
        let path = queue.path().join(name);
        fs::copy(queue.path().join("q:x"), &path).expect("the item was just quarantined");
        assert_eq!(queue.refused(&mut queue.command(&["restore", "x"]), b"", 73), format!("x: {cause}"));
        // A damaged live item is in the way as well.
        fs::write(&path, "ID: 7").expect("the item is writable");
        assert_eq!(queue.refused(&mut queue.command(&["restore", "x"]), b"", 73), format!("x: {cause}"));
        fs::remove_file(path).expect("the item is there");
    }
    queue.put(&["--id", "y"], b"x");
    let restored = queue.run(&["restore", "y", "x"]);
    let refused = "queue-store: y: it is not quarantined: it is ready\n";
    assert_eq!((restored.code, restored.stderr.as_str()), (65, refused));
    assert_eq!(queue.names(), ["m:x", "m:y"], "an item that is refused does not keep the others");
}
