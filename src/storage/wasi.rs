//! The seam on `wasi:filesystem`, `wasi:clocks` and `wasi:random`, on which the component runs.
//!
//! Descriptors and never streams: `descriptor.write` reports short writes and a full disk, where a stream traps above
//! 4096 bytes. A preopen itself is never fsynced, examined or listed, since one host (jco) refuses that: `"."` is opened
//! under it first.

use super::errno::Errno;
use super::filesystem::{Directory, DirectoryEntries, DirectoryEntry, File, FileType, Stat, System};
use crate::error::{Cause, Error, Operation};
use crate::item::envelope::Timestamp;
use crate::item::id::is_file_name;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;
use wasi::clocks::wall_clock::{self, Datetime};
use wasi::filesystem::preopens;
use wasi::filesystem::types::{
    Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntryStream, ErrorCode, NewTimestamp,
    OpenFlags, PathFlags,
};
use wasi::random::random;

/// The host.
#[derive(Debug, Default)]
pub struct Wasi {
    /// The preopens, asked for once: a host opens new descriptors each time.
    preopens: OnceCell<Vec<(Descriptor, String)>>,
}

impl Wasi {
    fn opened(&self) -> &[(Descriptor, String)] {
        self.preopens.get_or_init(preopens::get_directories)
    }
}

impl System for Wasi {
    type Directory = WasiDirectory;

    fn open_directory(&self, path: &str) -> Result<WasiDirectory, Error> {
        let candidates = self.opened().iter().filter_map(|(preopen, name)| Some((preopen, below(path, name)?)));
        let Some((preopen, below)) = candidates.min_by_key(|(_, below)| below.map_or(0, str::len)) else {
            let names: Vec<String> = self.opened().iter().map(|(_, name)| ["`", name, "`"].concat()).collect();
            return Err(Error::new(Cause::NoPreopen(names.join(", ")), Operation::Resolve, path));
        };
        let failed = |errno| Error::new(errno, Operation::Resolve, path);
        let mut directory = open_below(preopen, ".").map_err(failed)?;
        // One component at a time: only the last one of a path is not followed where it is a symbolic link.
        for component in below.into_iter().flat_map(|below| below.split('/')) {
            if !is_file_name(component) {
                let detail = "a path below a preopen has no `.`, `..`, empty component, `\\` and NUL";
                return Err(Error::new(Cause::Path(detail), Operation::Resolve, path));
            }
            directory = open_below(&directory, component).map_err(failed)?;
        }
        Ok(WasiDirectory { descriptor: Rc::new(directory) })
    }

    fn preopens(&self) -> Vec<String> {
        self.opened().iter().map(|(_, name)| name.clone()).collect()
    }

    fn now(&self) -> Timestamp {
        timestamp(wall_clock::now())
    }

    fn random(&self) -> u64 {
        random::get_random_u64()
    }
}

/// Returns the part of `path` below the preopen `name`, which is none for the preopen itself; none if it is elsewhere.
fn below<'a>(path: &'a str, name: &str) -> Option<Option<&'a str>> {
    let rest = path.strip_prefix(name)?;
    if rest.is_empty() {
        Some(None)
    } else if name.ends_with('/') {
        Some(Some(rest))
    } else {
        rest.strip_prefix('/').map(Some)
    }
}

fn open_below(parent: &Descriptor, name: &str) -> Result<Descriptor, Errno> {
    Ok(parent.open_at(PathFlags::empty(), name, OpenFlags::DIRECTORY, DescriptorFlags::READ)?)
}

/// A directory on the host.
#[derive(Clone, Debug)]
pub struct WasiDirectory {
    descriptor: Rc<Descriptor>,
}

impl Directory for WasiDirectory {
    type File = WasiFile;
    type Entries = WasiEntries;

    fn create(&self, name: &str) -> Result<WasiFile, Errno> {
        let flags = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let descriptor = self.descriptor.open_at(PathFlags::empty(), name, flags, DescriptorFlags::WRITE)?;
        Ok(WasiFile { descriptor })
    }

    fn open(&self, name: &str) -> Result<WasiFile, Errno> {
        let descriptor =
            self.descriptor.open_at(PathFlags::empty(), name, OpenFlags::empty(), DescriptorFlags::READ)?;
        Ok(WasiFile { descriptor })
    }

    fn stat(&self, name: &str) -> Result<Stat, Errno> {
        Ok(stat(self.descriptor.stat_at(PathFlags::empty(), name)?))
    }

    fn identity(&self, name: &str) -> Result<u128, Errno> {
        let hash = self.descriptor.metadata_hash_at(PathFlags::empty(), name)?;
        Ok(u128::from(hash.upper) << 64 | u128::from(hash.lower))
    }

    fn link(&self, old: &str, new: &str) -> Result<(), Errno> {
        Ok(self.descriptor.link_at(PathFlags::empty(), old, &self.descriptor, new)?)
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), Errno> {
        Ok(self.descriptor.rename_at(old, &self.descriptor, new)?)
    }

    fn unlink(&self, name: &str) -> Result<(), Errno> {
        Ok(self.descriptor.unlink_file_at(name)?)
    }

    fn create_directory(&self, name: &str) -> Result<(), Errno> {
        Ok(self.descriptor.create_directory_at(name)?)
    }

    fn open_directory(&self, name: &str) -> Result<WasiDirectory, Errno> {
        Ok(WasiDirectory { descriptor: Rc::new(open_below(&self.descriptor, name)?) })
    }

    fn remove_directory(&self, name: &str) -> Result<(), Errno> {
        Ok(self.descriptor.remove_directory_at(name)?)
    }

    fn sync(&self) -> Result<(), Errno> {
        Ok(self.descriptor.sync()?)
    }

    fn entries(&self) -> Result<WasiEntries, Errno> {
        Ok(WasiEntries { stream: self.descriptor.read_directory()? })
    }
}

/// The entries of a directory on the host.
#[derive(Debug)]
pub struct WasiEntries {
    stream: DirectoryEntryStream,
}

impl DirectoryEntries for WasiEntries {
    fn next(&mut self) -> Result<Option<DirectoryEntry>, Errno> {
        let entry = self.stream.read_directory_entry()?;
        Ok(entry.map(|entry| DirectoryEntry { name: entry.name, file_type: file_type(entry.type_) }))
    }
}

/// A file on the host.
#[derive(Debug)]
pub struct WasiFile {
    descriptor: Descriptor,
}

impl File for WasiFile {
    fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, Errno> {
        let (mut bytes, _) = self.descriptor.read(length as u64, offset)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
        let written = self.descriptor.write(bytes, offset)?;
        // A host that claims to have written more than it was given is broken.
        usize::try_from(written).ok().filter(|written| *written <= bytes.len()).ok_or(Errno::Io)
    }

    fn start_writeback(&self) {
        // Pages that are not needed in memory are written first (Linux: `POSIX_FADV_DONTNEED`).
        let _ = self.descriptor.advise(0, 0, Advice::DontNeed);
    }

    fn sync(&self) -> Result<(), Errno> {
        Ok(self.descriptor.sync()?)
    }

    fn sync_data(&self) -> Result<(), Errno> {
        Ok(self.descriptor.sync_data()?)
    }

    fn set_modified(&self, modified: Timestamp) -> Result<(), Errno> {
        let seconds = u64::try_from(modified.seconds).map_err(|_| Errno::Invalid)?;
        let nanoseconds = u32::try_from(modified.nanos).map_err(|_| Errno::Invalid)?;
        let modified = NewTimestamp::Timestamp(Datetime { seconds, nanoseconds });
        Ok(self.descriptor.set_times(NewTimestamp::NoChange, modified)?)
    }

    fn stat(&self) -> Result<Stat, Errno> {
        Ok(stat(self.descriptor.stat()?))
    }
}

fn stat(stat: DescriptorStat) -> Stat {
    let modified = stat.data_modification_timestamp.map(timestamp);
    Stat { file_type: file_type(stat.type_), size: stat.size, modified }
}

fn file_type(descriptor_type: DescriptorType) -> FileType {
    match descriptor_type {
        DescriptorType::RegularFile => FileType::Regular,
        DescriptorType::Directory => FileType::Directory,
        DescriptorType::CharacterDevice => FileType::CharacterDevice,
        DescriptorType::Unknown => FileType::Unknown,
        DescriptorType::BlockDevice | DescriptorType::Fifo | DescriptorType::SymbolicLink | DescriptorType::Socket => {
            FileType::Other
        }
    }
}

/// Converts a time of the host. Times that no clock shows are cut to the range of the format.
fn timestamp(datetime: Datetime) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(datetime.seconds).unwrap_or(i64::MAX),
        nanos: i32::try_from(datetime.nanoseconds).unwrap_or(i32::MAX),
    }
}

impl From<ErrorCode> for Errno {
    fn from(code: ErrorCode) -> Errno {
        match code {
            ErrorCode::Access => Errno::Access,
            ErrorCode::BadDescriptor => Errno::BadDescriptor,
            ErrorCode::Busy | ErrorCode::WouldBlock | ErrorCode::Interrupted | ErrorCode::InsufficientMemory => {
                Errno::Busy
            }
            ErrorCode::Quota => Errno::Quota,
            ErrorCode::Exist => Errno::Exist,
            ErrorCode::FileTooLarge => Errno::FileTooLarge,
            ErrorCode::IllegalByteSequence => Errno::NotUtf8,
            ErrorCode::Invalid => Errno::Invalid,
            ErrorCode::Io => Errno::Io,
            ErrorCode::IsDirectory | ErrorCode::NotDirectory | ErrorCode::Loop => Errno::WrongFileType,
            ErrorCode::TooManyLinks | ErrorCode::CrossDevice | ErrorCode::Unsupported => Errno::Unsupported,
            ErrorCode::NameTooLong => Errno::NameTooLong,
            ErrorCode::NoEntry => Errno::NoEntry,
            ErrorCode::InsufficientSpace => Errno::NoSpace,
            ErrorCode::NotPermitted => Errno::NotPermitted,
            ErrorCode::ReadOnly => Errno::ReadOnly,
            other => Errno::Other(other.name()),
        }
    }
}
