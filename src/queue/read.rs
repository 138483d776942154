//! Reads of one item.

use super::{FileOf, ItemFile, Queue, check_id, not_regular};
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::{File, Kind, System};
use crate::limits::{MAX_CHUNK_BYTES, MAX_LIST_BODY_BYTES};
use crate::list::{List, Maybe, Text};
use crate::message::{Envelope, Header};
use crate::name::{Format, State};
use crate::reader::{Integrity, Judgement, Reader};
use crate::zeros;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

/// `types.item`: a whole item.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Item {
    /// The id, of the file name.
    pub id: Text,
    /// The envelope.
    pub envelope: Envelope,
    /// The body.
    pub body: List<u8>,
}

/// `types.item-info`: what can be said of an item without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Info {
    /// The id, of the file name.
    pub id: Text,
    /// Where it stands.
    pub state: State,
    /// How it is stored.
    pub format: Format,
    /// What was checked.
    pub integrity: Integrity,
    /// The envelope.
    pub envelope: Envelope,
    /// Bytes of the file.
    pub file_size: u64,
    /// Bytes of the body, if they are known.
    pub body_size: Maybe<u64>,
    /// Changes with the content.
    pub revision: Text,
    /// Further facts by name.
    pub attributes: List<Attribute>,
}

/// A fact, and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Attribute {
    /// Its name.
    pub name: Text,
    /// The fact.
    pub value: Text,
}

impl<S: System> Queue<S> {
    /// A whole item, checked.
    pub fn get(&self, id: &str) -> Result<Item> {
        let get = || {
            check_id(id)?;
            let file = self.any_file(id)?;
            let mut reader = self.reader(&file, Judgement::Item)?;
            let body = reader.read_all(MAX_LIST_BODY_BYTES).map_err(|error| error.at_path(&file.name))?;
            self.counters.bytes_read.add(reader.file_size());
            Ok(Item { id: id.into(), envelope: core::mem::take(&mut reader.header().envelope), body: body.into() })
        };
        get().map_err(|error| self.error(error))
    }

    /// What can be said of an item without its body.
    pub fn info(&self, id: &str) -> Result<Box<Info>> {
        let read = || {
            check_id(id)?;
            let file = self.any_file(id)?;
            Ok(info(id, &file, &mut *self.reader(&file, Judgement::Item)?))
        };
        read().map_err(|error| self.error(error))
    }

    /// Reads the item in a file, with everything checked.
    pub(super) fn checked(&self, file: &ItemFile) -> Result<Box<Reader<FileOf<S>>>> {
        let mut reader = self.reader(file, Judgement::Item)?;
        reader.verify().map_err(|error| error.at_path(&file.name))?;
        self.counters.bytes_read.add(reader.file_size());
        Ok(reader)
    }

    /// Opens the item in a file at its envelope.
    pub(super) fn reader(&self, file: &ItemFile, judgement: Judgement) -> Result<Box<Reader<FileOf<S>>>> {
        let opened = self.open_file(file)?;
        let stat = opened.stat().map_err(|failure| Error::filesystem(failure, Operation::Stat, &file.name))?;
        // It was a regular file when it was looked at.
        if stat.kind != Kind::Regular {
            return Err(not_regular(&file.name));
        }
        let mut reader = Reader::new(opened, stat, file.format(), judgement);
        reader.open().map_err(|error| error.at_path(&file.name))?;
        Ok(reader)
    }
}

/// What a reader says of an item without its body.
#[inline(never)]
pub(super) fn info<F: File>(id: &str, file: &ItemFile, reader: &mut Reader<F>) -> Box<Info> {
    let revision = reader.revision();
    let Header { id: item_id, envelope } = core::mem::take(reader.header());
    let mut attributes = List::new();
    if *item_id != *id {
        attributes.push(Attribute { name: "item-id".into(), value: item_id });
    }
    Box::new(Info {
        id: id.into(),
        state: file.state(),
        format: file.format(),
        integrity: reader.integrity(),
        file_size: reader.file_size(),
        body_size: reader.body_length().into(),
        revision,
        envelope,
        attributes,
    })
}

/// A reader of the body of an item, as it was when it was opened.
pub struct BodyReader<S: System> {
    queue: Rc<Queue<S>>,
    name: Text,
    info: Box<Info>,
    /// None after a failure.
    reader: Option<Box<Reader<FileOf<S>>>>,
    /// Bytes of the body that were decoded, and how many of them were given out.
    decoded: Vec<u8>,
    given: usize,
}

impl<S: System> BodyReader<S> {
    /// Opens the body of an item `offset` bytes from its beginning.
    pub fn open(queue: &Rc<Queue<S>>, id: &str, offset: u64) -> Result<Box<BodyReader<S>>> {
        let open = || {
            check_id(id)?;
            let file = queue.any_file(id)?;
            let mut reader = queue.reader(&file, Judgement::Item)?;
            let info = info(id, &file, &mut reader);
            let queue = queue.clone();
            Ok(Box::new(BodyReader {
                queue,
                name: file.name,
                info,
                reader: Some(reader),
                decoded: Vec::new(),
                given: 0,
            }))
        };
        let mut body = open().map_err(|error| queue.error(error))?;
        if offset > 0 {
            body.skip_to(offset)?;
        }
        Ok(body)
    }

    /// Goes to `offset`: at once in a binary body, by decoding what precedes it in a text.
    fn skip_to(&mut self, offset: u64) -> Result<()> {
        let mut position = self.reader.as_mut().map_or(0, |reader| reader.seek_unchecked(offset));
        while position < offset {
            if !self.decode()? {
                let error =
                    Error::of(Code::InvalidArgument, Operation::Read, &self.name, "the body ends before the offset");
                return Err(self.queue.error(error));
            }
            let wanted = usize::try_from(offset - position).unwrap_or(usize::MAX);
            self.given = wanted.min(self.decoded.len());
            position += self.given as u64;
        }
        Ok(())
    }

    /// What the item is.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The next bytes, at most `most` of them; none at the end, where everything was checked.
    pub fn read(&mut self, most: usize) -> Result<Option<List<u8>>> {
        if most == 0 {
            return Err(Error::invalid("a read of 0 bytes could not be told from the end of the body"));
        }
        if self.given == self.decoded.len() && !self.decode()? {
            return Ok(None);
        }
        let end = self.decoded.len().min(self.given.saturating_add(most));
        let bytes = self.decoded.get(self.given..end).unwrap_or_default().to_vec();
        self.given = end;
        Ok(Some(bytes.into()))
    }

    /// Decodes the next bytes; false at the end.
    fn decode(&mut self) -> Result<bool> {
        let Some(mut reader) = self.reader.take() else {
            return Err(Error::refused(Code::Aborted, "an earlier read of this body failed: open it again"));
        };
        zeros::resize(&mut self.decoded, MAX_CHUNK_BYTES);
        self.given = 0;
        let read = reader.read(&mut self.decoded);
        self.decoded.truncate(*read.as_ref().unwrap_or(&None).as_ref().unwrap_or(&0));
        let read = read.map_err(|error| self.queue.error(error.at_path(&self.name)))?;
        self.queue.counters.bytes_read.add(self.decoded.len() as u64);
        self.reader = Some(reader);
        Ok(read.is_some())
    }
}
