//! The simulated system: a disk, a clock, randomness, and its faults.

use super::disk::{Disk, Entries, Inode, MARKS, mark_name};
use super::fault::{Effects, FaultAt, FaultKind};
use super::lie::{Lie, is_live};
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use super::disk::{ErrorName, File, Result};
pub use super::fault::Fault;
pub use super::operation::Operation;

/// The simulated system.
#[derive(Debug, Default)]
pub struct World {
    /// The disk.
    pub disk: Disk,
    /// The time of day and of the file system, in seconds.
    pub now: u64,
    /// Seconds by which the clock that the component reads is ahead of the file system's.
    pub clock_ahead: u64,
    /// Bytes that the files with a name may have in total; none: any number.
    pub capacity: Option<usize>,
    /// The seed of the order in which the directory is read; 0 is the order of the names.
    pub directory_order: u64,
    /// Bytes that a write stores at most.
    pub write_at_most: Option<usize>,
    /// Bytes that a read returns at most.
    pub read_at_most: Option<usize>,
    /// The faults to come, by kind of operation.
    pub faults: Vec<Fault>,
    /// The fault to come at the operation that has a number in the log.
    pub fault_at: Option<FaultAt>,
    /// The lie that the system tells.
    pub lie: Option<Lie>,
    /// The mark that another process leaves at the next fsync of the directory.
    pub late_mark: Option<String>,
    /// The random numbers to come; after them, a sequence that never repeats.
    pub random: Vec<u64>,
    /// The operations so far, in order, each with the name that it was for.
    pub log: Vec<(Operation, String)>,
    /// The number of hints so far. They change nothing that a crash could leave, and therefore are not operations.
    pub hints: u64,
    /// The disk before each operation that can change it, with the operation's number in the log, if they are recorded.
    pub snapshots: Option<Vec<(usize, Disk)>>,
    /// Whether the process was killed.
    pub killed: bool,
    broken: Option<ErrorName>,
    /// The entries before the last change of them, if that failed.
    stale: Option<Entries>,
    next_random: u64,
}

impl World {
    /// Creates a system with an empty directory.
    pub fn new() -> World {
        World::of(Disk::default())
    }

    /// Creates a system with this disk.
    pub fn of(disk: Disk) -> World {
        World { disk, now: 1_760_785_824, next_random: 0x9e37_79b9_7f4a_7c15, ..World::default() }
    }

    /// Makes the next operation of a kind fail.
    pub fn fail(&mut self, operation: Operation, error: ErrorName) {
        self.fail_after(0, operation, error);
    }

    /// Makes an operation of a kind fail, after `skip` ones that succeed.
    pub fn fail_after(&mut self, skip: usize, operation: Operation, error: ErrorName) {
        self.faults.push(Fault { operation, skip, times: 1, error, takes_effect: false });
    }

    /// Ends all faults and lies.
    pub fn repair(&mut self) {
        self.faults.clear();
        self.fault_at = None;
        self.lie = None;
        self.broken = None;
        self.stale = None;
        self.killed = false;
    }

    /// Returns the content of a file, to be changed without the component.
    pub fn content_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        let inode = *self.entries.get(name)?;
        Some(&mut self.disk.file_mut(inode).ok()?.content)
    }

    /// Returns the kinds of the operations since the log was cleared.
    pub fn operations(&self) -> Vec<Operation> {
        self.log.iter().map(|(operation, _)| *operation).collect()
    }

    /// Logs an operation, and returns the effects of faults on it.
    fn begin(&mut self, operation: Operation, name: &str) -> Effects {
        if self.killed {
            return Effects::failure("io", false);
        }
        let number = self.log.len();
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
            return Effects::failure(fault.error, fault.takes_effect);
        }
        let effects = match self.fault_at {
            Some(FaultAt { operation: at, kind }) if at == number && kind.applies_to(operation) => self.strike(kind),
            _ => Effects::NONE,
        };
        match self.broken {
            Some(error) if operation.needs_space() || (operation.changes() && error != "insufficient-space") => {
                Effects::failure(error, false)
            }
            _ => effects,
        }
    }

    /// Returns the effects of a fault on the operation that was logged last.
    fn strike(&mut self, kind: FaultKind) -> Effects {
        match kind {
            FaultKind::Fails(error) => Effects::failure(error, false),
            FaultKind::HappensAndFails(error) => Effects::failure(error, true),
            FaultKind::LosesPages(failed_sync) => Effects { failed_sync, ..Effects::failure("io", false) },
            FaultKind::WritesHalf => Effects { half: true, ..Effects::NONE },
            FaultKind::StaysBroken(error) => {
                self.broken = Some(error);
                Effects::NONE
            }
            FaultKind::Killed => {
                self.killed = true;
                self.log.pop();
                Effects::failure("io", false)
            }
        }
    }

    /// Performs an operation that either fails or takes effect.
    fn plain(&mut self, operation: Operation, name: &str) -> Result<()> {
        self.begin(operation, name).result
    }

    /// Performs a change of directory entries, which can fail although it took effect.
    fn change(&mut self, operation: Operation, name: &str, change: impl FnOnce(&mut Disk) -> Result<()>) -> Result<()> {
        let effects = self.begin(operation, name);
        let stale = (self.lie == Some(Lie::StaleEntries)).then(|| self.entries.clone());
        let changed = if effects.takes_effect { change(&mut self.disk) } else { Ok(()) };
        let result = changed.and(effects.result);
        self.stale = stale.filter(|_| result.is_err());
        result
    }

    /// Returns the file that a look finds under a name.
    fn look(&self, name: &str) -> Result<Inode> {
        match (self.lie, &self.stale) {
            (Some(Lie::HiddenItem), _) if is_live(name) => Err("no-entry"),
            (Some(Lie::StaleEntries), Some(stale)) => stale.get(name).copied().ok_or("no-entry"),
            _ => self.inode(name),
        }
    }

    /// Creates the subdirectory of marks.
    pub fn create_directory(&mut self, name: &str) -> Result<()> {
        self.plain(Operation::Create, name)?;
        self.disk.create_marks()
    }

    /// Opens the subdirectory of marks.
    pub fn open_directory(&mut self, name: &str) -> Result<()> {
        self.plain(Operation::Open, name)?;
        self.disk.marks_mut().map(|_| ())
    }

    /// Removes the subdirectory of marks.
    pub fn remove_directory(&mut self, name: &str) -> Result<()> {
        self.plain(Operation::Unlink, name)?;
        self.disk.remove_marks()
    }

    /// Creates a file that must not exist.
    pub fn create(&mut self, name: &str) -> Result<Inode> {
        self.plain(Operation::Create, name)?;
        if let Some(mark) = mark_name(name) {
            let is_new = self.disk.marks_mut()?.insert(mark.to_string());
            // A mark has no content, and no file that holds it.
            return if is_new { Ok(0) } else { Err("exist") };
        }
        let now = self.now;
        match self.disk.create(name, now) {
            Err("exist") if self.lie == Some(Lie::ExclusiveCreate) => self.inode(name),
            created => created,
        }
    }

    /// Opens a file.
    pub fn open(&mut self, name: &str) -> Result<Inode> {
        self.plain(Operation::Open, name)?;
        self.inode(name)
    }

    /// Returns whether the subdirectory of marks exists.
    pub fn stat_marks(&mut self) -> Result<()> {
        self.plain(Operation::Stat, MARKS)?;
        self.disk.marks_mut().map(|_| ())
    }

    /// Returns the file that has a name.
    pub fn stat(&mut self, name: &str) -> Result<&File> {
        self.plain(Operation::Stat, name)?;
        let inode = self.look(name)?;
        self.files.get(&inode).map(AsRef::as_ref).ok_or("io")
    }

    /// Returns the number of the file that has a name: two names of one file have the same.
    pub fn identity(&mut self, name: &str) -> Result<Inode> {
        self.plain(Operation::Identity, name)?;
        self.look(name)
    }

    /// Reads bytes.
    pub fn read(&mut self, inode: Inode, offset: usize, length: usize) -> Result<Vec<u8>> {
        self.plain(Operation::Read, "")?;
        let content = &self.files.get(&inode).ok_or("io")?.content;
        let length = length.min(self.read_at_most.unwrap_or(usize::MAX));
        let end = offset.saturating_add(length).min(content.len());
        Ok(content.get(offset..end).unwrap_or_default().to_vec())
    }

    /// Writes bytes and returns how many were stored.
    pub fn write(&mut self, inode: Inode, offset: usize, bytes: &[u8]) -> Result<usize> {
        let effects = self.begin(Operation::Write, "");
        effects.result?;
        let most = if effects.half { bytes.len().div_ceil(2) } else { bytes.len() };
        let length = self.write_at_most.unwrap_or(usize::MAX).min(most);
        if let Some(capacity) = self.capacity {
            let named: BTreeSet<Inode> = self.entries.values().copied().collect();
            let used: usize = named.iter().map(|inode| self.files[inode].content.len()).sum();
            if used + length > capacity {
                return Err("insufficient-space");
            }
        }
        let now = self.now;
        self.disk.write(inode, offset, &bytes[..length], now)?;
        Ok(if self.lie == Some(Lie::PartialWrite) { bytes.len() } else { length })
    }

    /// Sets the time of the last modification.
    pub fn set_modified(&mut self, inode: Inode, modified: u64) -> Result<()> {
        self.plain(Operation::SetTimes, "")?;
        self.disk.file_mut(inode)?.modified = modified;
        Ok(())
    }

    /// Fsyncs a file.
    pub fn sync_file(&mut self, inode: Inode) -> Result<()> {
        let effects = self.begin(Operation::SyncFile, "");
        let names = self.entries.iter().filter(|(_, of)| **of == inode).map(|(name, _)| name);
        match effects.result {
            Ok(()) if self.lie.is_some_and(|lie| lie.skips_file_sync(names)) => Ok(()),
            Ok(()) => self.disk.sync_file(inode),
            Err(error) => {
                if !self.killed {
                    self.disk.fail_sync(inode, effects.failed_sync);
                }
                Err(error)
            }
        }
    }

    /// Fsyncs the directory.
    pub fn sync_directory(&mut self) -> Result<()> {
        self.plain(Operation::SyncDirectory, "")?;
        if let Some(mark) = self.late_mark.take() {
            self.disk.marks.get_or_insert_default().insert(mark);
        }
        let operations = self.log.iter().map(|(operation, _)| *operation);
        if !self.lie.is_some_and(|lie| lie.skips_directory_sync(operations)) {
            self.disk.sync_directory();
        }
        Ok(())
    }

    /// Gives a file a second name.
    pub fn link(&mut self, old: &str, new: &str) -> Result<()> {
        let replaces = self.lie == Some(Lie::ReplacingLink);
        self.change(
            Operation::Link,
            new,
            |disk| if replaces { disk.link_replacing(old, new) } else { disk.link(old, new) },
        )
    }

    /// Renames a file.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        self.change(Operation::Rename, new, |disk| disk.rename(old, new))
    }

    /// Removes a name.
    pub fn unlink(&mut self, name: &str) -> Result<()> {
        if let Some(mark) = mark_name(name) {
            self.plain(Operation::Unlink, name)?;
            return if self.disk.marks_mut()?.remove(mark) { Ok(()) } else { Err("no-entry") };
        }
        let skipped = self.lie.is_some_and(|lie| lie.skips_unlink(name));
        self.change(Operation::Unlink, name, |disk| if skipped { Ok(()) } else { disk.unlink(name) })
    }

    /// Returns the names in the subdirectory of marks.
    pub fn read_marks(&mut self) -> Result<Vec<String>> {
        self.plain(Operation::ReadDirectory, MARKS)?;
        Ok(self.disk.marks_mut()?.iter().cloned().collect())
    }

    /// Returns the names in the directory, in an arbitrary order.
    pub fn read_directory(&mut self) -> Result<Vec<String>> {
        self.plain(Operation::ReadDirectory, "")?;
        let mut names: Vec<String> = self.entries.keys().cloned().collect();
        if self.directory_order != 0 {
            names.sort_by_key(|name| xxh3_64_with_seed(name.as_bytes(), self.directory_order));
        }
        Ok(names)
    }

    /// Reads one of the names of the directory.
    pub fn read_entry(&mut self, name: &str) -> Result<()> {
        self.plain(Operation::ReadEntry, name)
    }

    /// Returns a random number.
    pub fn next_random(&mut self) -> u64 {
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
