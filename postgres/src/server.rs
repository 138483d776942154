//! What a server must be.

use crate::sql_error::{self, SqlError, error, with_sources};
use queue_store_host::Error;
use queue_store_host::types::ErrorCode;
use std::time::SystemTime;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// The oldest version that is supported: `server_version_num`.
const MIN_VERSION: i32 = 130_000;

const FACTS: &str = "SELECT current_setting('server_version_num')::int, current_setting('fsync')::bool, \
     current_setting('full_page_writes')::bool, current_setting('server_encoding'), pg_is_in_recovery(), \
     current_setting('default_transaction_read_only')::bool, pid, backend_start, \
     current_setting('synchronous_standby_names') <> '', \
     current_setting('synchronous_commit'), current_setting('client_min_messages'), \
     (SELECT system_identifier FROM pg_control_system()), \
     CASE WHEN pg_is_in_recovery() THEN 0 \
     ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END \
     FROM pg_stat_activity WHERE pid = pg_backend_pid()";

/// The process of the server that serves a session. Its number is used again, but not with the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) process: i32,
    pub(crate) started: SystemTime,
}

/// Why a session was not made.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: Error,
    /// Whether a server answered, and it or another one takes changes soon: it starts, is a standby, or was replaced.
    pub(crate) is_awaited: bool,
}

impl Refusal {
    /// A refusal that lasts, or no answer.
    pub(crate) fn lasting(error: Error) -> Refusal {
        Refusal { error, is_awaited: false }
    }

    /// A promotion or the end of a start cures it.
    pub(crate) fn awaited(detail: &str) -> Refusal {
        Refusal { error: error(ErrorCode::Io, detail), is_awaited: true }
    }
}

/// What a server tells of itself.
pub(crate) struct Facts {
    /// The number that a database and its physical copies have.
    pub(crate) system: i64,
    /// The process that serves the session.
    pub(crate) backend: Backend,
    /// The timeline of its write-ahead log.
    pub(crate) timeline: i64,
    /// Whether commits wait for standbys.
    pub(crate) has_standbys: bool,
}

/// Checks that a server takes changes, keeps what it commits, and that the settings of the session are in effect. Only one
/// that takes changes is `unsupported`.
pub(crate) async fn check(client: &Client, synchronous_commit: &str) -> Result<Facts, Refusal> {
    let row = client.query_one(FACTS, &[]).await.map_err(|cause| Refusal::lasting(SqlError::from(cause).into()))?;
    let (is_standby, is_read_only): (bool, bool) = (row.get(4), row.get(5));
    if is_standby || is_read_only {
        return Err(Refusal::awaited("a standby, or made read-only: it takes no changes"));
    }
    let (version, fsync, full_page_writes): (i32, bool, bool) = (row.get(0), row.get(1), row.get(2));
    let unsupported = |detail: &str| Err(Refusal::lasting(error(ErrorCode::Unsupported, detail)));
    if version < MIN_VERSION {
        return unsupported("the server is older than PostgreSQL 13");
    }
    if !fsync {
        return unsupported("the server runs with `fsync = off`, so that power loss can lose all of it");
    }
    if !full_page_writes {
        return unsupported("the server runs with `full_page_writes = off`, so that power loss can damage it");
    }
    if row.get::<_, &str>(3) != "UTF8" {
        return unsupported("the database does not store UTF-8: create it with `ENCODING 'UTF8'`");
    }
    if (row.get::<_, &str>(9), row.get::<_, &str>(10)) != (synchronous_commit, "warning") {
        return unsupported(
            "the settings that the session asked for are not in effect: a pooler between drops the parameter `options`, or \
             something else resets them",
        );
    }
    let Some(started) = row.get(7) else {
        return unsupported(
            "the role that the session takes may not see its own process in pg_stat_activity: connect as that role itself",
        );
    };
    let backend = Backend { process: row.get(6), started };
    Ok(Facts { system: row.get(11), backend, timeline: row.get(12), has_standbys: row.get(8) })
}

/// Returns the refusal of a connection that was not made.
pub(crate) fn refusal(cause: &tokio_postgres::Error) -> Refusal {
    let code = match cause.code() {
        Some(state) => sql_error::code(state),
        // The client knows no password, the server no TLS, or the certificate is not trusted.
        None if is_of_settings(cause) => ErrorCode::Access,
        None => ErrorCode::Io,
    };
    let text = cause.as_db_error().map_or_else(|| with_sources(cause), ToString::to_string);
    let advice = if text.contains("certificate") {
        ": name the authority's certificate by `sslrootcert`, or turn TLS off by `sslmode=disable`"
    } else if text.contains("password missing") {
        ": give it in the URL, in PGPASSWORD or in the file PGPASSFILE"
    } else {
        ""
    };
    let is_awaited = cause.code() == Some(&SqlState::CANNOT_CONNECT_NOW);
    Refusal { error: error(code, format!("{text}{advice}")), is_awaited }
}

fn is_of_settings(cause: &tokio_postgres::Error) -> bool {
    let text = with_sources(cause);
    ["password missing", "certificate", "TLS", "authentication"].iter().any(|word| text.contains(word))
}
