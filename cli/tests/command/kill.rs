//! The command killed (SIGKILL): every id that it had printed is there, byte for byte; nothing is there in part; and
//! recovery leaves no litter.
//!
//! `QUEUE_STORE_KILL_ROUNDS=500 cargo test -p queue-store-host --test command random_moments` is the long form, and
//! `QUEUE_STORE_SEED` repeats a run as far as time can be repeated.

use crate::support::{self, Output, Queue, run, start, wait};
use crate::trace;
use fastrand::Rng;
use queue_store_host::types::{Detail, State};
use queue_store_host::{Host, Queue as Opened};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;
use std::{env, thread};

support::trials![
    what_was_acknowledged_survives_kills_at_random_moments,
    a_change_killed_at_any_of_its_calls_was_made_or_not => Strace,
];

/// Rounds, unless the environment says otherwise.
const ROUNDS: u64 = 25;

/// Items above which a round ends with a removal of all but a few.
const MOST_ITEMS: usize = 150;

/// Milliseconds within which a command is killed, and an import: about what they take.
const KILLED_WITHIN: u64 = 40;
const IMPORT_KILLED_WITHIN: u64 = 150;

/// What is known of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    body: Vec<u8>,
    /// The status of its delivery.
    status: i32,
}

/// What is in a queue. Every item in it must be whole.
fn items(queue: &Opened) -> BTreeMap<String, Known> {
    let mut items = BTreeMap::new();
    for entry in queue.listing(&[], Detail::Whole).expect("a listing") {
        let entry = entry.expect("an entry");
        let info = entry.info.unwrap_or_else(|| panic!("{} is damaged: {:?}", entry.id, entry.problem));
        assert_eq!(info.state, State::Ready);
        let item = queue.get(&entry.id).expect("the item");
        items.insert(entry.id, Known { body: item.body, status: item.envelope.recipients[0].status });
    }
    items
}

/// A command that runs and is killed, if it is not faster.
struct Running {
    child: Child,
    killed_after: Duration,
    change: Change,
}

/// What a command is to do.
enum Change {
    Put { body: Vec<u8> },
    Import { bodies: Vec<Vec<u8>> },
    Update { id: String, status: i32 },
    Remove { id: String },
    Recover,
}

impl Running {
    fn start(queue: &Queue, change: Change, random: &mut Rng) -> Running {
        let child = match &change {
            Change::Put { body } => start(&mut queue.put_command(&[]), body),
            Change::Import { bodies } => {
                let mbox: Vec<u8> =
                    bodies.iter().flat_map(|body| [b"From a@example.com\n", &body[..], b"\n"].concat()).collect();
                start(&mut queue.command(&["import", "--to", "b@example.com", "/dev/stdin"]), &mbox)
            }
            Change::Update { id, status } => {
                let status = ["pending", "sent", "failed"][usize::try_from(*status).expect("a status")];
                start(&mut queue.command(&["update", id, "--rcpt", "b@example.com", "--status", status]), b"")
            }
            Change::Remove { id } => start(&mut queue.command(&["remove", id]), b""),
            Change::Recover => start(&mut queue.command(&["recover"]), b""),
        };
        let within = if matches!(change, Change::Import { .. }) { IMPORT_KILLED_WITHIN } else { KILLED_WITHIN };
        Running { child, killed_after: Duration::from_millis(random.u64(0..within)), change }
    }
}

/// Kills each command when its time has come, if it still runs, and returns what they did.
fn kill_all(mut running: Vec<Running>) -> Vec<(Change, Output)> {
    running.sort_by_key(|command| command.killed_after);
    let mut waited = Duration::ZERO;
    let kill = |mut command: Running| {
        thread::sleep(command.killed_after - waited);
        waited = command.killed_after;
        command.child.kill().expect("it may be gone, but was not waited for");
        command
    };
    let killed: Vec<Running> = running.into_iter().map(kill).collect();
    killed.into_iter().map(|command| (command.change, wait(command.child))).collect()
}

/// Bodies that nothing else has.
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

fn what_was_acknowledged_survives_kills_at_random_moments() {
    let number = |name: &str| env::var(name).ok().map(|value| value.parse().expect("a number"));
    let rounds = number("QUEUE_STORE_KILL_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("QUEUE_STORE_SEED").unwrap_or_else(|| Rng::new().u64(..));
    println!("QUEUE_STORE_SEED={seed} QUEUE_STORE_KILL_ROUNDS={rounds}");
    let mut random = Rng::with_seed(seed);
    let mut bodies = Bodies { random: random.fork(), number: 0 };
    let queue = Queue::existing();
    let opened = Host::new().expect("the component").open(queue.path()).expect("the queue");
    let mut expected: BTreeMap<String, Known> = BTreeMap::new();
    let (mut killed, mut finished, mut adopted) = (0, 0, 0);

    for round in 0..rounds {
        let mut ids: Vec<String> = expected.keys().cloned().collect();
        random.shuffle(&mut ids);
        let mut changes: Vec<Change> = (0..4).map(|_| Change::Put { body: bodies.next() }).collect();
        let mails = random.usize(1..250);
        changes.push(Change::Import { bodies: (0..mails).map(|_| bodies.next()).collect() });
        changes.extend(ids.drain(..ids.len().min(3)).map(|id| Change::Update { id, status: random.i32(0..3) }));
        changes.extend(ids.drain(..ids.len().min(3)).map(|id| Change::Remove { id }));
        changes.push(Change::Recover);
        random.shuffle(&mut changes);
        let running = changes.into_iter().map(|change| Running::start(&queue, change, &mut random)).collect();
        let ended = kill_all(running);

        // A command that is killed can have done more than it said, and never less.
        let mut unsaid: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut doubtful: BTreeMap<String, Option<i32>> = BTreeMap::new();
        for (change, output) in ended {
            assert!([0, -9].contains(&output.code), "round {round}: {}: {}", output.code, output.stderr);
            let done = output.code == 0;
            (killed, finished) = (killed + u64::from(!done), finished + u64::from(done));
            let printed = String::from_utf8(output.stdout).expect("text");
            let said: Vec<&str> = printed.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
            match change {
                Change::Put { body } => match said.first() {
                    Some(id) => _ = expected.insert((*id).to_string(), Known { body, status: 0 }),
                    None => _ = unsaid.insert(body),
                },
                Change::Import { bodies } => {
                    unsaid.extend(bodies.iter().skip(said.len()).cloned());
                    for ((line, body), number) in said.iter().zip(bodies).zip(1..) {
                        let id = line.strip_suffix(&format!("  /dev/stdin:{number}")).expect("in order");
                        expected.insert(id.to_string(), Known { body, status: 0 });
                    }
                }
                Change::Update { id, status } if done => expected.get_mut(&id).expect("it is known").status = status,
                Change::Update { id, status } => _ = doubtful.insert(id, Some(status)),
                Change::Remove { id } if done => _ = expected.remove(&id),
                Change::Remove { id } => _ = doubtful.insert(id, None),
                Change::Recover => {}
            }
        }

        let found = items(&opened);
        for (id, change) in doubtful {
            let known = expected.remove(&id).expect("it is known");
            let changed = change.map(|status| Known { status, ..known.clone() });
            let found = found.get(&id);
            assert!(found == Some(&known) || found == changed.as_ref(), "round {round}: {id} is neither old nor new");
            expected.extend(found.map(|found| (id, found.clone())));
        }
        for (id, known) in &found {
            if !expected.contains_key(id) {
                assert!(unsaid.remove(&known.body) && known.status == 0, "round {round}: nobody put {id} like this");
                expected.insert(id.clone(), known.clone());
                adopted += 1;
            }
        }
        assert!(found == expected, "round {round}: {:?} are lost or changed", {
            expected.iter().filter(|(id, known)| found.get(*id) != Some(known)).map(|(id, _)| id).collect::<Vec<_>>()
        });

        queue.run(&["recover", "--grace", "0"]).done();
        let names: BTreeSet<String> = expected.keys().map(|id| format!("m:{id}")).collect();
        assert_eq!(queue.names(), names.into_iter().collect::<Vec<_>>(), "round {round}: it left litter");
        assert!(items(&opened) == expected, "round {round}: recovery changed something");
        if expected.len() > MOST_ITEMS {
            let removed: Vec<String> = expected.keys().take(expected.len() - 20).cloned().collect();
            let outcomes = opened.remove(&removed, queue_store_host::types::Durability::None).expect("they are there");
            assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()));
            removed.iter().for_each(|id| _ = expected.remove(id));
        }
    }
    println!(
        "{finished} commands finished, {killed} were killed, {adopted} mails were queued that were not acknowledged"
    );
    assert!(rounds < 10 || (killed > rounds && finished > rounds), "the moments were not random enough");
}

/// The system calls that have an effect, or are the answer.
const CALLS: [&str; 7] = ["openat2", "pwrite64", "fsync", "renameat", "linkat", "unlinkat", "write"];

/// A change, and how to see whether it was made.
struct Case {
    prepare: fn(&Queue),
    command: fn(&Queue) -> Command,
    input: &'static [u8],
    is_done: fn(&Queue) -> bool,
}

/// Runs a command on a new queue again and again, killed before its first, second... call of each kind, until it is not
/// killed any more.
fn kill_everywhere(Case { prepare, command, input, is_done }: &Case) {
    let (mut kills, mut made, mut unmade) = (0, 0, 0);
    for call in CALLS {
        for number in 1.. {
            let queue = Queue::existing();
            prepare(&queue);
            let fault = format!("inject={call}:signal=KILL:when={number}");
            let mut strace = trace::strace(&command(&queue), &["-e", &fault, "-o"], Path::new("/dev/null"));
            let output = run(&mut strace, input);
            queue.run(&["recover", "--grace", "0"]).done();
            queue.run(&["verify"]).done();
            let names = queue.names();
            assert!(names.iter().all(|name| !name.starts_with(".m:")), "{fault}: it left litter");
            let is_done = is_done(&queue);
            assert!(is_done || (output.code != 0 && output.stdout.is_empty()), "{fault}: it said more than it did");
            if output.code == 0 {
                break;
            }
            assert_eq!(output.code, -9, "{fault}: {}", output.stderr);
            kills += 1;
            (made, unmade) = (made + u32::from(is_done), unmade + u32::from(!is_done));
        }
    }
    assert!(kills > 3 && made > 0 && unmade > 0, "{kills} kills, {made} times done, {unmade} times not");
}

fn a_change_killed_at_any_of_its_calls_was_made_or_not() {
    const X: fn(&Queue) = |queue| _ = queue.put(&["--id", "x"], b"body");
    const UPDATE: [&str; 6] = ["update", "x", "--rcpt", "b@example.com", "--status", "sent"];
    const MAILS: &[u8] = b"From a@example.com\n\none\n\nFrom a@example.com\n\ntwo\n";
    let one_item = |queue: &Queue| queue.names().len() == 1;
    let cases = [
        Case { prepare: |_| {}, command: |queue| queue.put_command(&[]), input: b"body", is_done: one_item },
        Case { prepare: |_| {}, command: |queue| queue.put_command(&["--id", "x"]), input: b"body", is_done: one_item },
        Case {
            prepare: |_| {},
            command: |queue| queue.put_command(&["--format", "binary"]),
            input: &[b'x'; 1_100_000],
            is_done: one_item,
        },
        Case {
            prepare: |_| {},
            command: |queue| queue.command(&["import", "--to", "b@example.com", "/dev/stdin"]),
            input: MAILS,
            is_done: |queue| queue.names().len() == 2,
        },
        Case {
            prepare: X,
            command: |queue| queue.command(&UPDATE),
            input: b"",
            is_done: |queue| queue.run(&["show", "x"]).done().contains("SENT"),
        },
        Case {
            prepare: X,
            command: |queue| queue.command(&["remove", "x"]),
            input: b"",
            is_done: |queue| queue.names().is_empty(),
        },
        Case {
            prepare: X,
            command: |queue| queue.command(&["hold", "x"]),
            input: b"",
            is_done: |queue| queue.names() == ["h:x"],
        },
        Case {
            prepare: X,
            command: |queue| queue.command(&["quarantine", "x"]),
            input: b"",
            is_done: |queue| queue.names() == ["q:x"],
        },
    ];
    cases.iter().for_each(kill_everywhere);
}
