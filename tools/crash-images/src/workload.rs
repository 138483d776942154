//! What the shipping command is asked to do, drawn from a seed.
//!
//! Several clients work at once, each on items of its own, since two that change one item at a time are their callers'
//! business. A client waits for each call before the next.

mod mail;

pub use mail::Mail;

use crate::file_system::FileSystem;
use clap::ValueEnum;
use rand::rngs::ChaCha8Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};

/// Clients that work at once.
const CLIENTS: usize = 2;

/// Mails that every client but the first imports.
const FEW_MAILS: usize = 3;

/// Mails that stay of the first client's import: it removes the others in one call, since every image takes the longer the more
/// it has.
const MAILS_KEPT: usize = 4;

/// Mails that are imported before the workload begins, so that there is something to be harmed.
const MAILS_BEFORE: usize = 8;

/// When a call is done, as `--durability` of the command has it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// The file and the directory are fsynced
    Full,
    /// The file is fsynced, the directory is not: what chasquid does
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

/// What a workload is drawn from, and what it is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Settings {
    /// The file system that it runs on.
    pub file_system: FileSystem,
    /// What is tried.
    pub durability: Durability,
    /// What everything random comes from.
    pub seed: u64,
    /// Calls of each client.
    pub calls: usize,
    /// Mails of the first client's import; the other's has a few.
    pub imported: usize,
}

/// Where an item is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Ready.
    Ready,
    /// Held.
    Held,
    /// Quarantined.
    Quarantined,
}

/// What is asked for. Items are numbers of mails.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// `put` of a new item.
    Put(usize),
    /// `put` under the id of an item that exists, which is refused once that item is safe.
    PutAgain(usize),
    /// `put` of a mail that never ends, until the command is killed: it leaves a temporary file.
    PutKilled,
    /// `import` of several mails, which are put in batches.
    Import(Vec<usize>),
    /// `update` of one recipient.
    Update {
        /// The item.
        item: usize,
        /// Which of its recipients.
        recipient: usize,
        /// Its new status, by the number that the format has for it.
        status: i32,
        /// What the last attempt said.
        failure: String,
    },
    /// `remove`.
    Remove(Vec<usize>),
    /// `remove` of an item that is gone, which is answered once that is certain.
    RemoveAgain(usize),
    /// `hold`, `release`, `quarantine` or `restore`.
    Move {
        /// The item.
        item: usize,
        /// The subcommand.
        subcommand: &'static str,
        /// Where the item is then.
        to: Place,
    },
    /// `recover`, with the usual grace.
    Recover,
    /// Not the queue at all: somebody else on the file system writes a file of his own and syncs it, which makes the file system
    /// write, at any moment, of the queue what it likes.
    Neighbour,
}

/// A call of the command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// Its number in the workload.
    pub number: usize,
    /// What it does.
    pub action: Action,
    /// What it is told about durability.
    pub durability: Durability,
}

/// Calls, and the mails that they put.
pub struct Workload {
    /// What they were drawn from.
    pub settings: Settings,
    /// The mails; an item is an index here.
    pub mails: Vec<Mail>,
    /// The calls of each client, in order. The first of them alone works before the others begin: it fills the queue.
    pub clients: Vec<Vec<Call>>,
}

/// Status names of the command, by number.
pub(crate) const STATUSES: [&str; 3] = ["pending", "sent", "failed"];

impl Workload {
    /// Draws a workload.
    pub fn new(settings: Settings) -> Workload {
        let mut draw = Draw {
            random: ChaCha8Rng::seed_from_u64(settings.seed),
            mails: Vec::new(),
            number: 0,
            durability: settings.durability,
        };
        let before = draw.import(MAILS_BEFORE);
        let mut clients = vec![vec![draw.call(Action::Import(before.clone()), Durability::Full)]];
        for client in 0..CLIENTS {
            let share = before.iter().skip(client).step_by(CLIENTS).map(|item| (*item, Place::Ready)).collect();
            clients.push(draw.client(&settings, share, client == 0));
        }
        Workload { settings, mails: draw.mails, clients }
    }

    /// A call by its number.
    pub fn call(&self, number: usize) -> Option<&Call> {
        self.clients.iter().flatten().find(|call| call.number == number)
    }

    /// Whether what a call reports as done is taken for a promise.
    pub(crate) fn promises(&self, call: &Call) -> bool {
        // In a workload of `full`, some calls promise less, and later ones make up for it.
        call.durability == Durability::Full || call.durability == self.settings.durability
    }
}

struct Draw {
    random: ChaCha8Rng,
    mails: Vec<Mail>,
    number: usize,
    durability: Durability,
}

/// Items that a client has, and where they are.
type Items = Vec<(usize, Place)>;

impl Draw {
    fn call(&mut self, action: Action, durability: Durability) -> Call {
        self.number += 1;
        Call { number: self.number, action, durability }
    }

    fn mail(&mut self, size: mail::Size) -> usize {
        let number = self.mails.len();
        self.mails.push(Mail::draw(number, size, &mut self.random));
        number
    }

    fn import(&mut self, mails: usize) -> Vec<usize> {
        let items: Vec<usize> = (0..mails).map(|_| self.mail(mail::Size::Small)).collect();
        // Whom the mails of an import are for is said once.
        if let Some(to) = items.first().map(|first| self.mails[*first].to.clone()) {
            items.iter().for_each(|item| self.mails[*item].to.clone_from(&to));
        }
        items
    }

    /// The calls of a client that has some items to begin with.
    fn client(&mut self, settings: &Settings, mut items: Items, is_first: bool) -> Vec<Call> {
        let mut calls = Vec::new();
        let import_at = settings.calls / 2;
        let kill_at = settings.calls / 4;
        for turn in 0..settings.calls {
            if turn == import_at {
                let mut imported = self.import(if is_first { settings.imported } else { FEW_MAILS });
                calls.push(self.call(Action::Import(imported.clone()), self.durability));
                let removed = imported.split_off(imported.len().min(MAILS_KEPT));
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
                // A quarantined item is not updated.
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
            // What follows syncs always, whatever the durability of the rest, and would hide what that loses.
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
            // A put that promises little, until somebody is told that the item exists.
            89..93 => {
                let item = self.mail(mail::Size::Any);
                self.mails[item].choose_id();
                let weak = self.weak();
                calls.push(self.call(Action::Put(item), weak));
                calls.push(self.call(Action::PutAgain(item), durability));
                items.push((item, Place::Ready));
            }
            // Puts that promise little, until somebody recovers the queue.
            93..97 => {
                for _ in 0..2 {
                    let (item, weak) = (self.mail(mail::Size::Any), self.weak());
                    calls.push(self.call(Action::Put(item), weak));
                    items.push((item, Place::Ready));
                }
                calls.push(self.call(Action::Recover, durability));
            }
            // A removal that promises little, until somebody is told that the item is gone.
            _ => {
                if let Some(index) = items.iter().position(|(_, place)| *place != Place::Quarantined) {
                    let (item, _) = items.remove(index);
                    let weak = self.weak();
                    calls.push(self.call(Action::Remove(vec![item]), weak));
                    calls.push(self.call(Action::RemoveAgain(item), durability));
                }
            }
        }
    }

    fn weak(&mut self) -> Durability {
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
    fn a_seed_gives_the_same_workload_always() {
        let (one, same) = (Workload::new(settings(7, Durability::Full)), Workload::new(settings(7, Durability::Full)));
        assert_eq!(one.clients, same.clients);
        assert!(one.mails.iter().zip(&same.mails).all(|(one, same)| one.body == same.body));
        assert_ne!(one.clients, Workload::new(settings(8, Durability::Full)).clients);
    }

    #[test]
    fn every_action_is_drawn_and_a_weak_durability_has_none_that_syncs_anyway() {
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
