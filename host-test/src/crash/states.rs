//! The table of states in `docs/durability.md`: every set of files of one item that a power cut leaves.

use super::call::{Action, Call};
use super::explore::{Explorer, Search};
use crate::bindings::Durability;
use crate::simulator::disk::{Disk, Inode};
use crate::simulator::host::Subject;
use crate::simulator::power::Profile;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The files of an item: of each, its names.
type Files = BTreeSet<BTreeSet<String>>;

/// What is known of the states that were found.
#[derive(Debug, Default)]
pub(super) struct States {
    found: BTreeMap<Files, (BTreeSet<String>, BTreeSet<Files>)>,
}

impl States {
    /// Notes that a power cut during a call left this, and what recovery made of it.
    pub(super) fn note(&mut self, call: Option<&Call>, left: &Disk, recovered: &Disk) {
        let (calls, outcomes) = self.found.entry(files(left)).or_default();
        match call {
            Some(call) => calls.insert(call.to_string().split(' ').next().unwrap_or_default().to_string()),
            None => calls.insert(BETWEEN.to_string()),
        };
        outcomes.insert(files(recovered));
    }
}

/// What stands for no call: the state is one that lasts. It comes first.
const BETWEEN: &str = "**between calls**";

/// The calls of the table: the others leave the same files, under other names.
fn calls() -> Vec<Call> {
    use Action::{Discard, Draft, Hold, Put, Quarantine, Release, Remove, Restore, Seal, Update};
    let actions = [Put, Draft, Update, Remove, Hold, Release, Quarantine, Restore, Discard, Seal];
    actions.map(|action| Call::To(action, vec![1])).into_iter().chain([Call::Recover]).collect()
}

/// The names of the files of an item, without what is the item's own in them.
fn files(disk: &Disk) -> Files {
    let mut files: BTreeMap<Inode, BTreeSet<String>> = BTreeMap::new();
    for (name, inode) in &disk.names {
        let of_the_item = name.starts_with(".m:") || matches!(name.as_bytes(), [_, b':' | b'=', ..]);
        if of_the_item && name != "m:damaged" {
            let length = if name.starts_with('.') { 3 } else { 2 };
            files.entry(*inode).or_default().insert(format!("`{}`", &name[..length]));
        }
    }
    files.into_values().collect()
}

fn in_words(files: &Files) -> String {
    let words: Vec<String> = files.iter().map(|names| names.iter().cloned().collect::<Vec<_>>().join(" = ")).collect();
    if words.is_empty() { "none".to_string() } else { words.join(", ") }
}

/// The table, in Markdown.
///
/// # Panics
///
/// If a promise is broken meanwhile.
pub fn table(component: &Subject) -> String {
    let search = Search { profile: Profile::Posix, durability: Durability::Full, mishaps: false, choices: usize::MAX };
    let explorer = Explorer::new(component, search, 1).noting_states();
    explorer.exhaust(3, &calls(), &|_| true);
    if let Some(violation) = explorer.violations().first() {
        panic!("{violation}");
    }
    let mut table = String::from("| files | when | recovery makes of it |\n|---|---|---|\n");
    explorer.states(|states| {
        for (files, (calls, outcomes)) in &states.found {
            let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
            let outcomes: Vec<String> = outcomes.iter().map(in_words).collect();
            let _ = writeln!(table, "| {} | {} | {} |", in_words(files), calls.join(", "), outcomes.join(", or "));
        }
    });
    table
}
