//! Generates the calls of the shipping command from a seed.
//!
//! Several clients work concurrently, each on its own items, since the queue leaves it to its callers to serialize
//! changes of one item. A client waits for the end of each call before the next.

mod mail;

pub use mail::Mail;

use crate::file_system::FileSystem;
use clap::ValueEnum;
use rand::rngs::ChaCha8Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};

/// Number of clients that work concurrently.
const CLIENTS: usize = 2;

/// Number of mails that every client except the first imports.
const FEW_MAILS: usize = 3;

/// Maximum number of imported mails that a client retains. It removes the others in one call, since the time to check
/// an image grows with its number of items.
const MAILS_RETAINED: usize = 4;

/// Number of mails that are imported before the workload begins, so that every crash could damage items.
const MAILS_BEFORE: usize = 8;

/// The durability of a call, a value of the command's `--durability`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// The file and the directory are fsynced
    Full,
    /// The file is fsynced, the directory is not, as in chasquid
    ContentOnly,
    /// Nothing is fsynced
    None,
}

impl Display for Durability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        formatter.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// The parameters of a workload.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Settings {
    /// The file system that the workload runs on.
    pub file_system: FileSystem,
    /// The durability under test.
    pub durability: Durability,
    /// The seed of every random choice.
    pub seed: u64,
    /// Number of calls of each client.
    pub calls: usize,
    /// Number of mails that the first client imports; the others import `FEW_MAILS`.
    pub imported: usize,
}

/// The place of an item in the queue, its state in terms of the command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Ready.
    Ready,
    /// Held.
    Held,
    /// Quarantined.
    Quarantined,
}

/// The subcommand of a call, and its items, which are numbers of mails.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// `put` of a new item.
    Put(usize),
    /// `put` under the id of an existing item, which the command refuses after it made that item durable.
    PutAgain(usize),
    /// `put` of an endless mail until the command is killed, which leaves a temporary file.
    PutKilled,
    /// `import` of several mails, which are put in batches.
    Import(Vec<usize>),
    /// `update` of one recipient.
    Update {
        /// The number of the item.
        item: usize,
        /// The index of the recipient.
        recipient: usize,
        /// The new status, as its number in the format.
        status: i32,
        /// The failure message of the last attempt.
        failure: String,
    },
    /// `remove`.
    Remove(Vec<usize>),
    /// `remove` of a removed item, which the command answers after it made the removal durable.
    RemoveAgain(usize),
    /// `hold`, `release`, `quarantine` or `restore`.
    Move {
        /// The number of the item.
        item: usize,
        /// The subcommand.
        subcommand: &'static str,
        /// The place of the item after the move.
        to: Place,
    },
    /// `recover`, with the default grace.
    Recover,
    /// A write and an fsync of a file outside the queue, as by another process. The fsync makes the file system write
    /// any part of the queue's unsynced changes.
    Neighbour,
}

/// A call of the command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The number of the call in the workload.
    pub number: usize,
    /// The subcommand and its items.
    pub action: Action,
    /// The durability of the call.
    pub durability: Durability,
}

/// Calls, and the mails that they put.
pub struct Workload {
    /// The parameters of the workload.
    pub settings: Settings,
    /// The mails. The number of an item is its index.
    pub mails: Vec<Mail>,
    /// The calls of each client, in order. The first client fills the queue before the others begin.
    pub clients: Vec<Vec<Call>>,
}

/// The command's names of statuses, by their number in the format.
pub(crate) const STATUSES: [&str; 3] = ["pending", "sent", "failed"];

impl Workload {
    /// Generates a workload.
    pub fn new(settings: Settings) -> Workload {
        let mut generator = Generator {
            random: ChaCha8Rng::seed_from_u64(settings.seed),
            mails: Vec::new(),
            number: 0,
            durability: settings.durability,
        };
        let before = generator.import(MAILS_BEFORE);
        let mut clients = vec![vec![generator.call(Action::Import(before.clone()), Durability::Full)]];
        for client in 0..CLIENTS {
            let share = before.iter().skip(client).step_by(CLIENTS).map(|item| (*item, Place::Ready)).collect();
            clients.push(generator.client(&settings, share, client == 0));
        }
        Workload { settings, mails: generator.mails, clients }
    }

    /// Finds a call by its number.
    pub fn call(&self, number: usize) -> Option<&Call> {
        self.clients.iter().flatten().find(|call| call.number == number)
    }

    /// Returns whether the acknowledgement of a call counts as a promise of durability.
    pub(crate) fn promises(&self, call: &Call) -> bool {
        // In a workload of `full`, some calls have a weaker durability, and later calls make their changes durable.
        call.durability == Durability::Full || call.durability == self.settings.durability
    }
}

struct Generator {
    random: ChaCha8Rng,
    mails: Vec<Mail>,
    number: usize,
    durability: Durability,
}

/// The items of a client, and their places.
type Items = Vec<(usize, Place)>;

impl Generator {
    fn call(&mut self, action: Action, durability: Durability) -> Call {
        self.number += 1;
        Call { number: self.number, action, durability }
    }

    fn mail(&mut self, size: mail::Size) -> usize {
        let number = self.mails.len();
        self.mails.push(Mail::generate(number, size, &mut self.random));
        number
    }

    fn import(&mut self, mails: usize) -> Vec<usize> {
        let items: Vec<usize> = (0..mails).map(|_| self.mail(mail::Size::Small)).collect();
        // One list of recipients applies to all mails of an import.
        if let Some(to) = items.first().map(|first| self.mails[*first].to.clone()) {
            items.iter().for_each(|item| self.mails[*item].to.clone_from(&to));
        }
        items
    }

    /// Generates the calls of a client whose first items are `items`.
    fn client(&mut self, settings: &Settings, mut items: Items, is_first: bool) -> Vec<Call> {
        let mut calls = Vec::new();
        let import_at = settings.calls / 2;
        let kill_at = settings.calls / 4;
        for turn in 0..settings.calls {
            if turn == import_at {
                let mut imported = self.import(if is_first { settings.imported } else { FEW_MAILS });
                calls.push(self.call(Action::Import(imported.clone()), self.durability));
                let removed = imported.split_off(imported.len().min(MAILS_RETAINED));
                items.extend(imported.into_iter().map(|item| (item, Place::Ready)));
                if !removed.is_empty() {
                    calls.push(self.call(Action::Remove(removed), self.durability));
                }
            }
            if turn == kill_at {
                calls.push(self.call(Action::PutKilled, self.durability));
            }
            self.turn(&mut items, &mut calls);
        }
        calls
    }

    /// Generates the calls of one turn of a client.
    fn turn(&mut self, items: &mut Items, calls: &mut Vec<Call>) {
        let durability = self.durability;
        items.shuffle(&mut self.random);
        let choice = self.random.random_range(0..100);
        match choice {
            0..35 => {
                let item = self.mail(mail::Size::Any);
                items.push((item, Place::Ready));
                calls.push(self.call(Action::Put(item), durability));
            }
            35..55 => {
                // The command refuses to update a quarantined item.
                if let Some((item, _)) = items.iter().find(|(_, place)| *place != Place::Quarantined) {
                    let action = self.update(*item);
                    calls.push(self.call(action, durability));
                }
            }
            55..68 => {
                let few = self.random.random_range(1..=3);
                let gone: Vec<usize> = items
                    .extract_if(.., |(_, place)| *place != Place::Quarantined)
                    .take(few)
                    .map(|(item, _)| item)
                    .collect();
                if !gone.is_empty() {
                    calls.push(self.call(Action::Remove(gone), durability));
                }
            }
            68..80 => self.neighbour(calls),
            // The actions below always fsync, which would hide the losses of the other durabilities.
            _ if durability != Durability::Full => self.neighbour(calls),
            80..89 => {
                if let Some((item, place)) = items.last_mut() {
                    let (subcommand, to) = match (*place, self.random.random_bool(0.6)) {
                        (Place::Ready, true) => ("hold", Place::Held),
                        (Place::Held, true) => ("release", Place::Ready),
                        (Place::Ready | Place::Held, false) => ("quarantine", Place::Quarantined),
                        (Place::Quarantined, _) => ("restore", Place::Ready),
                    };
                    *place = to;
                    let action = Action::Move { item: *item, subcommand, to };
                    calls.push(self.call(action, durability));
                }
            }
            // A put of weaker durability, promised once a second put answers that the item exists.
            89..93 => {
                let item = self.mail(mail::Size::Any);
                self.mails[item].choose_id();
                let weaker = self.weaker_durability();
                calls.push(self.call(Action::Put(item), weaker));
                calls.push(self.call(Action::PutAgain(item), durability));
                items.push((item, Place::Ready));
            }
            // Puts of weaker durability, promised once the queue is recovered.
            93..97 => {
                for _ in 0..2 {
                    let (item, weaker) = (self.mail(mail::Size::Any), self.weaker_durability());
                    calls.push(self.call(Action::Put(item), weaker));
                    items.push((item, Place::Ready));
                }
                calls.push(self.call(Action::Recover, durability));
            }
            // A removal of weaker durability, promised once a second removal answers that the item does not exist.
            _ => {
                if let Some(index) = items.iter().position(|(_, place)| *place != Place::Quarantined) {
                    let (item, _) = items.remove(index);
                    let weaker = self.weaker_durability();
                    calls.push(self.call(Action::Remove(vec![item]), weaker));
                    calls.push(self.call(Action::RemoveAgain(item), durability));
                }
            }
        }
    }

    fn weaker_durability(&mut self) -> Durability {
        if self.random.random_bool(0.5) { Durability::ContentOnly } else { Durability::None }
    }

    fn neighbour(&mut self, calls: &mut Vec<Call>) {
        calls.push(self.call(Action::Neighbour, Durability::Full));
    }

    fn update(&mut self, item: usize) -> Action {
        let recipient = self.random.random_range(0..self.mails[item].to.len());
        let failures = ["", "452 4.2.2 mailbox full", "550 5.1.1 no such user \"ñ\"\ttry\\again", "later\n"];
        let failure = failures.choose(&mut self.random).copied().unwrap_or_default().to_string();
        Action::Update { item, recipient, status: self.random.random_range(0..3), failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn settings(seed: u64, durability: Durability) -> Settings {
        Settings { file_system: FileSystem::Ext4, durability, seed, calls: 150, imported: 5 }
    }

    #[test]
    fn seed_determines_workload() {
        let (one, same) = (Workload::new(settings(7, Durability::Full)), Workload::new(settings(7, Durability::Full)));
        assert_eq!(one.clients, same.clients);
        assert!(one.mails.iter().zip(&same.mails).all(|(one, same)| one.body == same.body));
        assert_ne!(one.clients, Workload::new(settings(8, Durability::Full)).clients);
    }

    #[test]
    fn weaker_durabilities_omit_actions_that_always_fsync() {
        let kinds = |durability| {
            let workload = Workload::new(settings(1, durability));
            let name =
                |call: &Call| format!("{:?}", call.action).split(['(', ' ']).next().unwrap_or_default().to_string();
            workload.clients.iter().flatten().map(name).collect::<HashSet<_>>()
        };
        let weak = ["Put", "PutKilled", "Import", "Update", "Remove", "Neighbour"].map(str::to_string);
        let all = weak.clone().into_iter().chain(["PutAgain", "RemoveAgain", "Move", "Recover"].map(str::to_string));
        assert_eq!(kinds(Durability::Full), all.collect());
        assert_eq!(kinds(Durability::ContentOnly), weak.clone().into_iter().collect());
        assert_eq!(kinds(Durability::None), weak.into_iter().collect());
    }
}
