//! Listings: a page at a time, in the order of ids. No session is held between pages.

use crate::convert::{failure, format, info, problem, state, state_numbers};
use crate::database::Database;
use crate::read::open_parts;
use queue_store::error::Cause;
use queue_store::item::parts::Strictness;
use queue_store::limits::{MAX_ITEM_PAGE, MAX_PAGE_BYTES};
use queue_store_host::types::{Counts, Detail, Entry, ItemInfo, State};
use queue_store_host::{Error, Result};
use std::sync::Arc;
use tokio_postgres::Row;

/// The names of items that follow an id.
const NAMES: &str = "SELECT id, state FROM queue_store.item \
     WHERE queue = $1 AND id > $2 AND state = ANY($3) ORDER BY id LIMIT $4";

/// The envelopes of items that follow an id.
const ENVELOPES: &str = "SELECT id, state, format, head, tail FROM queue_store.item \
     WHERE queue = $1 AND id > $2 AND state = ANY($3) ORDER BY id LIMIT $4";

const COUNTS: &str = "SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1), \
     count(*) FILTER (WHERE state = 2), (SELECT count(*) FROM queue_store.draft WHERE queue = $1) \
     FROM queue_store.item WHERE queue = $1";

/// A listing.
pub(crate) struct Listing {
    database: Arc<Database>,
    states: Vec<i16>,
    detail: Detail,
    /// The id after which the next page begins.
    after: String,
    /// The number of items on the next page.
    limit: i64,
    done: bool,
}

impl Database {
    /// Begins a listing of the items in these states; none given: all.
    pub(crate) async fn items(self: &Arc<Database>, states: &[State], detail: Detail) -> Result<Listing> {
        self.settle_doubts(self.deadline()).await?;
        Ok(Listing {
            database: self.clone(),
            states: state_numbers(states),
            detail,
            after: String::new(),
            limit: MAX_ITEM_PAGE as i64,
            done: false,
        })
    }

    /// Counts the items by state, and the bodies that no item names yet.
    pub(crate) async fn count(&self) -> Result<Counts> {
        let deadline = self.deadline();
        self.settle_doubts(deadline).await?;
        let rows = self.query(deadline, COUNTS, &[&self.queue]).await?;
        let count = |column| rows.first().map_or(0, |row| row.get::<_, i64>(column)).cast_unsigned();
        Ok(Counts { ready: count(0), held: count(1), quarantined: count(2), temporary: count(3), foreign: 0 })
    }
}

impl Listing {
    /// Returns the next items; none at the end.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<Entry>>> {
        if self.done {
            return Ok(None);
        }
        let sql = if self.detail == Detail::Name { NAMES } else { ENVELOPES };
        let database = &self.database;
        let rows = database
            .query(database.deadline(), sql, &[&database.queue, &self.after, &self.states, &self.limit])
            .await?;
        let Some(last) = rows.last() else {
            self.done = true;
            return Ok(None);
        };
        self.after = last.get(0);
        self.adapt_limit(&rows);
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            entries.push(self.entry(row).await?);
        }
        Ok(Some(entries))
    }

    /// Makes pages of large envelopes short, so that their memory is bounded.
    fn adapt_limit(&mut self, rows: &[Row]) {
        if self.detail == Detail::Name {
            return;
        }
        let bytes: usize = rows.iter().map(|row| row.get::<_, &[u8]>(3).len()).sum();
        let fitting = MAX_PAGE_BYTES * rows.len() / bytes.max(1);
        self.limit = fitting.clamp(1, MAX_ITEM_PAGE) as i64;
    }

    async fn entry(&self, row: &Row) -> Result<Entry> {
        let (id, state): (String, State) = (row.get(0), state(row.get(1))?);
        if self.detail == Detail::Name {
            return Ok(Entry { id, state, info: None, problem: None });
        }
        let found = match self.info(&id, state, row) {
            // An item that was removed meanwhile stays an entry, as it was.
            Ok(info) if self.detail == Detail::Whole => match self.database.read_whole(&id).await {
                Err(failure) if is_of_item(&failure) => Err(failure),
                Err(failure) => return Err(failure),
                Ok(integrity) => Ok(ItemInfo { integrity: integrity.unwrap_or(info.integrity), ..info }),
            },
            found => found,
        };
        Ok(match found {
            Err(failure) => Entry { id, state, info: None, problem: Some(problem(&failure)) },
            Ok(info) => {
                let mismatch = info.recorded_id.clone().map(|recorded_id| failure(Cause::IdMismatch(recorded_id), &id));
                Entry { id, state, info: Some(info), problem: mismatch.as_ref().map(problem) }
            }
        })
    }

    fn info(&self, id: &str, state: State, row: &Row) -> Result<ItemInfo> {
        let (head, tail): (&[u8], &[u8]) = (row.get(3), row.get(4));
        let mut reader = open_parts(id, head, tail, Strictness::Full)?;
        Ok(info(id, state, format(row.get(2))?, (head.len() + tail.len()) as u64, &mut reader))
    }
}

/// Whether an error is of the item, and not of the database.
fn is_of_item(failure: &Error) -> bool {
    use queue_store_host::types::ErrorCode::{ChecksumMismatch, Corrupt, IdMismatch, TooLarge, Unsupported};
    matches!(failure.code(), Some(Corrupt | ChecksumMismatch | IdMismatch | TooLarge | Unsupported))
}
