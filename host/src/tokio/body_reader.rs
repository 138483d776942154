//! The body of an item, in chunks.

use super::blocking::Open;
use crate::body_reader::BodyReader;
use crate::error::Result;
use crate::types::ItemInfo;

/// A reader of an item's body: see [`BodyReader`].
#[derive(Debug)]
pub struct AsyncBodyReader {
    reader: Open<BodyReader>,
    info: ItemInfo,
}

impl AsyncBodyReader {
    pub(crate) fn new(reader: BodyReader) -> AsyncBodyReader {
        AsyncBodyReader { info: reader.info().clone(), reader: Open::new(reader) }
    }

    /// Returns the facts about the item.
    pub fn info(&self) -> &ItemInfo {
        &self.info
    }

    /// Returns the next bytes; none at the end, which also means that the item is intact. If the future is dropped, so
    /// is the reader.
    ///
    /// # Errors
    ///
    /// As [`BodyReader::next_chunk`].
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        self.reader.run(BodyReader::next_chunk).await
    }
}
