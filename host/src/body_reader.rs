//! The body of an item, in chunks.

use crate::draft::CHUNK_BYTES;
use crate::error::Result;
use crate::instance::Call;
use crate::pool::Pool;
use crate::resource::Resource;
use crate::types::ItemInfo;
use std::fmt;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

/// A reader of an item's body, as it was when it was opened.
///
/// The bytes before the end are verified only by reaching the end: the checksum of the whole file is compared then.
pub struct BodyReader {
    resource: Resource,
    info: ItemInfo,
    /// The rest of the last chunk, for [`Read`].
    rest: Cursor<Vec<u8>>,
}

impl BodyReader {
    pub(crate) fn open(pool: &Arc<Pool>, id: &str, offset: u64) -> Result<BodyReader> {
        let mut resource = Resource::open(pool, |Call { store, exports }, queue| {
            exports.mail_queue_queue_store().queue().call_read(store, queue, id, offset)
        })?;
        let info = resource.call(|Call { store, exports }, reader| {
            exports.mail_queue_queue_store().body_reader().call_info(store, reader).map(Ok)
        })?;
        Ok(BodyReader { resource, info, rest: Cursor::default() })
    }

    /// Returns the facts about the item.
    pub fn info(&self) -> &ItemInfo {
        &self.info
    }

    /// Returns the next bytes; none at the end, which also means that the item is intact. Bytes that [`Read`] took from
    /// the component and did not return yet come first.
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
        self.resource.call(|Call { store, exports }, reader| {
            exports.mail_queue_queue_store().body_reader().call_read(store, reader, CHUNK_BYTES as u32)
        })
    }
}

impl Read for BodyReader {
    /// Reads the next bytes. An error of the queue is inside the one that is returned, as [`crate::Error`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.rest.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.next_chunk().map_err(io::Error::other)? {
                Some(chunk) => self.rest = Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BodyReader").field("info", &self.info).finish_non_exhaustive()
    }
}
