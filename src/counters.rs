//! What an instance has done, counted.

use alloc::vec::Vec;
use core::cell::Cell;

/// A number that only grows.
#[derive(Default)]
pub(crate) struct Counter(Cell<u64>);

impl Counter {
    /// Adds to it.
    pub(crate) fn add(&self, more: u64) {
        self.0.set(self.0.get().wrapping_add(more));
    }
}

/// What an instance has done.
#[derive(Default)]
#[allow(missing_docs, reason = "documented in `wit/queue-store.wit`")]
pub struct Counters {
    pub(crate) puts: Counter,
    pub(crate) updates: Counter,
    pub(crate) removals: Counter,
    pub(crate) moves: Counter,
    pub(crate) file_syncs: Counter,
    pub(crate) directory_syncs: Counter,
    pub(crate) bytes_written: Counter,
    pub(crate) bytes_read: Counter,
}

impl Counters {
    /// The counters by their names in the contract.
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let named = [
            ("puts", &self.puts),
            ("updates", &self.updates),
            ("removals", &self.removals),
            ("moves", &self.moves),
            ("file-syncs", &self.file_syncs),
            ("directory-syncs", &self.directory_syncs),
            ("bytes-written", &self.bytes_written),
            ("bytes-read", &self.bytes_read),
        ];
        named.iter().map(|(name, counter)| (*name, counter.0.get())).collect()
    }
}
