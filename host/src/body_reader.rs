//! The body of an item, in chunks.

use crate::error::Result;
use crate::store::OpenBody;
use crate::types::ItemInfo;
use std::fmt;
use std::io::{self, Cursor, Read};

/// A reader of an item's body, as it was when it was opened.
///
/// The bytes before the end are verified only by reaching the end: the checksum of the whole file is compared then.
pub struct BodyReader {
    open: Box<dyn OpenBody>,
    info: ItemInfo,
    /// The rest of the last chunk, for [`Read`].
    rest: Cursor<Vec<u8>>,
}

impl BodyReader {
    pub(crate) fn new(info: ItemInfo, open: Box<dyn OpenBody>) -> BodyReader {
        BodyReader { open, info, rest: Cursor::default() }
    }

    /// Returns the facts about the item.
    pub fn info(&self) -> &ItemInfo {
        &self.info
    }

    /// Returns the next bytes; none at the end, which also means that the item is intact if it was opened at offset 0. Bytes
    /// that [`Read`] took from the store and did not return yet come first.
    ///
    /// # Errors
    ///
    /// Those of `body-reader.read` in the contract.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let rest = std::mem::take(&mut self.rest);
        let position = usize::try_from(rest.position()).expect("the position is at most the length of a vector");
        let mut rest = rest.into_inner();
        if position < rest.len() {
            return Ok(Some(rest.split_off(position)));
        }
        self.open.next_chunk()
    }

    /// Reads the next bytes into `buffer`, and returns their number: 0 at the end, which also means that the item is
    /// intact if it was opened at offset 0, or where the buffer is empty.
    pub(crate) fn read_into(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            // Invariant: reading from bytes in memory does not fail.
            let read = self.rest.read(buffer).expect("a cursor reads its vector");
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.next_chunk()? {
                Some(chunk) => self.rest = Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}

impl Read for BodyReader {
    /// Reads the next bytes. An error of the queue is inside the one that is returned, as [`crate::Error`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_into(buffer).map_err(io::Error::other)
    }
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BodyReader").field("info", &self.info).finish_non_exhaustive()
    }
}
