//! The durable mail queue on PostgreSQL: the contract of `queue-store`, with synchronous standbys instead of an fsync.
//!
//! [`open`] returns the [`Queue`] that `queue_store_host` has for directories, so that the command, the packages and the
//! plugins work on either:
//!
//! ```no_run
//! use queue_store_host::types::Mail;
//!
//! # fn main() -> Result<(), queue_store_host::Error> {
//! let queue = queue_store_postgres::open("postgres://queue@db1,db2,db3/mail?queue=outgoing")?;
//! let mail = Mail::new("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\nhello\r\n");
//! let id = queue.put(&mail)?; // On two machines from here on.
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! An acknowledged call of durability `full` is flushed to disk on the primary and on as many standbys as
//! `synchronous_standby_names` asks for. PostgreSQL itself answers success for a commit that no standby has when the wait
//! for it is cancelled; here that is `indeterminate`, and so is a connection that was lost while a change was committed.
//! After it the queue stays open, and every handle of the process with the same user and `durability` knows. The next call
//! ends the session that may still commit, so that nothing overtakes it, and the next one that reads also commits a barrier
//! that the standbys acknowledge, which proves all that was committed before it.
//!
//! Once a queue has used a server, it uses none that a promotion replaced before: such a server may go on, show what was
//! never replicated, and lack what was acknowledged since.
//!
//! Puts of one handle that wait at the same time share a commit, where their mails have generated ids, bodies of up to 256 KiB and
//! durability `full`. A mail that the server refuses fails alone; where the session is lost, each of the puts is
//! `indeterminate`. A caller that has to put again under the same id chooses the id, and shares no commit.
//!
//! `content-only` waits for the primary's disk alone, and `none` for none.
//!
//! # Non-guarantees
//!
//! The promotion of a standby that is not synchronous loses acknowledged mail. A queue that is opened anew cannot tell a primary
//! that was replaced and not ended: it reads old mail from it, and its changes wait for standbys in vain. PostgreSQL before the
//! minor versions of May 2025 does not wait for standbys for a moment after its start. An id has one item, so an item cannot be
//! quarantined beside a live one of its id. Listings are in the order of ids.

#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]

mod address;
mod blocking;
mod change;
mod connector;
mod convert;
mod counters;
mod database;
mod doubt;
mod draft;
mod envelope;
mod group;
mod group_commit;
mod item;
mod listing;
mod lost_sessions;
mod migration;
mod moves;
mod new_item;
mod password;
mod put;
mod read;
mod recover;
mod server;
mod session;
mod sql_error;
mod store;
mod tls;

use queue_store_host::{Queue, Result};
use std::sync::Arc;
use store::PostgresStore;

/// Whether a text is the URL of a queue in a database, and not the path of a directory.
pub fn is_url(text: &str) -> bool {
    address::SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// Returns a URL of a database with `***` in the place of its password, for people and logs.
pub fn without_password(url: &str) -> String {
    address::without_password(url)
}

/// Whether two URLs name the same queue.
///
/// The servers are asked: one has many names. A physical copy of a database, as a standby is, counts as the database itself.
///
/// # Errors
///
/// Those of [`open`].
pub fn is_same_queue(one: &str, other: &str) -> Result<bool> {
    Ok(PostgresStore::open(one)?.identity()? == PostgresStore::open(other)?.identity()?)
}

/// Commits a change of nothing with the durability `full`: what a put would wait for.
///
/// # Errors
///
/// Those of [`open`], and of a put.
pub fn check_commit(url: &str) -> Result<()> {
    PostgresStore::open(url)?.check_commit()
}

/// Opens the queue that a URL names, and makes its tables if the database has none.
///
/// `postgres://user:password@host:port,host:port/database?queue=NAME` is a URL of libpq
/// (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>). Of its options it has, each once,
/// `application_name`, `channel_binding`, `dbname`, `host`, `options`, `password`, `port`, `sslnegotiation`,
/// `target_session_attrs=read-write` (which is so in any case) and `user`, and:
///
/// - `queue`: the name of the queue, which need not exist. Default `default`.
/// - `durability`: what the durability `full` means. `replicated` (default): a commit waits for the synchronous standbys, and
///   is `unsupported` while there are none; `remote-apply`: also until they show it to readers; `single-node`: for the
///   primary's disk alone.
/// - `timeout`: seconds that a call takes at most, waiting included; of a call for several items that reads their bodies
///   (`verify`, `seal`, a listing that verifies them) each item, and each step of `recover`. Default 30.
/// - `connections`: at most so many at once. Default 16. An open body of more than 256 KiB holds one until it was read to its
///   end; half of them, rounded up, may be held so, and the next one is `busy` when the time of its call is over.
/// - `sslmode`: `disable`, `prefer` (default) or `require`; a certificate is verified in any case where TLS is used.
/// - `sslrootcert`: a file of certificates in PEM instead of those that the system trusts.
///
/// What the URL leaves out is taken from `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, `PGPASSWORD`, `PGPASSFILE` (or
/// `~/.pgpass`), `PGSSLMODE` and `PGSSLROOTCERT`. Of several hosts the one that takes changes is used, and after a failover
/// the next one.
///
/// Where servers answer and none takes changes, as in a failover, it waits for one. Where none answers, it fails at once.
///
/// # Errors
///
/// `invalid-argument`: the URL; `io`: no server answers, or none takes changes; `access`: it refuses the user; `not-found`: no
/// such database; `unsupported`: the server runs with `fsync` or `full_page_writes` off, is older than PostgreSQL 13, does not
/// store UTF-8, or has tables of a newer version of this crate, the settings of the session are not in effect, or its role does
/// not see its own sessions. [`queue_store_host::Error::InAsyncRuntime`] in an async task.
pub fn open(url: &str) -> Result<Queue> {
    Ok(Queue::from_store(Arc::new(PostgresStore::open(url)?)))
}
