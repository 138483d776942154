//! Makes sessions, with the one of several servers that takes changes.

use crate::address::{FullDurability, Node};
use crate::session::Session;
use crate::sql_error::error;
use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use queue_store_host::Error;
use queue_store_host::types::ErrorCode;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The time in which a server must answer before the next one is tried: a machine that stopped takes connections no more, or
/// takes them and is silent.
const NODE_TIMEOUT: Duration = Duration::from_secs(3);

/// Makes sessions.
pub(crate) struct Connector {
    nodes: Vec<Node>,
    /// The place of the server that is tried first: the one that took changes last.
    first: AtomicUsize,
    /// The newest timeline of a server that took changes. A server on an older one was replaced, and goes on since nothing
    /// ended it: what it shows is old, or was never replicated.
    newest_timeline: AtomicI64,
    tls: MakeRustlsConnect,
    full: FullDurability,
}

impl Connector {
    pub(crate) fn new(nodes: Vec<Node>, tls: MakeRustlsConnect, full: FullDurability) -> Connector {
        Connector { nodes, first: AtomicUsize::new(0), newest_timeline: AtomicI64::new(0), tls, full }
    }

    /// Tries another server first from here on, since this one did not answer.
    pub(crate) fn distrust(&self) {
        self.first.fetch_add(1, Ordering::Relaxed);
    }
}

impl Manager for Connector {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session, Error> {
        let first = self.first.load(Ordering::Relaxed);
        let mut failures: Vec<(&str, Error)> = Vec::new();
        for place in (first..).take(self.nodes.len()) {
            let node = &self.nodes[place % self.nodes.len()];
            let silent =
                || error(ErrorCode::Io, format!("the server did not answer within {} s", NODE_TIMEOUT.as_secs()));
            match timeout(NODE_TIMEOUT, Session::connect(node, &self.tls, self.full)).await {
                Ok(Ok(session)) if session.timeline < self.newest_timeline.load(Ordering::Acquire) => {
                    failures.push((&node.name, replaced()));
                }
                Ok(Ok(session)) => {
                    self.newest_timeline.fetch_max(session.timeline, Ordering::AcqRel);
                    self.first.store(place % self.nodes.len(), Ordering::Relaxed);
                    return Ok(session);
                }
                Ok(Err(failure)) => failures.push((&node.name, failure)),
                Err(_) => failures.push((&node.name, silent())),
            }
        }
        Err(summary(&failures))
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Error> {
        if session.is_closed() {
            return Err(RecycleError::message("the session ended"));
        }
        if session.timeline < self.newest_timeline.load(Ordering::Acquire) {
            return Err(RecycleError::message("the server was replaced"));
        }
        Ok(())
    }
}

/// The error of a server that takes changes, though a standby of it was promoted.
fn replaced() -> Error {
    error(
        ErrorCode::Io,
        "the server was replaced by a standby that was promoted, and still takes changes: end it, or make it a standby",
    )
}

/// Makes one error of those of all servers. Its code is the one that time does not cure, if there is one.
fn summary(failures: &[(&str, Error)]) -> Error {
    let code = |failure: &Error| failure.code().unwrap_or(ErrorCode::Other);
    let lasting = failures.iter().map(|(_, failure)| code(failure)).find(|code| *code != ErrorCode::Io);
    let texts: Vec<String> = failures.iter().map(|(name, failure)| format!("{name}: {failure}")).collect();
    error(lasting.unwrap_or(ErrorCode::Io), texts.join("; "))
}
