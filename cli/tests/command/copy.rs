//! `copy`: from one queue into another one.

use crate::aged::Aged;
use crate::process::{launched_by, queue_store, run};
use crate::queue::Queue;
use crate::trial::trials;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

trials![
    copy_keeps_every_fact_of_every_item,
    copy_again_copies_nothing_twice,
    copy_ends_anywhere_and_goes_on => Strace,
    copied_items_can_be_removed_from_the_first_queue,
    other_content_under_the_id_is_reported_and_left,
    damaged_items_are_reported_and_left,
    queue_is_not_copied_into_itself,
    items_that_share_an_id_are_reported_and_left,
    names_that_are_not_utf8_are_reported_and_left,
    log_names_the_queue_that_is_changed,
    misspelt_url_is_no_directory,
    damaged_item_of_the_second_queue_keeps_no_other_from_its_state,
    item_without_deliveries_is_reported_and_left,
];

/// A queue with items of every state and both formats, and one of several megabytes.
pub(crate) fn mixed_queue() -> Queue {
    let queue = Queue::existing();
    for (number, format) in ["text", "binary", "text"].into_iter().enumerate() {
        let id = format!("id-{number}");
        queue.put(
            &["--id", &id, "--format", format],
            format!("Subject: {number}\r\n\r\n\u{0}\u{ff}{number}\r\n").as_bytes(),
        );
    }
    queue.put(&["--id", "large"], &b"0123456789abcde\n".repeat(600_000));
    queue.run(&["update", "id-0", "--rcpt", "b@example.com", "--status", "failed", "--failure", "it failed"]).done();
    queue.run(&["hold", "id-1"]).done();
    queue.run(&["quarantine", "id-2"]).done();
    queue
}

/// Returns the items of a queue as JSON, with what a place does not change, and the bodies.
pub(crate) fn content(location: &str) -> Vec<(serde_json::Value, Vec<u8>)> {
    let listed = run(&mut queue_store(&["--queue", location, "list", "--json"]), b"").done();
    let mut items: Vec<serde_json::Value> = serde_json::from_str(&listed).expect("the list is JSON");
    items.sort_by_key(|item| item["id"].as_str().map(str::to_string));
    let with_body = |mut item: serde_json::Value| {
        let id = item["id"].as_str().expect("an item has an id").to_string();
        // These depend on the place.
        for field in ["file_size", "revision"] {
            item.as_object_mut().expect("an item is an object").remove(field);
        }
        let body = run(&mut queue_store(&["--queue", location, "cat", &id]), b"");
        assert_eq!(body.code, 0, "{}", body.stderr);
        (item, body.stdout)
    };
    items.into_iter().map(with_body).collect()
}

fn copy(from: &str, to: &str, options: &[&str]) -> crate::process::Output {
    run(&mut queue_store(&[&["copy", from, to], options].concat()), b"")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

fn copy_keeps_every_fact_of_every_item() {
    let (from, to) = (mixed_queue(), Queue::existing());
    let copied = copy(text(&from.path()), text(&to.path()), &[]).done();
    assert_eq!(copied, "4 items copied, 0 there already\n");
    assert_eq!(content(text(&to.path())), content(text(&from.path())));
    assert_eq!(to.names(), from.names());
}

fn copy_again_copies_nothing_twice() {
    let (from, to) = (mixed_queue(), Queue::existing());
    copy(text(&from.path()), text(&to.path()), &[]).done();
    to.run(&["release", "id-1", "--keep-time"]).done();
    let copied = copy(text(&from.path()), text(&to.path()), &[]).done();
    assert_eq!(copied, "0 items copied, 4 there already (1 moved to the state in the first queue)\n");
    assert_eq!(to.names(), from.names(), "the states are those of the first queue");
}

fn copy_ends_anywhere_and_goes_on() {
    let from = Queue::existing();
    for number in 0..30 {
        from.put(&["--id", &format!("id-{number}")], format!("Subject: {number}\r\n\r\n").as_bytes());
    }
    from.run(&["hold", "id-3", "id-4"]).done();
    let mut ended = 0;
    for linkat in [1, 7, 29] {
        let to = Queue::existing();
        let inject = format!("--inject=linkat:signal=SIGKILL:when={linkat}");
        let (from_path, to_path) = (from.path(), to.path());
        let arguments = ["copy", text(&from_path), text(&to_path)];
        let launcher = ["strace", "--follow-forks", "--quiet=all", "--output=/dev/null", "--trace=linkat", &inject];
        let mut killed = launched_by(&launcher, &queue_store(&arguments));
        ended += usize::from(run(&mut killed, b"").code != 0);
        copy(text(&from.path()), text(&to.path()), &[]).done();
        // `recover` removes the temporary files of the killed process.
        let items: Vec<String> = to.names().into_iter().filter(|name| !name.starts_with(".m:")).collect();
        assert_eq!(items, from.names());
    }
    assert_eq!(ended, 3, "the copies were killed");
}

fn copied_items_can_be_removed_from_the_first_queue() {
    let (from, to) = (mixed_queue(), Queue::existing());
    let before = content(text(&from.path()));
    let copied = copy(text(&from.path()), text(&to.path()), &["--remove"]).done();
    assert_eq!(copied, "4 items copied, 0 there already, and removed from the first queue\n");
    assert_eq!(content(text(&to.path())), before);
    assert_eq!(from.names(), Vec::<String>::new());
}

fn other_content_under_the_id_is_reported_and_left() {
    let (from, to) = (Queue::existing(), Queue::existing());
    from.put(&["--id", "x"], b"Subject: one\r\n\r\n");
    from.put(&["--id", "y"], b"Subject: y\r\n\r\n");
    to.put(&["--id", "x"], b"Subject: other\r\n\r\n");
    let copied = copy(text(&from.path()), text(&to.path()), &["--remove"]);
    assert_eq!(copied.text(), "1 item copied, 0 there already, and removed from the first queue\n");
    assert!(
        copied.stderr.starts_with("queue-store: x: ") && copied.stderr.contains("has another mail under this id"),
        "{}",
        copied.stderr
    );
    assert_ne!(copied.code, 0);
    assert_eq!((from.names(), to.cat("x")), (vec!["m:x".to_string()], b"Subject: other\r\n\r\n".to_vec()));
}

fn damaged_items_are_reported_and_left() {
    let (from, to) = (Queue::existing(), Queue::existing());
    from.put(&["--id", "x"], b"Subject: x\r\n\r\n");
    from.file_within("m:y", "nonsense");
    let copied = copy(text(&from.path()), text(&to.path()), &["--remove"]);
    assert_eq!(
        (copied.code, copied.text()),
        (65, "1 item copied, 0 there already, and removed from the first queue\n")
    );
    assert!(copied.stderr.contains("m:y"), "{}", copied.stderr);
    assert_eq!(from.names(), ["m:y"]);
}

fn queue_is_not_copied_into_itself() {
    let queue = mixed_queue();
    let line = copy(text(&queue.path()), text(&queue.path()), &["--remove"]).failed(64);
    assert_eq!(line, format!("{}: both are the same queue", queue.path().display()));
    let link = queue.beside("link");
    std::os::unix::fs::symlink(queue.path(), &link).expect("a link is made");
    let line = copy(text(&queue.path()), text(&link), &["--remove"]).failed(64);
    assert_eq!(line, format!("{}: both are the same queue", link.display()));
    assert_eq!(queue.names().len(), 4);
}

fn items_that_share_an_id_are_reported_and_left() {
    let (from, to) = (Queue::existing(), Queue::existing());
    for (name, subject) in [("m:x", "live"), ("q:x", "quarantined"), ("m:y", "alone")] {
        from.file_within(name, Aged { subject, ..Aged::default() }.text(&name[2..]));
    }
    let copied = copy(text(&from.path()), text(&to.path()), &["--remove"]);
    assert_eq!(
        (copied.code, copied.text()),
        (65, "1 item copied, 0 there already, and removed from the first queue\n")
    );
    assert_eq!(copied.stderr, "queue-store: x: several files have this id: `resolve` shows them\n".repeat(2));
    assert_eq!((from.names(), to.names()), (vec!["m:x".to_string(), "q:x".to_string()], vec!["m:y".to_string()]));
}

fn names_that_are_not_utf8_are_reported_and_left() {
    let (from, to) = (Queue::existing(), Queue::existing());
    std::fs::write(from.path().join(OsStr::from_bytes(b"m:caf\xe9")), "x").expect("the queue is writable");
    let copied = copy(text(&from.path()), text(&to.path()), &["--remove"]);
    assert_eq!(
        (copied.code, copied.text()),
        (65, "0 items copied, 0 there already, and removed from the first queue\n")
    );
    assert!(copied.stderr.contains("m:caf\\xe9: its name is not UTF-8"), "{}", copied.stderr);
}

fn log_names_the_queue_that_is_changed() {
    let (from, to) = (Queue::existing(), Queue::existing());
    from.put(&["--id", "x"], b"Subject: x\r\n\r\n");
    let log = from.beside("log");
    copy(text(&from.path()), text(&to.path()), &["--remove", "--log", text(&log)]).done();
    let lines = std::fs::read_to_string(log).expect("there is a log");
    let queues: Vec<&str> = lines.lines().filter_map(|line| line.split("queue=").nth(1)).collect();
    let line = |queue: &Queue| format!("\"{}\" id=\"x\" outcome=\"done\"", queue.path().display());
    assert_eq!(queues, [line(&to), line(&from)], "{lines}");
}

fn misspelt_url_is_no_directory() {
    let queue = mixed_queue();
    for url in ["postgress://queue@db/mail", "postgres:/queue@db/mail", "mysql://db/mail"] {
        let line = copy(text(&queue.path()), url, &["--remove"]).failed(64);
        assert!(line.contains("a URL begins with postgres:// or postgresql://"), "{line}");
        let put = ["put", "--queue", url, "--from", "a@example.com", "--to", "b@example.com"];
        let line = run(&mut queue_store(&put), b"x").failed(64);
        assert!(line.contains("a URL begins with postgres:// or postgresql://"), "{line}");
    }
    assert_eq!(copy(text(&queue.path()), "", &[]).failed(64), "the path or URL of a queue is empty");
    let line = run(queue_store(&["list"]).env("QUEUE_STORE_DIR", ""), b"").failed(64);
    assert!(line.starts_with("which queue: "), "{line}");
    assert_eq!(queue.names().len(), 4);
}

fn damaged_item_of_the_second_queue_keeps_no_other_from_its_state() {
    let (from, to) = (Queue::existing(), Queue::existing());
    for id in ["a", "m", "z"] {
        from.put(&["--id", id], b"Subject: x\r\n\r\n");
    }
    from.run(&["hold", "a", "z"]).done();
    to.file_within("m:m", "nonsense");
    let copied = copy(text(&from.path()), text(&to.path()), &["--remove"]);
    assert_eq!((copied.code, copied.text().split(',').next()), (65, Some("2 items copied")), "{}", copied.stderr);
    assert_eq!(to.names(), ["h:a", "h:z", "m:m"]);
    assert_eq!(from.names(), ["m:m"]);
}

fn item_without_deliveries_is_reported_and_left() {
    let (from, to) = (Queue::existing(), Queue::existing());
    from.file_within(
        "m:x",
        "ID: \"x\"\nfrom: \"a@example.com\"\nTo: \"b@example.com\"\ndata: \"x\"\ncreated_at_ts: {seconds: 1}\n",
    );
    let copied = copy(text(&from.path()), text(&to.path()), &["--remove"]);
    assert_eq!(copied.code, 65, "{}", copied.stderr);
    assert!(copied.stderr.contains("it has no delivery"), "{}", copied.stderr);
    assert_eq!((from.names().len(), to.names().len()), (1, 0));
}
