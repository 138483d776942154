//! A reader of an item's body, in chunks.

use super::handle::Queue;
use super::read::Info;
use crate::error::{Cause, Error, Operation, Result};
use crate::item::decoder::{ItemReader, Strictness};
use crate::item::id::ItemId;
use crate::limits::MAX_CHUNK_BYTES;
use crate::storage::filesystem::System;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A reader of an item's body, as it was when it was opened.
pub struct BodyReader<S: System> {
    queue: Rc<Queue<S>>,
    name: String,
    info: Info,
    /// none after a failure.
    reader: Option<ItemReader>,
    /// Invariant: the bytes from `returned` to `decoded` are decoded and not returned yet.
    buffer: Vec<u8>,
    returned: usize,
    decoded: usize,
}

impl<S: System> BodyReader<S> {
    /// Opens the body of an item `offset` bytes from its beginning.
    pub fn open(queue: &Rc<Queue<S>>, id: &str, offset: u64) -> Result<BodyReader<S>> {
        let open = |id: &ItemId| {
            let file = queue.any_file(id)?;
            let mut item = queue.open_item(&file, Strictness::Full)?;
            Ok(BodyReader {
                queue: queue.clone(),
                info: item.info(id, &file),
                name: file.name,
                reader: Some(item.reader),
                buffer: vec![0; MAX_CHUNK_BYTES],
                returned: 0,
                decoded: 0,
            })
        };
        let mut body = open(&ItemId::parse(id)?).map_err(|error| queue.error(error))?;
        if offset > 0 {
            body.skip_to(offset)?;
        }
        Ok(body)
    }

    /// Goes to `offset`: at once in a binary body, by decoding the bytes before it in a text.
    fn skip_to(&mut self, offset: u64) -> Result<()> {
        let mut position = self.reader.as_mut().ok_or_else(aborted)?.seek_unchecked(offset);
        while position < offset {
            if !self.decode()? {
                let cause = Cause::Argument("the body ends before the offset");
                return Err(self.queue.error(Error::new(cause, Operation::Read, &self.name)));
            }
            let wanted = usize::try_from(offset - position).unwrap_or(usize::MAX);
            self.returned = wanted.min(self.decoded);
            position += self.returned as u64;
        }
        Ok(())
    }

    /// Returns the facts about the item.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Returns the next bytes, at most `max`; none at the end, where everything was verified.
    pub fn read(&mut self, max: usize) -> Result<Option<Vec<u8>>> {
        if max == 0 {
            return Err(Cause::Argument("a read of 0 bytes could not be told from the end of the body").into());
        }
        if self.returned == self.decoded && !self.decode()? {
            return Ok(None);
        }
        let end = self.decoded.min(self.returned.saturating_add(max));
        let bytes = self.buffer[self.returned..end].to_vec();
        self.returned = end;
        Ok(Some(bytes))
    }

    /// Decodes the next bytes; false at the end.
    fn decode(&mut self) -> Result<bool> {
        (self.returned, self.decoded) = (0, 0);
        let mut reader = self.reader.take().ok_or_else(aborted)?;
        let read = reader.read(&mut self.buffer).map_err(|error| self.queue.error(error.at_path(&self.name)))?;
        self.reader = Some(reader);
        let Some(decoded) = read else {
            return Ok(false);
        };
        self.decoded = decoded;
        self.queue.counters.bytes_read.add(decoded as u64);
        Ok(true)
    }
}

#[cold]
fn aborted() -> Error {
    Cause::Aborted("an earlier read of this body failed: open it again").into()
}
