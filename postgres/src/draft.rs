//! Mails that are written in chunks.

use crate::convert::{self, failure};
use crate::database::Database;
use crate::item::{CHUNK_BYTES, accept, body_too_large, check_new_id, contested, exists, generate_id};
use crate::new_item::NewItem;
use crate::sql_error::{error, only};
use queue_store::error::Cause;
use queue_store::item::envelope::Envelope;
use queue_store::item::id::GeneratedFor;
use queue_store::item::parts::{Parts, PartsEncoder};
use queue_store::limits::MAX_BODY_BYTES;
use queue_store_host::types::{self, Durability, ErrorCode, Format, WriteOptions};
use queue_store_host::{Error, Result};
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;

/// Begins a body that no item names, and returns its number and its time. Only both tell it from the others: a failover may
/// lose it, and the number is used again. A number that a body has is not taken: giving the draft up would remove that body.
const BEGIN: &str = "WITH next AS (SELECT nextval('queue_store.body_number') AS body) \
     INSERT INTO queue_store.draft (body, queue) SELECT body, $1 FROM next \
     WHERE NOT EXISTS (SELECT FROM queue_store.chunk WHERE chunk.body = next.body) RETURNING body, began";

/// Adds a chunk to a body, if it was not swept or lost. (`FOR KEY SHARE`: a sweep passes over it meanwhile.)
const ADD_CHUNK: &str = "INSERT INTO queue_store.chunk (body, number, bytes) \
     SELECT body, $3, $4 FROM queue_store.draft WHERE body = $1 AND began = $2 FOR KEY SHARE RETURNING true";

/// Adds the item that names a body, if the whole body is there and no item has the id. Returns whether the body is there, and
/// whether the item was added. (`FOR UPDATE`: a sweep waits for this, or this for the sweep.)
const COMMIT: &str = "WITH draft AS (SELECT body FROM queue_store.draft WHERE body = $4 AND began = $10 FOR UPDATE), \
     written AS (SELECT body FROM draft WHERE $5 = (\
         SELECT sum(octet_length(bytes)) FROM queue_store.chunk WHERE chunk.body = draft.body)), \
     item AS (INSERT INTO queue_store.item (queue, id, state, format, revision, body, body_size, created, head, tail) \
         SELECT $1, $2, 0, $9::smallint, $3, body, $5, $6, $7, $8 FROM written ON CONFLICT DO NOTHING RETURNING body), \
     gone AS (DELETE FROM queue_store.draft USING item WHERE draft.body = item.body) \
     SELECT EXISTS (SELECT FROM written), EXISTS (SELECT FROM item)";

/// Removes a body that no item names.
const ABANDON: &str = "WITH draft AS (DELETE FROM queue_store.draft WHERE body = $1 AND began = $2 RETURNING body) \
     DELETE FROM queue_store.chunk USING draft WHERE chunk.body = draft.body RETURNING true";

/// Attempts of a commit under an id whose item is removed meanwhile.
const ATTEMPTS: usize = 8;

/// A mail that is being written. Dropped before its end, it leaves nothing.
pub(crate) struct Draft {
    database: Arc<Database>,
    envelope: Envelope,
    format: Format,
    is_generated: bool,
    durability: Durability,
    max_body_bytes: u64,
    /// Bytes of the body so far.
    length: u64,
    /// The bytes that are not in a chunk yet.
    rest: Vec<u8>,
    /// The chunks before them.
    body: Option<Body>,
    has_failed: bool,
}

/// A body in the database that no item names yet. Its last chunk may be on its way.
struct Body {
    key: BodyKey,
    chunks: i32,
    encoder: PartsEncoder,
    /// The chunk that is on its way.
    writing: Option<JoinHandle<Result<()>>>,
}

/// The outcome of the commit of a draft.
enum Commit {
    Added,
    IdIsTaken,
    BodyIsGone,
}

/// What tells a body that no item names from others.
#[derive(Clone, Copy)]
struct BodyKey {
    number: i64,
    began: SystemTime,
}

impl Database {
    /// Begins a mail under an id that the caller chose, or under a generated one.
    pub(crate) async fn begin(
        self: &Arc<Database>,
        deadline: Instant,
        id: Option<&str>,
        envelope: &types::Envelope,
        options: &WriteOptions,
    ) -> Result<Draft> {
        if let Some(id) = id {
            check_new_id(id)?;
        }
        let is_generated = id.is_none();
        let id = id.map_or_else(|| generate_id(GeneratedFor::Put), |id| Ok(id.to_string()))?;
        let mut envelope = convert::envelope(&id, envelope);
        accept(&mut envelope)?;
        encoder(&envelope)?;
        self.check_room(deadline, options.max_items).await?;
        Ok(Draft {
            database: self.clone(),
            envelope,
            format: options.format.unwrap_or(Format::Text),
            is_generated,
            durability: options.durability.unwrap_or(Durability::Full),
            max_body_bytes: options.max_body_bytes.unwrap_or(MAX_BODY_BYTES).min(MAX_BODY_BYTES),
            length: 0,
            rest: Vec::new(),
            body: None,
            has_failed: false,
        })
    }

    /// Begins a body.
    async fn begin_body(&self, deadline: Instant, envelope: &Envelope) -> Result<Body> {
        let rows = self.change(deadline, Durability::None, BEGIN, &[&self.queue]).await.map_err(without_effect)?;
        let row = rows.first().ok_or_else(numbers_set_back)?;
        let key = BodyKey { number: row.get(0), began: row.get(1) };
        Ok(Body { key, chunks: 0, encoder: encoder(envelope)?, writing: None })
    }

    /// Removes a body that no item names.
    async fn abandon_body(&self, deadline: Instant, mut body: Body) -> Result<()> {
        let _ = body.arrived().await;
        let BodyKey { number, began } = body.key;
        self.change(deadline, Durability::None, ABANDON, &[&number, &began]).await.map(drop)
    }

    /// Adds the item that names a body.
    async fn commit_body(
        &self,
        deadline: Instant,
        key: BodyKey,
        item: &NewItem,
        durability: Durability,
    ) -> Result<Commit> {
        let NewItem { id, parts: Parts { head, tail, checksum: _ }, format, body_size, created } = item;
        let BodyKey { number, began } = key;
        let parameters: [&(dyn ToSql + Sync); 10] =
            [&self.queue, id, &item.revision(), &number, body_size, created, head, tail, format, &began];
        let row = only(self.change(deadline, durability, COMMIT, &parameters).await?)?;
        Ok(match (row.get(0), row.get(1)) {
            (_, true) => Commit::Added,
            (true, false) => Commit::IdIsTaken,
            (false, false) => Commit::BodyIsGone,
        })
    }
}

impl Draft {
    /// Refuses an id that an item has, before the body is written.
    pub(crate) async fn check_free(&self, deadline: Instant) -> Result<()> {
        let (database, id) = (&self.database, &self.envelope.id);
        let is_taken =
            !self.is_generated && database.exists(deadline, id).await? && database.survives(deadline, id).await?;
        if is_taken { Err(exists(id)) } else { Ok(()) }
    }

    /// The time at which a call that begins now must be over.
    pub(crate) fn deadline(&self) -> Instant {
        self.database.deadline()
    }

    /// Appends bytes of the body. After a failure the draft cannot be committed any more.
    pub(crate) async fn append(&mut self, deadline: Instant, bytes: &[u8]) -> Result<()> {
        self.check_usable()?;
        self.has_failed = true;
        self.length += bytes.len() as u64;
        if self.length > self.max_body_bytes {
            return Err(body_too_large());
        }
        let mut bytes = bytes;
        while !bytes.is_empty() {
            if self.rest.len() == CHUNK_BYTES {
                self.write_rest(deadline).await?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.rest.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
        }
        self.has_failed = false;
        Ok(())
    }

    /// Sends the bytes that are in memory as a chunk, after the one before it arrived.
    async fn write_rest(&mut self, deadline: Instant) -> Result<()> {
        let chunk = mem::replace(&mut self.rest, Vec::with_capacity(CHUNK_BYTES));
        let body = match &mut self.body {
            Some(body) => body,
            None => self.body.insert(self.database.begin_body(deadline, &self.envelope).await?),
        };
        body.arrived().await?;
        body.encoder.body(&chunk);
        let (BodyKey { number, began }, place, database) = (body.key, body.chunks, self.database.clone());
        body.writing = Some(tokio::spawn(async move {
            // Its commit precedes that of the item in the log.
            let parameters: [&(dyn ToSql + Sync); 4] = [&number, &began, &place, &chunk];
            let rows = database.change(deadline, Durability::None, ADD_CHUNK, &parameters).await;
            let rows = rows.map_err(without_effect)?;
            if rows.is_empty() { Err(swept()) } else { Ok(()) }
        }));
        body.chunks += 1;
        Ok(())
    }

    /// Makes the mail durable, publishes it and returns its id.
    pub(crate) async fn commit(mut self, deadline: Instant) -> Result<String> {
        self.check_usable()?;
        if self.body.is_some() && !self.rest.is_empty() {
            self.write_rest(deadline).await?;
        }
        let (database, envelope) = (self.database.clone(), mem::take(&mut self.envelope));
        let Some(body) = &mut self.body else {
            return database
                .put_small(
                    deadline,
                    envelope,
                    mem::take(&mut self.rest),
                    self.format,
                    self.is_generated,
                    self.durability,
                )
                .await;
        };
        body.arrived().await?;
        let item = NewItem::new(&envelope, self.format, mem::replace(&mut body.encoder, encoder(&envelope)?));
        let key = body.key;
        for _ in 0..ATTEMPTS {
            let result = database.commit_body(deadline, key, &item, self.durability).await;
            let is_named = match &result {
                Ok(commit) => matches!(commit, Commit::Added),
                // It may be.
                Err(failure) => failure.code() == Some(ErrorCode::Indeterminate),
            };
            if is_named {
                self.body = None;
            }
            match result? {
                Commit::Added => {
                    database.counters.puts.add(1);
                    database.counters.bytes_written.add(self.length);
                    return Ok(item.id);
                }
                Commit::IdIsTaken if database.survives(deadline, &item.id).await? => return Err(exists(&item.id)),
                Commit::IdIsTaken => {}
                Commit::BodyIsGone => return Err(swept()),
            }
        }
        Err(contested(&item.id))
    }

    /// Gives the mail up.
    pub(crate) async fn abandon(mut self, deadline: Instant) -> Result<()> {
        match self.body.take() {
            Some(body) => self.database.abandon_body(deadline, body).await,
            None => Ok(()),
        }
    }

    fn check_usable(&self) -> Result<()> {
        if !self.has_failed {
            return Ok(());
        }
        Err(failure(Cause::Aborted("an earlier call of the draft failed"), ""))
    }
}

impl Drop for Draft {
    /// Removes the body from the database, in a task of its own. `recover` sweeps what is left where that fails.
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            let database = self.database.clone();
            self.database.runtime.spawn(async move { database.abandon_body(database.deadline(), body).await });
        }
    }
}

impl Body {
    /// Waits until the chunk that is on its way arrived.
    async fn arrived(&mut self) -> Result<()> {
        match self.writing.take() {
            Some(writing) => writing.await.unwrap_or_else(|_| Err(swept())),
            None => Ok(()),
        }
    }
}

/// Begins to encode an item.
fn encoder(envelope: &Envelope) -> Result<PartsEncoder> {
    PartsEncoder::new(envelope).map_err(|cause| failure(cause, &envelope.id))
}

/// The error of a change of a body that no item names: it has no effect on the queue, whether it was made or not.
fn without_effect(failure: Error) -> Error {
    match failure.record() {
        Some(record) if record.code == ErrorCode::Indeterminate => {
            let detail = "the session was lost while it wrote the body: put the mail again".to_string();
            types::Error { code: ErrorCode::Io, detail, ..record }.into()
        }
        _ => failure,
    }
}

/// The error of a number that a body has already.
fn numbers_set_back() -> Error {
    error(
        ErrorCode::Other,
        "the sequence queue_store.body_number is behind the bodies, as after a copy of the tables alone: set it by \
         SELECT setval('queue_store.body_number', (SELECT max(body) FROM queue_store.chunk))",
    )
}

/// The error of a draft whose body is not there any more.
fn swept() -> Error {
    let cause =
        "the body of the draft is gone or incomplete: `recover` removed it, or a failover lost it; begin a new one";
    failure(Cause::Aborted(cause), "")
}
