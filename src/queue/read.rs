//! Reads of one item.

use super::handle::Queue;
use super::lookup::{FileOf, ItemFile, id_mismatch, not_regular};
use crate::error::{Error, Operation, Result};
use crate::item::Format;
use crate::item::decoder::{Integrity, ItemReader, Strictness};
use crate::item::envelope::{Envelope, Timestamp};
use crate::item::id::ItemId;
use crate::limits::MAX_LIST_BODY_BYTES;
use crate::storage::file_name::State;
use crate::storage::filesystem::{File, FileType, System};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// `types.item`: a whole item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The id, of the file name.
    pub id: String,
    /// The envelope. Its field `id` is the one that the file records.
    pub envelope: Envelope,
    /// The body.
    pub body: Vec<u8>,
}

/// `types.item-info`: the facts about an item that need no reading of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The id, of the file name.
    pub id: String,
    /// The state.
    pub state: State,
    /// The format of the file.
    pub format: Format,
    /// The part that was verified.
    pub integrity: Integrity,
    /// The envelope. Its field `id` is the one that the file records.
    pub envelope: Envelope,
    /// Size of the file in bytes.
    pub file_size: u64,
    /// Size of the body in bytes, if it is known.
    pub body_size: Option<u64>,
    /// A string that changes with the content.
    pub revision: String,
}

/// An item of a queue that is being read.
pub(super) struct OpenItem {
    pub(super) reader: ItemReader,
    /// The time of the file's last modification.
    modified: Option<Timestamp>,
}

impl OpenItem {
    /// Returns the item's revision. Its envelope must not have been taken.
    pub(super) fn revision(&self) -> String {
        self.reader.revision(self.modified)
    }

    /// Returns the facts about the item, which is in `file`, and takes its envelope.
    pub(super) fn info(&mut self, id: &str, file: &ItemFile) -> Info {
        Info {
            id: id.to_string(),
            state: file.state,
            format: file.format,
            integrity: self.reader.integrity(),
            file_size: self.reader.file_size(),
            body_size: self.reader.body_length(),
            revision: self.revision(),
            envelope: self.reader.take_envelope(),
        }
    }
}

impl<S: System> Queue<S> {
    /// Returns a whole item, verified.
    pub fn get(&self, id: &str) -> Result<Item> {
        let get = |id: &ItemId| {
            let file = self.any_file(id)?;
            let mut reader = self.open_item(&file, Strictness::Full)?.reader;
            let body = reader.read_all(MAX_LIST_BODY_BYTES).map_err(|error| error.at_path(&file.name))?;
            self.counters.bytes_read.add(reader.file_size());
            Ok(Item { id: id.to_string(), envelope: reader.take_envelope(), body })
        };
        get(&ItemId::parse(id)?).map_err(|error| self.error(error))
    }

    /// Returns the facts about an item, without reading its body.
    pub fn info(&self, id: &str) -> Result<Info> {
        let read = |id: &ItemId| {
            let file = self.any_file(id)?;
            Ok(self.open_item(&file, Strictness::Full)?.info(id, &file))
        };
        read(&ItemId::parse(id)?).map_err(|error| self.error(error))
    }

    /// Reads the item in a file to its end, and so verifies it.
    pub(super) fn verified(&self, file: &ItemFile) -> Result<OpenItem> {
        let mut item = self.open_item(file, Strictness::Full)?;
        item.reader.verify().map_err(|error| error.at_path(&file.name))?;
        self.counters.bytes_read.add(item.reader.file_size());
        Ok(item)
    }

    /// Opens the item in a file at its envelope.
    pub(super) fn open_item(&self, file: &ItemFile, strictness: Strictness) -> Result<OpenItem> {
        self.read_envelope(self.open_file(file)?, file, strictness)
    }

    /// As `open_item`, in a file that is open.
    pub(super) fn read_envelope(&self, opened: FileOf<S>, file: &ItemFile, strictness: Strictness) -> Result<OpenItem> {
        let stat = opened.stat().map_err(|errno| Error::new(errno, Operation::Stat, &file.name))?;
        // It was a regular file when its name was looked up.
        if stat.file_type != FileType::Regular {
            return Err(not_regular(&file.name));
        }
        let reader = ItemReader::open(Box::new(opened), stat, file.format, strictness);
        let reader = reader.map_err(|error| error.at_path(&file.name))?;
        Ok(OpenItem { reader, modified: stat.modified })
    }
}

/// Checks that an item records the id of its file name.
pub(super) fn check_recorded_id(envelope: &Envelope, file: &ItemFile) -> Result<()> {
    if envelope.id == file.id() { Ok(()) } else { Err(id_mismatch(&envelope.id, file)) }
}
