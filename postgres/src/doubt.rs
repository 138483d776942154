//! Changes of which it is not known whether they took effect.
//!
//! A session that was lost while it committed may have committed, may still do so, or may never. The doubt is settled in two
//! steps. First the server's process of each such session is ended, so that nothing follows. Then a barrier is committed,
//! which the standbys acknowledge: their write-ahead log has everything that was committed before it.
//!
//! What a call found before the barrier proves nothing: the server that showed it may have been replaced since. A call
//! settles first, and looks then.

use crate::change::BARRIER;
use crate::database::Database;
use crate::sql_error::error;
use queue_store_host::types::{Durability, ErrorCode};
use queue_store_host::{Error, Result};
use tokio::time::Instant;

/// Whether an item has an id.
const EXISTS: &str = "SELECT FROM queue_store.item WHERE queue = $1 AND id = $2";

impl Database {
    /// Settles the doubts that there are, before something is read.
    pub(crate) async fn settle_doubts(&self, deadline: Instant) -> Result<()> {
        if self.lost_sessions().is_empty() { Ok(()) } else { self.settle(deadline).await }
    }

    /// Makes sure that everything that was committed survives, and that no session in doubt changes anything any more.
    pub(crate) async fn settle(&self, deadline: Instant) -> Result<()> {
        self.end_lost_sessions(deadline).await?;
        let ended = self.lost_sessions().ended();
        self.change(deadline, Durability::Full, BARRIER, &[]).await.map_err(unsettled)?;
        self.lost_sessions().forget(&ended);
        Ok(())
    }

    /// Whether an item has an id, and survives.
    pub(crate) async fn survives(&self, deadline: Instant, id: &str) -> Result<bool> {
        self.settle(deadline).await?;
        self.exists(deadline, id).await
    }

    /// Whether an item has an id.
    pub(crate) async fn exists(&self, deadline: Instant, id: &str) -> Result<bool> {
        Ok(!self.query(deadline, EXISTS, &[&self.queue, &id]).await?.is_empty())
    }
}

/// The error of a barrier that may not have been committed: it changes nothing, whether it was or not.
fn unsettled(failure: Error) -> Error {
    match failure.record() {
        Some(record) if record.code == ErrorCode::Indeterminate => error(
            ErrorCode::Io,
            "the standbys did not acknowledge what was committed before, so that it is not known what survives: call again",
        ),
        _ => failure,
    }
}
