//! The items whose fsync failed.

use crate::item::id::base64url;
use crate::limits::MAX_UNSYNCED;
use crate::storage::file_name::MAX_NAME_BYTES;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};

/// The subject of a mark.
///
/// The name of a mark has a random part, so that each failure has a mark of its own and a recovery removes only those that it
/// acted on; and `:` and the id of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    /// The item that has an id.
    Item(&'a str),
    /// Directory entries, which the next fsync of the directory writes again.
    Entries,
    /// Every item.
    Everything,
}

impl<'a> Subject<'a> {
    /// Returns the subject of the mark that has a name. Any other name counts as a mark of every item.
    pub(super) fn of(name: &'a str) -> Subject<'a> {
        match name.split_once(':') {
            Some((_, "")) => Subject::Entries,
            Some((_, id)) => Subject::Item(id),
            None => Subject::Everything,
        }
    }

    pub(super) fn name(self, random: u64) -> String {
        let random = base64url(random);
        let id = match self {
            // chasquid reads an item without an id, whose mark would be one of entries.
            Subject::Item("") | Subject::Everything => return random,
            Subject::Item(id) => id,
            Subject::Entries => "",
        };
        let name = [&random, ":", id].concat();
        // An id that another program made may be too long for the name of a mark.
        if name.len() <= MAX_NAME_BYTES { name } else { random }
    }
}

/// The ids of items that may not survive power loss, because an fsync of theirs or of their directory failed.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    /// At most [`MAX_UNSYNCED`].
    ids: BTreeSet<String>,
    /// Whether there are more, which stands for every item.
    more: bool,
}

impl Unsynced {
    /// Adds an id.
    pub(super) fn insert(&mut self, id: &str) {
        if self.ids.len() < MAX_UNSYNCED {
            self.ids.insert(id.to_string());
        } else if !self.ids.contains(id) {
            self.more = true;
        }
    }

    /// Adds the subject of the mark that has a name.
    pub(super) fn insert_mark(&mut self, name: &str) {
        match Subject::of(name) {
            Subject::Item(id) => self.insert(id),
            Subject::Entries => {}
            Subject::Everything => self.more = true,
        }
    }

    /// Whether every item is unsynced.
    pub(super) fn is_everything(&self) -> bool {
        self.more
    }

    /// Whether the mark of one of these items is a mark of every item.
    pub(super) fn has_everything_for_mark(&self) -> bool {
        let is_everything = |id: &String| Subject::of(&Subject::Item(id).name(0)) == Subject::Everything;
        self.more || self.ids.iter().any(is_everything)
    }

    /// Whether no item is unsynced.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.more
    }

    /// Whether an item may not survive power loss.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.more || self.ids.contains(id)
    }

    /// Adds all ids of another set.
    pub(super) fn merge(&mut self, other: Unsynced) {
        self.more |= other.more;
        other.ids.iter().for_each(|id| self.insert(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_names_its_subject() {
        let subject_of_the_mark_of = |subject: Subject<'_>| {
            let name = subject.name(7);
            assert!(name.len() <= MAX_NAME_BYTES);
            [Subject::Item("x"), Subject::Item("a:b"), Subject::Entries, Subject::Everything]
                .into_iter()
                .find(|subject| *subject == Subject::of(&name))
        };
        for subject in [Subject::Item("x"), Subject::Item("a:b"), Subject::Entries, Subject::Everything] {
            assert_eq!(subject_of_the_mark_of(subject), Some(subject));
        }
        // No name of a mark has room for these, or tells them from the entries.
        for id in ["", &"x".repeat(MAX_NAME_BYTES)] {
            assert_eq!(subject_of_the_mark_of(Subject::Item(id)), Some(Subject::Everything));
        }
    }

    #[test]
    fn beyond_the_bound_every_item_is_unsynced() {
        let mut unsynced = Unsynced::default();
        (0..MAX_UNSYNCED).for_each(|number| unsynced.insert(&number.to_string()));
        unsynced.insert("0");
        assert!(unsynced.contains("0") && !unsynced.contains("another"));
        unsynced.insert("one more");
        let mut merged = Unsynced::default();
        merged.merge(unsynced);
        assert!(merged.contains("another"));
    }
}
