//! Recovery: settles doubts, sweeps what drafts left, and checks every envelope.

use crate::database::Database;
use crate::sql_error::error;
use queue_store::limits::MAX_PROBLEMS;
use queue_store_host::Result;
use queue_store_host::types::{Detail, Durability, ErrorCode, Recovery};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Removes a body that no item names, if it is old. One at a time, so that no transaction is large.
const SWEEP: &str = "WITH old AS (\
         SELECT body FROM queue_store.draft WHERE queue = $1 AND began <= now() - make_interval(secs => $2) \
         LIMIT 1 FOR UPDATE SKIP LOCKED), \
     draft AS (DELETE FROM queue_store.draft USING old WHERE draft.body = old.body RETURNING draft.body), \
     bodies AS (DELETE FROM queue_store.chunk USING draft WHERE chunk.body = draft.body) \
     SELECT body FROM draft";

/// The transactions that change items, or wait for that, by their processes.
const WRITERS: &str = "SELECT pid || ' ' || virtualtransaction FROM pg_locks \
     WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
     AND relation = 'queue_store.item'::regclass AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()";

/// The time between two looks at transactions that go on.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Database {
    /// Waits for the changes of other processes that have begun: one that was killed may have left a change in doubt.
    async fn wait_for_writers(&self, deadline: Instant) -> Result<()> {
        let mut awaited: Option<HashSet<String>> = None;
        loop {
            let rows = self.query(deadline, WRITERS, &[]).await?;
            let running: HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
            let left = awaited.map_or_else(|| running.clone(), |awaited| &awaited & &running);
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(error(
                    ErrorCode::Io,
                    "a change of another process goes on for longer than a call may take",
                ));
            }
            awaited = Some(left);
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Makes the queue's state definite.
    pub(crate) async fn recover(self: &Arc<Database>, grace_seconds: u32) -> Result<Recovery> {
        let deadline = self.deadline();
        self.end_lost_sessions(deadline).await?;
        self.wait_for_writers(deadline).await?;
        self.settle(deadline).await?;
        let mut recovery = Recovery {
            durable_items: 0,
            damaged_items: 0,
            temporary_removed: 0,
            temporary_kept: 0,
            rewritten: 0,
            problems: Vec::new(),
            truncated: false,
        };
        let grace = f64::from(grace_seconds);
        while !self.change(self.deadline(), Durability::None, SWEEP, &[&self.queue, &grace]).await?.is_empty() {
            recovery.temporary_removed += 1;
        }
        recovery.temporary_kept = self.count().await?.temporary;
        let mut listing = self.items(&[], Detail::Envelope).await?;
        while let Some(page) = listing.next_page().await? {
            for entry in page {
                let Some(found) = entry.problem else {
                    recovery.durable_items += 1;
                    continue;
                };
                recovery.damaged_items += u64::from(found.code != ErrorCode::TooLarge);
                if recovery.problems.len() < MAX_PROBLEMS {
                    recovery.problems.push(found);
                } else {
                    recovery.truncated = true;
                }
            }
        }
        // What others put meanwhile was counted too.
        self.settle(self.deadline()).await?;
        Ok(recovery)
    }
}
