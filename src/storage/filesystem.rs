//! The one seam between the queue's logic and the system below it: files in a directory, a clock and randomness, with
//! exactly the operations that the queue needs.
//!
//! The component runs on `wasi:filesystem` (`wasi.rs`). All code above this file is the same wherever it is
//! compiled, so that a benchmark can compare the component with native code, and a fuzzer can instrument it.

use super::errno::Errno;
use super::file_name::{self, Meaning};
use crate::error::Error;
use crate::item::envelope::Timestamp;
use alloc::string::String;
use alloc::vec::Vec;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A character device.
    CharacterDevice,
    /// A symbolic link, a FIFO, a socket, a block device.
    Other,
    /// Not reported by the directory; `stat` reports it.
    Unknown,
}

/// The metadata of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The kind of file.
    pub file_type: FileType,
    /// Size in bytes.
    pub size: u64,
    /// The time of the last modification; none where the system does not know it.
    pub modified: Option<Timestamp>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The name.
    pub name: String,
    /// The kind of file.
    pub file_type: FileType,
}

impl DirectoryEntry {
    /// Returns the meaning of the name in a queue's directory.
    pub fn meaning(&self) -> Meaning<'_> {
        file_name::parse(&self.name)
    }
}

/// The system: everything that the host gave to this instance.
pub trait System: 'static {
    /// An open directory.
    type Directory: Directory;

    /// Opens the directory that `path` names: a preopen's exact name, or directories below it.
    fn open_directory(&self, path: &str) -> Result<Self::Directory, Error>;

    /// Returns the names of the directories that the host opened.
    fn preopens(&self) -> Vec<String>;

    /// Returns the time of day.
    fn now(&self) -> Timestamp;

    /// Returns 64 random bits.
    fn random(&self) -> u64;
}

/// An open directory. Names are single file names; symbolic links are never followed.
pub trait Directory: Clone {
    /// An open file.
    type File: File + 'static;
    /// The entries while they are read.
    type Entries: DirectoryEntries;

    /// Creates a file for writing that must not exist (`O_CREAT | O_EXCL`).
    fn create(&self, name: &str) -> Result<Self::File, Errno>;

    /// Opens a file for reading. The caller has made sure that it is regular: opening a FIFO waits for a writer.
    fn open(&self, name: &str) -> Result<Self::File, Errno>;

    /// Returns the metadata of a file.
    fn stat(&self, name: &str) -> Result<Stat, Errno>;

    /// Returns a number that two names share exactly if they are names of one file.
    fn identity(&self, name: &str) -> Result<u128, Errno>;

    /// Gives a file a second name, which must be free.
    fn link(&self, old: &str, new: &str) -> Result<(), Errno>;

    /// Renames a file, and replaces the file that has the new name.
    fn rename(&self, old: &str, new: &str) -> Result<(), Errno>;

    /// Removes the name of a file.
    fn unlink(&self, name: &str) -> Result<(), Errno>;

    /// Creates a subdirectory.
    fn create_directory(&self, name: &str) -> Result<(), Errno>;

    /// Opens a subdirectory.
    fn open_directory(&self, name: &str) -> Result<Self, Errno>;

    /// Removes a subdirectory, which must be empty.
    fn remove_directory(&self, name: &str) -> Result<(), Errno>;

    /// Fsyncs the directory.
    fn sync(&self) -> Result<(), Errno>;

    /// Begins to read the entries.
    fn entries(&self) -> Result<Self::Entries, Errno>;
}

/// The entries of a directory while they are read.
pub trait DirectoryEntries {
    /// Returns the next entry; none at the end. [`Errno::NotUtf8`] and [`Errno::NoEntry`] concern this one entry only.
    fn next(&mut self) -> Result<Option<DirectoryEntry>, Errno>;
}

/// An open file.
pub trait File {
    /// Reads at most `length` bytes from `offset` on; none at the end of the file.
    fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, Errno>;

    /// Writes some of `bytes` at `offset` and returns how many.
    fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Errno>;

    /// Asks the system to begin to write the file's dirty pages to the device. A hint, on which nothing depends.
    fn start_writeback(&self);

    /// Fsyncs data and metadata (`fsync`).
    fn sync(&self) -> Result<(), Errno>;

    /// Fsyncs data (`fdatasync`).
    fn sync_data(&self) -> Result<(), Errno>;

    /// Sets the time of the last modification.
    fn set_modified(&self, modified: Timestamp) -> Result<(), Errno>;

    /// Returns the metadata.
    fn stat(&self) -> Result<Stat, Errno>;
}

/// Writes all of `bytes` at `offset`, and continues after short writes.
pub fn write_all<F: File>(file: &F, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let written = file.write(bytes, offset)?;
        if written == 0 {
            return Err(Errno::Io);
        }
        offset += written as u64;
        bytes = &bytes[written..];
    }
    Ok(())
}
