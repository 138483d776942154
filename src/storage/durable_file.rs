//! The durable write by itself, for any small file.

use super::errno::Errno;
use super::file_name::{self, Meaning};
use super::filesystem::{Directory, File, FileType, System};
use super::temporary_file::{Durability, TemporaryFile};
use crate::counters::Counters;
use crate::error::{Cause, Consequence, Error, Operation, Result};
use crate::item::envelope::Timestamp;
use crate::item::id::is_file_name;
use crate::limits::MAX_LIST_BODY_BYTES;
use alloc::vec::Vec;

/// Bytes that are read at a time.
const READ_BYTES: usize = 64 << 10;

/// `durable-file.file-operation`: an operation on the temporary file before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// `fsync`.
    Sync,
    /// `fdatasync`.
    SyncData,
    /// Sets the time of the last modification.
    SetTimes(Timestamp),
}

impl FileOperation {
    /// Checks an operation before any is run.
    fn check(&self) -> Result<()> {
        match self {
            FileOperation::SetTimes(time) if time.seconds < 0 || !(0..1_000_000_000).contains(&time.nanos) => {
                let detail = "`set-times` needs a time of 0 or more seconds and 0 to 999999999 nanoseconds";
                Err(Cause::Argument(detail).into())
            }
            FileOperation::Sync | FileOperation::SyncData | FileOperation::SetTimes(_) => Ok(()),
        }
    }

    fn run<D: Directory>(&self, file: &TemporaryFile<D>) -> Result<()> {
        match self {
            FileOperation::Sync => file.sync(),
            FileOperation::SyncData => file.sync_data(),
            FileOperation::SetTimes(modified) => file.set_modified(*modified),
        }
    }
}

/// `durable-file.publish`: how a file gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/durable-file.wit`")]
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
            Error::new(Cause::Path(detail), Operation::Resolve, path)
        };
        let slash = path.rfind('/').ok_or_else(invalid)?;
        let name = &path[slash + 1..];
        if !is_file_name(name) {
            return Err(invalid());
        }
        // The name of a preopen may end in the slash, as `/` does.
        let directory = system
            .open_directory(&path[..slash])
            .or_else(|error| system.open_directory(&path[..=slash]).map_err(|_| error))?;
        Ok(Place { directory, path, name })
    }

    /// Sets the path of an error to the whole path, instead of the name of a temporary file or none.
    fn error(&self, mut error: Error) -> Error {
        error.path = self.path.into();
        error
    }

    fn failed(&self, operation: Operation) -> impl Fn(Errno) -> Error {
        move |errno| Error::new(errno, operation, self.path)
    }

    /// Opens the file, if it is of one of these types. Opening a FIFO would wait for a writer.
    fn open(&self, file_types: &[FileType]) -> Result<<S::Directory as Directory>::File> {
        let stat = self.directory.stat(self.name).map_err(self.failed(Operation::Open))?;
        if !file_types.contains(&stat.file_type) {
            return Err(Error::new(Cause::NotRegularFile, Operation::Open, self.path));
        }
        self.directory.open(self.name).map_err(self.failed(Operation::Open))
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
    if file_name::parse(place.name) == Meaning::Temporary {
        let detail = "the name is one of a temporary file, which recovery removes";
        return Err(Error::new(Cause::Path(detail), Operation::Resolve, path));
    }
    let publish = || {
        let mut file = TemporaryFile::create(system, &place.directory, counters)?;
        let written =
            file.append(data).and_then(|()| before_publish.iter().try_for_each(|operation| operation.run(&file)));
        if let Err(error) = written {
            return Err(file.give_up(error));
        }
        let file = file.finish(durability)?;
        match publish {
            Publish::Replace => file.publish_replacing(place.name),
            Publish::CreateNew => file.publish_new(place.name),
        }
    };
    publish().map_err(|error| place.error(error))?;
    if durability == Durability::Full {
        counters.directory_syncs.add(1);
        place.directory.sync().map_err(|errno| {
            let mut error = place.failed(Operation::SyncDirectory)(errno);
            error.consequence = Consequence::WriteAgain;
            error
        })?;
    }
    Ok(())
}

/// Returns the content of a file.
pub fn read<S: System>(system: &S, path: &str) -> Result<Vec<u8>> {
    let place = Place::<S>::resolve(system, path)?;
    let file = place.open(&[FileType::Regular])?;
    let mut content = Vec::new();
    loop {
        let more = file.read(READ_BYTES, content.len() as u64).map_err(place.failed(Operation::Read))?;
        if more.is_empty() {
            return Ok(content);
        }
        if (content.len() + more.len()) as u64 > MAX_LIST_BODY_BYTES || content.try_reserve(more.len()).is_err() {
            let detail = "the file is larger than `max-list-body-bytes`, or than the memory of this instance";
            return Err(Error::new(Cause::TooLarge(detail), Operation::Read, path));
        }
        content.extend_from_slice(&more);
    }
}

/// Fsyncs a file.
pub fn sync<S: System>(system: &S, counters: &'static Counters, path: &str) -> Result<()> {
    let place = Place::<S>::resolve(system, path)?;
    let file = place.open(&[FileType::Regular, FileType::CharacterDevice])?;
    counters.file_syncs.add(1);
    file.sync().map_err(place.failed(Operation::Sync))
}
