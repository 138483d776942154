//! Implements a disk in memory that logs every write and every flush, in order.

mod event;
mod image;
pub mod log_file;

pub use event::{Event, Log};
pub use image::{BLOCK_BYTES, Image};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A disk in memory with a log, shared by threads.
pub struct Disk {
    bytes: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    image: Image,
    log: Log,
}

impl Disk {
    /// Creates a disk of `bytes` bytes, all zeros.
    pub fn new(bytes: u64) -> Disk {
        Disk { bytes, state: Mutex::default() }
    }

    /// Returns the size of the disk.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Replaces the content of the disk and clears its log.
    pub fn load(&self, image: Image) {
        *self.state() = State { image, log: Log::default() };
    }

    /// Returns the log and clears it.
    pub fn take_log(&self) -> Log {
        std::mem::take(&mut self.state().log)
    }

    /// Returns a copy of the log.
    pub fn copy_log(&self) -> Log {
        self.state().log.clone()
    }

    /// Returns the number of events in the log, which is the position of the next one.
    pub fn position(&self) -> usize {
        self.state().log.len()
    }

    /// Reads at `offset`. Bytes past the end of the disk are zeros.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) {
        self.state().image.read(offset, bytes);
    }

    /// Applies an event to the content and appends it to the log.
    pub fn apply(&self, event: Event) {
        let mut state = self.state();
        state.image.apply(&event);
        state.log.push(event);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
