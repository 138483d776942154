//! Several commands at once, killed at random moments, without failures and with fsyncs that fail.
//!
//! `QUEUE_STORE_KILL_ROUNDS=500 cargo test -p queue-store-cli --test command kill::random` is the long form, and
//! `QUEUE_STORE_SEED` repeats a run as far as time can be repeated.

mod changes;
mod expected;
mod items;

use crate::queue::{Queue, names};
use crate::trial::trials;
use changes::{Bodies, Change, changes, run_and_kill};
use expected::Expected;
use fastrand::Rng;
use items::{Items, items};
use queue_store_host::types::{Durability, State};
use queue_store_host::{Host, Queue as Opened};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use std::{env, fs};

trials![
    acknowledged_changes_survive_kills_at_random_moments,
    acknowledged_changes_survive_kills_and_failed_fsyncs => Strace,
];

/// Rounds, unless the environment sets another number.
const ROUNDS: u64 = 25;

/// Items above which a round ends with the removal of all but [`KEPT_ITEMS`].
const MAX_ITEMS: usize = 150;

const KEPT_ITEMS: usize = 20;

/// The directory of the marks of failed fsyncs.
const MARKS: &str = ".unsynced";

/// Removes all items but a few, so that rounds stay short.
fn remove_most(queue: &Opened, items: &mut Items) {
    let removed: Vec<String> = items.keys().take(items.len() - KEPT_ITEMS).cloned().collect();
    let outcomes = queue.remove(&removed, &[State::Ready], Durability::None).expect("no command runs");
    assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()), "{outcomes:?}");
    removed.iter().for_each(|id| _ = items.remove(id));
}

/// The failures that commands of a round answered.
#[derive(Default)]
struct Failures {
    /// Commands that failed.
    commands: u64,
    /// Whether one closed the queue, or found it closed.
    closed: bool,
    /// Whether a recovery ended, and may have opened the queue again.
    recovered: bool,
}

impl Failures {
    /// Adds the end of a command by itself.
    fn add(&mut self, change: &Change, code: i32, stderr: &str) {
        let expected: &[i32] = match change {
            Change::PutAgain { .. } => &[73, 74, 75],
            _ => &[0, 74, 75],
        };
        assert!(expected.contains(&code), "{code}: {stderr}");
        self.commands += u64::from(matches!(code, 74 | 75));
        self.closed |= stderr.contains("until it is recovered") || stderr.contains("recover the queue");
        self.recovered |= matches!(change, Change::Recover) && code == 0;
    }
}

/// Asserts that a queue with marks refuses a put, and that a recovery writes the marked items anew and opens it.
fn recover_marked(queue: &Queue, marks: &[String], round: u64) {
    queue.try_put(&[], b"refused").failed(75);
    let marked: BTreeSet<&str> = marks.iter().filter_map(|mark| Some(mark.split_once(':')?.1)).collect();
    let inodes = || {
        let files = marked.iter().map(|id| queue.path().join(format!("m:{id}")));
        files.filter_map(|path| Some((path.metadata().ok()?.ino(), path))).collect::<BTreeSet<_>>()
    };
    // The second name of each keeps its inode from being used again.
    let before = inodes();
    before.iter().for_each(|(number, path)| {
        fs::hard_link(path, queue.beside(&format!("{round}-{number}"))).expect("an item can be linked");
    });
    queue.run(&["recover", "--grace", "0"]).done();
    assert!(!queue.path().join(MARKS).exists(), "round {round}: marks are left");
    let kept = before.intersection(&inodes()).cloned().collect::<Vec<_>>();
    assert!(kept.is_empty(), "round {round}: {kept:?} were not written anew");
}

/// Runs rounds of commands. `failing_fsyncs` is the probability that an fsync of a command fails.
fn survive(failing_fsyncs: f64) {
    let number = |name: &str| env::var(name).ok().map(|value| value.parse().expect("the variable is a number"));
    let rounds = number("QUEUE_STORE_KILL_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("QUEUE_STORE_SEED").unwrap_or_else(|| Rng::new().u64(..));
    println!("QUEUE_STORE_SEED={seed} QUEUE_STORE_KILL_ROUNDS={rounds}");
    let mut random = Rng::with_seed(seed);
    let mut bodies = Bodies::new(random.fork());
    let queue = Queue::existing();
    let host = Host::new().expect("this machine runs the component");
    let opened = host.open(queue.path()).expect("the queue exists");
    let mut current = Items::new();
    let (mut killed, mut finished, mut failed, mut marked, mut adopted) = (0, 0, 0, 0, 0);

    for round in 0..rounds {
        let changes = changes(&current, &mut bodies, &mut random);
        let mut expected = Expected::new(current);
        let mut failures = Failures::default();
        for (change, output) in run_and_kill(&queue, changes, failing_fsyncs, &mut random) {
            if output.code == -9 {
                killed += 1;
            } else {
                finished += 1;
                failures.add(&change, output.code, &output.stderr);
            }
            expected.add(change, &output);
        }
        assert!(failing_fsyncs > 0.0 || failures.commands == 0, "round {round}: a command failed");
        failed += failures.commands;
        current = items(&opened);
        adopted += expected.check(&current, round);

        let marks = if queue.path().join(MARKS).exists() { names(&queue.path().join(MARKS)) } else { Vec::new() };
        assert!(
            !failures.closed || failures.recovered || !marks.is_empty(),
            "round {round}: a failed fsync has no mark"
        );
        if !marks.is_empty() {
            recover_marked(&queue, &marks, round);
            // A queue that saw a mark is closed until its own recovery.
            opened.recover(Duration::ZERO).expect("no command runs");
            marked += 1;
        }
        queue.run(&["recover", "--grace", "0"]).done();
        let expected: BTreeSet<String> = current.keys().map(|id| format!("m:{id}")).collect();
        assert_eq!(
            queue.names(),
            expected.into_iter().collect::<Vec<_>>(),
            "round {round}: recovery left another file"
        );
        assert!(items(&opened) == current, "round {round}: recovery changed an item");
        if current.len() > MAX_ITEMS {
            remove_most(&opened, &mut current);
        }
    }
    println!(
        "{finished} commands ended, {failed} of them failed, {killed} were killed; {marked} rounds left marks; {adopted} \
         mails were queued without acknowledgement"
    );
    assert!(rounds < 10 || (killed > rounds && finished > rounds), "the moments were not random enough");
    assert!(rounds < 10 || failing_fsyncs == 0.0 || marked > 0, "no fsync failed that leaves a mark");
}

fn acknowledged_changes_survive_kills_at_random_moments() {
    survive(0.0);
}

fn acknowledged_changes_survive_kills_and_failed_fsyncs() {
    survive(0.4);
}
