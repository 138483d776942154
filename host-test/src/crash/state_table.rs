//! The table of states in `docs/durability.md`: every set of files of one item that a power cut leaves.

use super::action::{Action, Call};
use super::item_files::Files;
use super::search::{Faults, Search};
use super::settings::Settings;
use crate::bindings::Durability;
use crate::simulator::host::ComponentUnderTest;
use crate::simulator::power::Profile;
use std::fmt::Write;

/// Returns the calls of the table. The others leave the same files under other names.
fn calls() -> Vec<Call> {
    use Action::{Discard, Draft, Hold, Put, Quarantine, RecordAttempts, Release, Remove, Seal, Update};
    let actions = [Put, Draft, Update, RecordAttempts, Remove, Hold, Release, Quarantine, Discard, Seal];
    actions.map(|action| Call::To(action, vec![1])).into_iter().chain([Call::Recover]).collect()
}

fn in_words(files: &Files) -> String {
    let words: Vec<String> = files.iter().map(|names| names.iter().cloned().collect::<Vec<_>>().join(" = ")).collect();
    if words.is_empty() { "none".to_string() } else { words.join(", ") }
}

/// Returns the table, in Markdown.
///
/// # Panics
///
/// A promise is broken meanwhile.
pub fn table(component: &ComponentUnderTest) -> String {
    let settings = Settings { choices: usize::MAX, ..Settings::new(Profile::Posix, Durability::Full) };
    let search = Search::new(component, settings, 1).recording_item_files();
    search.exhaustive_search(1..=3, &calls(), Faults::None, &|_| true);
    if let Some(violation) = search.violations().first() {
        panic!("{violation}");
    }
    let mut table = String::from("| files | when | recovery makes of it |\n|---|---|---|\n");
    search.with_item_files(|item_files| {
        for (files, (calls, outcomes)) in &item_files.found {
            let calls: Vec<&str> = calls.iter().copied().collect();
            let outcomes: Vec<String> = outcomes.iter().map(in_words).collect();
            writeln!(table, "| {} | {} | {} |", in_words(files), calls.join(", "), outcomes.join(", or "))
                .expect("a string accepts every write");
        }
    });
    table
}
