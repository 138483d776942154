//! A store in SQLite with a write-ahead log that is synced with every transaction. Envelopes are in a table of their
//! own, so that an update does not touch a body. Threads share one connection: SQLite has one writer at a time in any
//! case.

use super::envelope;
use super::store::Store;
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) struct Sqlite(Mutex<Connection>);

impl Sqlite {
    pub(crate) fn open(path: &Path) -> Sqlite {
        let connection = Connection::open(path.join("queue.sqlite")).expect("the database opens");
        let setting = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        assert_eq!(setting.as_deref(), Ok("wal"));
        connection.pragma_update(None, "synchronous", "FULL").expect("the pragma is known");
        let tables = "CREATE TABLE IF NOT EXISTS body (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
                      CREATE TABLE IF NOT EXISTS envelope (id INTEGER PRIMARY KEY, envelope BLOB NOT NULL);";
        connection.execute_batch(tables).expect("the tables can be created");
        Sqlite(Mutex::new(connection))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(connection: &Connection, body: &[u8]) -> rusqlite::Result<i64> {
    connection.prepare_cached("INSERT INTO body (body) VALUES (?1)")?.execute(params![body])?;
    let id = connection.last_insert_rowid();
    let mut statement = connection.prepare_cached("INSERT INTO envelope (id, envelope) VALUES (?1, ?2)")?;
    statement.execute(params![id, envelope::encoded(0)])?;
    Ok(id)
}

/// Runs `work` in one transaction and commits it.
fn transact<T>(connection: &mut Connection, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> T {
    let transaction = connection.transaction().expect("a transaction begins");
    let result = work(&transaction).expect("the statements succeed");
    transaction.commit().expect("the commit succeeds");
    result
}

impl Store for Sqlite {
    fn put(&self, body: &[u8]) -> String {
        transact(&mut self.connection(), |transaction| insert(transaction, body)).to_string()
    }

    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String> {
        let ids: Vec<i64> = transact(&mut self.connection(), |all| bodies.map(|body| insert(all, &body)).collect());
        ids.iter().map(i64::to_string).collect()
    }

    fn update(&self, id: &str, attempts: u64) {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("UPDATE envelope SET envelope = ?2 WHERE id = ?1")
            .expect("the statement is valid");
        assert_eq!(statement.execute(params![id, envelope::encoded(attempts)]), Ok(1));
    }

    fn list(&self) -> usize {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT id, envelope FROM envelope").expect("the statement is valid");
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
        let rows = statement.query_map([], read).expect("the query succeeds");
        rows.filter(|row| row.as_ref().is_ok_and(|(_, bytes)| envelope::decode(bytes).is_some())).count()
    }

    fn get(&self, id: &str) -> Option<Vec<u8>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT body FROM body WHERE id = ?1").ok()?;
        statement.query_row(params![id], |row| row.get(0)).ok()
    }

    fn remove(&self, id: &str) {
        transact(&mut self.connection(), |transaction| {
            transaction.prepare_cached("DELETE FROM body WHERE id = ?1")?.execute(params![id])?;
            transaction.prepare_cached("DELETE FROM envelope WHERE id = ?1")?.execute(params![id])
        });
    }
}
