//! What every benchmark is told, and the directories that it gets.

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
pub(crate) static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("this machine runs the component"));

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// A hundredth of it, to try whether everything works. The figures mean little.
    Quick,
    /// What fits a quarter of an hour.
    Usual,
    /// With 10 GB of files.
    Full,
}

/// What every benchmark is told.
pub(crate) struct Settings {
    pub(crate) directory: PathBuf,
    pub(crate) memory: PathBuf,
    pub(crate) rounds: usize,
    pub(crate) extent: Extent,
    /// The command `queue-store`.
    pub(crate) command: Option<PathBuf>,
    /// Everything that was created. Deleting many files slows later creations down, so that happens at the end.
    created: RefCell<Vec<Rc<TempDir>>>,
    filled: RefCell<HashMap<(usize, usize), Rc<Filled>>>,
}

/// A queue that has items.
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

    /// So many, or far fewer where it is to be quick.
    pub(crate) fn scaled(&self, number: usize) -> usize {
        if self.extent == Extent::Quick { (number / 100).max(1) } else { number }
    }

    /// At most so many rounds.
    pub(crate) fn rounds(&self, most: usize) -> usize {
        self.rounds.min(most)
    }

    /// A new directory on the disk.
    pub(crate) fn on_disk(&self) -> Rc<TempDir> {
        self.fresh(&self.directory)
    }

    /// A new directory in memory.
    pub(crate) fn in_memory(&self) -> Rc<TempDir> {
        self.fresh(&self.memory)
    }

    fn fresh(&self, below: &Path) -> Rc<TempDir> {
        let created = tempfile::Builder::new().prefix(".bench-").tempdir_in(below);
        let created = Rc::new(created.expect("a directory for the benchmark"));
        self.created.borrow_mut().push(created.clone());
        created
    }

    /// A queue on the disk with so many items of this size, which is filled once.
    pub(crate) fn filled(&self, items: usize, bytes: usize) -> Rc<Filled> {
        if let Some(filled) = self.filled.borrow().get(&(items, bytes)) {
            return filled.clone();
        }
        let directory = self.on_disk();
        let queue = HOST.open(directory.path()).expect("the queue opens");
        fill(&queue, items, &text(bytes));
        self.settle();
        let filled = Rc::new(Filled { path: directory.path().to_path_buf(), queue });
        self.filled.borrow_mut().insert((items, bytes), filled.clone());
        filled
    }

    /// Waits until the disk has what was written, so that it does not burden what is measured next.
    pub(crate) fn settle(&self) {
        rustix::fs::sync();
        if self.extent != Extent::Quick {
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Has the system forget what it read from the disk, and says whether it could.
    pub(crate) fn drop_caches(&self) -> bool {
        rustix::fs::sync();
        fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
    }
}

/// Puts so many items into a queue, without waiting for the disk.
fn fill(queue: &Queue, items: usize, body: &[u8]) {
    let options = WriteOptions { durability: Some(Durability::None), ..WriteOptions::default() };
    let mut left = items;
    while left > 0 {
        let batch = left.min((8 << 20) / (body.len() + 1) + 1).min(500);
        let mails = vec![IdentifiedMail { id: None, mail: mail(body.to_vec()) }; batch];
        let outcomes = queue.put_many(&mails, &options).expect("the batch is tried");
        outcomes.iter().for_each(|outcome| assert_eq!(outcome.problem, None));
        left -= batch;
    }
}
