//! The simulated system: a disk, a clock, randomness, and what is to go wrong.

use super::disk::{Disk, FailedSync, Inode};
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use super::disk::{ErrorName, File, Result};

/// What an operation of the system is called, as far as errors can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are those of the operations")]
pub enum Operation {
    Open,
    Create,
    Stat,
    Read,
    Write,
    SetTimes,
    SyncFile,
    Link,
    Rename,
    Unlink,
    SyncDirectory,
    ReadDirectory,
    ReadEntry,
    Identity,
}

impl Operation {
    /// Whether it can change the disk.
    pub fn changes(self) -> bool {
        use Operation::{Create, Link, Rename, SetTimes, SyncDirectory, SyncFile, Unlink, Write};
        matches!(self, Create | Write | SetTimes | SyncFile | Link | Rename | Unlink | SyncDirectory)
    }
}

/// An error that is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// To which operation.
    pub operation: Operation,
    /// To which of them, from 0, counted from when the fault is set.
    pub skip: usize,
    /// How often; a system that stays broken has no end.
    pub times: usize,
    /// What it says.
    pub error: ErrorName,
    /// Whether the operation takes effect all the same.
    pub takes_effect: bool,
}

/// What goes wrong at one operation, whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// It fails, and has done nothing.
    Fails(ErrorName),
    /// It fails, and has happened.
    HappensAndFails(ErrorName),
    /// It is the sync of a file, and fails.
    LosesPages(FailedSync),
    /// It is a write, and takes half of the bytes.
    WritesHalf,
    /// It fails, and so does every later one that would change the disk, but for unlink and sync where the disk is full.
    StaysBroken(ErrorName),
    /// The process is killed before it: nothing that the instance does from here on happens.
    Killed,
}

/// The simulated system.
#[derive(Debug, Default)]
pub struct World {
    /// The disk.
    pub disk: Disk,
    /// The time of day, and of the file system, in seconds.
    pub now: u64,
    /// Seconds by which the clock that the component reads is ahead of the file system's.
    pub clock_ahead: u64,
    /// Bytes that the files with a name may have in all; none: any number.
    pub capacity: Option<usize>,
    /// What the order of the names in the directory is made of; 0 is their own order.
    pub directory_order: u64,
    /// Bytes that a write takes at most.
    pub write_at_most: Option<usize>,
    /// Bytes that a read gives at most.
    pub read_at_most: Option<usize>,
    /// What is to go wrong, by kind of operation.
    pub faults: Vec<Fault>,
    /// What is to go wrong, at the operation that has this number in the log.
    pub trouble: Option<(usize, Trouble)>,
    /// The random numbers to come; after them, a sequence that never repeats.
    pub random: Vec<u64>,
    /// The operations so far, in order, with the name that each was for.
    pub log: Vec<(Operation, String)>,
    /// How often the system was asked for what changes nothing that a crash could leave, and is no operation therefore.
    pub hints: u64,
    /// The disk before each operation that can change it, and the number of that in the log, if they are to be kept.
    pub snapshots: Option<Vec<(usize, Disk)>>,
    /// Whether the process was killed.
    pub killed: bool,
    broken: Option<ErrorName>,
    next_random: u64,
}

/// What is to become of an operation.
struct Fate {
    result: Result<()>,
    takes_effect: bool,
    failed_sync: FailedSync,
    half: bool,
}

impl World {
    /// An empty directory.
    pub fn new() -> World {
        World::of(Disk::default())
    }

    /// A system with this disk.
    pub fn of(disk: Disk) -> World {
        World { disk, now: 1_760_785_824, next_random: 0x9e37_79b9_7f4a_7c15, ..World::default() }
    }

    /// Has one operation of a kind fail once, the next one.
    pub fn fail(&mut self, operation: Operation, error: ErrorName) {
        self.faults.push(Fault { operation, skip: 0, times: 1, error, takes_effect: false });
    }

    /// Ends all trouble.
    pub fn repair(&mut self) {
        self.faults.clear();
        self.trouble = None;
        self.broken = None;
        self.killed = false;
    }

    /// The content of a file.
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        let file = self.files.get(self.names.get(name)?)?;
        Some(&file.content)
    }

    /// The content of a file, to be changed behind the component's back.
    pub fn content_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        let inode = *self.names.get(name)?;
        Some(&mut self.files.get_mut(&inode)?.content)
    }

    /// The names of the operations since the log was cleared.
    pub fn operations(&self) -> Vec<Operation> {
        self.log.iter().map(|(operation, _)| *operation).collect()
    }

    /// Notes an operation, and finds out what is to become of it.
    fn begin(&mut self, operation: Operation, name: &str) -> Fate {
        let number = self.log.len();
        let mut fate = Fate { result: Ok(()), takes_effect: true, failed_sync: FailedSync::Kept, half: false };
        let fails = |fate: &mut Fate, error, takes_effect| {
            (fate.result, fate.takes_effect) = (Err(error), takes_effect);
        };
        if self.killed {
            fails(&mut fate, "io", false);
            return fate;
        }
        if operation.changes()
            && let Some(snapshots) = &mut self.snapshots
        {
            snapshots.push((number, self.disk.clone()));
        }
        self.log.push((operation, name.to_string()));
        for fault in self.faults.iter_mut().filter(|fault| fault.operation == operation && fault.times > 0) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times -= 1;
            fails(&mut fate, fault.error, fault.takes_effect);
            return fate;
        }
        match self.trouble {
            // What changes nothing can only fail: what it says is true.
            Some((at, trouble))
                if at == number
                    && !operation.changes()
                    && !matches!(trouble, Trouble::Fails("io") | Trouble::Killed) => {}
            Some((at, trouble)) if at == number => match trouble {
                Trouble::Fails(error) => fails(&mut fate, error, false),
                Trouble::HappensAndFails(error) => fails(&mut fate, error, true),
                Trouble::LosesPages(failed_sync) => {
                    fails(&mut fate, "io", false);
                    fate.failed_sync = failed_sync;
                }
                Trouble::WritesHalf => fate.half = true,
                Trouble::StaysBroken(error) => self.broken = Some(error),
                Trouble::Killed => {
                    self.killed = true;
                    self.log.pop();
                    fails(&mut fate, "io", false);
                }
            },
            _ => {}
        }
        if let Some(error) = self.broken {
            let needs_room =
                matches!(operation, Operation::Create | Operation::Write | Operation::Link | Operation::Rename);
            if needs_room || (operation.changes() && error != "insufficient-space") {
                fails(&mut fate, error, false);
            }
        }
        fate
    }

    /// Does an operation that either fails or takes effect.
    fn plain(&mut self, operation: Operation, name: &str) -> Result<()> {
        self.begin(operation, name).result
    }

    /// Does a change of names, which can fail although it took effect.
    fn change(&mut self, operation: Operation, name: &str, change: impl FnOnce(&mut Disk) -> Result<()>) -> Result<()> {
        let fate = self.begin(operation, name);
        if fate.takes_effect {
            change(&mut self.disk)?;
        }
        fate.result
    }

    /// Creates a file that must not exist.
    pub fn create(&mut self, name: &str) -> Result<Inode> {
        self.plain(Operation::Create, name)?;
        self.disk.create(name, self.now)
    }

    /// Opens a file.
    pub fn open(&mut self, name: &str) -> Result<Inode> {
        self.plain(Operation::Open, name)?;
        self.inode(name)
    }

    /// Looks at a name.
    pub fn stat(&mut self, name: &str) -> Result<&File> {
        self.plain(Operation::Stat, name)?;
        let inode = self.inode(name)?;
        self.files.get(&inode).ok_or("io")
    }

    /// What two names share that are of one file.
    pub fn identity(&mut self, name: &str) -> Result<Inode> {
        self.plain(Operation::Identity, name)?;
        self.inode(name)
    }

    /// Reads bytes.
    pub fn read(&mut self, inode: Inode, offset: usize, length: usize) -> Result<Vec<u8>> {
        self.plain(Operation::Read, "")?;
        let content = &self.files.get(&inode).ok_or("io")?.content;
        let length = length.min(self.read_at_most.unwrap_or(usize::MAX));
        let end = offset.saturating_add(length).min(content.len());
        Ok(content.get(offset..end).unwrap_or_default().to_vec())
    }

    /// Writes some bytes.
    pub fn write(&mut self, inode: Inode, offset: usize, bytes: &[u8]) -> Result<usize> {
        let fate = self.begin(Operation::Write, "");
        fate.result?;
        let most = if fate.half { bytes.len().div_ceil(2) } else { bytes.len() };
        let length = self.write_at_most.unwrap_or(usize::MAX).min(most);
        if let Some(capacity) = self.capacity {
            let named: BTreeSet<Inode> = self.names.values().copied().collect();
            let used: usize = named.iter().map(|inode| self.files[inode].content.len()).sum();
            if used + length > capacity {
                return Err("insufficient-space");
            }
        }
        self.disk.write(inode, offset, &bytes[..length], self.now)?;
        Ok(length)
    }

    /// Sets the time of the last modification.
    pub fn set_modified(&mut self, inode: Inode, modified: u64) -> Result<()> {
        self.plain(Operation::SetTimes, "")?;
        self.files.get_mut(&inode).ok_or("io")?.modified = modified;
        Ok(())
    }

    /// Makes a file durable.
    pub fn sync_file(&mut self, inode: Inode) -> Result<()> {
        let fate = self.begin(Operation::SyncFile, "");
        match fate.result {
            Ok(()) => self.disk.sync_file(inode),
            Err(error) => {
                if !self.killed {
                    self.disk.fail_sync(inode, fate.failed_sync);
                }
                Err(error)
            }
        }
    }

    /// Makes the names durable.
    pub fn sync_directory(&mut self) -> Result<()> {
        self.plain(Operation::SyncDirectory, "")?;
        self.disk.sync_directory();
        Ok(())
    }

    /// Gives a file a second name.
    pub fn link(&mut self, old: &str, new: &str) -> Result<()> {
        self.change(Operation::Link, new, |disk| disk.link(old, new))
    }

    /// Gives a file another name.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        self.change(Operation::Rename, new, |disk| disk.rename(old, new))
    }

    /// Removes a name.
    pub fn unlink(&mut self, name: &str) -> Result<()> {
        self.change(Operation::Unlink, name, |disk| disk.unlink(name))
    }

    /// The names, all at once, in an order that means nothing.
    pub fn read_directory(&mut self) -> Result<Vec<String>> {
        self.plain(Operation::ReadDirectory, "")?;
        let mut names: Vec<String> = self.names.keys().cloned().collect();
        if self.directory_order != 0 {
            names.sort_by_key(|name| xxh3_64_with_seed(name.as_bytes(), self.directory_order));
        }
        Ok(names)
    }

    /// One of the names that were read.
    pub fn read_entry(&mut self, name: &str) -> Result<()> {
        self.plain(Operation::ReadEntry, name)
    }

    /// A random number.
    pub fn draw(&mut self) -> u64 {
        if !self.random.is_empty() {
            return self.random.remove(0);
        }
        self.next_random =
            self.next_random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.next_random
    }
}

impl Deref for World {
    type Target = Disk;

    fn deref(&self) -> &Disk {
        &self.disk
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }
}
