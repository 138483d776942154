//! Several files of one id.

use crate::aged::Aged;
use crate::queue::Queue;
use crate::trial::trials;
use std::fs;

trials![
    resolve_shows_files_of_an_id,
    kept_file_stays_and_others_are_quarantined,
    resolve_of_unknown_names_is_refused,
    queue_that_takes_no_changes_is_left,
];

/// Returns a queue with a ready and a held file of the id `x`.
fn conflict() -> Queue {
    let queue = Queue::existing();
    queue.file_within("m:x", Aged { to: "ready@example.com", ..Aged::default() }.text("x"));
    queue.file_within("h:x", Aged { to: "held@example.com", ..Aged::default() }.text("x"));
    assert_eq!(queue.run(&["show", "x"]).code, 65);
    queue
}

fn resolve_shows_files_of_an_id() {
    let queue = conflict();
    let before = queue.content();
    let shown = queue.run(&["resolve", "x"]).done();
    for part in ["h:x\n  held, ", "m:x\n  ready, ", "To: \"ready@example.com\"", "To: \"held@example.com\""] {
        assert!(shown.contains(part), "{shown}");
    }
    assert!(queue.content() == before);
}

fn kept_file_stays_and_others_are_quarantined() {
    for (kept, to) in [("m:x", "ready@example.com"), ("h:x", "held@example.com")] {
        for is_taken in [false, true] {
            let queue = conflict();
            if is_taken {
                queue.file_within("q:x", "");
            }
            queue.run(&["resolve", "x", "--keep", kept]).done();
            let mut names = queue.names();
            let kept_at = names.iter().position(|name| name == kept).expect("the file stays");
            names.remove(kept_at);
            assert!(names.iter().all(|name| name.starts_with("q:") || name.starts_with("d:")), "{names:?}");
            assert_eq!(names.len(), 1 + usize::from(is_taken), "no file is lost: {names:?}");
            assert_eq!(queue.json(&["show", "--json", "x"])["rcpt"][0]["address"], to);
        }
    }
}

fn resolve_of_unknown_names_is_refused() {
    let queue = conflict();
    let line = queue.refused(&mut queue.command(&["resolve", "x", "--keep", "m:y"]), b"", 66);
    assert_eq!(line, "x: m:y is not a ready or held file of this id; it has h:x, m:x");
    queue.refused(&mut queue.command(&["resolve", "y"]), b"", 66);
    queue.refused(&mut queue.command(&["resolve", "../x"]), b"", 64);
}

fn queue_that_takes_no_changes_is_left() {
    let queue = conflict();
    fs::create_dir(queue.path().join(".unsynced")).expect("the queue is writable");
    queue.file_within(".unsynced/directory", "");
    let before = queue.names();
    let line = queue.run(&["resolve", "x", "--keep", "m:x"]).failed(75);
    assert!(line.contains("queue-store recover"), "{line}");
    assert_eq!(queue.names(), before);
}
