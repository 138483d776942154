//! The state of the simulated system: one directory of files, a clock, and randomness.

use std::collections::BTreeMap;

/// What an operation of the system is called, as far as errors can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// What WASI calls an error, by its name there.
pub type ErrorName = &'static str;

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

/// A file's number.
pub type Inode = u64;

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// What it has.
    pub content: Vec<u8>,
    /// When it was modified, in seconds.
    pub modified: u64,
}

/// The simulated system.
#[derive(Debug, Default)]
pub struct World {
    /// The names in the directory.
    pub names: BTreeMap<String, Inode>,
    /// The files, whether they have a name or not.
    pub files: BTreeMap<Inode, File>,
    /// The time of day, and of the file system, in seconds.
    pub now: u64,
    /// Bytes that a write takes at most.
    pub write_at_most: Option<usize>,
    /// What is to go wrong.
    pub faults: Vec<Fault>,
    /// The random numbers to come; after them, a sequence that never repeats.
    pub random: Vec<u64>,
    /// The operations so far, in order, with the name that each was for.
    pub log: Vec<(Operation, String)>,
    next_inode: Inode,
    next_random: u64,
}

/// The result of an operation.
pub type Result<T> = std::result::Result<T, ErrorName>;

impl World {
    /// An empty directory.
    pub fn new() -> World {
        World { now: 1_760_785_824, next_inode: 1, next_random: 0x9e37_79b9_7f4a_7c15, ..World::default() }
    }

    /// Has one operation of a kind fail once, the next one.
    pub fn fail(&mut self, operation: Operation, error: ErrorName) {
        self.faults.push(Fault { operation, skip: 0, times: 1, error, takes_effect: false });
    }

    /// The content of a file.
    pub fn content(&self, name: &str) -> Option<&[u8]> {
        let file = self.files.get(self.names.get(name)?)?;
        Some(&file.content)
    }

    /// The content of a file, to be changed behind the component's back.
    pub fn content_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        let file = self.files.get_mut(self.names.get(name)?)?;
        Some(&mut file.content)
    }

    /// The names of the operations since the log was cleared.
    pub fn operations(&self) -> Vec<Operation> {
        self.log.iter().map(|(operation, _)| *operation).collect()
    }

    /// Notes an operation; an error if it is to fail, and whether it takes effect all the same.
    fn begin(&mut self, operation: Operation, name: &str) -> (Result<()>, bool) {
        self.log.push((operation, name.to_string()));
        for fault in self.faults.iter_mut().filter(|fault| fault.operation == operation && fault.times > 0) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times -= 1;
            return (Err(fault.error), fault.takes_effect);
        }
        (Ok(()), true)
    }

    /// Does an operation that either fails or takes effect.
    fn plain(&mut self, operation: Operation, name: &str) -> Result<()> {
        self.begin(operation, name).0
    }

    /// The file that has a name.
    fn inode(&self, name: &str) -> Result<Inode> {
        self.names.get(name).copied().ok_or("no-entry")
    }

    /// Creates a file that must not exist.
    pub fn create(&mut self, name: &str) -> Result<Inode> {
        self.plain(Operation::Create, name)?;
        if self.names.contains_key(name) {
            return Err("exist");
        }
        let inode = self.next_inode;
        self.next_inode += 1;
        self.files.insert(inode, File { content: Vec::new(), modified: self.now });
        self.names.insert(name.to_string(), inode);
        Ok(inode)
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
        let end = offset.saturating_add(length).min(content.len());
        Ok(content.get(offset..end).unwrap_or_default().to_vec())
    }

    /// Writes some bytes.
    pub fn write(&mut self, inode: Inode, offset: usize, bytes: &[u8]) -> Result<usize> {
        self.plain(Operation::Write, "")?;
        let length = self.write_at_most.unwrap_or(usize::MAX).min(bytes.len());
        let now = self.now;
        let file = self.files.get_mut(&inode).ok_or("io")?;
        if file.content.len() < offset + length {
            file.content.resize(offset + length, 0);
        }
        file.content[offset..offset + length].copy_from_slice(&bytes[..length]);
        file.modified = now;
        Ok(length)
    }

    /// Sets the time of the last modification.
    pub fn set_modified(&mut self, inode: Inode, modified: u64) -> Result<()> {
        self.plain(Operation::SetTimes, "")?;
        self.files.get_mut(&inode).ok_or("io")?.modified = modified;
        Ok(())
    }

    /// Makes a file durable.
    pub fn sync_file(&mut self) -> Result<()> {
        self.plain(Operation::SyncFile, "")
    }

    /// Makes the names durable.
    pub fn sync_directory(&mut self) -> Result<()> {
        self.plain(Operation::SyncDirectory, "")
    }

    /// Gives a file a second name.
    pub fn link(&mut self, old: &str, new: &str) -> Result<()> {
        let (result, takes_effect) = self.begin(Operation::Link, new);
        if takes_effect {
            let inode = self.inode(old)?;
            if self.names.contains_key(new) {
                return Err("exist");
            }
            self.names.insert(new.to_string(), inode);
        }
        result
    }

    /// Gives a file another name.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        let (result, takes_effect) = self.begin(Operation::Rename, new);
        if takes_effect {
            let inode = self.inode(old)?;
            // POSIX: between two names of one file, rename does nothing.
            if self.names.get(new) != Some(&inode) {
                self.names.remove(old);
                self.names.insert(new.to_string(), inode);
            }
        }
        result
    }

    /// Removes a name.
    pub fn unlink(&mut self, name: &str) -> Result<()> {
        let (result, takes_effect) = self.begin(Operation::Unlink, name);
        if takes_effect {
            self.inode(name)?;
            self.names.remove(name);
        }
        result
    }

    /// The names, all at once.
    pub fn read_directory(&mut self) -> Result<Vec<String>> {
        self.plain(Operation::ReadDirectory, "")?;
        Ok(self.names.keys().cloned().collect())
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
