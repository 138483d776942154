//! Implements the queue's file system traits on POSIX, to run its source natively. Each operation is the system call
//! that the host makes for the component, and no other.

use queue_store::error::Error;
use queue_store::item::envelope::Timestamp;
use queue_store::storage::errno::Errno;
use queue_store::storage::filesystem::{Directory, DirectoryEntries, DirectoryEntry, File, FileType, Stat, System};
use rustix::fd::OwnedFd;
use rustix::fs::{Advice, AtFlags, CWD, Dir, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno as SystemErrno;
use rustix::rand::GetRandomFlags;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The system of this process. Paths are ordinary paths, since there are no preopens.
pub(crate) struct Native;

/// An open directory.
#[derive(Clone)]
pub(crate) struct NativeDirectory(Rc<OwnedFd>);

/// An open file.
pub(crate) struct NativeFile(OwnedFd);

/// The entries of a directory.
pub(crate) struct NativeEntries(Dir);

fn errno(errno: SystemErrno) -> Errno {
    match errno {
        SystemErrno::NOENT => Errno::NoEntry,
        SystemErrno::EXIST => Errno::Exist,
        SystemErrno::NOSPC => Errno::NoSpace,
        SystemErrno::ROFS => Errno::ReadOnly,
        SystemErrno::ACCESS => Errno::Access,
        SystemErrno::PERM => Errno::NotPermitted,
        _ => Errno::Io,
    }
}

fn file_type(file_type: rustix::fs::FileType) -> FileType {
    match file_type {
        rustix::fs::FileType::RegularFile => FileType::Regular,
        rustix::fs::FileType::Directory => FileType::Directory,
        rustix::fs::FileType::Unknown => FileType::Unknown,
        _ => FileType::Other,
    }
}

#[allow(clippy::useless_conversion, reason = "the types of the fields differ between platforms")]
fn stat(of: &rustix::fs::Stat) -> Stat {
    let modified = Timestamp { seconds: of.st_mtime, nanos: i32::try_from(of.st_mtime_nsec).unwrap_or(0) };
    Stat {
        file_type: file_type(rustix::fs::FileType::from_raw_mode(of.st_mode)),
        size: of.st_size as u64,
        modified: Some(modified),
    }
}

impl System for Native {
    type Directory = NativeDirectory;

    fn open_directory(&self, path: &str) -> Result<NativeDirectory, Error> {
        let opened = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        Ok(NativeDirectory(Rc::new(opened.expect("the directory of a benchmark exists"))))
    }

    fn preopens(&self) -> Vec<String> {
        Vec::new()
    }

    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp { seconds: now.as_secs() as i64, nanos: now.subsec_nanos() as i32 }
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        let filled = rustix::rand::getrandom(&mut bytes, GetRandomFlags::empty());
        assert_eq!(filled, Ok(8), "getrandom fills a small buffer");
        u64::from_ne_bytes(bytes)
    }
}

impl Directory for NativeDirectory {
    type File = NativeFile;
    type Entries = NativeEntries;

    fn create(&self, name: &str) -> Result<NativeFile, Errno> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR).map(NativeFile).map_err(errno)
    }

    fn open(&self, name: &str) -> Result<NativeFile, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.0, name, flags, Mode::empty()).map(NativeFile).map_err(errno)
    }

    fn stat(&self, name: &str) -> Result<Stat, Errno> {
        rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).map(|of| stat(&of)).map_err(errno)
    }

    fn identity(&self, name: &str) -> Result<u128, Errno> {
        let of = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).map_err(errno)?;
        Ok(u128::from(of.st_dev) << 64 | u128::from(of.st_ino))
    }

    fn link(&self, old: &str, new: &str) -> Result<(), Errno> {
        rustix::fs::linkat(&self.0, old, &self.0, new, AtFlags::empty()).map_err(errno)
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), Errno> {
        rustix::fs::renameat(&self.0, old, &self.0, new).map_err(errno)
    }

    fn unlink(&self, name: &str) -> Result<(), Errno> {
        rustix::fs::unlinkat(&self.0, name, AtFlags::empty()).map_err(errno)
    }

    fn create_directory(&self, name: &str) -> Result<(), Errno> {
        rustix::fs::mkdirat(&self.0, name, Mode::RWXU).map_err(errno)
    }

    fn open_directory(&self, name: &str) -> Result<NativeDirectory, Errno> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.0, name, flags, Mode::empty()).map(|fd| NativeDirectory(Rc::new(fd))).map_err(errno)
    }

    fn remove_directory(&self, name: &str) -> Result<(), Errno> {
        rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR).map_err(errno)
    }

    fn sync(&self) -> Result<(), Errno> {
        rustix::fs::fsync(&self.0).map_err(errno)
    }

    fn entries(&self) -> Result<NativeEntries, Errno> {
        Dir::read_from(&self.0).map(NativeEntries).map_err(errno)
    }
}

impl DirectoryEntries for NativeEntries {
    fn next(&mut self) -> Result<Option<DirectoryEntry>, Errno> {
        for entry in self.0.by_ref() {
            let entry = entry.map_err(errno)?;
            let name = entry.file_name().to_str().map_err(|_| Errno::NotUtf8)?;
            if name != "." && name != ".." {
                return Ok(Some(DirectoryEntry { name: name.into(), file_type: file_type(entry.file_type()) }));
            }
        }
        Ok(None)
    }
}

impl File for NativeFile {
    fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::with_capacity(length);
        rustix::io::pread(&self.0, rustix::buffer::spare_capacity(&mut bytes), offset).map_err(errno)?;
        Ok(bytes)
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
        rustix::io::pwrite(&self.0, bytes, offset).map_err(errno)
    }

    fn start_writeback(&self) {
        let _ = rustix::fs::fadvise(&self.0, 0, None, Advice::DontNeed);
    }

    fn sync(&self) -> Result<(), Errno> {
        rustix::fs::fsync(&self.0).map_err(errno)
    }

    fn sync_data(&self) -> Result<(), Errno> {
        rustix::fs::fdatasync(&self.0).map_err(errno)
    }

    fn set_modified(&self, modified: Timestamp) -> Result<(), Errno> {
        let time = Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanos.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        rustix::fs::futimens(&self.0, &times).map_err(errno)
    }

    fn stat(&self) -> Result<Stat, Errno> {
        rustix::fs::fstat(&self.0).map(|of| stat(&of)).map_err(errno)
    }
}

/// Opens a directory for raw system calls.
pub(crate) fn open_directory(path: &std::path::Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}
