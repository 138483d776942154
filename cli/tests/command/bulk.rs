//! Changes of many items: the plan, the question, the report, and a signal in between.

use crate::aged::Aged;
use crate::process::{run, send, spawn, wait, wait_until};
use crate::queue::Queue;
use crate::strace;
use crate::terminal;
use crate::trial::trials;
use nix::sys::signal::Signal;
use std::fs;

trials![
    changes_report_what_they_did,
    dry_run_prints_plan_and_changes_nothing,
    terminal_is_asked_above_one_item,
    interrupted_change_tells_what_was_done,
    quarantined_items_have_one_state,
    every_change_of_a_batch_in_doubt_is_logged => Strace,
    failed_items_do_not_keep_others,
    removal_of_quarantined_item_names_option,
    restore_of_ready_item_tells_its_state,
    filter_never_removes_other_items_of_an_id,
    plan_of_shared_ids_is_what_the_change_does,
    filter_never_changes_item_in_place_of_another,
];

fn queue(ids: &[&str]) -> Queue {
    let queue = Queue::existing();
    for id in ids {
        queue.file_within(&format!("m:{id}"), Aged::default().text(id));
    }
    queue
}

fn changes_report_what_they_did() {
    let queue = queue(&["x", "y"]);
    for (arguments, report) in [
        (&["hold", "x"][..], "held 1 item\n"),
        (&["hold", "--all"], "held 1 item\n"),
        (&["release", "--all"], "released 2 items\n"),
        (&["quarantine", "--all"], "quarantined 2 items\n"),
        (&["quarantine", "--all"], "quarantined 0 items\n"),
        (&["restore", "--all"], "restored 2 items\n"),
        (&["requeue", "--all"], "requeued 2 items\n"),
        (&["seal", "x", "y"], "sealed 2 items\n"),
        (&["remove", "--from", "nobody@example.com"], "removed 0 items\n"),
        (&["remove", "--all"], "removed 2 items\n"),
    ] {
        assert_eq!(queue.run(arguments).done(), report, "{arguments:?}");
    }
    assert_eq!(queue.names(), [""; 0]);
}

fn dry_run_prints_plan_and_changes_nothing() {
    let queue = queue(&["x", "y"]);
    let before = queue.content();
    let plan = queue.run(&["remove", "--all", "--dry-run"]).done();
    assert!(plan.contains("\nx ") && plan.contains("\ny ") && plan.contains("\nwould remove 2 items, "), "{plan}");
    let plan = queue.run(&["remove", "--dry-run", "x"]).done();
    assert!(plan.contains("\nx ") && !plan.contains("\ny ") && plan.contains("\nwould remove 1 item, "), "{plan}");
    let plan = queue.run(&["remove", "--dry-run", "x", "z"]);
    assert_eq!(plan.code, 66);
    assert!(queue.content() == before);
}

fn terminal_is_asked_above_one_item() {
    let queue = queue(&["v", "w", "x", "y", "z"]);
    let run = |arguments: &[&str], typed| terminal::run(&mut queue.command(arguments), typed);
    for no in ["n\n", "\n", "no\n", "\u{4}"] {
        let (code, screen) = run(&["remove", "--all"], no);
        assert!(screen.contains("remove 5 items? [y/N] "), "{screen}");
        assert_eq!(code, 75, "{screen}");
        assert!(screen.ends_with("queue-store: nothing was changed\n"), "{screen}");
    }
    assert_eq!(queue.names().len(), 5);
    let (code, screen) = run(&["remove", "v"], "");
    assert_eq!((code, screen.as_str()), (0, "removed 1 item\n"), "one item is not asked about");
    let (code, screen) = run(&["remove", "--yes", "w", "x"], "");
    assert_eq!((code, screen.as_str()), (0, "removed 2 items\n"));
    let (code, screen) = run(&["remove", "--all"], "y\n");
    assert!(code == 0 && screen.ends_with("removed 2 items\n"), "{screen}");
    assert_eq!(queue.names(), [""; 0]);
}

fn interrupted_change_tells_what_was_done() {
    const ITEMS: usize = 2000;
    let ids: Vec<String> = (0..ITEMS).map(|number| number.to_string()).collect();
    let queue = queue(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let changed =
        || fs::metadata(queue.path()).and_then(|metadata| metadata.modified()).expect("the directory is there");
    let before = changed();
    let requeue = spawn(&mut queue.command(&["requeue", "--all"]));
    wait_until("an item is rewritten", || changed() != before);
    send(Signal::SIGINT, &requeue);
    let line = wait(requeue).failed(75);
    let done =
        line.strip_prefix("interrupted; requeued ").and_then(|rest| rest.strip_suffix(" items of 2,000 until then"));
    let done: usize = done.expect(&line).parse().expect(&line);
    assert_eq!(rewritten(&queue), done);
    assert!(done < ITEMS, "it stops between batches");
}

/// Returns the number of items that the command wrote: those with a checksum.
fn rewritten(queue: &Queue) -> usize {
    let items = queue.names().into_iter().filter(|name| name.starts_with("m:"));
    items
        .filter(|name| fs::read_to_string(queue.path().join(name)).is_ok_and(|text| text.contains("queue-store-end")))
        .count()
}

fn failed_items_do_not_keep_others() {
    let queue = queue(&["x", "y"]);
    queue.file_within("h:bad", "");
    queue.file_within("h:good", Aged::default().text("good"));
    let released = queue.run(&["release", "--all"]);
    assert_eq!((released.code, released.text()), (65, "released 1 item\n"));
    assert_eq!(queue.names(), ["h:bad", "m:good", "m:x", "m:y"], "chasquid does not start with an emptied file");
}

fn removal_of_quarantined_item_names_option() {
    let queue = queue(&["x"]);
    queue.run(&["quarantine", "x"]).done();
    let line = queue.refused(&mut queue.command(&["remove", "x"]), b"", 65);
    assert_eq!(line, "x: it is quarantined: --quarantined removes it");
    assert_eq!(queue.run(&["remove", "--all"]).done(), "removed 0 items\n");
    assert_eq!(queue.run(&["remove", "--state", "quarantined"]).done(), "removed 1 item\n");
}

fn restore_of_ready_item_tells_its_state() {
    let queue = queue(&["x"]);
    let line = queue.refused(&mut queue.command(&["restore", "x"]), b"", 65);
    assert_eq!(line, "x: it is not quarantined: it is ready");
    queue.run(&["hold", "x"]).done();
    let line = queue.refused(&mut queue.command(&["restore", "x"]), b"", 65);
    assert_eq!(line, "x: it is not quarantined: it is held");
}

fn filter_never_removes_other_items_of_an_id() {
    let cause = "x: several items have this id, and a removal takes all: look at them, then name the id";
    for (name, options) in
        [("d:AAAAAAAAAAA:x", &["--state", "quarantined"][..]), ("m:x", &["--state", "quarantined", "--state", "ready"])]
    {
        let queue = Queue::existing();
        queue.file_within("q:x", Aged { from: "spam@example.com", ..Aged::default() }.text("x"));
        queue.file_within(name, Aged::default().text("x"));
        let mut remove = queue.command(&["remove", "--from", "spam@example.com"]);
        assert_eq!(queue.refused(remove.args(options), b"", 65), cause);
    }
}

/// Returns a queue with ids that several items have.
fn shared_ids() -> Queue {
    let queue = queue(&["single"]);
    for (name, from) in [
        ("m:conflict", "a@example.com"),
        ("h:conflict", "b@example.com"),
        ("m:both", "a@example.com"),
        ("q:both", "spam@example.com"),
        ("q:aside", "spam@example.com"),
        ("d:AAAAAAAAAAA:aside", "spam@example.com"),
        ("q:alone", "spam@example.com"),
    ] {
        let id = name.rsplit(':').next().expect("a name has an id");
        queue.file_within(name, Aged { from, ..Aged::default() }.text(id));
    }
    queue
}

/// Returns the number of files in the plan or in the report of a change, and the exit code.
fn changed(queue: &Queue, arguments: &[&str]) -> (usize, i32) {
    let output = queue.run(arguments);
    let report = output.text().lines().last().unwrap_or_default();
    let number = report.split(' ').find_map(|word| word.parse().ok()).unwrap_or(0);
    (number, output.code)
}

fn plan_of_shared_ids_is_what_the_change_does() {
    let ids = ["single", "conflict", "both", "aside", "alone"];
    let by_id = ids.iter().map(|id| vec![*id]);
    let by_filter = [
        &["--all"][..],
        &["--state=quarantined"],
        &["--from=spam@example.com"],
        &["--from=spam@example.com", "--state=quarantined"],
    ];
    let selections: Vec<Vec<&str>> = by_id.chain(by_filter.map(<[&str]>::to_vec)).collect();
    for verb in [
        &["hold"][..],
        &["release"],
        &["requeue"],
        &["quarantine"],
        &["restore"],
        &["remove"],
        &["remove", "--quarantined"],
    ] {
        for selection in &selections {
            let change = [verb, selection].concat();
            // To quarantine what is in quarantine changes nothing.
            if change == ["quarantine", "aside"] {
                continue;
            }
            let queue = shared_ids();
            let planned = changed(&queue, &[&change[..], &["--dry-run"]].concat());
            let mut done = changed(&queue, &change);
            // A removal of several items of one id is counted once.
            if change == ["remove", "--quarantined", "aside"] {
                done.0 += 1;
            }
            // An item that has no such id, by the words of the queue.
            done.1 = if done.1 == 66 { 65 } else { done.1 };
            assert_eq!(planned, done, "{change:?}");
        }
    }
}

fn filter_never_changes_item_in_place_of_another() {
    for verb in ["hold", "release", "requeue", "quarantine", "restore"] {
        let queue = shared_ids();
        let both = || fs::read(queue.path().join("m:both")).expect("it is ready");
        let before = both();
        let changed = queue.run(&[verb, "--from", "spam@example.com", "--state", "quarantined", "--yes"]);
        assert_eq!(changed.code, 65, "{verb}");
        assert!(changed.stderr.contains("both: "), "{}", changed.stderr);
        assert!(both() == before, "{verb}");
    }
}

fn quarantined_items_have_one_state() {
    let queue = queue(&["x"]);
    queue.run(&["hold", "x"]).done();
    for state in ["held", "ready"] {
        let line = queue.run(&["remove", "--quarantined", "--state", state, "--yes"]).failed(64);
        assert_eq!(line, "--quarantined takes quarantined items alone: leave it out, or --state");
    }
    assert_eq!(queue.run(&["remove", "--quarantined", "--state", "quarantined"]).done(), "removed 0 items\n");
    assert_eq!(queue.names(), ["h:x"]);
}

fn every_change_of_a_batch_in_doubt_is_logged() {
    let queue = queue(&["x", "y", "z"]);
    let log = queue.beside("log");
    let mut remove = queue.command(&["remove", "--all", "--yes", "--log"]);
    let line = run(&mut strace::with_fault("fsync:error=EIO:when=2", remove.arg(&log)), b"").failed(74);
    assert!(line.contains("so it is with 2 items more"), "{line}");
    let lines = fs::read_to_string(log).expect("there is a log");
    assert_eq!(lines.lines().count(), 3, "{lines}");
}
