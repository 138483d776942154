//! Counters of what was done, by the names of the contract.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

/// The counters of a queue since it was opened. There are no files to count syncs of: each change is one commit.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) puts: Counter,
    pub(crate) updates: Counter,
    pub(crate) removals: Counter,
    pub(crate) moves: Counter,
    pub(crate) bytes_written: Counter,
    pub(crate) bytes_read: Counter,
}

impl Counters {
    pub(crate) fn all(&self) -> Vec<(String, u64)> {
        let Counters { puts, updates, removals, moves, bytes_written, bytes_read } = self;
        let named = [
            ("puts", puts),
            ("updates", updates),
            ("removals", removals),
            ("moves", moves),
            ("bytes-written", bytes_written),
            ("bytes-read", bytes_read),
        ];
        named.map(|(name, Counter(count))| (name.to_string(), count.load(Ordering::Relaxed))).to_vec()
    }
}
