//! The seam on `wasi:filesystem`, `wasi:clocks` and `wasi:random`: what the component runs on.
//!
//! Descriptors and never streams: `descriptor.write` reports short counts and a full disk, where a stream traps above
//! 4096 bytes. A preopen itself is never synced, looked at or listed, since one host (jco) refuses that: `"."` is opened
//! under it first.

use super::{Directory, DirectoryEntry, Entries, Failure, File, Kind, Stat, System};
use crate::error::{Code, Error, Operation};
use crate::message::Timestamp;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;
use wasi::clocks::wall_clock::{self, Datetime};
use wasi::filesystem::preopens;
use wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntryStream, ErrorCode, NewTimestamp,
    OpenFlags, PathFlags,
};
use wasi::random::random;

/// The host.
#[derive(Default)]
pub struct Wasi {
    /// Asked for once: a host opens new descriptors at each asking.
    preopens: OnceCell<Vec<(Descriptor, String)>>,
}

impl Wasi {
    /// The host, not asked for anything yet.
    pub const fn new() -> Wasi {
        Wasi { preopens: OnceCell::new() }
    }

    fn opened(&self) -> &[(Descriptor, String)] {
        self.preopens.get_or_init(preopens::get_directories)
    }
}

impl System for Wasi {
    type Directory = WasiDirectory;

    fn directory(&self, path: &str) -> Result<WasiDirectory, Error> {
        let preopens = self.opened().iter();
        let found = preopens.filter_map(|(preopen, name)| Some((preopen, below(path, name)?)));
        let Some((preopen, below)) = found.min_by_key(|(_, below)| below.len()) else {
            let names = self.preopens().join("`, `");
            let detail = ["the host opened no directory under this name; what it opened is `", &names, "`"].concat();
            return Err(Error::of(Code::NotFound, Operation::Resolve, path, &detail));
        };
        let mut directory = open_directory(preopen, ".", path)?;
        // One component at a time: only the last one of a path is not followed where it is a symbolic link.
        for component in below.split('/').filter(|_| !below.is_empty()) {
            if matches!(component, "" | "." | "..") || component.bytes().any(|byte| matches!(byte, b'\\' | 0)) {
                let detail = "a path below a preopen has no `.`, `..`, empty component, `\\` and NUL";
                return Err(Error::of(Code::InvalidArgument, Operation::Resolve, path, detail));
            }
            directory = open_directory(&directory, component, path)?;
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

/// What of `path` is below the preopen `name`, if it is that preopen or below it.
fn below<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(name)?;
    if rest.is_empty() || name.ends_with('/') {
        return Some(rest);
    }
    rest.strip_prefix('/').filter(|below| !below.is_empty())
}

fn open_directory(parent: &Descriptor, name: &str, path: &str) -> Result<Descriptor, Error> {
    let opened = parent.open_at(PathFlags::empty(), name, OpenFlags::DIRECTORY, DescriptorFlags::READ);
    opened.map_err(|code| Error::filesystem(code.into(), Operation::Resolve, path))
}

/// A directory on the host.
#[derive(Clone)]
pub struct WasiDirectory {
    descriptor: Rc<Descriptor>,
}

impl Directory for WasiDirectory {
    type File = WasiFile;
    type Entries = WasiEntries;

    fn create(&self, name: &str) -> Result<WasiFile, Failure> {
        let flags = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let descriptor = self.descriptor.open_at(PathFlags::empty(), name, flags, DescriptorFlags::WRITE)?;
        Ok(WasiFile { descriptor })
    }

    fn open(&self, name: &str) -> Result<WasiFile, Failure> {
        let descriptor =
            self.descriptor.open_at(PathFlags::empty(), name, OpenFlags::empty(), DescriptorFlags::READ)?;
        Ok(WasiFile { descriptor })
    }

    fn stat(&self, name: &str) -> Result<Stat, Failure> {
        Ok(stat(self.descriptor.stat_at(PathFlags::empty(), name)?))
    }

    fn identity(&self, name: &str) -> Result<u128, Failure> {
        let hash = self.descriptor.metadata_hash_at(PathFlags::empty(), name)?;
        Ok(u128::from(hash.upper) << 64 | u128::from(hash.lower))
    }

    fn link(&self, old: &str, new: &str) -> Result<(), Failure> {
        Ok(self.descriptor.link_at(PathFlags::empty(), old, &self.descriptor, new)?)
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), Failure> {
        Ok(self.descriptor.rename_at(old, &self.descriptor, new)?)
    }

    fn unlink(&self, name: &str) -> Result<(), Failure> {
        Ok(self.descriptor.unlink_file_at(name)?)
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(self.descriptor.sync()?)
    }

    fn entries(&self) -> Result<WasiEntries, Failure> {
        Ok(WasiEntries { stream: self.descriptor.read_directory()? })
    }
}

/// The names in a directory on the host.
pub struct WasiEntries {
    stream: DirectoryEntryStream,
}

impl Entries for WasiEntries {
    fn next(&mut self) -> Result<Option<DirectoryEntry>, Failure> {
        let entry = self.stream.read_directory_entry()?;
        Ok(entry.map(|entry| DirectoryEntry { name: entry.name, kind: kind(entry.type_) }))
    }
}

/// A file on the host.
pub struct WasiFile {
    descriptor: Descriptor,
}

impl File for WasiFile {
    fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, Failure> {
        Ok(self.descriptor.read(length as u64, offset)?.0)
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Failure> {
        let written = self.descriptor.write(bytes, offset)?;
        Ok(usize::try_from(written).unwrap_or(usize::MAX))
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(self.descriptor.sync()?)
    }

    fn sync_data(&self) -> Result<(), Failure> {
        Ok(self.descriptor.sync_data()?)
    }

    fn set_modified(&self, modified: Timestamp) -> Result<(), Failure> {
        let seconds = u64::try_from(modified.seconds).map_err(|_| Failure::Invalid)?;
        let nanoseconds = u32::try_from(modified.nanos).map_err(|_| Failure::Invalid)?;
        let modified = NewTimestamp::Timestamp(Datetime { seconds, nanoseconds });
        Ok(self.descriptor.set_times(NewTimestamp::NoChange, modified)?)
    }

    fn stat(&self) -> Result<Stat, Failure> {
        Ok(stat(self.descriptor.stat()?))
    }
}

fn stat(stat: DescriptorStat) -> Stat {
    Stat { kind: kind(stat.type_), size: stat.size, modified: stat.data_modification_timestamp.map(timestamp) }
}

fn kind(descriptor_type: DescriptorType) -> Kind {
    match descriptor_type {
        DescriptorType::RegularFile => Kind::Regular,
        DescriptorType::Directory => Kind::Directory,
        DescriptorType::CharacterDevice => Kind::CharacterDevice,
        DescriptorType::Unknown => Kind::Unknown,
        _ => Kind::Other,
    }
}

fn timestamp(datetime: Datetime) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(datetime.seconds).unwrap_or(i64::MAX),
        nanos: i32::try_from(datetime.nanoseconds).unwrap_or(0),
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Failure {
        match code {
            ErrorCode::NoEntry => Failure::NoEntry,
            ErrorCode::Exist => Failure::Exist,
            ErrorCode::InsufficientSpace => Failure::NoSpace,
            ErrorCode::Quota => Failure::Quota,
            ErrorCode::ReadOnly => Failure::ReadOnly,
            ErrorCode::Access | ErrorCode::NotPermitted => Failure::Access,
            ErrorCode::Io => Failure::Io,
            ErrorCode::FileTooLarge => Failure::FileTooLarge,
            ErrorCode::IsDirectory | ErrorCode::NotDirectory | ErrorCode::Loop => Failure::WrongKind,
            ErrorCode::NameTooLong => Failure::NameTooLong,
            ErrorCode::Invalid => Failure::Invalid,
            ErrorCode::Unsupported | ErrorCode::CrossDevice | ErrorCode::TooManyLinks => Failure::Unsupported,
            ErrorCode::Busy | ErrorCode::WouldBlock | ErrorCode::Interrupted | ErrorCode::InsufficientMemory => {
                Failure::Busy
            }
            ErrorCode::IllegalByteSequence => Failure::NotUtf8,
            other => Failure::Other(other.message()),
        }
    }
}
