//! The seam to the system, on POSIX: the same queue with the same system calls, without the component. Each operation is the
//! system call that the host makes for the component's, and no other.

use queue_store_native::error::Error;
use queue_store_native::filesystem::{Directory, DirectoryEntry, Entries, Failure, File, Kind, Stat, System};
use queue_store_native::message::Timestamp;
use rustix::fd::OwnedFd;
use rustix::fs::{Advice, AtFlags, CWD, Dir, FileType, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;
use rustix::rand::GetRandomFlags;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The system itself. A path is one of the file system.
pub(crate) struct Native;

/// An open directory.
#[derive(Clone)]
pub(crate) struct NativeDirectory(Rc<OwnedFd>);

/// An open file.
pub(crate) struct NativeFile(OwnedFd);

/// The names in a directory.
pub(crate) struct NativeEntries(Dir);

fn failure(errno: Errno) -> Failure {
    match errno {
        Errno::NOENT => Failure::NoEntry,
        Errno::EXIST => Failure::Exist,
        Errno::NOSPC => Failure::NoSpace,
        Errno::ROFS => Failure::ReadOnly,
        Errno::ACCESS | Errno::PERM => Failure::Access,
        _ => Failure::Io,
    }
}

fn kind(of: FileType) -> Kind {
    match of {
        FileType::RegularFile => Kind::Regular,
        FileType::Directory => Kind::Directory,
        FileType::Unknown => Kind::Unknown,
        _ => Kind::Other,
    }
}

#[allow(clippy::useless_conversion, reason = "the types are others on other machines")]
fn stat(of: &rustix::fs::Stat) -> Stat {
    let modified = Timestamp { seconds: of.st_mtime, nanos: i32::try_from(of.st_mtime_nsec).unwrap_or(0) };
    Stat { kind: kind(FileType::from_raw_mode(of.st_mode)), size: of.st_size as u64, modified: Some(modified) }
}

impl System for Native {
    type Directory = NativeDirectory;

    fn directory(&self, path: &str) -> Result<NativeDirectory, Error> {
        let opened = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        Ok(NativeDirectory(Rc::new(opened.expect("the directory of a benchmark exists"))))
    }

    fn preopens(&self) -> Vec<queue_store_native::list::Text> {
        Vec::new()
    }

    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp { seconds: now.as_secs() as i64, nanos: now.subsec_nanos() as i32 }
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        let drawn = rustix::rand::getrandom(&mut bytes, GetRandomFlags::empty());
        assert_eq!(drawn, Ok(8), "the system has randomness");
        u64::from_ne_bytes(bytes)
    }
}

impl Directory for NativeDirectory {
    type File = NativeFile;
    type Entries = NativeEntries;

    fn create(&self, name: &str) -> Result<NativeFile, Failure> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR).map(NativeFile).map_err(failure)
    }

    fn open(&self, name: &str) -> Result<NativeFile, Failure> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.0, name, flags, Mode::empty()).map(NativeFile).map_err(failure)
    }

    fn stat(&self, name: &str) -> Result<Stat, Failure> {
        rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).map(|of| stat(&of)).map_err(failure)
    }

    fn identity(&self, name: &str) -> Result<u128, Failure> {
        let of = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failure)?;
        Ok(u128::from(of.st_dev) << 64 | u128::from(of.st_ino))
    }

    fn link(&self, old: &str, new: &str) -> Result<(), Failure> {
        rustix::fs::linkat(&self.0, old, &self.0, new, AtFlags::empty()).map_err(failure)
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), Failure> {
        rustix::fs::renameat(&self.0, old, &self.0, new).map_err(failure)
    }

    fn unlink(&self, name: &str) -> Result<(), Failure> {
        rustix::fs::unlinkat(&self.0, name, AtFlags::empty()).map_err(failure)
    }

    fn sync(&self) -> Result<(), Failure> {
        rustix::fs::fsync(&self.0).map_err(failure)
    }

    fn entries(&self) -> Result<NativeEntries, Failure> {
        Dir::read_from(&self.0).map(NativeEntries).map_err(failure)
    }
}

impl Entries for NativeEntries {
    fn next(&mut self) -> Result<Option<DirectoryEntry>, Failure> {
        for entry in self.0.by_ref() {
            let entry = entry.map_err(failure)?;
            let name = entry.file_name().to_str().map_err(|_| Failure::NotUtf8)?;
            if name != "." && name != ".." {
                return Ok(Some(DirectoryEntry { name: name.into(), kind: kind(entry.file_type()) }));
            }
        }
        Ok(None)
    }
}

impl File for NativeFile {
    fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::with_capacity(length);
        rustix::io::pread(&self.0, rustix::buffer::spare_capacity(&mut bytes), offset).map_err(failure)?;
        Ok(bytes)
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Failure> {
        rustix::io::pwrite(&self.0, bytes, offset).map_err(failure)
    }

    fn start_writeback(&self) {
        let _ = rustix::fs::fadvise(&self.0, 0, None, Advice::DontNeed);
    }

    fn sync(&self) -> Result<(), Failure> {
        rustix::fs::fsync(&self.0).map_err(failure)
    }

    fn sync_data(&self) -> Result<(), Failure> {
        rustix::fs::fdatasync(&self.0).map_err(failure)
    }

    fn set_modified(&self, modified: Timestamp) -> Result<(), Failure> {
        let time = Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanos.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        rustix::fs::futimens(&self.0, &times).map_err(failure)
    }

    fn stat(&self) -> Result<Stat, Failure> {
        rustix::fs::fstat(&self.0).map(|of| stat(&of)).map_err(failure)
    }
}

/// Opens a directory on its own, for raw system calls.
pub(crate) fn open_directory(path: &std::path::Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}
