//! Changes of which it is not known whether they took effect.
//!
//! A session that was lost while it committed may have committed, may still do so, or may never. The doubt is settled in two
//! steps. First the server's process of each such session is ended, so that nothing follows. Then a barrier is committed,
//! which the standbys acknowledge: their write-ahead log has everything that was committed before it.

use crate::change::BARRIER;
use crate::database::Database;
use crate::session::Backend;
use queue_store_host::Result;
use queue_store_host::types::Durability;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Ends the process of a session, if it still serves that one, and tells whether it is there.
const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2";

/// The time between two looks at a process that is ending.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The sessions that were lost while they committed.
#[derive(Default)]
pub(crate) struct Doubts(Mutex<Vec<Backend>>);

impl Doubts {
    pub(crate) fn add(&self, backend: Backend) {
        self.lock().push(backend);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Backend>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Database {
    /// Settles the doubts that there are, before something is read.
    pub(crate) async fn settle_doubts(&self, deadline: Instant) -> Result<()> {
        if self.doubts.is_empty() { Ok(()) } else { self.settle(deadline).await }
    }

    /// Makes sure that everything that was committed survives, and that no session in doubt changes anything any more.
    pub(crate) async fn settle(&self, deadline: Instant) -> Result<()> {
        let doubts = self.doubts.lock().clone();
        for doubt in &doubts {
            while !self.query(deadline, END, &[&doubt.process, &doubt.started]).await?.is_empty() {
                sleep(LOOK_AGAIN).await;
            }
        }
        self.change(deadline, Durability::Full, BARRIER, &[]).await?;
        self.doubts.lock().retain(|doubt| !doubts.contains(doubt));
        Ok(())
    }
}
