//! A store in redb, with durability `Immediate`. Envelopes are in a table of their own, as for SQLite.

use super::envelope;
use super::store::Store;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

const BODIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("body");
const ENVELOPES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("envelope");

pub(super) struct Redb {
    database: Database,
    next: AtomicU64,
}

impl Redb {
    pub(super) fn open(path: &Path) -> Redb {
        let redb = Redb {
            database: Database::create(path.join("queue.redb")).expect("the database opens"),
            next: AtomicU64::new(0),
        };
        let last = redb.transact(|transaction| {
            transaction.open_table(BODIES)?;
            Ok(transaction.open_table(ENVELOPES)?.last()?.map(|(id, _)| id.value()))
        });
        redb.next.store(last.map_or(0, |last| last + 1), Ordering::Relaxed);
        redb
    }

    /// Runs `work` in one transaction and commits it.
    fn transact<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>) -> T {
        let mut transaction = self.database.begin_write().expect("a write transaction begins");
        transaction.set_durability(Durability::Immediate).expect("the transaction has no savepoint");
        let result = work(&transaction).expect("the changes succeed");
        transaction.commit().expect("the commit succeeds");
        result
    }

    fn insert(&self, transaction: &WriteTransaction, body: &[u8]) -> Result<String, redb::Error> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        transaction.open_table(BODIES)?.insert(id, body)?;
        transaction.open_table(ENVELOPES)?.insert(id, envelope::encoded(0).as_slice())?;
        Ok(id.to_string())
    }

    fn read(&self, id: u64) -> Result<Option<Vec<u8>>, redb::Error> {
        let body = self.database.begin_read()?.open_table(BODIES)?.get(id)?;
        Ok(body.map(|body| body.value().to_vec()))
    }
}

fn number(id: &str) -> u64 {
    id.parse().expect("the id is one of this store")
}

impl Store for Redb {
    fn put(&self, body: &[u8]) -> String {
        self.transact(|transaction| self.insert(transaction, body))
    }

    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String> {
        self.transact(|transaction| bodies.map(|body| self.insert(transaction, &body)).collect())
    }

    fn update(&self, id: &str, attempts: u64) {
        self.transact(|transaction| {
            transaction.open_table(ENVELOPES)?.insert(number(id), envelope::encoded(attempts).as_slice())?;
            Ok(())
        });
    }

    fn list(&self) -> usize {
        let transaction = self.database.begin_read().expect("a read transaction begins");
        let table = transaction.open_table(ENVELOPES).expect("the table exists");
        let read = |row: &Result<(redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, &[u8]>), _>| {
            row.as_ref().is_ok_and(|(_, bytes)| envelope::decode(bytes.value()).is_some())
        };
        table.iter().expect("the table can be read").filter(read).count()
    }

    fn get(&self, id: &str) -> Option<Vec<u8>> {
        self.read(number(id)).ok().flatten()
    }

    fn remove(&self, id: &str) {
        self.transact(|transaction| {
            transaction.open_table(BODIES)?.remove(number(id))?;
            transaction.open_table(ENVELOPES)?.remove(number(id))?;
            Ok(())
        });
    }
}
