//! The durable write by itself, for any small file.

use crate::counters::Counters;
use crate::durable_write::{Durability, TemporaryFile};
use crate::encoder::Sink;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::{Directory, Failure, File, Kind, System};
use crate::limits::{MAX_DRAWS, MAX_LIST_BODY_BYTES};
use crate::message::Timestamp;
use crate::name;
use alloc::rc::Rc;
use alloc::string::ToString;
use alloc::vec::Vec;

/// `durable-file.file-operation`: what is done to the temporary file before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// `fsync`.
    Sync,
    /// `fdatasync`.
    SyncData,
    /// Set the time of the last modification.
    SetTimes(Timestamp),
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
            Error::of(Code::InvalidArgument, Operation::Resolve, path, detail)
        };
        let (directory_path, name) = path.rsplit_once('/').ok_or_else(invalid)?;
        if matches!(name, "" | "." | "..") || name.bytes().any(|byte| matches!(byte, b'\\' | 0)) {
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
        error.path = self.path.to_string();
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
    counters: &Rc<Counters>,
    path: &str,
    data: &[u8],
    before_publish: &[FileOperation],
    publish: Publish,
    durability: Durability,
) -> Result<()> {
    let place = Place::<S>::resolve(system, path)?;
    if name::parse(place.name) == name::Name::Temporary {
        let detail = "the name is one of a temporary file, which recovery removes";
        return Err(Error::of(Code::InvalidArgument, Operation::Resolve, path, detail));
    }
    let mut file = create(system, counters, &place)?;
    let written = file.write(data).and_then(|()| {
        before_publish.iter().try_for_each(|operation| match operation {
            FileOperation::Sync => file.sync(),
            FileOperation::SyncData => file.sync_data(),
            FileOperation::SetTimes(modified) => file.set_modified(*modified),
        })?;
        if durability == Durability::None { Ok(()) } else { file.sync() }
    });
    let file = file.close();
    if let Err(error) = written {
        return Err(place.error(file.give_up(error)));
    }
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

fn create<S: System>(system: &S, counters: &Rc<Counters>, place: &Place<'_, S>) -> Result<TemporaryFile<S::Directory>> {
    let mut draws = 1;
    loop {
        match TemporaryFile::create(&place.directory, counters, system.random()) {
            Err(error) if error.code == Code::Exists && draws < MAX_DRAWS => draws += 1,
            Err(error) if error.code == Code::Exists => return Err(place.error(error.with_code(Code::Busy))),
            other => return other.map_err(|error| place.error(error)),
        }
    }
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
pub fn sync<S: System>(system: &S, counters: &Rc<Counters>, path: &str) -> Result<()> {
    let place = Place::<S>::resolve(system, path)?;
    let file = place.open(&[Kind::Regular, Kind::CharacterDevice])?;
    counters.file_syncs.add(1);
    file.sync().map_err(|failure| place.failed(failure, Operation::Sync))
}
