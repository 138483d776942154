//! Several commands at once, killed at random moments.
//!
//! `QUEUE_STORE_KILL_ROUNDS=500 cargo test -p queue-store-cli --test command random_moments` is the long form, and
//! `QUEUE_STORE_SEED` repeats a run as far as time can be repeated.

use crate::process::{Output, start, wait};
use crate::queue::Queue;
use crate::trial::trials;
use fastrand::Rng;
use queue_store_host::types::{Detail, Durability, State};
use queue_store_host::{Host, Queue as Opened};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::Child;
use std::thread;
use std::time::Duration;

trials![acknowledged_changes_survive_kills_at_random_moments];

/// Rounds, unless the environment sets another number.
const ROUNDS: u64 = 25;

/// Items above which a round ends with the removal of all but [`KEPT_ITEMS`].
const MAX_ITEMS: usize = 150;

const KEPT_ITEMS: usize = 20;

/// Milliseconds within which a command is killed, and an import: about their duration.
const KILLED_WITHIN: u64 = 40;
const IMPORT_KILLED_WITHIN: u64 = 150;

/// The content of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    body: Vec<u8>,
    /// The status of its delivery.
    status: i32,
}

type Items = BTreeMap<String, Content>;

/// Returns the items of a queue, each of which must be intact.
fn items(queue: &Opened) -> Items {
    let mut items = Items::new();
    for entry in queue.items(&[], Detail::Whole).expect("the queue can be listed") {
        let entry = entry.expect("the listing reaches its end");
        assert!(entry.problem.is_none(), "{} is damaged: {:?}", entry.id, entry.problem);
        assert_eq!(entry.state, State::Ready);
        let item = queue.get(&entry.id).expect("no command runs");
        items.insert(entry.id, Content { body: item.body, status: item.envelope.recipients[0].status });
    }
    items
}

/// A change that a command is to make.
enum Change {
    Put { body: Vec<u8> },
    Import { bodies: Vec<Vec<u8>> },
    Update { id: String, status: i32 },
    Remove { id: String },
    Recover,
}

impl Change {
    fn start(&self, queue: &Queue) -> Child {
        match self {
            Change::Put { body } => start(&mut queue.put_command(&[]), body),
            Change::Import { bodies } => {
                let mbox: Vec<u8> =
                    bodies.iter().flat_map(|body| [b"From a@example.com\n", &body[..], b"\n"].concat()).collect();
                start(&mut queue.command(&["import", "--to", "b@example.com", "/dev/stdin"]), &mbox)
            }
            Change::Update { id, status } => {
                let status = match status {
                    0 => "pending",
                    1 => "sent",
                    _ => "failed",
                };
                start(&mut queue.command(&["update", id, "--rcpt", "b@example.com", "--status", status]), b"")
            }
            Change::Remove { id } => start(&mut queue.command(&["remove", id]), b""),
            Change::Recover => start(&mut queue.command(&["recover"]), b""),
        }
    }

    /// Returns the milliseconds within which the command is killed.
    fn killed_within(&self) -> u64 {
        if matches!(self, Change::Import { .. }) { IMPORT_KILLED_WITHIN } else { KILLED_WITHIN }
    }
}

/// Starts commands at once, kills each at a random moment unless it ends before, and returns their outputs.
fn run_and_kill(queue: &Queue, changes: Vec<Change>, random: &mut Rng) -> Vec<(Change, Output)> {
    let start = |change: Change| {
        let child = change.start(queue);
        (Duration::from_millis(random.u64(0..change.killed_within())), change, child)
    };
    let mut running: Vec<(Duration, Change, Child)> = changes.into_iter().map(start).collect();
    running.sort_by_key(|(killed_after, ..)| *killed_after);
    let mut waited = Duration::ZERO;
    for (killed_after, _, child) in &mut running {
        thread::sleep(*killed_after - waited);
        waited = *killed_after;
        child.kill().expect("a child that was not waited for can be killed");
    }
    running.into_iter().map(|(_, change, child)| (change, wait(child))).collect()
}

/// Bodies, each of which is unique.
struct Bodies {
    random: Rng,
    number: u64,
}

impl Bodies {
    fn next(&mut self) -> Vec<u8> {
        self.number += 1;
        let lines = match self.random.u8(..) {
            0..3 => 40_000,
            3..20 => self.random.usize(..2000),
            _ => self.random.usize(..20),
        };
        let line = format!("line {} of mail {}\n", self.random.u64(..), self.number);
        format!("Subject: mail {}\n\n{}", self.number, line.repeat(lines)).into_bytes()
    }
}

/// Returns the changes of a round: puts, an import, a recovery, and changes of existing items, each of another one.
fn changes(items: &Items, bodies: &mut Bodies, random: &mut Rng) -> Vec<Change> {
    let mut ids: Vec<String> = items.keys().cloned().collect();
    random.shuffle(&mut ids);
    let mut changes: Vec<Change> = (0..4).map(|_| Change::Put { body: bodies.next() }).collect();
    let mails = random.usize(1..250);
    changes.push(Change::Import { bodies: (0..mails).map(|_| bodies.next()).collect() });
    changes.extend(ids.drain(..ids.len().min(3)).map(|id| Change::Update { id, status: random.i32(0..3) }));
    changes.extend(ids.drain(..ids.len().min(3)).map(|id| Change::Remove { id }));
    changes.push(Change::Recover);
    random.shuffle(&mut changes);
    changes
}

/// The items that the queue must have after a round, as far as the outputs of the commands tell.
struct Expected {
    acknowledged: Items,
    /// Bodies of mails whose ids were not printed.
    unacknowledged: BTreeSet<Vec<u8>>,
    /// Changes of commands that were killed: the status that was to be set, none for a removal.
    undecided: BTreeMap<String, Option<i32>>,
}

impl Expected {
    fn new(items: Items) -> Expected {
        Expected { acknowledged: items, unacknowledged: BTreeSet::new(), undecided: BTreeMap::new() }
    }

    /// Adds the effect of a command. One that was killed may have done more than it printed, and never less.
    fn add(&mut self, change: Change, output: Output) {
        let is_done = output.code == 0;
        let printed = output.text();
        let lines: Vec<&str> = printed.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
        match change {
            Change::Put { body } => match lines.first() {
                Some(id) => _ = self.acknowledged.insert((*id).to_string(), Content { body, status: 0 }),
                None => _ = self.unacknowledged.insert(body),
            },
            Change::Import { bodies } => {
                self.unacknowledged.extend(bodies.iter().skip(lines.len()).cloned());
                for ((line, body), number) in lines.iter().zip(bodies).zip(1..) {
                    let id = line.strip_suffix(&format!("  /dev/stdin:{number}")).expect("ids are printed in order");
                    self.acknowledged.insert(id.to_string(), Content { body, status: 0 });
                }
            }
            Change::Update { id, status } if is_done => {
                self.acknowledged.get_mut(&id).expect("an update is of an acknowledged item").status = status;
            }
            Change::Update { id, status } => _ = self.undecided.insert(id, Some(status)),
            Change::Remove { id } if is_done => _ = self.acknowledged.remove(&id),
            Change::Remove { id } => _ = self.undecided.insert(id, None),
            Change::Recover => {}
        }
    }

    /// Asserts that the queue has these items, and returns the number of those that were not acknowledged.
    fn check(mut self, found: &Items, round: u64) -> usize {
        for (id, change) in std::mem::take(&mut self.undecided) {
            let old = self.acknowledged.remove(&id).expect("a change is of an acknowledged item");
            let new = change.map(|status| Content { status, ..old.clone() });
            let found = found.get(&id);
            assert!(found == Some(&old) || found == new.as_ref(), "round {round}: {id} is neither old nor new");
            self.acknowledged.extend(found.map(|found| (id, found.clone())));
        }
        let mut adopted = 0;
        for (id, content) in found {
            if !self.acknowledged.contains_key(id) {
                let was_put = self.unacknowledged.remove(&content.body) && content.status == 0;
                assert!(was_put, "round {round}: no command put {id} like this");
                self.acknowledged.insert(id.clone(), content.clone());
                adopted += 1;
            }
        }
        let lost: Vec<&String> = self
            .acknowledged
            .iter()
            .filter(|(id, content)| found.get(*id) != Some(content))
            .map(|(id, _)| id)
            .collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} are lost or changed");
        adopted
    }
}

/// Removes all items but a few, so that rounds stay short.
fn remove_most(queue: &Opened, items: &mut Items) {
    let removed: Vec<String> = items.keys().take(items.len() - KEPT_ITEMS).cloned().collect();
    let outcomes = queue.remove(&removed, &[State::Ready], Durability::None).expect("no command runs");
    assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()), "{outcomes:?}");
    removed.iter().for_each(|id| _ = items.remove(id));
}

fn acknowledged_changes_survive_kills_at_random_moments() {
    let number = |name: &str| env::var(name).ok().map(|value| value.parse().expect("the variable is a number"));
    let rounds = number("QUEUE_STORE_KILL_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("QUEUE_STORE_SEED").unwrap_or_else(|| Rng::new().u64(..));
    println!("QUEUE_STORE_SEED={seed} QUEUE_STORE_KILL_ROUNDS={rounds}");
    let mut random = Rng::with_seed(seed);
    let mut bodies = Bodies { random: random.fork(), number: 0 };
    let queue = Queue::existing();
    let host = Host::new().expect("this machine runs the component");
    let opened = host.open(queue.path()).expect("the queue exists");
    let mut current = Items::new();
    let (mut killed, mut finished, mut adopted) = (0, 0, 0);

    for round in 0..rounds {
        let changes = changes(&current, &mut bodies, &mut random);
        let mut expected = Expected::new(current);
        for (change, output) in run_and_kill(&queue, changes, &mut random) {
            match output.code {
                0 => finished += 1,
                -9 => killed += 1,
                code => panic!("round {round}: {code}: {}", output.stderr),
            }
            expected.add(change, output);
        }
        current = items(&opened);
        adopted += expected.check(&current, round);

        queue.run(&["recover", "--grace", "0"]).done();
        let names: BTreeSet<String> = current.keys().map(|id| format!("m:{id}")).collect();
        assert_eq!(queue.names(), names.into_iter().collect::<Vec<_>>(), "round {round}: recovery left another file");
        assert!(items(&opened) == current, "round {round}: recovery changed an item");
        if current.len() > MAX_ITEMS {
            remove_most(&opened, &mut current);
        }
    }
    println!("{finished} commands finished, {killed} were killed, {adopted} mails were queued without acknowledgement");
    assert!(rounds < 10 || (killed > rounds && finished > rounds), "the moments were not random enough");
}
