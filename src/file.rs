//! The durable write by itself, for any small file.

use crate::counters::Counters;
use crate::durable_write::{Durability, TemporaryFile, draw};
use crate::encoder::Sink;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::{Directory, Failure, File, Kind, System};
use crate::id::is_file_name;
use crate::limits::MAX_LIST_BODY_BYTES;
use crate::list::Maybe;
use crate::message::Timestamp;
use crate::name;
use crate::split;
use alloc::vec::Vec;

/// `durable-file.file-operation-kind`: what can be done to the temporary file before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/durable-file.wit`")]
#[repr(u8)]
pub enum FileOperationKind {
    Sync,
    SyncData,
    SetTimes,
}

/// `durable-file.file-operation`: one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FileOperation {
    /// What to do.
    pub kind: FileOperationKind,
    /// For `SetTimes`, and only there: the time.
    pub modified: Maybe<Timestamp>,
}

impl FileOperation {
    /// Why it cannot be done, if it cannot.
    fn check(&self) -> Result<()> {
        match (self.kind, self.modified) {
            (FileOperationKind::Sync | FileOperationKind::SyncData, Maybe::None) => Ok(()),
            (FileOperationKind::SetTimes, Maybe::Some(time))
                if time.seconds >= 0 && (0..1_000_000_000).contains(&time.nanos) =>
            {
                Ok(())
            }
            (FileOperationKind::SetTimes, _) => {
                Err(Error::invalid("`set-times` needs a time of 0 or more seconds and 0 to 999999999 nanoseconds"))
            }
            (_, Maybe::Some(_)) => Err(Error::invalid("only `set-times` takes a time")),
        }
    }

    /// Does it.
    fn run<D: Directory>(&self, file: &TemporaryFile<D>) -> Result<()> {
        match (self.kind, self.modified) {
            (FileOperationKind::SetTimes, Maybe::Some(modified)) => file.set_modified(modified),
            (FileOperationKind::SyncData, _) => file.sync_data(),
            _ => file.sync(),
        }
    }
}

/// `durable-file.publish`: how a file gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/durable-file.wit`")]
#[repr(u8)]
pub enum Publish {
    Replace,
    CreateNew,
}

/// A directory and the name of a file in it.
struct Place<'a, S: System> {
    directory: S::Directory,
    path: &'a str,
    name: &'a str,
}

impl<'a, S: System> Place<'a, S> {
    fn resolve(system: &S, path: &'a str) -> Result<Place<'a, S>> {
        let invalid = || {
            let detail = "a path is a preopen's name, `/`, directories, and the name of a file";
            Error::of(Code::InvalidArgument, Operation::Resolve, path, detail)
        };
        let (directory_path, name) = split::at_last(path, b'/').ok_or_else(invalid)?;
        if !is_file_name(name) {
            return Err(invalid());
        }
        let directory = system.directory(directory_path).or_else(|error| {
            // The name of a preopen may end in the slash, as `/` does.
            let with_slash = path.get(..=directory_path.len()).unwrap_or_default();
            system.directory(with_slash).map_err(|_| error)
        })?;
        Ok(Place { directory, path, name })
    }

    /// Gives an error the whole path, instead of the name of a temporary file or none.
    fn error(&self, mut error: Error) -> Error {
        error.path = self.path.into();
        error
    }

    fn failed(&self, failure: Failure, operation: Operation) -> Error {
        Error::filesystem(failure, operation, self.path)
    }

    /// Opens the file, if it is of one of these kinds. Opening a FIFO would wait for a writer.
    fn open(&self, kinds: &[Kind]) -> Result<<S::Directory as Directory>::File> {
        let stat = self.directory.stat(self.name).map_err(|failure| self.failed(failure, Operation::Open))?;
        if !kinds.contains(&stat.kind) {
            let detail = "it is not a regular file";
            return Err(Error::of(Code::Unsupported, Operation::Open, self.path, detail));
        }
        self.directory.open(self.name).map_err(|failure| self.failed(failure, Operation::Open))
    }
}

/// Writes a file as a whole or not at all.
pub fn write<S: System>(
    system: &S,
    counters: &'static Counters,
    path: &str,
    data: &[u8],
    before_publish: &[FileOperation],
    publish: Publish,
    durability: Durability,
) -> Result<()> {
    before_publish.iter().try_for_each(FileOperation::check)?;
    let place = Place::<S>::resolve(system, path)?;
    if name::parse(place.name) == name::Name::Temporary {
        let detail = "the name is one of a temporary file, which recovery removes";
        return Err(Error::of(Code::InvalidArgument, Operation::Resolve, path, detail));
    }
    let mut create = |random| TemporaryFile::create(&place.directory, counters, random);
    let mut file = draw(system, &mut create).map_err(|error| place.error(error))?;
    let written = file.write(data).and_then(|()| {
        before_publish.iter().try_for_each(|operation| operation.run(&file))?;
        if durability == Durability::None { Ok(()) } else { file.sync() }
    });
    file.close();
    written.map_err(|error| place.error(file.give_up(error)))?;
    let published = match publish {
        Publish::Replace => file.publish_replacing(place.name),
        Publish::CreateNew => file.publish_new(place.name),
    };
    published.map_err(|error| place.error(error))?;
    if durability == Durability::Full {
        counters.directory_syncs.add(1);
        let synced = place.directory.sync();
        synced.map_err(|failure| {
            let error = place.failed(failure, Operation::SyncDirectory).with_code(Code::Indeterminate);
            error.and("the file has its name, which may not survive power loss: write it again")
        })?;
    }
    Ok(())
}

/// The content of a file.
pub fn read<S: System>(system: &S, path: &str) -> Result<Vec<u8>> {
    let place = Place::<S>::resolve(system, path)?;
    let file = place.open(&[Kind::Regular])?;
    let mut content = Vec::new();
    loop {
        let more = file.read(crate::input::READ_BYTES, content.len() as u64);
        let more = more.map_err(|failure| place.failed(failure, Operation::Read))?;
        if more.is_empty() {
            return Ok(content);
        }
        if (content.len() + more.len()) as u64 > MAX_LIST_BODY_BYTES || content.try_reserve(more.len()).is_err() {
            let detail = "the file is larger than `max-list-body-bytes`, or than the memory of this instance";
            return Err(Error::of(Code::TooLarge, Operation::Read, path, detail));
        }
        content.extend_from_slice(&more);
    }
}

/// Makes a file durable.
pub fn sync<S: System>(system: &S, counters: &'static Counters, path: &str) -> Result<()> {
    let place = Place::<S>::resolve(system, path)?;
    let file = place.open(&[Kind::Regular, Kind::CharacterDevice])?;
    counters.file_syncs.add(1);
    file.sync().map_err(|failure| place.failed(failure, Operation::Sync))
}
