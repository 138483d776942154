//! A directory in memory, behind the seam of the queue.

use queue_store_native::error::Error;
use queue_store_native::filesystem::{Directory, DirectoryEntry, Entries, Failure, File, Kind, Stat, System};
use queue_store_native::list::Text;
use queue_store_native::message::Timestamp;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

type Content = Rc<RefCell<Vec<u8>>>;

/// A directory: its files by their names.
#[derive(Clone, Default)]
pub struct Memory {
    files: Rc<RefCell<BTreeMap<String, Content>>>,
    random: Rc<Cell<u64>>,
}

/// An open file.
pub struct MemoryFile(Content);

/// The names in a directory.
pub struct Names(std::vec::IntoIter<String>);

impl Memory {
    /// A directory of these files.
    pub fn with(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Memory {
        let files = files.into_iter().map(|(name, content)| (name, Rc::new(RefCell::new(content)))).collect();
        Memory { files: Rc::new(RefCell::new(files)), random: Rc::default() }
    }

    /// What the files have.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.borrow().iter().map(|(name, content)| (name.clone(), content.borrow().clone())).collect()
    }

    fn file(&self, name: &str) -> Result<Content, Failure> {
        self.files.borrow().get(name).cloned().ok_or(Failure::NoEntry)
    }
}

fn stat(content: &Content) -> Stat {
    let modified = Some(Timestamp { seconds: 1, nanos: 0 });
    Stat { kind: Kind::Regular, size: content.borrow().len() as u64, modified }
}

impl System for Memory {
    type Directory = Memory;

    fn directory(&self, _: &str) -> Result<Memory, Error> {
        Ok(self.clone())
    }

    fn preopens(&self) -> Vec<Text> {
        vec!["queue".into()]
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
    type Entries = Names;

    fn create(&self, name: &str) -> Result<MemoryFile, Failure> {
        let mut files = self.files.borrow_mut();
        if files.contains_key(name) {
            return Err(Failure::Exist);
        }
        let content = Content::default();
        files.insert(name.to_string(), content.clone());
        Ok(MemoryFile(content))
    }

    fn open(&self, name: &str) -> Result<MemoryFile, Failure> {
        self.file(name).map(MemoryFile)
    }

    fn stat(&self, name: &str) -> Result<Stat, Failure> {
        self.file(name).map(|content| stat(&content))
    }

    fn identity(&self, name: &str) -> Result<u128, Failure> {
        self.file(name).map(|content| Rc::as_ptr(&content).addr() as u128)
    }

    fn link(&self, old: &str, new: &str) -> Result<(), Failure> {
        let content = self.file(old)?;
        if self.files.borrow().contains_key(new) {
            return Err(Failure::Exist);
        }
        self.files.borrow_mut().insert(new.to_string(), content);
        Ok(())
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), Failure> {
        let content = self.file(old)?;
        let mut files = self.files.borrow_mut();
        files.remove(old);
        files.insert(new.to_string(), content);
        Ok(())
    }

    fn unlink(&self, name: &str) -> Result<(), Failure> {
        self.files.borrow_mut().remove(name).map(|_| ()).ok_or(Failure::NoEntry)
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn entries(&self) -> Result<Names, Failure> {
        Ok(Names(self.files.borrow().keys().cloned().collect::<Vec<_>>().into_iter()))
    }
}

impl Entries for Names {
    fn next(&mut self) -> Result<Option<DirectoryEntry>, Failure> {
        Ok(self.0.next().map(|name| DirectoryEntry { name: name.as_str().into(), kind: Kind::Regular }))
    }
}

impl File for MemoryFile {
    fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, Failure> {
        let content = self.0.borrow();
        let start = (offset as usize).min(content.len());
        let end = start.saturating_add(length).min(content.len());
        Ok(content[start..end].to_vec())
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Failure> {
        let mut content = self.0.borrow_mut();
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        if content.len() < end {
            content.resize(end, 0);
        }
        content[start..end].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn set_modified(&self, _: Timestamp) -> Result<(), Failure> {
        Ok(())
    }

    fn stat(&self) -> Result<Stat, Failure> {
        Ok(stat(&self.0))
    }
}
