//! The bytes of an item, a window at a time: from a file, or all of them at once from memory.

use crate::error::{Cause, Error, Operation, Position, Result};
use crate::item::damage::Damage;
use crate::item::text::utf8::{Sequence, sequence};
use crate::item::trailer::Checksum;
use crate::storage::filesystem::File;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Bytes read at a time, once it is known that an item is read through.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// The bytes of an item, in order. The window holds those that were read, of which some are consumed.
///
/// Invariants: `consumed <= window.len()`; the window ends at the offset `read`; `read <= size`.
pub(crate) struct Source {
    /// none: all bytes are in the window.
    file: Option<Box<dyn File>>,
    /// Bytes of the file.
    size: u64,
    /// Bytes of the file that were read.
    read: u64,
    window: Vec<u8>,
    /// Bytes of the window that are consumed.
    consumed: usize,
    /// Whether consumed bytes stay in the window.
    retain: bool,
    /// A checksum of the bytes that were read, and the offset up to which it goes.
    checksum: Option<(Checksum, u64)>,
}

impl Source {
    /// Creates a source of a file that has `size` bytes.
    pub(crate) fn file(file: Box<dyn File>, size: u64) -> Source {
        Source { file: Some(file), size, read: 0, window: Vec::new(), consumed: 0, retain: false, checksum: None }
    }

    /// Creates a source of bytes in memory.
    pub(crate) fn memory(bytes: Vec<u8>) -> Source {
        let size = bytes.len() as u64;
        Source { file: None, size, read: size, window: bytes, consumed: 0, retain: false, checksum: None }
    }

    /// Returns the number of bytes in all.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.read - (self.window.len() - self.consumed) as u64
    }

    /// Returns the bytes that were read and not consumed.
    pub(crate) fn window(&self) -> &[u8] {
        &self.window[self.consumed..]
    }

    /// Whether no byte follows the window.
    pub(crate) fn is_last(&self) -> bool {
        self.read >= self.size
    }

    /// Consumes bytes of the window.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.consumed += bytes;
        assert!(self.consumed <= self.window.len(), "only bytes of the window are consumed");
    }

    /// Consumes bytes of the window and returns them.
    pub(crate) fn take(&mut self, bytes: usize) -> &[u8] {
        let begin = self.consumed;
        self.consume(bytes);
        &self.window[begin..self.consumed]
    }

    /// Retains the bytes that are consumed from here on, until `retained` is called.
    pub(crate) fn retain(&mut self) {
        self.drop_consumed();
        self.retain = true;
    }

    /// Returns the bytes that were consumed since `retain`.
    pub(crate) fn retained(&mut self) -> &[u8] {
        self.retain = false;
        &self.window[..self.consumed]
    }

    fn drop_consumed(&mut self) {
        self.window.drain(..self.consumed);
        self.consumed = 0;
    }

    /// Begins a checksum of the bytes from the beginning to `until`, none of which was dropped yet.
    pub(crate) fn begin_checksum(&mut self, until: u64) {
        assert_eq!(self.read, self.window.len() as u64, "the window begins at the beginning");
        let mut checksum = Checksum::default();
        checksum.update(&self.window[..clamp(until, self.window.len())]);
        self.checksum = Some((checksum, until));
    }

    /// Returns the checksum, once everything was read; none where none was begun.
    pub(crate) fn checksum(&self) -> Option<u64> {
        self.checksum.as_ref().map(|(checksum, _)| checksum.digest())
    }

    /// Goes to `offset`, at most the size, and drops a checksum.
    pub(crate) fn seek(&mut self, offset: u64) {
        self.checksum = None;
        self.retain = false;
        match self.in_window(offset) {
            Some(consumed) => self.consumed = consumed,
            None => {
                self.window.clear();
                self.consumed = 0;
                self.read = offset.min(self.size);
            }
        }
    }

    /// Returns the place of an offset in the window, its end included.
    fn in_window(&self, offset: u64) -> Option<usize> {
        let begin = self.read - self.window.len() as u64;
        let place = usize::try_from(offset.checked_sub(begin)?).ok()?;
        (place <= self.window.len()).then_some(place)
    }

    /// Returns the next byte without consuming it; none at the end.
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
        let more = file.read(clamp(left, bytes), self.read).map_err(read_error)?;
        if more.is_empty() {
            return Err(read_error(Damage::Changed));
        }
        if let Some((checksum, until)) = &mut self.checksum {
            checksum.update(&more[..clamp(until.saturating_sub(self.read), more.len())]);
        }
        self.read += more.len() as u64;
        if self.retain || !self.window().is_empty() {
            if !self.retain {
                self.drop_consumed();
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

    /// Returns the bytes from `begin` to `end`, wherever they are, without moving.
    pub(crate) fn peek_at(&self, begin: u64, end: u64) -> Result<Vec<u8>> {
        if let (Some(from), Some(to)) = (self.in_window(begin), self.in_window(end)) {
            return Ok(self.window[from..to].to_vec());
        }
        let length = usize::try_from(end - begin).map_err(|_| read_error(Damage::Layout))?;
        let mut found = Vec::new();
        while let Some(file) = self.file.as_ref().filter(|_| found.len() < length) {
            let more = file.read(length - found.len(), begin + found.len() as u64).map_err(read_error)?;
            if more.is_empty() {
                break;
            }
            found.extend_from_slice(&more);
        }
        if found.len() == length { Ok(found) } else { Err(read_error(Damage::Changed)) }
    }

    /// Adds the line and the column to an error in the text. The source is at another offset then.
    #[cold]
    pub(crate) fn locate(&mut self, mut error: Error) -> Error {
        if let Some(position) = error.position {
            error.position = self.position(position.offset);
        }
        error
    }

    /// Counts the line and the column of `offset` from the beginning; none where the file cannot be read any more.
    fn position(&mut self, offset: u64) -> Option<Position> {
        self.seek(0);
        let (mut line, mut column) = (1, 1);
        while self.offset() < offset {
            self.peek().ok()??;
            let here = &self.window()[..clamp(offset - self.offset(), self.window().len())];
            let bytes = match sequence(here) {
                _ if here.first() == Some(&b'\n') => {
                    line += 1;
                    column = 0;
                    1
                }
                Sequence::Valid(bytes) => bytes,
                // A character that the window splits counts as one for each of its bytes, as bytes that are not UTF-8 do.
                Sequence::Invalid | Sequence::Incomplete => 1,
            };
            column += 1;
            self.consume(bytes);
        }
        Some(Position { offset, line, column })
    }
}

/// Returns `number`, but at most `max`.
fn clamp(number: u64, max: usize) -> usize {
    usize::try_from(number).map_or(max, |number| number.min(max))
}

#[cold]
fn read_error(cause: impl Into<Cause>) -> Error {
    Error::new(cause, Operation::Read, "")
}
