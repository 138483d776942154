//! A queue, with typed calls.

use crate::body_reader::BodyReader;
use crate::draft::Draft;
use crate::error::Result;
use crate::instance::Call;
use crate::listing::Listing;
use crate::pool::Pool;
use crate::submission::Submission;
use crate::types::{
    Attempt, Counts, Detail, Durability, Envelope, EnvelopeChange, IdentifiedMail, Item, ItemInfo, Mail, Outcome,
    Recovery, State, WriteOptions,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Bytes up to which a body is passed to the component in one piece.
const WHOLE_BODY_BYTES: usize = 256 << 10;

/// A queue in a directory. A handle that is cheap to clone; threads share it, and each call gets an instance of its
/// own.
///
/// The methods are the functions of the contract (`wit/queue-store.wit`), where they are documented in full.
#[derive(Clone)]
pub struct Queue {
    pool: Arc<Pool>,
}

/// Calls a method of the contract's `queue`.
macro_rules! call {
    ($lease:expr, $call:ident, $function:ident($($argument:expr),*)) => {
        $lease.$call(|Call { store, exports }, queue| {
            exports.mail_queue_queue_store().queue().$function(store, queue $(, $argument)*)
        })
    };
}

impl Queue {
    pub(crate) fn new(pool: Arc<Pool>) -> Queue {
        Queue { pool }
    }

    /// Generates an id for a put, for a caller that must know it before the put can fail.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    pub fn new_id(&self) -> Result<String> {
        self.pool.lease()?.call(|Call { store, exports }| exports.mail_queue_queue_store().call_new_id(store).map(Ok))
    }

    /// Queues a mail under a generated id, which is returned. The mail survives power loss from then on.
    ///
    /// # Errors
    ///
    /// Those of `queue.put` in the contract.
    pub fn put(&self, mail: &Mail) -> Result<String> {
        self.put_with(None, mail, &WriteOptions::default())
    }

    /// Queues a mail and returns its id: `id`, or a generated one. A large body reaches the component in chunks, so
    /// that its memory stays small.
    ///
    /// # Errors
    ///
    /// Those of `queue.put` in the contract.
    pub fn put_with(&self, id: Option<&str>, mail: &Mail, options: &WriteOptions) -> Result<String> {
        if mail.body.len() > WHOLE_BODY_BYTES {
            let mut draft = self.draft(id, &mail.envelope, options)?;
            draft.append(&mail.body)?;
            return draft.commit();
        }
        call!(self.pool.lease()?, call_queue, call_put(id, mail, Some(*options)))
    }

    /// Queues several mails with one fsync of the directory for all.
    ///
    /// # Errors
    ///
    /// Those of `queue.put-many` in the contract, where nothing was tried. The outcomes have the error of each mail.
    pub fn put_many(&self, mails: &[IdentifiedMail], options: &WriteOptions) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_put_many(mails, Some(*options)))
    }

    /// Begins a mail that is written in chunks.
    ///
    /// # Errors
    ///
    /// Those of `queue.begin` in the contract.
    pub fn draft(&self, id: Option<&str>, envelope: &Envelope, options: &WriteOptions) -> Result<Draft> {
        Draft::begin(&self.pool, id, envelope, *options)
    }

    /// Queues a mail as a plugin does, with the checks of `intake` on sender and recipients, and returns its id.
    ///
    /// # Errors
    ///
    /// Those of `intake.submit` in the contract.
    pub fn submit(&self, reverse_path: &str, to: &[impl AsRef<str>], body: &[u8]) -> Result<String> {
        if body.len() > WHOLE_BODY_BYTES {
            let mut submission = self.submission(reverse_path, to)?;
            submission.append(body)?;
            return submission.commit();
        }
        let to = strings(to);
        self.pool.lease()?.call_intake(|Call { store, exports }| {
            exports.mail_queue_intake().call_submit(store, reverse_path, &to, body)
        })
    }

    /// Begins a mail that is submitted in chunks, as a plugin may.
    ///
    /// # Errors
    ///
    /// Those of `intake.submission.begin` in the contract.
    pub fn submission(&self, reverse_path: &str, to: &[impl AsRef<str>]) -> Result<Submission> {
        Submission::begin(&self.pool, reverse_path, &strings(to))
    }

    /// Returns an item, verified whole.
    ///
    /// # Errors
    ///
    /// Those of `queue.get` in the contract.
    pub fn get(&self, id: impl AsRef<str>) -> Result<Item> {
        call!(self.pool.lease()?, call_queue, call_get(id.as_ref()))
    }

    /// Returns the facts about an item without reading its body.
    ///
    /// # Errors
    ///
    /// Those of `queue.info` in the contract.
    pub fn info(&self, id: impl AsRef<str>) -> Result<ItemInfo> {
        call!(self.pool.lease()?, call_queue, call_info(id.as_ref()))
    }

    /// Opens the body of an item, `offset` bytes from its beginning.
    ///
    /// # Errors
    ///
    /// Those of `queue.read` in the contract.
    pub fn read(&self, id: impl AsRef<str>, offset: u64) -> Result<BodyReader> {
        BodyReader::open(&self.pool, id.as_ref(), offset)
    }

    /// Begins a listing of every item in these states (none given: all), in no order.
    ///
    /// # Errors
    ///
    /// Those of `queue.items` in the contract.
    pub fn items(&self, states: &[State], detail: Detail) -> Result<Listing> {
        Listing::open(&self.pool, states, detail)
    }

    /// Counts the files in the directory by kind.
    ///
    /// # Errors
    ///
    /// Those of `queue.count` in the contract.
    pub fn count(&self) -> Result<Counts> {
        call!(self.pool.lease()?, call_queue, call_count())
    }

    /// Verifies whole items in any state.
    ///
    /// # Errors
    ///
    /// Where nothing was tried. The outcomes have the error of each item.
    pub fn verify(&self, ids: &[impl AsRef<str>]) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_verify(&strings(ids)))
    }

    /// Replaces parts of an item's envelope, and returns its new revision.
    ///
    /// # Errors
    ///
    /// Those of `queue.update` in the contract.
    pub fn update(&self, id: impl AsRef<str>, change: &EnvelopeChange, durability: Durability) -> Result<String> {
        call!(self.pool.lease()?, call_queue, call_update(id.as_ref(), change, Some(durability)))
    }

    /// Records the results of delivery attempts, and returns the item's new revision.
    ///
    /// # Errors
    ///
    /// Those of `queue.record-attempts` in the contract.
    pub fn record_attempts(
        &self,
        id: impl AsRef<str>,
        attempts: &[Attempt],
        if_revision: Option<&str>,
        durability: Durability,
    ) -> Result<String> {
        let (id, durability) = (id.as_ref(), Some(durability));
        call!(self.pool.lease()?, call_queue, call_record_attempts(id, attempts, if_revision, durability))
    }

    /// Moves items to a state: holds, releases, quarantines or restores them.
    ///
    /// # Errors
    ///
    /// Where nothing was tried. The outcomes have the error of each item.
    pub fn set_state(&self, ids: &[impl AsRef<str>], state: State) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_set_state(&strings(ids), state))
    }

    /// Removes items that are in one of `states`; none given: ready and held, never quarantined.
    ///
    /// # Errors
    ///
    /// Where nothing was tried. The outcomes have the error of each item.
    pub fn remove(&self, ids: &[impl AsRef<str>], states: &[State], durability: Durability) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_remove(&strings(ids), states, Some(durability)))
    }

    /// Writes new checksums for items that were edited by hand, or have none.
    ///
    /// # Errors
    ///
    /// Where nothing was tried. The outcomes have the error of each item.
    pub fn seal(&self, ids: &[impl AsRef<str>]) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_seal(&strings(ids)))
    }

    /// Makes the queue's state definite, and opens it for changes. To be called when a program starts, and after
    /// [`crate::Error::Indeterminate`] or [`crate::Error::NeedsRecovery`].
    ///
    /// Temporary files that are at least as old as `grace`, which is rounded up to seconds, are removed. 36 hours are a
    /// good grace; zero requires that no other process writes.
    ///
    /// # Errors
    ///
    /// Those of `queue.recover` in the contract.
    pub fn recover(&self, grace: Duration) -> Result<Recovery> {
        let seconds = grace.as_secs().saturating_add(u64::from(grace.subsec_nanos() > 0));
        self.pool.recover(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// Returns whether the queue refuses changes until [`Queue::recover`], because an fsync failed.
    pub fn needs_recovery(&self) -> bool {
        self.pool.is_closed()
    }

    /// Returns the limits of the component, by name.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    pub fn limits(&self) -> Result<Vec<(String, u64)>> {
        self.pool.lease()?.call(|Call { store, exports }| exports.mail_queue_introspection().call_limits(store).map(Ok))
    }

    /// Returns the counters of this queue since it was opened, by name. Those of an instance are added when its call,
    /// or its draft, submission, body reader or listing, is over; those of an instance that trapped are lost.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    pub fn counters(&self) -> Result<Vec<(String, u64)>> {
        self.pool.counters()
    }

    /// Returns the component's name, its version, the contract and the format version.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    pub fn about(&self) -> Result<Vec<(String, String)>> {
        self.pool.lease()?.call(|Call { store, exports }| exports.mail_queue_introspection().call_about(store).map(Ok))
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Queue").field("directory", &self.pool.directory()).finish_non_exhaustive()
    }
}

/// Copies strings to where the bindings take them.
fn strings(strings: &[impl AsRef<str>]) -> Vec<String> {
    strings.iter().map(|string| string.as_ref().to_string()).collect()
}
