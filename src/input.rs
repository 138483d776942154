//! The bytes of an item, a window at a time: from a file, or all of them at once from memory.

use crate::error::{Error, Operation, Position, Result};
use crate::filesystem::{Failure, File};
use crate::integrity::Checksum;
use alloc::vec::Vec;
use queue_store_literal::utf8::{Sequence, sequence};

/// Bytes read at a time, once it is known that an item is read through.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// The bytes of an item from its beginning on. What is in the window was read and not consumed.
pub(crate) struct Input<F> {
    file: Option<F>,
    /// Bytes of the file.
    size: u64,
    /// Bytes of the file that were read.
    read: u64,
    window: Vec<u8>,
    /// Bytes of the window that are consumed.
    consumed: usize,
    /// Whether consumed bytes stay in the window.
    keep: bool,
    /// The checksum of what was read, and up to where it goes.
    checksum: Option<(Checksum, u64)>,
}

impl<F: File> Input<F> {
    /// The bytes of a file that has `size` of them.
    pub(crate) fn file(file: F, size: u64) -> Input<F> {
        Input { file: Some(file), size, read: 0, window: Vec::new(), consumed: 0, keep: false, checksum: None }
    }

    /// Bytes in memory.
    pub(crate) fn memory(bytes: Vec<u8>) -> Input<F> {
        let size = bytes.len() as u64;
        Input { file: None, size, read: size, window: bytes, consumed: 0, keep: false, checksum: None }
    }

    /// Bytes in all.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Where the next byte is, from the beginning.
    pub(crate) fn offset(&self) -> u64 {
        self.read - (self.window.len() - self.consumed) as u64
    }

    /// What was read and not consumed.
    pub(crate) fn window(&self) -> &[u8] {
        self.window.get(self.consumed..).unwrap_or_default()
    }

    /// Whether nothing follows the window.
    pub(crate) fn is_last(&self) -> bool {
        self.read >= self.size
    }

    /// Takes bytes from the window.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.consumed = (self.consumed + bytes).min(self.window.len());
    }

    /// Takes bytes from the window and returns them.
    pub(crate) fn take(&mut self, bytes: usize) -> &[u8] {
        let begin = self.consumed;
        self.consume(bytes);
        self.window.get(begin..self.consumed).unwrap_or_default()
    }

    /// The next byte, which stays; none at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            if let Some(&byte) = self.window.get(self.consumed) {
                return Ok(Some(byte));
            }
            if !self.more(READ_BYTES)? {
                return Ok(None);
            }
        }
    }

    /// Reads up to `bytes` more; false at the end.
    pub(crate) fn more(&mut self, bytes: usize) -> Result<bool> {
        let left = self.size - self.read;
        let Some(file) = self.file.as_ref().filter(|_| left > 0) else {
            return Ok(false);
        };
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes);
        let mut more = file.read(length, self.read).map_err(failed)?;
        if more.is_empty() {
            return Err(failed(Failure::Changed));
        }
        more.truncate(length);
        if let Some((checksum, until)) = &mut self.checksum {
            let covered = usize::try_from(until.saturating_sub(self.read)).unwrap_or(usize::MAX);
            checksum.update(more.get(..covered).unwrap_or(&more));
        }
        self.read += more.len() as u64;
        if self.keep || !self.window().is_empty() {
            if !self.keep {
                self.forget();
            }
            self.window.extend_from_slice(&more);
        } else {
            self.window = more;
            self.consumed = 0;
        }
        Ok(true)
    }

    /// Reads until the window has so many bytes, or all that there are: the system may return fewer at a time.
    pub(crate) fn fill(&mut self, bytes: usize) -> Result<()> {
        while self.window().len() < bytes && self.more(bytes - self.window().len())? {}
        Ok(())
    }

    /// Keeps what will be consumed from here on, until `kept` is asked for.
    pub(crate) fn keep(&mut self) {
        self.forget();
        self.keep = true;
    }

    /// Drops what is consumed.
    fn forget(&mut self) {
        self.window = self.window().to_vec();
        self.consumed = 0;
    }

    /// What was consumed since `keep`.
    pub(crate) fn kept(&mut self) -> &[u8] {
        self.keep = false;
        self.window.get(..self.consumed).unwrap_or_default()
    }

    /// The bytes from `begin` to `end`, wherever they are, without moving.
    pub(crate) fn peek_at(&self, begin: u64, end: u64) -> Result<Vec<u8>> {
        let start = self.read - self.window.len() as u64;
        let length = usize::try_from(end.saturating_sub(begin)).unwrap_or(usize::MAX);
        // A file can be larger than what a `usize` counts.
        if let Some(Ok(from)) = begin.checked_sub(start).map(usize::try_from)
            && let Some(found) = self.window.get(from..from.saturating_add(length))
        {
            return Ok(found.to_vec());
        }
        let mut found = Vec::new();
        while let Some(file) = self.file.as_ref().filter(|_| found.len() < length) {
            let more = file.read(length - found.len(), begin + found.len() as u64).map_err(failed)?;
            if more.is_empty() {
                break;
            }
            found.extend_from_slice(&more);
        }
        if found.len() == length { Ok(found) } else { Err(failed(Failure::Changed)) }
    }

    /// Begins a checksum of the bytes from the beginning to `until`, none of which was dropped yet.
    pub(crate) fn begin_checksum(&mut self, until: u64) {
        let covered = usize::try_from(until).unwrap_or(usize::MAX);
        let mut checksum = Checksum::default();
        checksum.update(self.window.get(..covered).unwrap_or(&self.window));
        self.checksum = Some((checksum, until));
    }

    /// The checksum, once everything was read.
    pub(crate) fn checksum(&self) -> Option<u64> {
        self.checksum.as_ref().map(|(checksum, _)| checksum.digest())
    }

    /// Goes to `offset`, and forgets a checksum.
    pub(crate) fn seek(&mut self, offset: u64) {
        self.checksum = None;
        self.keep = false;
        let start = self.read - self.window.len() as u64;
        match offset.checked_sub(start).map(usize::try_from) {
            Some(Ok(consumed)) if consumed <= self.window.len() => self.consumed = consumed,
            _ => {
                self.window.clear();
                self.consumed = 0;
                self.read = offset.min(self.size);
            }
        }
    }

    /// The line and the column of `offset`, counted anew from the beginning.
    pub(crate) fn position(&mut self, offset: u64) -> Option<Position> {
        self.seek(0);
        let (mut line, mut column) = (1, 1);
        while self.offset() < offset {
            self.peek().ok()??;
            let here = self.window();
            let here = here.get(..usize::try_from(offset - self.offset()).ok()?).unwrap_or(here);
            let bytes = match sequence(here) {
                _ if here.first() == Some(&b'\n') => {
                    line += 1;
                    column = 0;
                    1
                }
                Sequence::Valid(bytes) => bytes,
                // A character that the window splits is one for each of its bytes, like what is not UTF-8.
                Sequence::Invalid | Sequence::Incomplete => 1,
            };
            column += 1;
            self.consume(bytes);
        }
        Some(Position { offset, line, column })
    }
}

#[cold]
fn failed(failure: Failure) -> Error {
    Error::filesystem(failure, Operation::Read, "")
}
