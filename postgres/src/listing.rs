//! Listings: a page at a time, in the order of ids. No session is held between pages.

use crate::convert::{failure, format, info, problem, state, state_numbers};
use crate::database::Database;
use crate::read::open_parts;
use crate::sql_error::only;
use queue_store::error::Cause;
use queue_store::item::parts::Strictness;
use queue_store::limits::{MAX_ITEM_PAGE, MAX_PAGE_BYTES, VALUE_BYTES};
use queue_store_host::types::{self, Counts, Detail, Entry, ItemInfo, Recipient, State};
use queue_store_host::{Error, Result};
use std::sync::Arc;
use tokio_postgres::Row;

/// The names of items that follow an id.
const NAMES: &str = "SELECT id, state FROM queue_store.item \
     WHERE queue = $1 AND id > $2 AND state = ANY($3) ORDER BY id LIMIT $4";

/// The envelopes of items that follow an id: as many as fit into a number of bytes, and at least one.
const ENVELOPES: &str = "SELECT id, state, format, head, tail FROM (\
         SELECT *, sum(octet_length(head) + octet_length(tail)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes, \
             row_number() OVER (ORDER BY id) AS place \
         FROM (SELECT id, state, format, head, tail FROM queue_store.item \
             WHERE queue = $1 AND id > $2 AND state = ANY($3) ORDER BY id LIMIT $4) AS following) AS page \
     WHERE bytes <= $5 OR place = 1 ORDER BY id";

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
    is_done: bool,
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
            is_done: false,
        })
    }

    /// Counts the items by state, and the bodies that no item names yet.
    pub(crate) async fn count(&self) -> Result<Counts> {
        let deadline = self.deadline();
        self.settle_doubts(deadline).await?;
        let row = only(self.query(deadline, COUNTS, &[&self.queue]).await?)?;
        let count = |column| row.get::<_, i64>(column).cast_unsigned();
        Ok(Counts { ready: count(0), held: count(1), quarantined: count(2), temporary: count(3), foreign: 0 })
    }
}

impl Listing {
    /// Returns the next items; none at the end.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<Entry>>> {
        if self.is_done {
            return Ok(None);
        }
        let rows = self.rows().await?;
        if rows.is_empty() {
            self.is_done = true;
            return Ok(None);
        }
        let (mut entries, mut bytes) = (Vec::with_capacity(rows.len()), 0);
        for row in &rows {
            let entry = self.entry(row).await?;
            self.after.clone_from(&entry.id);
            bytes += entry.info.as_ref().map_or(0, envelope_bytes);
            entries.push(entry);
            if bytes >= MAX_PAGE_BYTES {
                break;
            }
        }
        Ok(Some(entries))
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        let Listing { database, states, detail, after, is_done: _ } = self;
        let (deadline, max_items, max_bytes) = (database.deadline(), MAX_ITEM_PAGE as i64, MAX_PAGE_BYTES as i64);
        if *detail == Detail::Name {
            return database.query(deadline, NAMES, &[&database.queue, after, states, &max_items]).await;
        }
        database.query(deadline, ENVELOPES, &[&database.queue, after, states, &max_items, &max_bytes]).await
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

/// Returns the bytes that the envelope of an item takes in memory, about: an address is small in the database, but not in a
/// list.
fn envelope_bytes(info: &ItemInfo) -> usize {
    /// The fields of a recipient, and the recipient itself.
    const VALUES_OF_A_RECIPIENT: usize = 8;
    let types::Envelope { to, recipients, .. } = &info.envelope;
    let values = |recipient: &Recipient| recipient.via.len() + VALUES_OF_A_RECIPIENT;
    let values = to.len() + recipients.iter().map(values).sum::<usize>();
    let body_size = info.body_size.unwrap_or(0);
    info.file_size.saturating_sub(body_size) as usize + values * VALUE_BYTES
}

/// Whether an error is of the item, and not of the database, whose errors have no path.
fn is_of_item(failure: &Error) -> bool {
    use queue_store_host::types::ErrorCode::{ChecksumMismatch, Corrupt, IdMismatch, TooLarge, Unsupported};
    matches!(failure.code(), Some(Corrupt | ChecksumMismatch | IdMismatch | TooLarge | Unsupported))
        && failure.details().is_some_and(|details| !details.path.is_empty())
}
