//! The readable part of damaged items.

use crate::process::run;
use crate::queue::Queue;
use crate::trial::trials;
use std::fs;

trials![
    damaged_item_is_shown_as_far_as_it_can_be_read,
    missing_file_is_no_damaged_item,
    intact_item_is_the_same_with_and_without_the_option,
];

/// Returns a queue with an item in this format that lost its end.
fn truncated(format: &str) -> Queue {
    let queue = Queue::existing();
    queue.put(&["--id", "x", "--format", format], b"Subject: hello\r\n\r\nbody and its end");
    let name = queue.names().remove(0);
    let path = queue.path().join(name);
    let intact = fs::read(&path).expect("the item was just put");
    let end = intact.windows(7).position(|window| window == b"its end").expect("both formats keep letters as they are");
    fs::write(&path, &intact[..end]).expect("the item is writable");
    queue
}

fn damaged_item_is_shown_as_far_as_it_can_be_read() {
    for format in ["text", "binary"] {
        let queue = truncated(format);
        for command in ["show", "cat"] {
            let line = queue.refused(&mut queue.command(&[command, "x"]), b"", 65);
            assert!(line.ends_with("; --damaged shows what can be read"), "{line}");
        }
        let body = run(&mut queue.command(&["cat", "--damaged", "x"]), b"").done();
        assert_eq!(body, "Subject: hello\r\n\r\nbody and ");
        let shown = queue.run(&["show", "--damaged", "x"]).done();
        for part in ["state:     ready\n", "damage:    corrupt: ", "a@example.com", "b@example.com"] {
            assert!(shown.contains(part), "{shown}");
        }
    }
}

fn missing_file_is_no_damaged_item() {
    let queue = truncated("text");
    for command in ["show", "cat"] {
        let line = queue.refused(&mut queue.command(&[command, "--damaged", "y"]), b"", 66);
        assert_eq!(line, "y: there is no item of this id; list shows the items");
    }
    queue.file_within("m:empty", "");
    let line = queue.refused(&mut queue.command(&["cat", "--damaged", "empty"]), b"", 65);
    assert_eq!(line, "empty: no body can be read");
}

fn intact_item_is_the_same_with_and_without_the_option() {
    let every_byte: Vec<u8> = (0..=255).cycle().take(1000).collect();
    for format in ["text", "binary"] {
        let queue = Queue::existing();
        queue.put(&["--id", "x", "--format", format], &every_byte);
        let damaged = run(&mut queue.command(&["cat", "--damaged", "x"]), b"");
        assert_eq!((damaged.code, damaged.stdout), (0, every_byte.clone()));
    }
}
