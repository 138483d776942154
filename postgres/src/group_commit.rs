//! Group commit: the puts that wait at the same time become one statement.
//!
//! A commit costs the server and its standbys about the same for one mail as for many. A put that finds a turn free commits
//! at once, alone. Those that come while all turns are taken wait together, and the first of them commits for all when a turn
//! is given back. One that waits for long goes alone too: a session that is silent may hold the turns.
//!
//! Only mails with generated ids share a statement: no other caller has their ids, so that none waits for the lock of another.

use crate::database::Database;
use crate::group::{Answer, Waiting};
use crate::new_item::{Key, NewItem};
use crate::sql_error::error;
use queue_store_host::Result;
use queue_store_host::types::{Durability, ErrorCode};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// The eighths of its time that a put must have to wait for a turn, and those that it waits: the puts of a commit have most of
/// their time.
const LEFT: u32 = 6;
const PATIENCE: u32 = 1;

/// Adds items with small bodies, but those whose ids are taken. Returns the ids and checksums of those that it added.
const PUT_SEVERAL: &str = "INSERT INTO queue_store.item \
     (queue, id, state, format, revision, body_size, created, head, tail, small_body) \
     SELECT $1::text, new.id, 0, new.format, new.revision, new.body_size, new.created, new.head, new.tail, new.small_body \
     FROM unnest($2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[], $8::bytea[], $9::bytea[]) \
     AS new (id, format, revision, body_size, created, head, tail, small_body) \
     ON CONFLICT DO NOTHING RETURNING id, revision";

impl Database {
    /// Adds an item whose id was generated and whose body is one chunk, unless an item has the id: alone or with those of
    /// other callers. Returns whether it did.
    ///
    /// Where this fails with another code than `indeterminate`, nothing was changed.
    pub(crate) async fn add_in_turn(&self, deadline: Instant, item: &Arc<NewItem>, body: &Arc<[u8]>) -> Result<bool> {
        let eighth = self.timeout / 8;
        if Instant::now() + eighth * LEFT > deadline {
            return self.add(deadline, Durability::Full, item, body).await;
        }
        let mut receiver = match self.group.enter(item, body, deadline) {
            Ok(_turn) => return self.add(deadline, Durability::Full, item, body).await,
            Err(receiver) => receiver,
        };
        let answer = match timeout(eighth * PATIENCE, &mut receiver).await {
            Ok(answer) => answer,
            Err(_) if self.group.withdraw(item) => Ok(Answer::Alone),
            // It is being committed, or about to be.
            Err(_) => receiver.await,
        };
        match answer {
            Ok(Answer::Added(is_added)) => Ok(is_added),
            Ok(Answer::Indeterminate(record)) => Err(record.into()),
            Ok(Answer::Alone) => self.add(deadline, Durability::Full, item, body).await,
            Ok(Answer::Lead(_turn, others)) => self.add_with(deadline, item, body, others).await,
            Err(_) => Err(error(ErrorCode::Indeterminate, "the caller that committed for this one panicked")),
        }
    }

    /// Adds an item, and those of other callers.
    async fn add_with(&self, deadline: Instant, item: &NewItem, body: &[u8], others: Vec<Waiting>) -> Result<bool> {
        if others.is_empty() {
            return self.add(deadline, Durability::Full, item, body).await;
        }
        let items = others.iter().map(|other| (&*other.item, &*other.body));
        let items: Vec<(&NewItem, &[u8])> = [(item, body)].into_iter().chain(items).collect();
        let together = others.iter().map(|other| other.deadline).fold(deadline, Instant::min);
        let mut result = self.add_several(together, &items).await;
        let is_added = result.as_mut().is_ok_and(|added| added.remove(&item.key()));
        others.into_iter().for_each(|other| other.tell(&mut result));
        match result {
            Ok(_) => Ok(is_added),
            Err(failure) if failure.code() == Some(ErrorCode::Indeterminate) => Err(failure),
            Err(_) => self.add(deadline, Durability::Full, item, body).await,
        }
    }

    /// Adds items in one statement, and returns the keys of those that it added.
    async fn add_several(&self, deadline: Instant, items: &[(&NewItem, &[u8])]) -> Result<HashSet<Key>> {
        let ids: Vec<&str> = items.iter().map(|(item, _)| item.id.as_str()).collect();
        let formats: Vec<i16> = items.iter().map(|(item, _)| item.format).collect();
        let revisions: Vec<i64> = items.iter().map(|(item, _)| item.revision()).collect();
        let body_sizes: Vec<i64> = items.iter().map(|(item, _)| item.body_size).collect();
        let created: Vec<i64> = items.iter().map(|(item, _)| item.created).collect();
        let heads: Vec<&[u8]> = items.iter().map(|(item, _)| item.parts.head.as_slice()).collect();
        let tails: Vec<&[u8]> = items.iter().map(|(item, _)| item.parts.tail.as_slice()).collect();
        let bodies: Vec<&[u8]> = items.iter().map(|(_, body)| *body).collect();
        let rows = self
            .change(
                deadline,
                Durability::Full,
                PUT_SEVERAL,
                &[&self.queue, &ids, &formats, &revisions, &body_sizes, &created, &heads, &tails, &bodies],
            )
            .await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}
