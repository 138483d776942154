//! The commands of a round: started at once, each killed at a random moment unless it ends before.

use super::items::Items;
use crate::process::{Output, pid, start, wait};
use crate::queue::Queue;
use crate::strace::with_fault;
use fastrand::Rng;
use nix::sys::signal::{Signal, killpg};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

/// Milliseconds within which a command is killed, and an import: about their duration.
const KILLED_WITHIN: u64 = 40;
const IMPORT_KILLED_WITHIN: u64 = 150;

/// The factor by which a command is slower under strace, about.
const TRACED_SLOWER: u64 = 8;

/// The number of the last fsync of a command that is made to fail: most commands have no more than four.
const MAX_FAILED_FSYNC: usize = 5;

/// A change that a command is to make.
pub(super) enum Change {
    Put {
        body: Vec<u8>,
    },
    /// A put under the id of an item.
    PutAgain {
        id: String,
    },
    Import {
        bodies: Vec<Vec<u8>>,
    },
    Update {
        id: String,
        status: i32,
    },
    Remove {
        id: String,
    },
    Recover,
}

impl Change {
    /// Returns the command, and its input.
    fn command(&self, queue: &Queue) -> (Command, Vec<u8>) {
        match self {
            Change::Put { body } => (queue.put_command(&[]), body.clone()),
            Change::PutAgain { id } => (queue.put_command(&["--id", id]), b"another body".to_vec()),
            Change::Import { bodies } => {
                let from = b"From a@example.com Mon Jan  1 00:00:00 2024\n";
                let mbox = bodies.iter().flat_map(|body| [from, &body[..], b"\n"].concat());
                (queue.command(&["import", "--to", "b@example.com", "/dev/stdin"]), mbox.collect())
            }
            Change::Update { id, status } => {
                let status = match status {
                    0 => "pending",
                    1 => "sent",
                    _ => "failed",
                };
                (queue.command(&["update", id, "--rcpt", "b@example.com", "--status", status]), Vec::new())
            }
            Change::Remove { id } => (queue.command(&["remove", id]), Vec::new()),
            Change::Recover => (queue.command(&["recover"]), Vec::new()),
        }
    }

    /// Returns the milliseconds within which the command is killed.
    fn killed_within(&self) -> u64 {
        if matches!(self, Change::Import { .. }) { IMPORT_KILLED_WITHIN } else { KILLED_WITHIN }
    }
}

/// Bodies, each of which is unique.
pub(super) struct Bodies {
    random: Rng,
    number: u64,
}

impl Bodies {
    pub(super) fn new(random: Rng) -> Bodies {
        Bodies { random, number: 0 }
    }

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
pub(super) fn changes(items: &Items, bodies: &mut Bodies, random: &mut Rng) -> Vec<Change> {
    let mut ids: Vec<String> = items.keys().cloned().collect();
    random.shuffle(&mut ids);
    let mut changes: Vec<Change> = (0..4).map(|_| Change::Put { body: bodies.next() }).collect();
    let mails = random.usize(1..250);
    changes.push(Change::Import { bodies: (0..mails).map(|_| bodies.next()).collect() });
    changes.extend(ids.drain(..ids.len().min(3)).map(|id| Change::Update { id, status: random.i32(0..3) }));
    changes.extend(ids.drain(..ids.len().min(3)).map(|id| Change::Remove { id }));
    changes.extend(ids.drain(..ids.len().min(2)).map(|id| Change::PutAgain { id }));
    changes.push(Change::Recover);
    random.shuffle(&mut changes);
    changes
}

/// Starts commands at once, kills each at a random moment unless it ends before, and returns their outputs.
/// `failing_fsyncs` is the probability that an fsync of a command fails.
pub(super) fn run_and_kill(
    queue: &Queue,
    changes: Vec<Change>,
    failing_fsyncs: f64,
    random: &mut Rng,
) -> Vec<(Change, Output)> {
    let start = |change: Change| {
        let (mut command, input) = change.command(queue);
        let mut killed_within = change.killed_within();
        if random.f64() < failing_fsyncs {
            command = with_fault(&format!("fsync:error=EIO:when={}", random.usize(1..=MAX_FAILED_FSYNC)), &command);
            killed_within *= TRACED_SLOWER;
        }
        let child = start(command.process_group(0), &input);
        (Duration::from_millis(random.u64(0..killed_within)), change, child)
    };
    let mut running: Vec<(Duration, Change, Child)> = changes.into_iter().map(start).collect();
    running.sort_by_key(|(killed_after, ..)| *killed_after);
    let mut waited = Duration::ZERO;
    for (killed_after, _, child) in &running {
        thread::sleep(*killed_after - waited);
        waited = *killed_after;
        // The group: a process outlives the strace that is killed.
        killpg(pid(child), Signal::SIGKILL).expect("a child that was not waited for can be killed");
    }
    running.into_iter().map(|(_, change, child)| (change, wait(child))).collect()
}
