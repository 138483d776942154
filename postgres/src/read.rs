//! Reads of items, with their bodies in chunks.

use crate::convert::{self, failure, format, info, state};
use crate::database::{Database, Lease};
use crate::item::{CHUNK_BYTES, check_id, no_item};
use crate::sql_error::{SqlError, error, record};
use queue_store::error::Cause;
use queue_store::item::parts::{PartsReader, Strictness};
use queue_store::limits::MAX_LIST_BODY_BYTES;
use queue_store_host::types::{self, ErrorCode, Format, Integrity, Item, ItemInfo, State};
use queue_store_host::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// An item, and its body if that is small.
const OPEN: &str = "SELECT state, format, head, tail, revision, body, small_body \
     FROM queue_store.item WHERE queue = $1 AND id = $2";

/// An item without its body.
const INFO: &str = "SELECT state, format, head, tail FROM queue_store.item WHERE queue = $1 AND id = $2";

/// Some chunks of a body.
const CHUNKS: &str =
    "SELECT number, bytes FROM queue_store.chunk WHERE body = $1 AND number >= $2 ORDER BY number LIMIT 4";

/// Every statement of a reader sees the same state of the database.
const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// An item that is being read.
pub(crate) struct OpenItem {
    pub(crate) id: String,
    pub(crate) state: State,
    pub(crate) format: Format,
    pub(crate) parts_bytes: u64,
    pub(crate) reader: PartsReader,
    /// The revision as the tables have it.
    pub(crate) revision: i64,
    /// The number of a body in chunks.
    body: Option<i64>,
    /// Chunks that were fetched and not returned.
    chunks: VecDeque<Vec<u8>>,
    /// The number of the chunk that is fetched next.
    next: i32,
    /// Bytes of the body that are left to be fetched or returned.
    left: u64,
    /// Bytes of the next chunk that are not returned, since they precede the offset.
    skip: usize,
    /// Whether the whole is verified at the end.
    verifies: bool,
    /// Whether the body is read from an offset.
    is_partial: bool,
    /// The session of a body of several chunks.
    snapshot: Option<Snapshot>,
    database: Arc<Database>,
}

impl Database {
    /// Returns the facts about an item.
    pub(crate) async fn info(&self, id: &str) -> Result<ItemInfo> {
        check_id(id)?;
        let deadline = self.deadline();
        self.settle_doubts(deadline).await?;
        let rows = self.query(deadline, INFO, &[&self.queue, &id]).await?;
        let row = rows.first().ok_or_else(|| no_item(id))?;
        let (head, tail): (&[u8], &[u8]) = (row.get(2), row.get(3));
        let mut reader = open_parts(id, head, tail, Strictness::Full)?;
        let (state, format) = (state(row.get(0))?, format(row.get(1))?);
        Ok(info(id, state, format, (head.len() + tail.len()) as u64, &mut reader))
    }

    /// Opens an item at the beginning of its body.
    pub(crate) async fn open(
        self: &Arc<Database>,
        deadline: Instant,
        id: &str,
        strictness: Strictness,
    ) -> Result<OpenItem> {
        check_id(id)?;
        self.settle_doubts(deadline).await?;
        let rows = self.query(deadline, OPEN, &[&self.queue, &id]).await?;
        let item = self.open_row(id, &rows, strictness)?;
        if item.body.is_none() {
            return Ok(item);
        }
        // Again, in a session that keeps the chunks of an item that is removed meanwhile.
        let permit = timeout_at(deadline, self.large_readers.clone().acquire_owned()).await;
        let permit = permit.ok().and_then(|permit| permit.ok()).ok_or_else(too_many_readers)?;
        let lease = self.lease(deadline).await?;
        let again = async {
            lease.execute(BEGIN_SNAPSHOT).await?;
            lease.query(OPEN, &[&self.queue, &id]).await
        };
        match timeout_at(deadline, again).await.unwrap_or_else(|_| Err(SqlError::timed_out())) {
            Ok(rows) => {
                let snapshot = Snapshot { lease: Some(lease), database: self.clone(), _permit: permit };
                Ok(OpenItem { snapshot: Some(snapshot), ..self.open_row(id, &rows, strictness)? })
            }
            Err(cause) => {
                lease.give_up();
                Err(cause.into())
            }
        }
    }

    /// Reads an item to its end. Returns how much was verified, or none where the item is gone.
    pub(crate) async fn read_whole(self: &Arc<Database>, id: &str) -> Result<Option<Integrity>> {
        let deadline = self.deadline();
        let mut item = match self.open(deadline, id, Strictness::Full).await {
            Err(failure) if failure.code() == Some(ErrorCode::NotFound) => return Ok(None),
            item => item?,
        };
        item.read_all(deadline, |_| {}).await?;
        Ok(Some(convert::integrity(item.reader.integrity())))
    }

    fn open_row(self: &Arc<Database>, id: &str, rows: &[Row], strictness: Strictness) -> Result<OpenItem> {
        let row = rows.first().ok_or_else(|| no_item(id))?;
        let (head, tail): (&[u8], &[u8]) = (row.get(2), row.get(3));
        let (body, small_body): (Option<i64>, Option<Vec<u8>>) = (row.get(5), row.get(6));
        if body.is_some() == small_body.is_some() {
            return Err(corrupt(id, "it has no body, or two"));
        }
        let reader = open_parts(id, head, tail, strictness)?;
        Ok(OpenItem {
            id: id.to_string(),
            state: state(row.get(0))?,
            format: format(row.get(1))?,
            parts_bytes: (head.len() + tail.len()) as u64,
            left: reader.body_length(),
            reader,
            revision: row.get(4),
            body,
            chunks: small_body.into_iter().collect(),
            next: 0,
            skip: 0,
            verifies: true,
            is_partial: false,
            snapshot: None,
            database: self.clone(),
        })
    }

    /// Returns an item, verified whole.
    pub(crate) async fn get(self: &Arc<Database>, id: &str) -> Result<Item> {
        let deadline = self.deadline();
        let mut item = self.open(deadline, id, Strictness::Full).await?;
        if item.left > MAX_LIST_BODY_BYTES {
            let cause = "the body is larger than `max-list-body-bytes`: read it as a stream";
            return Err(failure(Cause::TooLarge(cause), id));
        }
        let mut body = Vec::new();
        item.read_all(deadline, |bytes| body.extend_from_slice(bytes)).await?;
        let (_recorded_id, envelope) = convert::split_envelope(item.reader.take_envelope());
        Ok(Item { id: item.id, envelope, body })
    }
}

impl OpenItem {
    /// The time at which a call that begins now must be over.
    pub(crate) fn deadline(&self) -> Instant {
        self.database.deadline()
    }

    /// Goes to an offset of the body, and gives up verifying the whole, unless it is the beginning.
    pub(crate) fn seek(&mut self, offset: u64) -> Result<()> {
        if offset > self.left {
            return Err(failure(Cause::Argument("the body ends before the offset"), &self.id));
        }
        if offset > 0 {
            self.verifies = false;
            self.is_partial = true;
            self.left -= offset;
            let whole_chunks = if self.body.is_some() { offset / CHUNK_BYTES as u64 } else { 0 };
            self.next = whole_chunks as i32;
            self.skip = (offset - whole_chunks * CHUNK_BYTES as u64) as usize;
        }
        Ok(())
    }

    /// Returns the next bytes of the body; none at the end, where the whole was verified.
    pub(crate) async fn next_chunk(&mut self, deadline: Instant) -> Result<Option<Vec<u8>>> {
        loop {
            if self.left == 0 && self.chunks.is_empty() {
                self.snapshot = None;
                if self.verifies {
                    self.reader.verify().map_err(|cause| failure(cause, &self.id))?;
                }
                return Ok(None);
            }
            if let (Some(body), true) = (self.body, self.chunks.is_empty()) {
                self.fetch(deadline, body).await?;
            }
            let Some(mut chunk) = self.chunks.pop_front() else {
                if self.is_partial {
                    return Err(corrupt(&self.id, "the body is shorter than it was"));
                }
                // The checksum tells that a small body is shorter than it was.
                self.left = 0;
                continue;
            };
            self.reader.body(&chunk);
            chunk.drain(..self.skip.min(chunk.len()));
            self.skip = 0;
            self.left = self.left.saturating_sub(chunk.len() as u64);
            if !chunk.is_empty() {
                self.database.counters.bytes_read.add(chunk.len() as u64);
                return Ok(Some(chunk));
            }
        }
    }

    /// Reads the body without verifying it.
    pub(crate) fn give_up_checksums(&mut self) {
        self.verifies = false;
    }

    /// Reads the rest of the body, and passes it to `consume`.
    pub(crate) async fn read_all(&mut self, deadline: Instant, mut consume: impl FnMut(&[u8])) -> Result<()> {
        while let Some(chunk) = self.next_chunk(deadline).await? {
            consume(&chunk);
        }
        Ok(())
    }

    /// Returns the facts about the item, and takes its envelope.
    pub(crate) fn info(&mut self) -> ItemInfo {
        info(&self.id, self.state, self.format, self.parts_bytes, &mut self.reader)
    }

    async fn fetch(&mut self, deadline: Instant, body: i64) -> Result<()> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&body, &self.next];
        let rows = match self.snapshot.as_mut() {
            Some(snapshot) => snapshot.query(deadline, CHUNKS, &parameters).await?,
            None => self.database.query(deadline, CHUNKS, &parameters).await?,
        };
        let numbers = rows.iter().map(|row| row.get::<_, i32>(0));
        if rows.is_empty() || !numbers.eq(self.next..self.next + rows.len() as i32) {
            return Err(corrupt(&self.id, "a chunk of the body is missing"));
        }
        self.next += rows.len() as i32;
        self.chunks.extend(rows.iter().map(|row| row.get::<_, Vec<u8>>(1)));
        if self.next as u64 * CHUNK_BYTES as u64 >= self.reader.body_length() {
            self.snapshot = None;
        }
        Ok(())
    }
}

fn corrupt(id: &str, detail: &str) -> Error {
    types::Error { path: id.to_string(), ..record(ErrorCode::Corrupt, detail) }.into()
}

/// A session whose statements see the database as it was when it began.
struct Snapshot {
    /// none once it was lost.
    lease: Option<Lease>,
    database: Arc<Database>,
    _permit: OwnedSemaphorePermit,
}

impl Snapshot {
    /// Runs a statement, and gives the session up where that fails.
    async fn query(
        &mut self,
        deadline: Instant,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let lost = || SqlError::Lost("the session of this reader was lost: open the item again".to_string());
        let Some(lease) = self.lease.as_ref() else { return Err(lost().into()) };
        let rows = timeout_at(deadline, lease.query(sql, parameters)).await;
        let rows = rows.unwrap_or_else(|_| Err(SqlError::timed_out()));
        if rows.is_err()
            && let Some(lease) = self.lease.take()
        {
            lease.give_up();
        }
        Ok(rows?)
    }
}

impl Drop for Snapshot {
    /// Ends the transaction, and gives the session back.
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            let deadline = self.database.deadline();
            self.database.runtime.spawn(async move {
                let ended = timeout_at(deadline, lease.execute("COMMIT")).await;
                if !ended.is_ok_and(|ended| ended.is_ok()) {
                    lease.give_up();
                }
            });
        }
    }
}

fn too_many_readers() -> Error {
    error(
        ErrorCode::Busy,
        "half of the connections are held by open items with bodies of more than 256 KiB: read them to their ends or close \
         them, or allow more `connections` in the URL",
    )
}

/// Decodes the envelope of an item.
pub(crate) fn open_parts(id: &str, head: &[u8], tail: &[u8], strictness: Strictness) -> Result<PartsReader> {
    PartsReader::open(head, tail.to_vec(), strictness).map_err(|cause| failure(cause, id))
}
