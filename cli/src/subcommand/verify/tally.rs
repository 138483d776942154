//! The numbers of a verification.

use crate::damage::is_unreadable;
use crate::failure::Failure;
use queue_store_host::Error;
use queue_store_host::types::{Entry, ErrorCode, Integrity, State};
use std::collections::HashSet;
use sysexits::ExitCode as Sysexit;

/// Counts of items by what their verification found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// All items.
    pub(super) items: u64,
    /// Items that are ready or held, and damaged.
    pub(super) damaged: u64,
    /// Items that are quarantined, and damaged.
    pub(super) damaged_in_quarantine: u64,
    /// Items that may be intact and could not be read.
    pub(super) unreadable: u64,
    /// The exit code of the first item that could not be read.
    pub(super) unreadable_code: Option<Sysexit>,
    /// Items without checksums.
    pub(super) unchecked: u64,
    /// The names of the items that are ready or held. A damaged directory may repeat one.
    names: HashSet<String>,
}

impl Tally {
    /// Counts an item. Returns whether it is the first one of its file name.
    pub(super) fn add(&mut self, entry: &Entry) -> bool {
        if entry.state != State::Quarantined && name(entry).is_some_and(|name| !self.names.insert(name)) {
            return false;
        }
        self.items += 1;
        self.unchecked += u64::from(entry.info.as_ref().is_some_and(|info| info.integrity == Integrity::Unchecked));
        match &entry.problem {
            None => {}
            Some(problem) if is_unreadable(problem) => {
                self.unreadable += 1;
                let code = || Failure::from(Error::from(problem.clone())).code();
                self.unreadable_code.get_or_insert_with(code);
            }
            Some(_) if entry.state == State::Quarantined => self.damaged_in_quarantine += 1,
            Some(_) => self.damaged += 1,
        }
        true
    }
}

/// Returns a name that is as unique as the file name of an item that is ready or held. The items of an id that several have
/// all have the problem of one file, and no name.
fn name(entry: &Entry) -> Option<String> {
    match (&entry.problem, &entry.info) {
        (Some(problem), _) if problem.code == ErrorCode::Conflict => None,
        (Some(problem), _) => Some(problem.path.clone()),
        (None, info) => {
            let info = info.as_ref().expect("a verification has the facts about an item without a problem");
            Some(format!("{} {} {}", entry.state.name(), info.format.name(), entry.id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, State, Sysexit, Tally};
    use queue_store_host::types::{self, ErrorCode};

    fn entry(id: &str, state: State, code: ErrorCode) -> Entry {
        let (operation, detail, path) = (String::new(), String::new(), format!("queue/{id}"));
        let problem = types::Error { code, operation, path, detail, position: None };
        Entry { id: id.to_string(), state, info: None, problem: Some(problem) }
    }

    #[test]
    fn repeated_directory_entries_count_once() {
        let mut tally = Tally::default();
        let damaged = entry("m:a", State::Ready, ErrorCode::Corrupt);
        assert!(tally.add(&damaged));
        assert!(!tally.add(&damaged));
        assert!(tally.add(&entry("m=a", State::Ready, ErrorCode::Corrupt)));
        assert_eq!((tally.items, tally.damaged), (2, 2));
    }

    #[test]
    fn unreadable_items_are_not_damaged() {
        let mut tally = Tally::default();
        tally.add(&entry("m:a", State::Ready, ErrorCode::Access));
        tally.add(&entry("m:b", State::Ready, ErrorCode::Io));
        tally.add(&entry("q:c", State::Quarantined, ErrorCode::Corrupt));
        assert_eq!((tally.damaged, tally.damaged_in_quarantine, tally.unreadable), (0, 1, 2));
        assert_eq!(tally.unreadable_code, Some(Sysexit::NoPerm));
    }
}
