//! The settings of a run, and the directories and queues of the benchmarks.

use crate::mail::{mail, text};
use queue_store_host::types::{Durability, IdentifiedMail, WriteOptions};
use queue_store_host::{Host, Queue};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// The host of all queues.
pub(crate) static HOST: LazyLock<Host> =
    LazyLock::new(|| Host::new().expect("wasmtime compiles the component for this machine"));

/// The size of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// A hundredth of everything, to check that it works. The figures mean little.
    Quick,
    /// A run of about a quarter of an hour.
    Usual,
    /// A run that includes 10 GB of files.
    Full,
}

/// The settings of all benchmarks.
pub(crate) struct Settings {
    pub(crate) directory: PathBuf,
    pub(crate) memory: PathBuf,
    pub(crate) rounds: usize,
    pub(crate) extent: Extent,
    /// The path of the command `queue-store`; `None` if it was not built.
    pub(crate) command: Option<PathBuf>,
    /// All directories of the run. They are deleted at its end: deleting many files slows later creations down.
    created: RefCell<Vec<Rc<TempDir>>>,
    /// The queues that `filled` has made, by their number of items and the size of the bodies.
    filled: RefCell<HashMap<(usize, usize), Rc<Filled>>>,
}

/// A queue with items.
pub(crate) struct Filled {
    pub(crate) path: PathBuf,
    pub(crate) queue: Queue,
}

impl Settings {
    pub(crate) fn new(
        directory: PathBuf,
        memory: PathBuf,
        rounds: usize,
        extent: Extent,
        command: Option<PathBuf>,
    ) -> Settings {
        Settings { directory, memory, rounds, extent, command, created: RefCell::default(), filled: RefCell::default() }
    }

    /// Returns `number`, or a hundredth of it in a quick run.
    pub(crate) fn scaled(&self, number: usize) -> usize {
        if self.extent == Extent::Quick { (number / 100).max(1) } else { number }
    }

    /// Returns the number of rounds, at most `most`.
    pub(crate) fn rounds(&self, most: usize) -> usize {
        self.rounds.min(most)
    }

    /// Creates a directory on the disk.
    pub(crate) fn on_disk(&self) -> Rc<TempDir> {
        self.fresh(&self.directory)
    }

    /// Creates a directory in memory.
    pub(crate) fn in_memory(&self) -> Rc<TempDir> {
        self.fresh(&self.memory)
    }

    fn fresh(&self, below: &Path) -> Rc<TempDir> {
        let created = tempfile::Builder::new().prefix(".bench-").tempdir_in(below);
        let created = Rc::new(created.expect("the directory for benchmarks is writable"));
        self.created.borrow_mut().push(created.clone());
        created
    }

    /// Returns a queue on the disk with `items` items of `bytes` bytes. Later calls return the same queue.
    pub(crate) fn filled(&self, items: usize, bytes: usize) -> Rc<Filled> {
        if let Some(filled) = self.filled.borrow().get(&(items, bytes)) {
            return filled.clone();
        }
        let directory = self.on_disk();
        let queue = HOST.open(directory.path()).expect("the queue opens");
        fill(&queue, items, &text(bytes));
        self.sync_disk();
        let filled = Rc::new(Filled { path: directory.path().to_path_buf(), queue });
        self.filled.borrow_mut().insert((items, bytes), filled.clone());
        filled
    }

    /// Syncs all file systems, so that pending writes do not slow the next measurement down.
    pub(crate) fn sync_disk(&self) {
        rustix::fs::sync();
        if self.extent != Extent::Quick {
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Drops the page cache, dentries and inodes. Returns whether the process may do so: only root can.
    pub(crate) fn drop_caches(&self) -> bool {
        rustix::fs::sync();
        fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
    }
}

/// Puts `items` items into a queue with durability `none`.
fn fill(queue: &Queue, items: usize, body: &[u8]) {
    let options = WriteOptions { durability: Some(Durability::None), ..WriteOptions::default() };
    let mut left = items;
    while left > 0 {
        let batch = left.min((8 << 20) / (body.len() + 1) + 1).min(500);
        let mails = vec![IdentifiedMail { id: None, mail: mail(body.to_vec()) }; batch];
        let outcomes = queue.put_many(&mails, &options).expect("put-many returns the outcomes");
        outcomes.iter().for_each(|outcome| assert_eq!(outcome.problem, None));
        left -= batch;
    }
}
