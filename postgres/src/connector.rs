//! Makes sessions, with the one of several servers that takes changes.

use crate::address::{FullDurability, Node};
use crate::server::Refusal;
use crate::session::Session;
use crate::sql_error::error;
use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
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
    type Error = Refusal;

    async fn create(&self) -> Result<Session, Refusal> {
        let first = self.first.load(Ordering::Relaxed);
        let mut refusals: Vec<(&str, Refusal)> = Vec::new();
        for place in (first..).take(self.nodes.len()) {
            let node = &self.nodes[place % self.nodes.len()];
            let silent = || error(ErrorCode::Io, format!("no answer within {} s", NODE_TIMEOUT.as_secs()));
            match timeout(NODE_TIMEOUT, Session::connect(node, &self.tls, self.full)).await {
                Ok(Ok(session)) if session.timeline < self.newest_timeline.load(Ordering::Acquire) => {
                    refusals.push((&node.name, Refusal::awaited(REPLACED)));
                }
                Ok(Ok(session)) => {
                    self.newest_timeline.fetch_max(session.timeline, Ordering::AcqRel);
                    self.first.store(place % self.nodes.len(), Ordering::Relaxed);
                    return Ok(session);
                }
                Ok(Err(refusal)) => refusals.push((&node.name, refusal)),
                Err(_) => refusals.push((&node.name, Refusal::lasting(silent()))),
            }
        }
        Err(summary(&refusals))
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Refusal> {
        if session.is_closed() {
            return Err(RecycleError::message("the session ended"));
        }
        if session.timeline < self.newest_timeline.load(Ordering::Acquire) {
            return Err(RecycleError::message("the server was replaced"));
        }
        Ok(())
    }
}

/// Why a server is not used that takes changes, though a standby of it was promoted.
const REPLACED: &str = "replaced by a standby that was promoted, and still takes changes: end it, or make it a standby";

/// Makes one error of those of all servers. It is one that time does not cure where that is so of the primary, or of each
/// server: one that refuses its user must not keep a failover to another one from being awaited.
fn summary(refusals: &[(&str, Refusal)]) -> Refusal {
    let code = |refusal: &Refusal| refusal.error.code().unwrap_or(ErrorCode::Other);
    let codes: Vec<ErrorCode> = refusals.iter().map(|(_, refusal)| code(refusal)).collect();
    let code = if codes.contains(&ErrorCode::Unsupported) {
        ErrorCode::Unsupported
    } else if codes.contains(&ErrorCode::Io) {
        ErrorCode::Io
    } else {
        codes.first().copied().unwrap_or(ErrorCode::Io)
    };
    let is_awaited = code == ErrorCode::Io && refusals.iter().any(|(_, refusal)| refusal.is_awaited);
    let mut texts: Vec<String> = refusals.iter().map(|(name, refusal)| format!("{name}: {}", refusal.error)).collect();
    if is_awaited {
        texts.push("no server is the primary: promote a standby, or wait until one is".to_string());
    }
    Refusal { error: error(code, texts.join("; ")), is_awaited }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(codes: &[ErrorCode]) -> Option<ErrorCode> {
        let refusals: Vec<_> = codes.iter().map(|code| ("node", Refusal::lasting(error(*code, "text")))).collect();
        summary(&refusals).error.code()
    }

    #[test]
    fn server_that_refuses_its_user_does_not_end_the_wait_for_another() {
        use ErrorCode::{Access, Io, NotFound, Unsupported};
        assert_eq!(code_of(&[Io, Access, Io]), Some(Io));
        assert_eq!(code_of(&[Access, Access]), Some(Access));
        assert_eq!(code_of(&[NotFound]), Some(NotFound));
        assert_eq!(code_of(&[Io, Unsupported]), Some(Unsupported), "only a primary is unsupported");
    }
}
