//! Statements that change a queue: what was acknowledged, and what is in doubt.

use crate::address::FullDurability;
use crate::database::{Database, Lease};
use crate::sql_error::{SqlError, error, only};
use queue_store_host::types::{Durability, ErrorCode};
use queue_store_host::{Error, Result};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// A change of nothing, whose commit is written to the log and waits for the standbys as any other.
pub(crate) const BARRIER: &str = "SELECT pg_logical_emit_message(true, 'queue-store', '')";

/// Whether commits wait for standbys. Asked after a commit too: where an operator, or what fails over, turns that off, PostgreSQL
/// answers success to the commits that wait, without a warning.
pub(crate) const STANDBYS: &str = "SELECT current_setting('synchronous_standby_names') <> ''";

/// Ends the processes of sessions that still serve those, and returns how many there are.
const END: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
     WHERE (pid, backend_start) IN (SELECT * FROM unnest($1::integer[], $2::timestamptz[]))";

/// The time between two looks at processes that are ending.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Attempts of a statement that meets others.
pub(crate) const ATTEMPTS: u32 = 8;

/// The time before a statement that met others is tried again, the first time.
const PAUSE: Duration = Duration::from_millis(5);

impl Database {
    /// Runs one statement that changes the queue, with a durability, and returns its rows: none where it changed nothing.
    ///
    /// Where this fails with another code than `indeterminate`, nothing was changed.
    pub(crate) async fn change(
        &self,
        deadline: Instant,
        durability: Durability,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let mut attempt = 1;
        loop {
            self.end_lost_sessions(deadline).await?;
            let lease = self.lease_with_standbys(deadline, durability).await?;
            match self.change_by(&lease, deadline, durability, sql, parameters).await {
                Err(SqlError::Unsent(_)) if Instant::now() < deadline => self.lose(lease),
                Err(SqlError::Again(_)) if attempt < ATTEMPTS => {
                    drop(lease);
                    sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                result => return self.acknowledged(lease, durability, result),
            }
        }
    }

    /// Ends the processes of the lost sessions. A later change could otherwise be undone by an earlier one.
    pub(crate) async fn end_lost_sessions(&self, deadline: Instant) -> Result<()> {
        let running = self.lost_sessions().running();
        if running.is_empty() {
            return Ok(());
        }
        let (processes, started): (Vec<_>, Vec<_>) =
            running.iter().map(|backend| (backend.process, backend.started)).unzip();
        let mut has_looked = false;
        loop {
            let rows = match self.query(deadline, END, &[&processes, &started]).await {
                // It was cut short: the look before it has the reason.
                Err(_) if has_looked && Instant::now() >= deadline => return Err(unended()),
                rows => rows?,
            };
            if only(rows)?.get::<_, i64>(0) == 0 {
                break;
            }
            if Instant::now() + LOOK_AGAIN >= deadline {
                return Err(unended());
            }
            has_looked = true;
            sleep(LOOK_AGAIN).await;
        }
        self.lost_sessions().note_end(&running);
        Ok(())
    }

    /// Takes a session for a change. Refuses one of full durability while no synchronous standby is configured.
    pub(crate) async fn lease_with_standbys(&self, deadline: Instant, durability: Durability) -> Result<Lease> {
        let lease = self.lease(deadline).await?;
        if Instant::now() >= deadline {
            // A change that is sent now would be in doubt.
            return Err(error(
                ErrorCode::Io,
                "no connection was free early enough within the time that a call may take",
            ));
        }
        if !self.waits_for_standbys(durability) || lease.had_standbys {
            return Ok(lease);
        }
        let asked = timeout_at(deadline, lease.query(STANDBYS, &[])).await;
        match asked.unwrap_or_else(|_| Err(SqlError::timed_out())).and_then(only) {
            Ok(row) if row.get(0) => return Ok(lease),
            Ok(_) => {}
            Err(failure) => {
                lease.give_up();
                return Err(failure.into());
            }
        }
        Err(error(
            ErrorCode::Unsupported,
            "the server has no synchronous standby (`synchronous_standby_names` is empty), so that a mail would be on one \
             machine: configure one, or say `durability=single-node` in the URL",
        ))
    }

    pub(crate) fn waits_for_standbys(&self, durability: Durability) -> bool {
        durability == Durability::Full && self.full != FullDurability::SingleNode
    }

    async fn change_by(
        &self,
        lease: &Lease,
        deadline: Instant,
        durability: Durability,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, SqlError> {
        let change = async {
            if self.waits_for_standbys(durability) {
                let (rows, standbys) = lease.query_twice(sql, parameters, STANDBYS).await?;
                return if rows.is_empty() { Ok(rows) } else { check_commit(standbys).map(|()| rows) };
            }
            let Some(commit) = synchronous_commit(durability) else {
                return lease.query(sql, parameters).await;
            };
            let begin = format!("BEGIN; SET LOCAL synchronous_commit = {commit}");
            let uncommitted = async {
                lease.execute(&begin).await?;
                lease.query(sql, parameters).await
            };
            match uncommitted.await {
                Ok(rows) => lease.execute("COMMIT").await.map(|()| rows),
                Err(failure) => Err(roll_back(lease, failure).await),
            }
        };
        timeout_at(deadline, change).await.unwrap_or_else(|_| Err(SqlError::timed_out()))
    }

    /// Judges the answer to a commit, and gives the session back, or up.
    pub(crate) fn acknowledged<T>(
        &self,
        lease: Lease,
        durability: Durability,
        result: Result<T, SqlError>,
    ) -> Result<T> {
        let answer = match result {
            Ok(answer) => answer,
            Err(SqlError::Refused(error) | SqlError::Again(error) | SqlError::Aborted(error)) => {
                return Err(error.into());
            }
            Err(SqlError::Unsent(cause)) => {
                self.lose(lease);
                return Err(error(ErrorCode::Io, cause));
            }
            Err(SqlError::Lost(cause)) => return Err(self.indeterminate(lease, &cause)),
        };
        if lease.was_warned() && durability != Durability::None {
            let cause = "the server gave up to wait for its standbys, or warned of something else";
            return Err(self.indeterminate(lease, cause));
        }
        Ok(answer)
    }

    /// Gives a session up that may have changed something, or may hold the locks of a transaction.
    pub(crate) fn lose(&self, lease: Lease) {
        self.lost_sessions().add(lease.backend);
        lease.give_up();
    }

    /// Gives a session up whose change may have taken effect.
    fn indeterminate(&self, lease: Lease, cause: &str) -> Error {
        self.lose(lease);
        let detail =
            format!("{cause}; the effect is visible, or may be, and may not survive: recover the queue, then look");
        error(ErrorCode::Indeterminate, detail)
    }
}

fn unended() -> Error {
    error(
        ErrorCode::Io,
        "the server does not end the session of an earlier call, whose outcome is not known and which may still change the \
         queue",
    )
}

/// Ends a transaction in which a statement failed, and returns the failure. Nothing is committed: a session that is lost rolls
/// back.
pub(crate) async fn roll_back(lease: &Lease, failure: SqlError) -> SqlError {
    match lease.execute("ROLLBACK").await {
        Ok(()) => failure.before_change(),
        // The session may be in the transaction still, and must not be used again.
        Err(_) => failure.after_change().before_change(),
    }
}

/// Checks the answer to `STANDBYS` that followed a commit.
pub(crate) fn check_commit(standbys: Vec<Row>) -> Result<(), SqlError> {
    if only(standbys)?.get(0) {
        return Ok(());
    }
    Err(SqlError::Lost("no synchronous standby is configured any more".to_string()))
}

/// Returns the value of `synchronous_commit` for a durability; none is that of the session.
pub(crate) fn synchronous_commit(durability: Durability) -> Option<&'static str> {
    match durability {
        Durability::Full => None,
        Durability::ContentOnly => Some("local"),
        Durability::None => Some("off"),
    }
}
