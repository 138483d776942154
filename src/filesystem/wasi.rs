//! The seam on `wasi:filesystem`, `wasi:clocks` and `wasi:random`: what the component runs on.
//!
//! Descriptors and never streams: `descriptor.write` reports short counts and a full disk, where a stream traps above
//! 4096 bytes. A preopen itself is never synced, looked at or listed, since one host (jco) refuses that: `"."` is opened
//! under it first.

use super::{Directory, DirectoryEntry, Entries, Failure, File, Kind, Stat, System};
use crate::error::{Code, Error, Operation};
use crate::id::is_file_name;
use crate::list::Text;
use crate::message::Timestamp;
use crate::mutant::{Safeguard, removed};
use crate::split;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use wasi::clocks::wall_clock::{self, Datetime};
use wasi::filesystem::preopens;
use wasi::filesystem::types::{
    Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntryStream, ErrorCode, NewTimestamp,
    OpenFlags, PathFlags,
};
use wasi::random::random;

/// The host.
#[derive(Default)]
pub struct Wasi {
    /// Asked for once: a host opens new descriptors at each asking.
    preopens: Cell<Option<&'static [(Descriptor, String)]>>,
}

impl Wasi {
    /// The host, not asked for anything yet.
    pub const fn new() -> Wasi {
        Wasi { preopens: Cell::new(None) }
    }

    fn opened(&self) -> &'static [(Descriptor, String)] {
        let opened = self.preopens.get().unwrap_or_else(|| {
            #[allow(unused_mut, reason = "only a build for tests changes it")]
            let mut opened = preopens::get_directories();
            #[cfg(feature = "mutants")]
            opened.retain(|(_, name)| !crate::mutant::remove(name));
            opened.leak()
        });
        self.preopens.set(Some(opened));
        opened
    }
}

impl System for Wasi {
    type Directory = WasiDirectory;

    fn directory(&self, path: &str) -> Result<WasiDirectory, Error> {
        let mut found: Option<(&Descriptor, &str)> = None;
        for (preopen, name) in self.opened() {
            if let Some(below) = below(path, name)
                && found.is_none_or(|(_, other)| below.len() < other.len())
            {
                found = Some((preopen, below));
            }
        }
        let Some((preopen, below)) = found else {
            let mut detail = Text::from("the host opened no directory under this name; what it opened is");
            for (_, name) in self.opened() {
                detail = Text::of(&[&detail, " `", name, "`"]);
            }
            return Err(Error::of(Code::NotFound, Operation::Resolve, path, &detail));
        };
        let mut directory = open_directory(preopen, ".", path)?;
        // One component at a time: only the last one of a path is not followed where it is a symbolic link.
        let mut below = Some(below).filter(|below| !below.is_empty());
        while let Some(path_below) = below {
            let component = match split::at_first(path_below, b'/') {
                Some((component, rest)) => {
                    below = Some(rest);
                    component
                }
                None => {
                    below = None;
                    path_below
                }
            };
            if !is_file_name(component) {
                let detail = "a path below a preopen has no `.`, `..`, empty component, `\\` and NUL";
                return Err(Error::of(Code::InvalidArgument, Operation::Resolve, path, detail));
            }
            directory = open_directory(&directory, component, path)?;
        }
        Ok(WasiDirectory { descriptor: Rc::new(directory) })
    }

    fn preopens(&self) -> Vec<Text> {
        self.opened().iter().map(|(_, name)| Text::from(name.as_str())).collect()
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
        let mut flags = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        if removed(Safeguard::ExclusiveCreate) {
            flags = OpenFlags::CREATE;
        }
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
        Ok(entry.map(|entry| DirectoryEntry { name: entry.name.into(), kind: kind(entry.type_) }))
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

    fn start_writeback(&self) {
        // What is not needed in memory is written first (Linux: `POSIX_FADV_DONTNEED`).
        let _ = self.descriptor.advise(0, 0, Advice::DontNeed);
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

/// What the codes of `wasi:filesystem` mean, in their order.
const FAILURES: [Failure; 37] = [
    Failure::Access,
    Failure::Busy,
    Failure::Already,
    Failure::BadDescriptor,
    Failure::Busy,
    Failure::Deadlock,
    Failure::Quota,
    Failure::Exist,
    Failure::FileTooLarge,
    Failure::NotUtf8,
    Failure::InProgress,
    Failure::Busy,
    Failure::Invalid,
    Failure::Io,
    Failure::WrongKind,
    Failure::WrongKind,
    Failure::Unsupported,
    Failure::MessageSize,
    Failure::NameTooLong,
    Failure::NoDevice,
    Failure::NoEntry,
    Failure::NoLock,
    Failure::Busy,
    Failure::NoSpace,
    Failure::WrongKind,
    Failure::NotEmpty,
    Failure::NotRecoverable,
    Failure::Unsupported,
    Failure::NoTty,
    Failure::NoSuchDevice,
    Failure::Overflow,
    Failure::Access,
    Failure::Pipe,
    Failure::ReadOnly,
    Failure::InvalidSeek,
    Failure::TextFileBusy,
    Failure::Unsupported,
];

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Failure {
        FAILURES[code as usize]
    }
}
