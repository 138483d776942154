//! The stores that a host developer would choose from to keep mails on a disk. Each returns from a change once the
//! change survives power loss.

pub(crate) mod child;
pub(crate) mod component;
mod envelope;
mod fjall;
pub(crate) mod flip;
mod maildir;
mod plain;
mod redb;
pub(crate) mod sqlite;
mod store;
pub(crate) mod syncs;

use std::path::Path;
pub(crate) use store::Store;

/// A kind of store.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Opens the store in a directory, which it may create.
    pub(crate) open: fn(&Path) -> Box<dyn Store>,
}

/// All kinds. The first is the one that the others are compared with.
pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "queue-store", open: |path| Box::new(component::Component::open(path)) },
    Kind { name: "SQLite", open: |path| Box::new(sqlite::Sqlite::open(path)) },
    Kind { name: "redb", open: |path| Box::new(redb::Redb::open(path)) },
    Kind { name: "fjall", open: |path| Box::new(fjall::Fjall::open(path)) },
    Kind { name: "Maildir", open: |path| Box::new(maildir::Maildir::open(path)) },
    Kind { name: "plain files", open: |path| Box::new(plain::Plain::open(path)) },
];

/// Returns the kind of this name.
pub(crate) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
