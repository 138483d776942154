//! What a host developer would take to keep mails on a disk, behind one trait: each store answers at the same point, when
//! what it did survives power loss.

pub(crate) mod child;
pub(crate) mod component;
mod envelope;
mod fjall;
pub(crate) mod flip;
mod maildir;
mod plain;
mod redb;
pub(crate) mod sqlite;
pub(crate) mod syncs;

use std::path::Path;

/// A store of mails. Threads share it.
pub(crate) trait Store: Send + Sync {
    /// Keeps a mail durably and returns its id.
    fn put(&self, body: &[u8]) -> String;

    /// Keeps so many mails, each with another body, as fast as it can, without waiting for the disk.
    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String>;

    /// Notes of a mail that so many deliveries of it were tried, durably. One number is another one than before: a store that
    /// finds that nothing changed has nothing to sync.
    fn update(&self, id: &str, attempts: u64);

    /// Reads the id and the envelope of every mail, and says how many there are.
    fn list(&self) -> usize;

    /// Returns the body of a mail; none if it is not there, or the store knows that it is damaged.
    fn get(&self, id: &str) -> Option<Vec<u8>>;

    /// Removes a mail durably.
    fn remove(&self, id: &str);
}

/// A kind of store.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Opens the store in a directory, which it may create.
    pub(crate) open: fn(&Path) -> Box<dyn Store>,
}

/// All of them; the one that the others are compared with is the first.
pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "queue-store", open: |path| Box::new(component::Component::open(path)) },
    Kind { name: "SQLite", open: |path| Box::new(sqlite::Sqlite::open(path)) },
    Kind { name: "redb", open: |path| Box::new(redb::Redb::open(path)) },
    Kind { name: "fjall", open: |path| Box::new(fjall::Fjall::open(path)) },
    Kind { name: "Maildir", open: |path| Box::new(maildir::Maildir::open(path)) },
    Kind { name: "plain files", open: |path| Box::new(plain::Plain::open(path)) },
];

/// The kind of this name.
pub(crate) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
