//! A disk in memory that remembers every write and every flush, in order.

mod event;
mod image;
pub mod log_file;

pub use event::{Event, Log};
pub use image::{BLOCK_BYTES, Image};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A disk. Threads share it.
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
    /// A disk of this size, full of zeros.
    pub fn new(bytes: u64) -> Disk {
        Disk { bytes, state: Mutex::default() }
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives it another content, and forgets what was done to it before.
    pub fn load(&self, image: Image) {
        *self.state() = State { image, log: Log::default() };
    }

    /// What was done to it, which it forgets.
    pub fn take_log(&self) -> Log {
        std::mem::take(&mut self.state().log)
    }

    /// What was done to it so far.
    pub fn copy_log(&self) -> Log {
        self.state().log.clone()
    }

    /// How many events it remembers.
    pub fn position(&self) -> usize {
        self.state().log.len()
    }

    /// Reads, past the end too, where there are zeros.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) {
        self.state().image.read(offset, bytes);
    }

    /// Does something to it, and remembers that.
    pub fn apply(&self, event: Event) {
        let mut state = self.state();
        state.image.apply(&event);
        state.log.push(event);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
