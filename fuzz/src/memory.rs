//! Implements the queue's file system traits with a directory in memory.

use queue_store::counters::Counters;
use queue_store::error::Error;
use queue_store::item::envelope::Timestamp;
use queue_store::queue::Queue;
use queue_store::storage::errno::Errno;
use queue_store::storage::filesystem::{Directory, DirectoryEntries, DirectoryEntry, File, FileType, Stat, System};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

type Content = Rc<RefCell<Vec<u8>>>;

/// A directory in memory, which is also the system that contains it.
#[derive(Clone, Default)]
pub struct Memory {
    /// The files by their names.
    files: Rc<RefCell<BTreeMap<String, Content>>>,
    random: Rc<Cell<u64>>,
    /// The state of the generator of read lengths; 0 if reads are never short.
    short_reads: Rc<Cell<u64>>,
}

/// An open file.
pub struct MemoryFile {
    content: Content,
    short_reads: Rc<Cell<u64>>,
}

/// The entries of a directory.
pub struct MemoryEntries(std::vec::IntoIter<String>);

impl Memory {
    /// Opens a queue in the directory of this thread, after replacing its files by `files`. There is one directory for
    /// each thread, since a queue needs a `'static` system, and a fuzzer must not leak one for each of its many
    /// executions.
    pub fn queue(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> (&'static Memory, Rc<Queue<Memory>>) {
        thread_local! {
            static SYSTEM: (&'static Memory, &'static Counters) =
                (Box::leak(Box::default()), Box::leak(Box::new(Counters::default())));
        }
        let (memory, counters) = SYSTEM.with(|system| *system);
        memory.random.set(0);
        memory.short_reads.set(0);
        let mut contents = memory.files.borrow_mut();
        contents.clear();
        contents.extend(files.into_iter().map(|(name, content)| (name, Rc::new(RefCell::new(content)))));
        drop(contents);
        (memory, Rc::new(Queue::open(memory, counters, "queue").expect("opening the directory in memory cannot fail")))
    }

    /// Makes reads return fewer bytes than requested, with lengths generated from `seed`; 0 restores full reads.
    pub fn read_short(&self, seed: u64) {
        self.short_reads.set(seed);
    }

    /// Returns the content of one file.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        self.files.borrow().get(name).map(|content| content.borrow().clone())
    }

    /// Returns the contents of all files.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.borrow().iter().map(|(name, content)| (name.clone(), content.borrow().clone())).collect()
    }

    fn opened(&self, content: Content) -> MemoryFile {
        MemoryFile { content, short_reads: self.short_reads.clone() }
    }

    fn file(&self, name: &str) -> Result<Content, Errno> {
        self.files.borrow().get(name).cloned().ok_or(Errno::NoEntry)
    }
}

/// Generates the next length from `seed` and stores the next seed in `state`. The maximum is one of four, equally
/// often: a few bytes, about a SIMD register, about a block of the codec, and far more.
fn chunk(state: &Cell<u64>, seed: u64) -> usize {
    let next = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f) | 1;
    state.set(next);
    let most = [3, 20, 70, 9000][(next >> 33) as usize % 4];
    1 + (next >> 40) as usize % most
}

/// Generates lengths from a seed, without end.
pub fn chunks(seed: u64) -> impl Iterator<Item = usize> {
    let state = Cell::new(seed | 1);
    std::iter::repeat_with(move || chunk(&state, state.get()))
}

fn stat(content: &Content) -> Stat {
    let modified = Some(Timestamp { seconds: 1, nanos: 0 });
    Stat { file_type: FileType::Regular, size: content.borrow().len() as u64, modified }
}

impl System for Memory {
    type Directory = Memory;

    fn open_directory(&self, _: &str) -> Result<Memory, Error> {
        Ok(self.clone())
    }

    fn preopens(&self) -> Vec<String> {
        vec!["queue".to_string()]
    }

    fn now(&self) -> Timestamp {
        Timestamp { seconds: 1_760_785_824, nanos: 0 }
    }

    fn random(&self) -> u64 {
        self.random.set(self.random.get() + 1);
        self.random.get().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Directory for Memory {
    type File = MemoryFile;
    type Entries = MemoryEntries;

    fn create(&self, name: &str) -> Result<MemoryFile, Errno> {
        let mut files = self.files.borrow_mut();
        if files.contains_key(name) {
            return Err(Errno::Exist);
        }
        let content = Content::default();
        files.insert(name.to_string(), content.clone());
        Ok(self.opened(content))
    }

    fn open(&self, name: &str) -> Result<MemoryFile, Errno> {
        self.file(name).map(|content| self.opened(content))
    }

    fn stat(&self, name: &str) -> Result<Stat, Errno> {
        self.file(name).map(|content| stat(&content))
    }

    fn identity(&self, name: &str) -> Result<u128, Errno> {
        self.file(name).map(|content| Rc::as_ptr(&content).addr() as u128)
    }

    fn link(&self, old: &str, new: &str) -> Result<(), Errno> {
        let content = self.file(old)?;
        if self.files.borrow().contains_key(new) {
            return Err(Errno::Exist);
        }
        self.files.borrow_mut().insert(new.to_string(), content);
        Ok(())
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), Errno> {
        let content = self.file(old)?;
        let mut files = self.files.borrow_mut();
        files.remove(old);
        files.insert(new.to_string(), content);
        Ok(())
    }

    fn unlink(&self, name: &str) -> Result<(), Errno> {
        self.files.borrow_mut().remove(name).map(|_| ()).ok_or(Errno::NoEntry)
    }

    fn create_directory(&self, _: &str) -> Result<(), Errno> {
        Err(Errno::Unsupported)
    }

    fn open_directory(&self, _: &str) -> Result<Memory, Errno> {
        Err(Errno::Unsupported)
    }

    fn remove_directory(&self, _: &str) -> Result<(), Errno> {
        Err(Errno::Unsupported)
    }

    fn sync(&self) -> Result<(), Errno> {
        Ok(())
    }

    fn entries(&self) -> Result<MemoryEntries, Errno> {
        Ok(MemoryEntries(self.files.borrow().keys().cloned().collect::<Vec<_>>().into_iter()))
    }
}

impl DirectoryEntries for MemoryEntries {
    fn next(&mut self) -> Result<Option<DirectoryEntry>, Errno> {
        Ok(self.0.next().map(|name| DirectoryEntry { name, file_type: FileType::Regular }))
    }
}

impl File for MemoryFile {
    fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, Errno> {
        let content = self.content.borrow();
        let start = (offset as usize).min(content.len());
        let length = match self.short_reads.get() {
            0 => length,
            seed => length.min(chunk(&self.short_reads, seed)),
        };
        let end = start.saturating_add(length).min(content.len());
        Ok(content[start..end].to_vec())
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
        let mut content = self.content.borrow_mut();
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        if content.len() < end {
            content.resize(end, 0);
        }
        content[start..end].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn start_writeback(&self) {}

    fn sync(&self) -> Result<(), Errno> {
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Errno> {
        Ok(())
    }

    fn set_modified(&self, _: Timestamp) -> Result<(), Errno> {
        Ok(())
    }

    fn stat(&self) -> Result<Stat, Errno> {
        Ok(stat(&self.content))
    }
}
