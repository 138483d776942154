//! A disk with one directory: the state that a process sees, and the state that is durable.
//!
//! A file has pages of 4 KiB and a size. Until an fsync of the file succeeds, its writes are in the cache, or on their way to
//! the medium. The directory has entries. Until an fsync of the directory succeeds, each change of an entry may or may
//! not have reached the medium, independently of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A file's number.
pub type Inode = u64;

/// The directory entries: a file for each name.
pub type Entries = BTreeMap<String, Inode>;

/// Bytes that a file system writes to the medium as one unit.
pub const PAGE_BYTES: usize = 4096;

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// The content that a process reads.
    pub content: Vec<u8>,
    /// The time of the last modification, in seconds.
    pub modified: u64,
    /// The content that survives power loss.
    durable: Vec<u8>,
    /// The pages that the next fsync writes.
    dirty: BTreeSet<usize>,
    /// Whether the next fsync writes the size.
    size_dirty: bool,
}

/// The content of the cache after a failed fsync. The pages are clean after it in either case, as on Linux, so that the next
/// fsync has nothing to write and succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailedSync {
    /// The cache keeps the written bytes.
    Kept,
    /// The cache has the bytes of the medium again.
    Reverted,
}

/// The name of the subdirectory of marks.
pub const MARKS: &str = ".unsynced";

/// Returns the name of the mark that has a path.
pub(super) fn mark_name(path: &str) -> Option<&str> {
    path.strip_prefix(MARKS)?.strip_prefix('/')
}

/// A change of directory entries that no fsync of the directory covers yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum EntryChange {
    /// A file got a name, by creation or by link.
    Set { name: String, inode: Inode, created: bool },
    /// A name was removed.
    Removed { name: String },
    /// A file was renamed.
    Moved { old: String, new: String, inode: Inode },
}

/// A disk with one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The directory entries that a process sees.
    pub entries: Entries,
    /// The files, with and without a name. Copies of a disk share them.
    pub files: BTreeMap<Inode, Arc<File>>,
    /// The names in the subdirectory of marks, if it exists. Its entries are never fsynced: power loss takes all or none.
    pub marks: Option<BTreeSet<String>>,
    durable_entries: Entries,
    unsynced: Vec<EntryChange>,
    /// Whether the fsync of a file makes the directory entry durable that its creation made. POSIX does not require it; ext4, XFS
    /// and btrfs do it.
    pub sync_pins_entry: bool,
    last_inode: Inode,
}

/// The name of an error in WASI.
pub type ErrorName = &'static str;

/// The result of an operation.
pub type Result<T> = std::result::Result<T, ErrorName>;

impl Hash for File {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.content, self.modified, &self.dirty, self.size_dirty).hash(state);
        // Most files are durable, and are hashed once.
        if self.durable != self.content {
            self.durable.hash(state);
        }
    }
}

impl File {
    /// Creates a file whose content is durable.
    pub fn durable(content: Vec<u8>, modified: u64) -> File {
        File { durable: content.clone(), content, modified, dirty: BTreeSet::new(), size_dirty: false }
    }

    /// Returns the content that survives power loss.
    pub fn durable_content(&self) -> &[u8] {
        &self.durable
    }

    /// Whether the next fsync writes nothing.
    pub(super) fn is_clean(&self) -> bool {
        self.dirty.is_empty() && !self.size_dirty
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.content.len() < end {
            // A hole reads as zeros, and is written as zeros.
            self.dirty.extend(self.content.len() / PAGE_BYTES..=end.saturating_sub(1) / PAGE_BYTES);
            self.content.resize(end, 0);
            self.size_dirty = true;
        }
        self.content[offset..end].copy_from_slice(bytes);
        if !bytes.is_empty() {
            self.dirty.extend(offset / PAGE_BYTES..=(end - 1) / PAGE_BYTES);
        }
    }

    fn sync(&mut self) {
        if self.size_dirty {
            self.durable.resize(self.content.len(), 0);
        }
        for page in &self.dirty {
            let start = page * PAGE_BYTES;
            let end = (start + PAGE_BYTES).min(self.content.len());
            if let Some(durable) = self.durable.get_mut(start..end) {
                durable.copy_from_slice(&self.content[start..end]);
            }
        }
        self.mark_clean();
    }

    fn fail_sync(&mut self, failed: FailedSync) {
        if failed == FailedSync::Reverted {
            self.content.clone_from(&self.durable);
        }
        self.mark_clean();
    }

    fn mark_clean(&mut self) {
        self.dirty.clear();
        self.size_dirty = false;
    }
}

impl Disk {
    /// Creates a disk that has these files durably, each under its names.
    pub fn with(files: impl IntoIterator<Item = (Vec<String>, Arc<File>)>) -> Disk {
        let mut disk = Disk::default();
        for (names, file) in files {
            disk.last_inode += 1;
            disk.files.insert(disk.last_inode, file);
            disk.entries.extend(names.into_iter().map(|name| (name, disk.last_inode)));
        }
        disk.durable_entries.clone_from(&disk.entries);
        disk
    }

    /// Whether power loss would change nothing.
    pub fn is_durable(&self) -> bool {
        let durable = |inode: &Inode| self.files[inode].content == self.files[inode].durable;
        self.entries == self.durable_entries && self.entries.values().all(durable)
    }

    /// Returns the directory entries that survive power loss.
    pub(super) fn durable_entries(&self) -> &Entries {
        &self.durable_entries
    }

    /// Returns the changes of directory entries that are not durable yet, in order.
    pub(super) fn unsynced(&self) -> &[EntryChange] {
        &self.unsynced
    }

    /// Returns the file that has a name.
    pub fn inode(&self, name: &str) -> Result<Inode> {
        self.entries.get(name).copied().ok_or("no-entry")
    }

    /// Returns the content of the file that has a name.
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        let file = self.files.get(self.entries.get(name)?)?;
        Some(&file.content)
    }

    /// Returns a file to be changed.
    pub(super) fn file_mut(&mut self, inode: Inode) -> Result<&mut File> {
        self.files.get_mut(&inode).map(Arc::make_mut).ok_or("io")
    }

    /// Whether there is a mark.
    pub fn is_marked(&self) -> bool {
        self.marks.as_ref().is_some_and(|marks| !marks.is_empty())
    }

    /// Creates the subdirectory of marks.
    pub(super) fn create_marks(&mut self) -> Result<()> {
        if self.marks.is_some() {
            return Err("exist");
        }
        self.marks = Some(BTreeSet::new());
        Ok(())
    }

    /// Returns the subdirectory of marks.
    pub(super) fn marks_mut(&mut self) -> Result<&mut BTreeSet<String>> {
        self.marks.as_mut().ok_or("no-entry")
    }

    /// Removes the subdirectory of marks, which must be empty.
    pub(super) fn remove_marks(&mut self) -> Result<()> {
        if !self.marks_mut()?.is_empty() {
            return Err("not-empty");
        }
        self.marks = None;
        Ok(())
    }

    /// Creates a file that must not exist.
    pub fn create(&mut self, name: &str, now: u64) -> Result<Inode> {
        if self.entries.contains_key(name) {
            return Err("exist");
        }
        self.last_inode += 1;
        let inode = self.last_inode;
        self.files.insert(inode, Arc::new(File { modified: now, ..File::default() }));
        self.set_entry(name, inode, true);
        Ok(inode)
    }

    /// Writes bytes.
    pub fn write(&mut self, inode: Inode, offset: usize, bytes: &[u8], now: u64) -> Result<()> {
        let file = self.file_mut(inode)?;
        file.write(offset, bytes);
        file.modified = now;
        Ok(())
    }

    /// Fsyncs a file.
    pub fn sync_file(&mut self, inode: Inode) -> Result<()> {
        self.file_mut(inode)?.sync();
        let pinned =
            |change: &EntryChange| matches!(change, EntryChange::Set { inode: of, created: true, .. } if *of == inode);
        if self.sync_pins_entry
            && let Some(at) = self.unsynced.iter().position(pinned)
            && let EntryChange::Set { name, inode, .. } = self.unsynced.remove(at)
        {
            self.durable_entries.insert(name, inode);
        }
        Ok(())
    }

    /// Fails to fsync a file.
    pub fn fail_sync(&mut self, inode: Inode, failed: FailedSync) {
        if let Ok(file) = self.file_mut(inode) {
            file.fail_sync(failed);
        }
    }

    /// Fsyncs the directory.
    pub fn sync_directory(&mut self) {
        self.durable_entries.clone_from(&self.entries);
        self.unsynced.clear();
    }

    /// Gives a file a second name, which must be free.
    pub fn link(&mut self, old: &str, new: &str) -> Result<()> {
        let inode = self.inode(old)?;
        if self.entries.contains_key(new) {
            return Err("exist");
        }
        self.set_entry(new, inode, false);
        Ok(())
    }

    /// Gives a file a second name, and takes that from the file that has it.
    pub(super) fn link_replacing(&mut self, old: &str, new: &str) -> Result<()> {
        let inode = self.inode(old)?;
        self.set_entry(new, inode, false);
        Ok(())
    }

    /// Renames a file, and takes the new name from the file that has it.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        let inode = self.inode(old)?;
        // POSIX: a rename between two names of one file does nothing.
        if self.entries.get(new) != Some(&inode) {
            self.entries.remove(old);
            self.entries.insert(new.to_string(), inode);
            self.unsynced.push(EntryChange::Moved { old: old.to_string(), new: new.to_string(), inode });
        }
        Ok(())
    }

    /// Removes a name.
    pub fn unlink(&mut self, name: &str) -> Result<()> {
        self.inode(name)?;
        self.entries.remove(name);
        self.unsynced.push(EntryChange::Removed { name: name.to_string() });
        Ok(())
    }

    fn set_entry(&mut self, name: &str, inode: Inode, created: bool) {
        self.entries.insert(name.to_string(), inode);
        self.unsynced.push(EntryChange::Set { name: name.to_string(), inode, created });
    }
}
