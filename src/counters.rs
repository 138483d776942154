//! What an instance has done, counted.

use crate::list::Fixed;
use core::cell::Cell;

/// A number that only grows, as the contract has it.
#[repr(C)]
pub struct Counter {
    name: Fixed<u8>,
    count: Cell<u64>,
}

impl Counter {
    const fn new(name: &'static str) -> Counter {
        Counter { name: Fixed::text(name), count: Cell::new(0) }
    }

    /// Adds to it.
    pub(crate) fn add(&self, more: u64) {
        self.count.set(self.count.get().wrapping_add(more));
    }
}

/// What an instance has done: nothing but counters, one after the other.
#[repr(C)]
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
    /// Nothing yet.
    #[allow(clippy::new_without_default, reason = "there is one, and it is a static")]
    pub const fn new() -> Counters {
        Counters {
            puts: Counter::new("puts"),
            updates: Counter::new("updates"),
            removals: Counter::new("removals"),
            moves: Counter::new("moves"),
            file_syncs: Counter::new("file-syncs"),
            directory_syncs: Counter::new("directory-syncs"),
            bytes_written: Counter::new("bytes-written"),
            bytes_read: Counter::new("bytes-read"),
        }
    }

    /// All of them.
    pub const fn all(&'static self) -> Fixed<Counter> {
        Fixed::at((&raw const *self).cast(), size_of::<Counters>() / size_of::<Counter>())
    }
}
