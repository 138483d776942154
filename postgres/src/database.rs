//! A queue in a database: its sessions, and the statements that read.

use crate::address::{Address, FullDurability};
use crate::connector::Connector;
use crate::counters::Counters;
use crate::group::Group;
use crate::lost_sessions::{LostSessions, Scope};
use crate::server::Refusal;
use crate::session::Session;
use crate::sql_error::{SqlError, error, only};
use crate::tls;
use deadpool::managed::{Object, Pool, PoolError};
use queue_store_host::Result;
use queue_store_host::types::ErrorCode;
use std::ops::Deref;
use std::process;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// The time before a server that was not there is tried again, the first time and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// The database, on all servers that are copies of one.
const IDENTITY: &str = "SELECT system_identifier || ' ' || pg_database.oid FROM pg_control_system(), pg_database \
     WHERE datname = current_database()";

/// Sessions that a statement which changes nothing may lose: one that ends the server's process must not do so for long.
const MAX_LOST: usize = 3;

/// A queue in a database.
pub(crate) struct Database {
    sessions: Pool<Connector>,
    pub(crate) queue: String,
    pub(crate) full: FullDurability,
    pub(crate) timeout: Duration,
    /// Open items whose bodies are in chunks: each holds a session. The other half of the sessions is for everything else.
    pub(crate) large_readers: Arc<Semaphore>,
    /// The puts that share commits.
    pub(crate) group: Arc<Group>,
    user: String,
    /// Present once the queue is open.
    lost_sessions: OnceLock<Arc<LostSessions>>,
    pub(crate) counters: Counters,
    /// Where what nobody waits for is done.
    pub(crate) runtime: Handle,
}

impl Database {
    /// Prepares the sessions, and opens none.
    pub(crate) fn new(address: Address, runtime: Handle) -> Result<Database> {
        let Address { nodes, queue, full, timeout, connections, root_certificates } = address;
        let user = nodes.first().and_then(|node| node.config.get_user()).unwrap_or_default().to_string();
        let connector = Connector::new(nodes, tls::connector(root_certificates.as_deref())?, full);
        let sessions = Pool::builder(connector).max_size(connections).build();
        let sessions = sessions.map_err(|cause| error(ErrorCode::Other, cause.to_string()))?;
        Ok(Database {
            sessions,
            queue,
            full,
            timeout,
            large_readers: Arc::new(Semaphore::new(connections.div_ceil(2))),
            group: Group::new(),
            user,
            lost_sessions: OnceLock::new(),
            counters: Counters::default(),
            runtime,
        })
    }

    /// The sessions that this process lost to the same servers.
    ///
    /// # Panics
    ///
    /// Before [`Database::first_lease`].
    pub(crate) fn lost_sessions(&self) -> &LostSessions {
        self.lost_sessions.get().expect("the queue was opened")
    }

    /// The time at which a call that begins now must be over.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Returns what tells the queue from others: its database and its name.
    pub(crate) async fn identity(&self) -> Result<(String, String)> {
        let row = only(self.query(self.deadline(), IDENTITY, &[]).await?)?;
        Ok((row.get(0), self.queue.clone()))
    }

    /// Takes a session, and waits for a server that takes changes.
    pub(crate) async fn lease(&self, deadline: Instant) -> Result<Lease> {
        self.lease_while(deadline, |refusal| refusal.error.code() == Some(ErrorCode::Io)).await
    }

    /// Takes the first session. Waits for a server that takes changes only where one answered, since a host that is not there
    /// may be a slip.
    pub(crate) async fn first_lease(&self, deadline: Instant) -> Result<Lease> {
        let lease = self.lease_while(deadline, |refusal| refusal.is_awaited).await?;
        let scope = Scope { process: process::id(), system: lease.system, user: self.user.clone(), full: self.full };
        self.lost_sessions.get_or_init(|| LostSessions::of(scope));
        Ok(lease)
    }

    async fn lease_while(&self, deadline: Instant, waits: impl Fn(&Refusal) -> bool) -> Result<Lease> {
        let mut pause = FIRST_PAUSE;
        let mut earlier = None;
        loop {
            let refusal = match self.try_lease(deadline).await {
                Ok(lease) => return Ok(lease),
                Err(refusal) => refusal,
            };
            if Instant::now() >= deadline && refusal.error.code() == Some(ErrorCode::Io) {
                // The last attempt was cut short: the one before it has the reason.
                return Err(earlier.unwrap_or(refusal).error);
            }
            if !waits(&refusal) || Instant::now() + pause >= deadline {
                return Err(refusal.error);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
            earlier = Some(refusal);
        }
    }

    /// Takes a session, and fails at once where no server takes changes.
    async fn try_lease(&self, deadline: Instant) -> std::result::Result<Lease, Refusal> {
        match timeout_at(deadline, self.sessions.get()).await {
            Ok(Ok(session)) => Ok(Lease { warnings: session.warnings(), session }),
            Ok(Err(PoolError::Backend(refusal))) => Err(refusal),
            Ok(Err(failure)) => Err(Refusal::lasting(error(ErrorCode::Other, format!("{failure:?}")))),
            Err(_) => Err(Refusal::lasting(self.no_session())),
        }
    }

    /// Returns the error of a call that got no session in its time.
    fn no_session(&self) -> queue_store_host::Error {
        let status = self.sessions.status();
        if status.size < status.max_size {
            // There was room for one more, which was being made.
            return error(ErrorCode::Io, "no server answered within the time that a call may take");
        }
        error(ErrorCode::Busy, "every connection to the database is in use: see `connections` in its URL")
    }

    /// Runs a statement that changes nothing, in another session where one is lost.
    pub(crate) async fn query(
        &self,
        deadline: Instant,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let mut lost = 0;
        loop {
            let lease = self.lease(deadline).await?;
            match timeout_at(deadline, lease.query(sql, parameters)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(SqlError::Unsent(_) | SqlError::Lost(_))) if lost < MAX_LOST && Instant::now() < deadline => {
                    lost += 1;
                    lease.give_up();
                }
                Ok(Err(failure)) => return Err(failure.into()),
                Err(_) => {
                    lease.give_up();
                    return Err(SqlError::timed_out().into());
                }
            }
        }
    }
}

/// A session that is in use. Dropping it gives it back.
pub(crate) struct Lease {
    session: Object<Connector>,
    /// Warnings before it was taken.
    warnings: u64,
}

impl Lease {
    /// Whether the server warned since the session was taken.
    pub(crate) fn was_warned(&self) -> bool {
        self.session.warnings() != self.warnings
    }

    /// Ends the session without a word to the server: it may be committing, which must not be cancelled. The idle sessions end
    /// with it, since their server may be silent too.
    pub(crate) fn give_up(self) {
        if let Some(pool) = Object::pool(&self.session) {
            pool.manager().distrust();
            pool.retain(|_, _| false);
        }
        drop(Object::take(self.session));
    }
}

impl Deref for Lease {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}
