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
    /// The content of the write that must fail.
    fault: Option<Vec<u8>>,
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

    /// Replaces the content of the disk, and clears its log and its fault.
    pub fn load(&self, image: Image) {
        *self.state() = State { image, ..State::default() };
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

    /// Makes the next write fail whose bytes contain `content`, once.
    pub fn fail_write_of(&self, content: &[u8]) {
        self.state().fault = Some(content.to_vec());
    }

    /// Returns whether the write that must fail is still to come.
    pub fn has_fault(&self) -> bool {
        self.state().fault.is_some()
    }

    /// Returns whether a write of `bytes` must fail, and clears the fault if it must.
    pub(crate) fn take_fault(&self, bytes: &[u8]) -> bool {
        let contains = |content: &mut Vec<u8>| bytes.windows(content.len()).any(|window| window == content.as_slice());
        self.state().fault.take_if(contains).is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
