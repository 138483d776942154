//! The files of an id.

use super::handle::Queue;
use crate::error::{Cause, Error, Operation, Result};
use crate::item::Format;
use crate::limits::MAX_FOUND_ID_BYTES;
use crate::storage::errno::Errno;
use crate::storage::file_name::{self, FORMATS, ItemName, LIVE, Meaning, State};
use crate::storage::filesystem::{Directory, File, FileType, System};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// Bytes of two files that are compared at a time.
const READ_BYTES: usize = 64 << 10;

/// The file of an item.
///
/// Invariant: `name` is the name of an item, with this state and format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ItemFile {
    pub(super) name: String,
    pub(super) state: State,
    pub(super) format: Format,
}

impl ItemFile {
    /// Makes the file of an item whose name is made of its id.
    pub(super) fn new(id: &str, state: State, format: Format) -> ItemFile {
        ItemFile { name: file_name::item(id, state, format), state, format }
    }

    /// Makes the file of an item that was found under a name; none if it is not the name of an item.
    pub(super) fn found(name: String) -> Option<ItemFile> {
        match file_name::parse(&name) {
            Meaning::Item(ItemName { state, format, .. }) => Some(ItemFile { state, format, name }),
            Meaning::Temporary | Meaning::Marks | Meaning::Foreign => None,
        }
    }

    /// Returns the id.
    pub(super) fn id(&self) -> &str {
        match file_name::parse(&self.name) {
            Meaning::Item(ItemName { id, .. }) => id,
            Meaning::Temporary | Meaning::Marks | Meaning::Foreign => {
                unreachable!("the name is that of an item: {}", self.name)
            }
        }
    }
}

/// An open file of a queue over `S`.
pub(super) type FileOf<S> = <<S as System>::Directory as Directory>::File;

impl<S: System> Queue<S> {
    /// Returns the type of the file that has a name; none if the name is free.
    pub(super) fn file_type(&self, name: &str) -> Result<Option<FileType>> {
        match self.directory.stat(name) {
            Ok(stat) => Ok(Some(stat.file_type)),
            Err(Errno::NoEntry) => Ok(None),
            Err(errno) => Err(Error::new(errno, Operation::Stat, name)),
        }
    }

    /// Finds the files that an id has in these states, under the names that are made of it.
    pub(super) fn files(&self, id: &str, states: &[State]) -> Result<Vec<ItemFile>> {
        let mut files = Vec::new();
        for &state in states {
            for format in FORMATS {
                let file = ItemFile::new(id, state, format);
                match self.file_type(&file.name)? {
                    None => {}
                    Some(FileType::Regular) => files.push(file),
                    Some(_) => return Err(not_regular(&file.name)),
                }
            }
        }
        Ok(files)
    }

    /// Finds the names of the one file of an id in these states, the most restrained one last: a crash can leave a second
    /// name. Files with different content are a conflict.
    pub(super) fn names_of_one_file(&self, id: &str, states: &[State]) -> Result<Vec<ItemFile>> {
        let files = self.files(id, states)?;
        if let Some((file, others)) = files.split_last() {
            for other in others {
                if !self.same_content(file, other)? {
                    return Err(Error::new(Cause::TwoFiles(other.name.clone()), Operation::None, &file.name));
                }
            }
        }
        Ok(files)
    }

    /// Finds the names of the one file of an id that is ready or held, the most restrained one last. A crash can leave a name
    /// in quarantine too, which comes first: until a recovery the item is live. A file with other content is another item there.
    pub(super) fn names_of_live_file(&self, id: &str) -> Result<Vec<ItemFile>> {
        let live = self.names_of_one_file(id, &LIVE)?;
        let Some(file) = live.first() else { return Ok(live) };
        let mut names = Vec::new();
        for format in FORMATS {
            let quarantined = ItemFile::new(id, State::Quarantined, format);
            if self.file_type(&quarantined.name)? == Some(FileType::Regular) && self.same_content(file, &quarantined)? {
                names.push(quarantined);
            }
        }
        names.extend(live);
        Ok(names)
    }

    /// Finds the names of the one file of an id that is ready or held, at least one, the most restrained one last.
    pub(super) fn names_of_live_item(&self, id: &str) -> Result<Vec<ItemFile>> {
        let names = self.names_of_live_file(id)?;
        if !names.is_empty() {
            return Ok(names);
        }
        let file = self.quarantined_file(id)?;
        Err(Error::new(Cause::Quarantined, Operation::None, &file.name))
    }

    /// Finds the names of the one file of an id, at least one, the most restrained one last: those of a live file, or else the
    /// one in quarantine.
    pub(super) fn names_of_item(&self, id: &str) -> Result<Vec<ItemFile>> {
        let names = self.names_of_live_file(id)?;
        if names.is_empty() { Ok(vec![self.quarantined_file(id)?]) } else { Ok(names) }
    }

    /// Finds the one file of an id: ready or held, or else quarantined.
    pub(super) fn any_file(&self, id: &str) -> Result<ItemFile> {
        let mut names = self.names_of_one_file(id, &LIVE)?;
        names.pop().map_or_else(|| self.quarantined_file(id), Ok)
    }

    /// Finds the one quarantined file of an id, by a pass over the directory.
    fn quarantined_file(&self, id: &str) -> Result<ItemFile> {
        let mut files = self.quarantined_files(&[id])?;
        let file = files.pop().ok_or_else(|| no_item(id))?;
        if !files.is_empty() {
            return Err(Error::new(Cause::SeveralQuarantined, Operation::None, &file.name));
        }
        if self.file_type(&file.name)? != Some(FileType::Regular) {
            return Err(not_regular(&file.name));
        }
        Ok(file)
    }

    /// Finds the quarantined files that have one of these ids, by a pass over the directory.
    pub(super) fn quarantined_files<I: AsRef<str>>(&self, ids: &[I]) -> Result<Vec<ItemFile>> {
        let mut quarantined = Vec::new();
        let mut scan = self.scan()?;
        while let Some(entry) = scan.next()? {
            if let Some(file) = ItemFile::found(entry.name)
                && file.state == State::Quarantined
                && ids.iter().any(|id| id.as_ref() == file.id())
            {
                quarantined.push(file);
            }
        }
        Ok(quarantined)
    }

    /// Opens the file of an item.
    pub(super) fn open_file(&self, file: &ItemFile) -> Result<FileOf<S>> {
        self.directory.open(&file.name).map_err(|errno| Error::new(errno, Operation::Open, &file.name))
    }

    /// Whether two files are one, or have the same bytes and format.
    pub(super) fn same_content(&self, one: &ItemFile, other: &ItemFile) -> Result<bool> {
        if self.identity(one)? == self.identity(other)? {
            return Ok(true);
        }
        let files = (self.open_file(one)?, self.open_file(other)?);
        let mut offset = 0;
        loop {
            let bytes = (read_block(&files.0, one, offset)?, read_block(&files.1, other, offset)?);
            if bytes.0 != bytes.1 {
                return Ok(false);
            }
            if bytes.0.is_empty() {
                return Ok(one.format == other.format);
            }
            offset += bytes.0.len() as u64;
        }
    }

    /// Returns the identity of the file that has the name of an item.
    pub(super) fn identity(&self, file: &ItemFile) -> Result<u128> {
        self.directory.identity(&file.name).map_err(|errno| Error::new(errno, Operation::Stat, &file.name))
    }

    /// Fsyncs an item that another caller wrote. If that fails, the item is noted, the queue is closed, and the error is of a
    /// call that changed nothing.
    pub(super) fn sync_existing(&self, id: &str, file: &ItemFile) -> Result<()> {
        match self.open_synced(file) {
            // Where another process was told of a failed fsync meanwhile, this one had nothing to write.
            Ok(_) => self.check_no_mark(&file.name),
            Err(error) if error.operation == Operation::Sync => Err(self.close_for(id, error).needs_recovery()),
            Err(error) => Err(error),
        }
    }

    /// Opens the file of an item and fsyncs it. A failed fsync is never repeated on the same data, since the second one could
    /// succeed without having written.
    pub(super) fn open_synced(&self, file: &ItemFile) -> Result<FileOf<S>> {
        let opened = self.open_file(file)?;
        self.counters.file_syncs.add(1);
        opened.sync().map_err(|errno| Error::new(errno, Operation::Sync, &file.name))?;
        Ok(opened)
    }
}

/// Returns the last name of an item, which is the one that counts.
pub(super) fn most_restrained(names: &[ItemFile]) -> &ItemFile {
    names.last().expect("an item has a name")
}

/// Reads the next bytes of a file: a whole block, except at its end.
pub(super) fn read_block<F: File>(opened: &F, file: &ItemFile, offset: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < READ_BYTES {
        let more = opened.read(READ_BYTES - bytes.len(), offset + bytes.len() as u64);
        let more = more.map_err(|errno| Error::new(errno, Operation::Read, &file.name))?;
        if more.is_empty() {
            break;
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

/// Creates the error for an id that no item has.
#[cold]
pub(super) fn no_item(id: &str) -> Error {
    let name = file_name::item(id, State::Ready, Format::Text);
    Error::new(Cause::NoItem, Operation::Stat, &name)
}

/// Creates the error for the name of an item that a directory or the like has.
#[cold]
pub(super) fn not_regular(name: &str) -> Error {
    Error::new(Cause::NotRegular, Operation::Stat, name)
}

/// Creates the error for an item whose field `ID` is not the id of its file name.
#[cold]
pub(super) fn id_mismatch(recorded: &str, file: &ItemFile) -> Error {
    // It may be as long as an envelope, and a recovery reports many.
    let recorded = recorded[..recorded.floor_char_boundary(MAX_FOUND_ID_BYTES)].to_string();
    Error::new(Cause::IdMismatch(recorded), Operation::Decode, &file.name)
}
