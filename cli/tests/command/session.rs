//! A day at the terminal: the screens of 80 columns that an operator sees, compared with files. With `BLESS=1` the files are
//! written.

mod screen;

use crate::aged::Aged;
use crate::output::items::hostile_items;
use crate::queue::Queue;
use crate::trial::trials;
use screen::Session;
use std::fs;

trials![
    stuck_queue_is_worked_off => Tmux,
    hostile_queue_fits_the_screen => Tmux,
    import_is_interrupted_and_repeated => Tmux,
];

/// Returns a queue with a day's trouble: mail that waits, a sender to be removed, and a damaged item.
fn stuck() -> Queue {
    let queue = Queue::existing();
    let greylisted = "450 4.7.1 <b@example.com>: Greylisted, please try again in an hour";
    let add = |id: &str, item: Aged| queue.file_within(&format!("m:{id}"), item.text(id));
    add("AAAAAAAAAAA", Aged { hours: 30, failure: greylisted, ..Aged::default() });
    add("BBBBBBBBBBB", Aged { hours: 2, subject: "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", ..Aged::default() });
    for id in ["CCCCCCCCCCC", "DDDDDDDDDDD", "EEEEEEEEEEE"] {
        let unwanted = Aged { hours: 5, from: "spammer@example.org", to: "c@example.net", ..Aged::default() };
        add(id, Aged { failure: "554 5.7.1 Message refused", ..unwanted });
    }
    queue.file_within("m:FFFFFFFFFFF", "");
    queue
}

fn stuck_queue_is_worked_off() {
    let queue = stuck();
    let mut session = Session::start(&queue, "stuck");
    session.run("queue-store list");
    session.run("queue-store summary");
    session.run("queue-store show AAAAAAAAAAA");
    session.run("queue-store headers BBBBBBBBBBB");
    session.run("queue-store verify");
    session.run("queue-store quarantine --damaged; queue-store verify");
    session.run("queue-store hold --domain example.com --yes; queue-store list");
    session.run("queue-store release AAAAAAAAAAA; queue-store list --state ready --ids");
    session.run("queue-store remove --from spammer@example.org --dry-run | sort");
    session.answer("queue-store remove --from spammer@example.org", "n");
    session.answer("queue-store remove --from spammer@example.org", "y");
    session.run("queue-store list --ids; queue-store list --state quarantined");
    session.finish();
}

fn hostile_queue_fits_the_screen() {
    let (queue, _) = hostile_items();
    let mut session = Session::start(&queue, "hostile");
    session.run("queue-store list");
    session.run("queue-store summary");
    session.run("queue-store verify");
    session.finish();
}

fn import_is_interrupted_and_repeated() {
    let queue = Queue::existing();
    let mail = |number| {
        let separator = "From a@example.com Sat Nov 28 21:00:00 2026";
        format!("{separator}\nTo: b@example.com\nSubject: {number}\n\n{}\n", "x".repeat(500))
    };
    queue.file("mails.mbox", (1..=10_000).map(mail).collect::<Vec<_>>().join("\n"));
    let mut session = Session::start(&queue, "import");
    let interrupted = session.interrupt("queue-store import mails.mbox > ids", " MiB");
    assert!(interrupted.contains("interrupted; only the mails whose ids"), "{interrupted}");
    session.run("queue-store import mails.mbox > all 2> total; sort ids -o ids; sort all -o all");
    session.run("queue-store verify; comm -23 ids all | wc -l; uniq all | wc -l");
    session.finish();
    let numbers = |name: &str| fs::read_to_string(queue.beside(name)).expect("the shell wrote it").replace(',', "");
    let queued = numbers("ids").lines().count();
    assert_eq!(numbers("total"), format!("queue-store: {} mails queued {queued} queued already\n", 10_000 - queued));
    assert!((1..10_000).contains(&queued), "{queued} mails were queued before the interruption");
}
