//! A store in fjall, whose journal is synced after every change. Envelopes are in a keyspace of their own, as for
//! SQLite.

use super::envelope;
use super::store::Store;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) struct Fjall {
    database: Database,
    bodies: Keyspace,
    envelopes: Keyspace,
    next: AtomicU64,
}

impl Fjall {
    pub(super) fn open(path: &Path) -> Fjall {
        let database = Database::builder(path.join("fjall")).open().expect("the database opens");
        let keyspace = |name| database.keyspace(name, KeyspaceCreateOptions::default).expect("the keyspace opens");
        let (bodies, envelopes) = (keyspace("body"), keyspace("envelope"));
        let last = envelopes.last_key_value().map(|last| last.key().expect("the last key can be read"));
        let next = last.map_or(0, |last| u64::from_be_bytes((*last).try_into().expect("keys have 8 bytes")) + 1);
        Fjall { database, bodies, envelopes, next: AtomicU64::new(next) }
    }

    fn insert(&self, batch: &mut OwnedWriteBatch, body: &[u8]) -> String {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        batch.insert(&self.bodies, id.to_be_bytes(), body);
        batch.insert(&self.envelopes, id.to_be_bytes(), envelope::encoded(0));
        id.to_string()
    }

    /// Runs `work` in one batch and syncs it.
    fn change<T>(&self, work: impl FnOnce(&mut OwnedWriteBatch) -> T) -> T {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        let result = work(&mut batch);
        batch.commit().expect("the commit succeeds");
        result
    }
}

fn key(id: &str) -> [u8; 8] {
    id.parse::<u64>().expect("the id is one of this store").to_be_bytes()
}

impl Store for Fjall {
    fn put(&self, body: &[u8]) -> String {
        self.change(|batch| self.insert(batch, body))
    }

    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String> {
        let load = |body: Vec<u8>| {
            let mut batch = self.database.batch();
            let id = self.insert(&mut batch, &body);
            batch.commit().expect("the commit succeeds");
            id
        };
        let ids = bodies.map(load).collect();
        self.database.persist(PersistMode::SyncAll).expect("the sync succeeds");
        ids
    }

    fn update(&self, id: &str, attempts: u64) {
        self.change(|batch| batch.insert(&self.envelopes, key(id), envelope::encoded(attempts)));
    }

    fn list(&self) -> usize {
        let read = |row: &fjall::Result<(fjall::Slice, fjall::Slice)>| {
            row.as_ref().is_ok_and(|(_, bytes)| envelope::decode(bytes).is_some())
        };
        self.envelopes.iter().map(|row| row.into_inner()).filter(read).count()
    }

    fn get(&self, id: &str) -> Option<Vec<u8>> {
        self.bodies.get(key(id)).ok().flatten().map(|body| body.to_vec())
    }

    fn remove(&self, id: &str) {
        self.change(|batch| {
            batch.remove(&self.bodies, key(id));
            batch.remove(&self.envelopes, key(id));
        });
    }
}
