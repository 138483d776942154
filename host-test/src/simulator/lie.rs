//! Lies: wrong answers of the simulated system, under which a system call that the component makes has no effect, or a look
//! at the directory shows nothing. That a lie breaks a promise proves that the component makes the call, and that the
//! promise needs it.

use super::operation::Operation;

/// A wrong answer, for as long as it is set in the [`World`](super::world::World).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The fsync of a file that has a temporary name alone returns success and does nothing.
    TemporaryFileSync,
    /// The fsync of a file that has the name of an item returns success and does nothing.
    ItemFileSync,
    /// The fsync of the directory returns success and does nothing.
    DirectorySync,
    /// The fsync of the directory returns success and does nothing, in a call that changed no directory entry before it.
    DirectorySyncBeforeChange,
    /// The exclusive creation of a file that exists opens that.
    ExclusiveCreate,
    /// A write that stores a part of the bytes returns the number of all.
    PartialWrite,
    /// A link to a name that is taken replaces the entry.
    ReplacingLink,
    /// A look at the name of a live item returns that there is no such file.
    HiddenItem,
    /// After a change of directory entries that failed, looks show the entries as they were before it.
    StaleEntries,
    /// The unlink of a temporary name returns success and does nothing.
    TemporaryUnlink,
    /// The unlink of another name returns success and does nothing.
    ItemUnlink,
}

impl Lie {
    /// Whether the fsync of a file with these names does nothing.
    pub(super) fn skips_file_sync<'a>(self, mut names: impl Iterator<Item = &'a String>) -> bool {
        match self {
            Lie::TemporaryFileSync => names.all(|name| is_temporary(name)),
            Lie::ItemFileSync => names.any(|name| !is_temporary(name)),
            _ => false,
        }
    }

    /// Whether an fsync of the directory after these operations of the call does nothing.
    pub(super) fn skips_directory_sync(self, mut operations: impl Iterator<Item = Operation>) -> bool {
        match self {
            Lie::DirectorySync => true,
            Lie::DirectorySyncBeforeChange => !operations.any(Operation::changes_entries),
            _ => false,
        }
    }

    /// Whether the unlink of a name does nothing.
    pub(super) fn skips_unlink(self, name: &str) -> bool {
        match self {
            Lie::TemporaryUnlink => is_temporary(name),
            Lie::ItemUnlink => !is_temporary(name),
            _ => false,
        }
    }
}

/// Whether a name is that of a temporary file.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(".m:")
}

/// Whether a name is that of an item that is ready or held.
pub(super) fn is_live(name: &str) -> bool {
    matches!(name.as_bytes(), [b'm' | b'h', b':' | b'=', ..])
}
