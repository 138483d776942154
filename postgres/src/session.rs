//! A session with a server.

use crate::address::{FullDurability, Node};
use crate::server::{self, Backend, Refusal};
use crate::sql_error::SqlError;
use futures_util::future::{join, poll_fn};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::AbortHandle;
use tokio_postgres::error::Severity;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, Row, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A session with the server that takes changes.
pub(crate) struct Session {
    client: Client,
    /// The number that a database and its physical copies have.
    pub(crate) system: i64,
    pub(crate) backend: Backend,
    /// The timeline of the server. Each promotion begins a new one.
    pub(crate) timeline: i64,
    /// Whether commits waited for standbys when the session began.
    pub(crate) had_standbys: bool,
    /// Warnings of the server so far.
    warnings: Arc<AtomicU64>,
    statements: Mutex<HashMap<&'static str, Statement>>,
    _connection: AbortOnDrop,
}

/// A connection. Dropping it closes the socket, also where the server owes an answer, and sends no cancel.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Settings on which the guarantees depend, whatever the role, the database or the URL sets. A warning tells that a commit
/// did not wait for its standbys; a time limit of the server would end such a wait.
const SETTINGS: &str = "-c client_min_messages=warning -c search_path=pg_catalog -c statement_timeout=0 -c lock_timeout=0 \
     -c idle_in_transaction_session_timeout=0 -c default_transaction_isolation=read\\ committed";

impl Session {
    /// Connects to a node, and checks that it keeps what it commits and takes changes.
    pub(crate) async fn connect(
        node: &Node,
        tls: &MakeRustlsConnect,
        full: FullDurability,
    ) -> Result<Session, Refusal> {
        let mut config = node.config.clone();
        let commit = match full {
            FullDurability::Replicated => "on",
            FullDurability::RemoteApply => "remote_apply",
            FullDurability::SingleNode => "local",
        };
        let options = format!("{} -c synchronous_commit={commit} {SETTINGS}", config.get_options().unwrap_or(""));
        config.options(options.trim_start());
        let (client, connection) = config.connect(tls.clone()).await.map_err(|cause| server::refusal(&cause))?;
        let warnings = Arc::new(AtomicU64::new(0));
        let connection = AbortOnDrop(tokio::spawn(serve(connection, warnings.clone())).abort_handle());
        let server::Facts { system, backend, timeline, has_standbys } = server::check(&client, commit).await?;
        let statements = Mutex::default();
        Ok(Session {
            client,
            system,
            backend,
            timeline,
            had_standbys: has_standbys,
            warnings,
            statements,
            _connection: connection,
        })
    }

    /// Whether the session can be used no more.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Returns a number that grows with each warning of the server. A server that gave up to wait for its standbys answers
    /// success, with a warning before it.
    pub(crate) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Acquire)
    }

    /// Runs a statement, which is prepared when it is run first.
    pub(crate) async fn query(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, SqlError> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.query(&statement, parameters).await?)
    }

    /// Runs a statement, which commits, and another one after it, in one round trip. Returns the rows of both.
    pub(crate) async fn query_twice(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
        then: &'static str,
    ) -> Result<(Vec<Row>, Vec<Row>), SqlError> {
        let (statement, then) = (self.prepare(sql).await?, self.prepare(then).await?);
        // A statement is sent when it is polled first, and `join` polls in order.
        let (rows, then) = join(self.client.query(&statement, parameters), self.client.query(&then, &[])).await;
        Ok((rows?, then.map_err(|cause| SqlError::from(cause).after_change())?))
    }

    /// Commits, and runs a statement after it, in one round trip.
    pub(crate) async fn commit_and_query(&self, then: &'static str) -> Result<Vec<Row>, SqlError> {
        let then = self.prepare(then).await?;
        let (committed, rows) = join(self.client.batch_execute("COMMIT"), self.client.query(&then, &[])).await;
        committed?;
        rows.map_err(|cause| SqlError::from(cause).after_change())
    }

    /// Prepares a statement, unless it was prepared.
    pub(crate) async fn prepare(&self, sql: &'static str) -> Result<Statement, SqlError> {
        let prepared = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = prepared {
            return Ok(statement);
        }
        let prepared = self.client.prepare(sql).await;
        let statement = prepared.map_err(|cause| SqlError::from(cause).before_change())?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }

    /// Runs statements that return nothing.
    pub(crate) async fn execute(&self, sql: &str) -> Result<(), SqlError> {
        Ok(self.client.batch_execute(sql).await?)
    }
}

/// Passes messages between a session and its server until it ends. A warning is counted before the answer that follows it
/// is passed on.
async fn serve<T: TlsStream + Unpin>(mut connection: Connection<Socket, T>, warnings: Arc<AtomicU64>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.parsed_severity() == Some(Severity::Warning)
        {
            warnings.fetch_add(1, Ordering::Release);
        }
    }
}
