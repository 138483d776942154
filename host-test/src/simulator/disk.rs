//! A disk with one directory: what a process sees of it, and what of that a power cut leaves.
//!
//! A file has pages of 4 KiB and a size. Until a sync of the file succeeds, what was written is in the cache alone, or on its
//! way. A directory has names. Until a sync of the directory succeeds, each change of a name may or may not have
//! reached the medium, whatever became of the others.

use std::collections::{BTreeMap, BTreeSet};

/// A file's number.
pub type Inode = u64;

/// What is written to the medium as one, in bytes, as far as a file system promises it.
pub const PAGE_BYTES: usize = 4096;

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct File {
    /// What a process reads.
    pub content: Vec<u8>,
    /// When it was modified, in seconds.
    pub modified: u64,
    /// What a power cut leaves for certain.
    durable: Vec<u8>,
    /// The pages that the next sync writes.
    dirty: BTreeSet<usize>,
    /// Whether the next sync writes the size.
    size_dirty: bool,
}

/// What a failed sync of a file leaves in the cache. The pages are clean after it in either case, so that the next sync has
/// nothing to write and succeeds: that is how Linux does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailedSync {
    /// What was written.
    Kept,
    /// What is on the medium.
    Reverted,
}

/// A change of names that no sync of the directory covers yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum NameChange {
    /// A name was given to a file: by a creation, or by a link.
    Set { name: String, inode: Inode, created: bool },
    /// A name was taken away.
    Removed { name: String },
    /// A file was renamed.
    Moved { old: String, new: String, inode: Inode },
}

/// A disk with one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// The names that a process sees.
    pub names: BTreeMap<String, Inode>,
    /// The files, whether they have a name or not.
    pub files: BTreeMap<Inode, File>,
    durable_names: BTreeMap<String, Inode>,
    unsynced: Vec<NameChange>,
    /// Whether the sync of a file makes the name durable under which it was created: POSIX does not ask for it, file
    /// systems of Linux do it.
    pub sync_pins_name: bool,
    last_inode: Inode,
}

/// What WASI calls an error, by its name there.
pub type ErrorName = &'static str;

/// The result of an operation.
pub type Result<T> = std::result::Result<T, ErrorName>;

impl File {
    /// A file whose content is durable.
    pub fn durable(content: Vec<u8>, modified: u64) -> File {
        File { durable: content.clone(), content, modified, dirty: BTreeSet::new(), size_dirty: false }
    }

    /// What a power cut leaves for certain of it.
    pub fn durable_content(&self) -> &[u8] {
        &self.durable
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.content.len() < end {
            // A hole reads as zeros, and so is written as them.
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
        self.forget_dirty();
    }

    fn fail_sync(&mut self, failed: FailedSync) {
        if failed == FailedSync::Reverted {
            self.content.clone_from(&self.durable);
        }
        self.forget_dirty();
    }

    fn forget_dirty(&mut self) {
        self.dirty.clear();
        self.size_dirty = false;
    }
}

impl Disk {
    /// A disk that has these files, durably.
    pub fn with(files: impl IntoIterator<Item = (Vec<String>, File)>) -> Disk {
        let mut disk = Disk::default();
        for (names, file) in files {
            disk.last_inode += 1;
            disk.files.insert(disk.last_inode, file);
            disk.names.extend(names.into_iter().map(|name| (name, disk.last_inode)));
        }
        disk.durable_names.clone_from(&disk.names);
        disk
    }

    /// Whether a power cut would change nothing.
    pub fn is_durable(&self) -> bool {
        let durable = |inode: &Inode| self.files[inode].content == self.files[inode].durable;
        self.names == self.durable_names && self.names.values().all(durable)
    }

    /// What is durable of the names.
    pub(super) fn durable_names(&self) -> &BTreeMap<String, Inode> {
        &self.durable_names
    }

    /// The changes of names that are not durable yet, in order.
    pub(super) fn unsynced(&self) -> &[NameChange] {
        &self.unsynced
    }

    /// The file that has a name.
    pub fn inode(&self, name: &str) -> Result<Inode> {
        self.names.get(name).copied().ok_or("no-entry")
    }

    /// Creates a file that must not exist.
    pub fn create(&mut self, name: &str, now: u64) -> Result<Inode> {
        if self.names.contains_key(name) {
            return Err("exist");
        }
        self.last_inode += 1;
        let inode = self.last_inode;
        self.files.insert(inode, File { modified: now, ..File::default() });
        self.names.insert(name.to_string(), inode);
        self.unsynced.push(NameChange::Set { name: name.to_string(), inode, created: true });
        Ok(inode)
    }

    /// Writes bytes.
    pub fn write(&mut self, inode: Inode, offset: usize, bytes: &[u8], now: u64) -> Result<()> {
        let file = self.files.get_mut(&inode).ok_or("io")?;
        file.write(offset, bytes);
        file.modified = now;
        Ok(())
    }

    /// Makes a file durable.
    pub fn sync_file(&mut self, inode: Inode) -> Result<()> {
        self.files.get_mut(&inode).ok_or("io")?.sync();
        let pinned =
            |change: &NameChange| matches!(change, NameChange::Set { inode: of, created: true, .. } if *of == inode);
        if self.sync_pins_name
            && let Some(at) = self.unsynced.iter().position(pinned)
            && let NameChange::Set { name, inode, .. } = self.unsynced.remove(at)
        {
            self.durable_names.insert(name, inode);
        }
        Ok(())
    }

    /// Fails to make a file durable.
    pub fn fail_sync(&mut self, inode: Inode, failed: FailedSync) {
        if let Some(file) = self.files.get_mut(&inode) {
            file.fail_sync(failed);
        }
    }

    /// Makes the names durable.
    pub fn sync_directory(&mut self) {
        self.durable_names.clone_from(&self.names);
        self.unsynced.clear();
    }

    /// Gives a file a second name.
    pub fn link(&mut self, old: &str, new: &str) -> Result<()> {
        let inode = self.inode(old)?;
        if self.names.contains_key(new) {
            return Err("exist");
        }
        self.names.insert(new.to_string(), inode);
        self.unsynced.push(NameChange::Set { name: new.to_string(), inode, created: false });
        Ok(())
    }

    /// Gives a file another name.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        let inode = self.inode(old)?;
        // POSIX: between two names of one file, rename does nothing.
        if self.names.get(new) != Some(&inode) {
            self.names.remove(old);
            self.names.insert(new.to_string(), inode);
            self.unsynced.push(NameChange::Moved { old: old.to_string(), new: new.to_string(), inode });
        }
        Ok(())
    }

    /// Removes a name.
    pub fn unlink(&mut self, name: &str) -> Result<()> {
        self.inode(name)?;
        self.names.remove(name);
        self.unsynced.push(NameChange::Removed { name: name.to_string() });
        Ok(())
    }
}
