//! Counters of the work that an instance has done.

use core::cell::Cell;

/// A number that only grows, and wraps at 2^64.
#[derive(Debug, Default)]
pub struct Counter(Cell<u64>);

impl Counter {
    /// Adds to the counter.
    pub(crate) fn add(&self, more: u64) {
        self.0.set(self.0.get().wrapping_add(more));
    }
}

/// The counters of an instance.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "documented in `wit/introspection.wit`")]
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
    /// Returns every counter by its name in the contract.
    pub fn all(&self) -> [(&'static str, u64); 8] {
        let Counters { puts, updates, removals, moves, file_syncs, directory_syncs, bytes_written, bytes_read } = self;
        [
            ("puts", puts),
            ("updates", updates),
            ("removals", removals),
            ("moves", moves),
            ("file-syncs", file_syncs),
            ("directory-syncs", directory_syncs),
            ("bytes-written", bytes_written),
            ("bytes-read", bytes_read),
        ]
        .map(|(name, Counter(count))| (name, count.get()))
    }
}
