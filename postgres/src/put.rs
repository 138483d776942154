//! Puts: one, or several in one transaction.

use crate::change::{ATTEMPTS, STANDBYS, check_commit, roll_back, synchronous_commit};
use crate::convert::{self, failure, problem};
use crate::database::{Database, Lease};
use crate::item::{CHUNK_BYTES, accept, body_too_large, check_batch, check_new_id, contested, exists, generate_id};
use crate::new_item::NewItem;
use crate::sql_error::{SqlError, error, only};
use futures_util::future::join_all;
use queue_store::error::Cause;
use queue_store::item::envelope::Envelope;
use queue_store::item::id::GeneratedFor;
use queue_store::limits::{MAX_BODY_BYTES, MAX_DRAWS, MAX_LIST_BODY_BYTES};
use queue_store_host::types::{self, Durability, ErrorCode, Format, IdentifiedMail, Mail, Outcome, WriteOptions};
use queue_store_host::{Error, Result};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// Adds an item with a small body, unless an item has the id.
const PUT: &str = "INSERT INTO queue_store.item \
     (queue, id, state, format, revision, body_size, created, head, tail, small_body) \
     VALUES ($1, $2, 0, $3::smallint, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING true";

/// Adds an item whose body follows in the same transaction, unless an item has the id. Returns the number of the body.
const PUT_LARGE: &str = "INSERT INTO queue_store.item \
     (queue, id, state, format, revision, body_size, created, head, tail, body) \
     VALUES ($1, $2, 0, $3::smallint, $4, $5, $6, $7, $8, nextval('queue_store.body_number')) \
     ON CONFLICT DO NOTHING RETURNING body";

/// Adds a chunk of a body.
const ADD_CHUNK: &str = "INSERT INTO queue_store.chunk (body, number, bytes) VALUES ($1, $2, $3)";

/// Counts the items that are ready or held, up to a number.
const COUNT_LIVE: &str = "SELECT count(*) FROM (\
     SELECT FROM queue_store.item WHERE queue = $1 AND state IN (0, 1) LIMIT $2) AS live";

impl Database {
    /// Queues a mail that comes in one piece.
    pub(crate) async fn put(
        self: &Arc<Database>,
        id: Option<&str>,
        mail: &Mail,
        options: &WriteOptions,
    ) -> Result<String> {
        check_body(&mail.body, options)?;
        let deadline = self.deadline();
        let mut draft = self.begin(deadline, id, &mail.envelope, options).await?;
        draft.append(deadline, &mail.body).await?;
        draft.commit(deadline).await
    }

    /// Adds an item whose body is one chunk. With a generated id, draws another one where it is taken.
    pub(crate) async fn put_small(
        &self,
        deadline: Instant,
        mut envelope: Envelope,
        body: Vec<u8>,
        format: Format,
        is_generated: bool,
        durability: Durability,
    ) -> Result<String> {
        let body = Arc::from(body);
        for _ in 0..MAX_DRAWS {
            let item = Arc::new(NewItem::encode(&envelope, format, &body)?);
            let is_added = if is_generated && durability == Durability::Full {
                self.add_in_turn(deadline, &item, &body).await?
            } else {
                self.add(deadline, durability, &item, &body).await?
            };
            if is_added {
                self.counters.puts.add(1);
                self.counters.bytes_written.add(body.len() as u64);
                return Ok(envelope.id);
            }
            if is_generated {
                envelope.id = generate_id(GeneratedFor::Put)?;
            } else if self.survives(deadline, &envelope.id).await? {
                return Err(exists(&envelope.id));
            }
        }
        Err(if is_generated { failure(Cause::RandomnessRepeats, "") } else { contested(&envelope.id) })
    }

    /// Adds an item whose body is one chunk, unless an item has the id. Returns whether it did.
    pub(crate) async fn add(
        &self,
        deadline: Instant,
        durability: Durability,
        item: &NewItem,
        body: &[u8],
    ) -> Result<bool> {
        let revision = item.revision();
        let parameters = item.parameters(&self.queue, &revision);
        let added = self.change(deadline, durability, PUT, &[parameters.as_slice(), &[&body]].concat()).await?;
        Ok(!added.is_empty())
    }

    /// Refuses a put into a queue that is full.
    pub(crate) async fn check_room(&self, deadline: Instant, max_items: Option<u64>) -> Result<()> {
        match max_items {
            Some(max_items) if self.room(deadline, max_items).await? == 0 => Err(full(&self.queue)),
            _ => Ok(()),
        }
    }

    /// Returns the number of items that the queue may take until it holds `max_items`.
    async fn room(&self, deadline: Instant, max_items: u64) -> Result<u64> {
        let limit = i64::try_from(max_items).unwrap_or(i64::MAX);
        let live: i64 = only(self.query(deadline, COUNT_LIVE, &[&self.queue, &limit]).await?)?.get(0);
        Ok(max_items.saturating_sub(live.cast_unsigned()))
    }

    /// Queues several mails in one transaction.
    pub(crate) async fn put_many(&self, mails: &[IdentifiedMail], options: &WriteOptions) -> Result<Vec<Outcome>> {
        check_batch(mails.len())?;
        let deadline = self.deadline();
        let durability = options.durability.unwrap_or(Durability::Full);
        let mut room = match options.max_items {
            Some(max_items) => self.room(deadline, max_items).await?,
            None => u64::MAX,
        };
        let mut outcomes = Vec::with_capacity(mails.len());
        let mut items = Vec::new();
        for (place, mail) in mails.iter().enumerate() {
            let encoded = if room == 0 { Err(full(&self.queue)) } else { encode(mail, options) };
            let id = encoded.as_ref().map_or_else(|_| mail.id.clone(), |item| Some(item.id.clone()));
            let refused = encoded.map(|item| {
                room -= 1;
                items.push((place, item, mail.mail.body.as_slice()));
            });
            outcomes.push(Outcome { id, problem: refused.err().as_ref().map(problem) });
        }
        if items.is_empty() {
            return Ok(outcomes);
        }
        let taken = match self.put_items(deadline, durability, &items).await {
            Ok(taken) => taken,
            // It holds for each mail of the transaction.
            Err(failure) if failure.code() == Some(ErrorCode::Indeterminate) => {
                for (place, _, _) in &items {
                    outcomes[*place].problem = Some(problem(&failure));
                }
                return Ok(outcomes);
            }
            Err(failure) => return Err(failure),
        };
        if taken.is_empty() {
            return Ok(outcomes);
        }
        let ids: Vec<&str> = taken.iter().filter_map(|place| outcomes[*place].id.as_deref()).collect();
        let surviving = self.surviving(deadline, &ids, &convert::state_numbers(&[])).await;
        for place in taken {
            let id = outcomes[place].id.clone().unwrap_or_default();
            outcomes[place].problem = Some(match &surviving {
                Ok(surviving) if surviving.contains(&id) => problem(&exists(&id)),
                Ok(_) => problem(&contested(&id)),
                Err(unsettled) => problem(unsettled),
            });
        }
        Ok(outcomes)
    }

    /// Adds items in one transaction, and returns the places of those whose ids are taken.
    async fn put_items(
        &self,
        deadline: Instant,
        durability: Durability,
        items: &[(usize, NewItem, &[u8])],
    ) -> Result<Vec<usize>> {
        let mut attempt = 0;
        loop {
            self.end_lost_sessions(deadline).await?;
            let lease = self.lease_with_standbys(deadline, durability).await?;
            let transaction = timeout_at(deadline, self.put_by(&lease, durability, items)).await;
            match transaction.unwrap_or_else(|_| Err(SqlError::timed_out())) {
                Err(SqlError::Unsent(_)) if Instant::now() < deadline => self.lose(lease),
                Err(SqlError::Again(_)) if attempt < ATTEMPTS => attempt += 1,
                result => {
                    let taken = self.acknowledged(lease, durability, result)?;
                    self.counters.puts.add((items.len() - taken.len()) as u64);
                    return Ok(taken);
                }
            }
        }
    }

    async fn put_by(
        &self,
        lease: &Lease,
        durability: Durability,
        items: &[(usize, NewItem, &[u8])],
    ) -> Result<Vec<usize>, SqlError> {
        let set = synchronous_commit(durability).map(|commit| format!("; SET LOCAL synchronous_commit = {commit}"));
        let begin = format!("BEGIN{}", set.unwrap_or_default());
        let put = async {
            lease.execute(&begin).await?;
            for sql in [PUT, PUT_LARGE, ADD_CHUNK, STANDBYS] {
                lease.prepare(sql).await?;
            }
            // The client sends them one after the other, and waits for no answer between them.
            let mut results = join_all(items.iter().map(|(_, item, body)| self.put_one(lease, item, body))).await;
            // Moves the failures of the aborted transaction behind the one that aborted it.
            results.sort_by_key(|result| matches!(result, Err(SqlError::Aborted(_))));
            results.into_iter().collect::<Result<Vec<_>, _>>()
        };
        let added = match put.await {
            Ok(added) => added,
            Err(failure) => return Err(roll_back(lease, failure).await),
        };
        if self.waits_for_standbys(durability) && added.contains(&true) {
            check_commit(lease.commit_and_query(STANDBYS).await?)?;
        } else {
            lease.execute("COMMIT").await?;
        }
        let places = items.iter().map(|(place, _, _)| *place);
        Ok(places.zip(added).filter(|(_, is_added)| !is_added).map(|(place, _)| place).collect())
    }

    /// Adds an item and its body in a transaction, unless its id is taken. Returns whether it did.
    async fn put_one(&self, lease: &Lease, item: &NewItem, body: &[u8]) -> Result<bool, SqlError> {
        let revision = item.revision();
        let parameters = item.parameters(&self.queue, &revision);
        if body.len() <= CHUNK_BYTES {
            return Ok(!lease.query(PUT, &[parameters.as_slice(), &[&body]].concat()).await?.is_empty());
        }
        let Some(row) = lease.query(PUT_LARGE, &parameters).await?.pop() else {
            return Ok(false);
        };
        let number: i64 = row.get(0);
        for (chunk, place) in body.chunks(CHUNK_BYTES).zip(0_i32..) {
            lease.query(ADD_CHUNK, &[&number, &place, &chunk]).await?;
        }
        Ok(true)
    }
}

/// Checks and encodes a mail of several.
fn encode(mail: &IdentifiedMail, options: &WriteOptions) -> Result<NewItem> {
    let IdentifiedMail { id, mail: types::Mail { envelope, body } } = mail;
    check_body(body, options)?;
    if let Some(id) = id {
        check_new_id(id)?;
    }
    let id = id.clone().map_or_else(|| generate_id(GeneratedFor::Put), Ok)?;
    let mut envelope = convert::envelope(&id, envelope);
    accept(&mut envelope)?;
    NewItem::encode(&envelope, options.format.unwrap_or(Format::Text), body)
}

/// Checks the length of a body that comes in one piece.
fn check_body(body: &[u8], options: &WriteOptions) -> Result<()> {
    let max_bytes = options.max_body_bytes.unwrap_or(MAX_BODY_BYTES).min(MAX_LIST_BODY_BYTES);
    if body.len() as u64 > max_bytes { Err(body_too_large()) } else { Ok(()) }
}

fn full(queue: &str) -> Error {
    let cause = Cause::QueueFull;
    error(ErrorCode::QueueFull, format!("{queue}: {cause}"))
}
