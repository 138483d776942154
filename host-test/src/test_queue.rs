//! A queue in a new directory, which is removed with it.

use crate::instance::{Instance, State};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::{fs, io};
use tempfile::TempDir;

/// An instance with a queue of its own, in a new directory.
pub struct TestQueue {
    instance: Instance<State>,
    directory: TempDir,
}

impl TestQueue {
    /// Creates an empty queue.
    #[expect(clippy::new_without_default, reason = "it creates a directory")]
    pub fn new() -> TestQueue {
        let directory = tempfile::Builder::new().prefix("queue-store-").tempdir();
        let directory = directory.expect("a test can create a temporary directory");
        TestQueue { instance: Instance::over(directory.path()), directory }
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Returns the names in the directory, sorted.
    pub fn names(&self) -> Vec<String> {
        names(self.path())
    }

    /// Creates a second instance over the same directory.
    pub fn sibling(&self) -> Instance<State> {
        Instance::over(self.path())
    }
}

impl Deref for TestQueue {
    type Target = Instance<State>;

    fn deref(&self) -> &Instance<State> {
        &self.instance
    }
}

impl DerefMut for TestQueue {
    fn deref_mut(&mut self) -> &mut Instance<State> {
        &mut self.instance
    }
}

/// Returns the names in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a test can read its own directory");
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.expect("a test can read its own directory").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}
