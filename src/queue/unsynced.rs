//! The items whose fsync failed.

use crate::limits::MAX_UNSYNCED;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};

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

    /// Adds every item.
    pub(super) fn insert_all(&mut self) {
        self.more = true;
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
    fn beyond_the_bound_every_item_is_unsynced() {
        let mut unsynced = Unsynced::default();
        (0..MAX_UNSYNCED).for_each(|number| unsynced.insert(&number.to_string()));
        unsynced.insert("0");
        assert!(unsynced.contains("0") && !unsynced.contains("another"));
        let mut merged = Unsynced::default();
        merged.insert("one more");
        merged.merge(unsynced);
        assert!(merged.contains("another"));
    }
}
