//! The operations of the simulated system, as far as they can fail.

/// The kind of an operation.
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
        use Operation::{SetTimes, SyncDirectory, SyncFile, Write};
        self.changes_entries() || matches!(self, Write | SetTimes | SyncFile | SyncDirectory)
    }

    /// Whether it can change directory entries.
    pub fn changes_entries(self) -> bool {
        use Operation::{Create, Link, Rename, Unlink};
        matches!(self, Create | Link | Rename | Unlink)
    }

    /// Whether it needs space on the disk.
    pub(super) fn needs_space(self) -> bool {
        use Operation::{Create, Link, Rename, Write};
        matches!(self, Create | Write | Link | Rename)
    }
}
