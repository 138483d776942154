//! The one seam between the queue's logic and the system below it: files in a directory, a clock and randomness, with
//! exactly the operations that the queue needs.
//!
//! The component runs on `wasi:filesystem` (`filesystem::wasi`). Everything above this file is the same wherever it
//! is compiled, so that a benchmark can compare it with itself, native, and a fuzzer can watch it.

#[cfg(target_family = "wasm")]
pub mod wasi;

use crate::error::{Code, Error};
use crate::list::Text;
use crate::message::Timestamp;
use crate::mutant::{Safeguard, removed};
use crate::name::{self, Name};
use alloc::vec::Vec;

/// Why the system did not do it: what POSIX calls `errno`, as far as a caller can tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// ENOENT.
    NoEntry,
    /// EEXIST.
    Exist,
    /// ENOSPC.
    NoSpace,
    /// EDQUOT.
    Quota,
    /// EROFS.
    ReadOnly,
    /// EACCES, EPERM.
    Access,
    /// EIO.
    Io,
    /// EFBIG.
    FileTooLarge,
    /// EISDIR, ENOTDIR, ELOOP: it is not what an item or a queue is.
    WrongKind,
    /// ENAMETOOLONG.
    NameTooLong,
    /// EINVAL.
    Invalid,
    /// ENOTSUP, ENOSYS, EXDEV, EMLINK.
    Unsupported,
    /// EMFILE, ENFILE, ENOMEM, EAGAIN, EBUSY, EINTR.
    Busy,
    /// A name that is not UTF-8.
    NotUtf8,
    /// The file is shorter than it was said to be.
    Changed,
    /// EALREADY.
    Already,
    /// EBADF.
    BadDescriptor,
    /// EDEADLK.
    Deadlock,
    /// EINPROGRESS.
    InProgress,
    /// EMSGSIZE.
    MessageSize,
    /// ENODEV.
    NoDevice,
    /// ENOLCK.
    NoLock,
    /// ENOTEMPTY.
    NotEmpty,
    /// ENOTRECOVERABLE.
    NotRecoverable,
    /// ENOTTY.
    NoTty,
    /// ENXIO.
    NoSuchDevice,
    /// EOVERFLOW.
    Overflow,
    /// EPIPE.
    Pipe,
    /// ESPIPE.
    InvalidSeek,
    /// ETXTBSY.
    TextFileBusy,
}

/// What each failure is to a caller, and to people, in their order.
const FAILURES: [(Code, &str); 30] = [
    (Code::NotFound, "there is no such file or directory"),
    (Code::Exists, "the name is taken"),
    (Code::NoSpace, "no space is left on the device"),
    (Code::Quota, "the disk quota is used up"),
    (Code::ReadOnly, "the file system is read-only"),
    (Code::Access, "permission was denied"),
    (Code::Io, "the device failed (input/output error)"),
    (Code::TooLarge, "the file system takes no file of this size"),
    (Code::Unsupported, "it is not of the kind of file that is needed here"),
    (Code::InvalidArgument, "the name is too long for the file system"),
    (Code::InvalidArgument, "the system takes this operation for invalid"),
    (Code::Unsupported, "the system does not support this operation"),
    (Code::Busy, "the system is out of a resource"),
    (Code::InvalidArgument, "the name is not UTF-8"),
    (Code::Corrupt, "the file changed while it was read"),
    (Code::Other, "the connection is in progress already (EALREADY)"),
    (Code::Other, "the descriptor is bad (EBADF)"),
    (Code::Other, "it would be a deadlock (EDEADLK)"),
    (Code::Other, "the operation is in progress (EINPROGRESS)"),
    (Code::Other, "the message is too large (EMSGSIZE)"),
    (Code::Other, "there is no such device (ENODEV)"),
    (Code::Other, "no locks are available (ENOLCK)"),
    (Code::Other, "the directory is not empty (ENOTEMPTY)"),
    (Code::Other, "the state cannot be recovered (ENOTRECOVERABLE)"),
    (Code::Other, "the device has no such control operation (ENOTTY)"),
    (Code::Other, "there is no such device or address (ENXIO)"),
    (Code::Other, "a value is too large (EOVERFLOW)"),
    (Code::Other, "the pipe is broken (EPIPE)"),
    (Code::Other, "a pipe has no offsets (ESPIPE)"),
    (Code::Other, "the text file is busy (ETXTBSY)"),
];

impl Failure {
    /// What a caller would do about it.
    pub const fn code(self) -> Code {
        FAILURES[self as usize].0
    }

    /// For people.
    pub const fn text(self) -> &'static str {
        FAILURES[self as usize].1
    }
}

/// What kind of file a name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A character device.
    CharacterDevice,
    /// A symbolic link, a FIFO, a socket, a block device.
    Other,
    /// The system did not say; `stat` does.
    Unknown,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What kind of file it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// When it was modified last; none where the system does not know.
    pub modified: Option<Timestamp>,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The name.
    pub name: Text,
    /// What kind of file it has.
    pub kind: Kind,
}

impl DirectoryEntry {
    /// What the name means in a queue's directory.
    pub fn meaning(&self) -> Name<'_> {
        name::parse(&self.name)
    }
}

/// The system: what the host gave this instance.
pub trait System: 'static {
    /// An open directory.
    type Directory: Directory;

    /// Opens the directory that `path` names: a preopen's exact name, or directories below it.
    fn directory(&self, path: &str) -> Result<Self::Directory, Error>;

    /// The names of the directories that the host opened.
    fn preopens(&self) -> Vec<Text>;

    /// The time of day.
    fn now(&self) -> Timestamp;

    /// 64 random bits.
    fn random(&self) -> u64;
}

/// An open directory. Names are single file names; symbolic links are never followed.
pub trait Directory: Clone {
    /// An open file.
    type File: File;
    /// The names, being read.
    type Entries: Entries;

    /// Creates a file that does not exist yet, for writing (`O_CREAT | O_EXCL`).
    fn create(&self, name: &str) -> Result<Self::File, Failure>;

    /// Opens a file for reading. The caller has made sure that it is regular: opening a FIFO waits for a writer.
    fn open(&self, name: &str) -> Result<Self::File, Failure>;

    /// Looks at a name.
    fn stat(&self, name: &str) -> Result<Stat, Failure>;

    /// A number that two names share if they are names of one file.
    fn identity(&self, name: &str) -> Result<u128, Failure>;

    /// Gives a file a second name, which must be free.
    fn link(&self, old: &str, new: &str) -> Result<(), Failure>;

    /// Gives a file another name, taking it from the file that has it.
    fn rename(&self, old: &str, new: &str) -> Result<(), Failure>;

    /// Removes a name.
    fn unlink(&self, name: &str) -> Result<(), Failure>;

    /// Makes the names durable.
    fn sync(&self) -> Result<(), Failure>;

    /// Begins to read the names.
    fn entries(&self) -> Result<Self::Entries, Failure>;
}

/// The names in a directory, being read.
pub trait Entries {
    /// The next name; none at the end. `Failure::NotUtf8` and `Failure::NoEntry` are of this one entry.
    fn next(&mut self) -> Result<Option<DirectoryEntry>, Failure>;
}

/// An open file.
pub trait File {
    /// Reads at most `length` bytes from `offset` on; none at the end of the file.
    fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, Failure>;

    /// Writes some of `bytes` at `offset` and says how many.
    fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Failure>;

    /// Has the system begin to write to the device what it holds of the file. A hint, on which nothing depends.
    fn start_writeback(&self);

    /// Makes data and metadata durable (`fsync`).
    fn sync(&self) -> Result<(), Failure>;

    /// Makes data durable (`fdatasync`).
    fn sync_data(&self) -> Result<(), Failure>;

    /// Sets the time of the last modification.
    fn set_modified(&self, modified: Timestamp) -> Result<(), Failure>;

    /// What is known of the file.
    fn stat(&self) -> Result<Stat, Failure>;
}

/// Writes all of `bytes` at `offset`, looping over short counts.
pub fn write_all<F: File>(file: &F, mut bytes: &[u8], mut offset: u64) -> Result<(), Failure> {
    while !bytes.is_empty() {
        let written = file.write(bytes, offset)?;
        if written == 0 {
            return Err(Failure::Io);
        }
        if removed(Safeguard::WriteLoop) {
            return Ok(());
        }
        offset += written as u64;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}
