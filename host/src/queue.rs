//! A queue, with typed calls.

use crate::body_reader::BodyReader;
use crate::draft::Draft;
use crate::error::Result;
use crate::listing::Listing;
use crate::store::Store;
use crate::submission::Submission;
use crate::types::{
    Attempt, Counts, Detail, Durability, Envelope, EnvelopeChange, IdentifiedMail, Item, ItemInfo, Mail, Outcome,
    Recovery, State, WriteOptions,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A queue. A handle that is cheap to clone, and that threads share.
///
/// [`crate::Host`] opens one in a directory, where each call gets an instance of the component of its own.
///
/// The methods are the functions of the contract (`wit/queue-store.wit`), where they are documented in full.
#[derive(Clone)]
pub struct Queue {
    store: Arc<dyn Store>,
}

impl Queue {
    /// Makes a queue of what keeps its items.
    pub fn from_store(store: Arc<dyn Store>) -> Queue {
        Queue { store }
    }

    /// Generates an id for a put, for a caller that must know it before the put can fail.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    pub fn new_id(&self) -> Result<String> {
        self.store.new_id()
    }

    /// Queues a mail under a generated id, which is returned. The mail survives power loss from then on.
    ///
    /// # Errors
    ///
    /// Those of `queue.put` in the contract.
    pub fn put(&self, mail: &Mail) -> Result<String> {
        self.put_with(None, mail, &WriteOptions::default())
    }

    /// Queues a mail and returns its id: `id`, or a generated one.
    ///
    /// # Errors
    ///
    /// Those of `queue.put` in the contract.
    pub fn put_with(&self, id: Option<&str>, mail: &Mail, options: &WriteOptions) -> Result<String> {
        self.store.put(id, mail, options)
    }

    /// Queues several mails with one fsync of the directory for all.
    ///
    /// # Errors
    ///
    /// Those of `queue.put-many` in the contract, where nothing was tried. The outcomes have the error of each mail.
    pub fn put_many(&self, mails: &[IdentifiedMail], options: &WriteOptions) -> Result<Vec<Outcome>> {
        self.store.put_many(mails, options)
    }

    /// Begins a mail that is written in chunks.
    ///
    /// # Errors
    ///
    /// Those of `queue.begin` in the contract.
    pub fn draft(&self, id: Option<&str>, envelope: &Envelope, options: &WriteOptions) -> Result<Draft> {
        Ok(Draft::new(self.store.begin(id, envelope, options)?))
    }

    /// Queues a mail as a plugin does, with the checks of `intake` on sender and recipients, and returns its id.
    ///
    /// # Errors
    ///
    /// Those of `intake.submit` in the contract.
    pub fn submit(&self, reverse_path: &str, to: &[impl AsRef<str>], body: &[u8]) -> Result<String> {
        self.store.submit(reverse_path, &strings(to), body)
    }

    /// Begins a mail that is submitted in chunks, as a plugin may.
    ///
    /// # Errors
    ///
    /// Those of `intake.submission.begin` in the contract.
    pub fn submission(&self, reverse_path: &str, to: &[impl AsRef<str>]) -> Result<Submission> {
        Ok(Submission::new(self.store.begin_submission(reverse_path, &strings(to))?))
    }

    /// Returns an item, verified whole.
    ///
    /// # Errors
    ///
    /// Those of `queue.get` in the contract.
    pub fn get(&self, id: impl AsRef<str>) -> Result<Item> {
        self.store.get(id.as_ref())
    }

    /// Returns the facts about an item without reading its body.
    ///
    /// # Errors
    ///
    /// Those of `queue.info` in the contract.
    pub fn info(&self, id: impl AsRef<str>) -> Result<ItemInfo> {
        self.store.info(id.as_ref())
    }

    /// Opens the body of an item, `offset` bytes from its beginning.
    ///
    /// # Errors
    ///
    /// Those of `queue.read` in the contract.
    pub fn read(&self, id: impl AsRef<str>, offset: u64) -> Result<BodyReader> {
        let (info, body) = self.store.read(id.as_ref(), offset)?;
        Ok(BodyReader::new(info, body))
    }

    /// Begins a listing of every item in these states (none given: all), in no order.
    ///
    /// # Errors
    ///
    /// Those of `queue.items` in the contract.
    pub fn items(&self, states: &[State], detail: Detail) -> Result<Listing> {
        Ok(Listing::new(self.store.items(states, detail)?))
    }

    /// Counts the files in the directory by kind.
    ///
    /// # Errors
    ///
    /// Those of `queue.count` in the contract.
    pub fn count(&self) -> Result<Counts> {
        self.store.count()
    }

    /// Verifies whole items in any state.
    ///
    /// # Errors
    ///
    /// Where nothing was tried. The outcomes have the error of each item.
    pub fn verify(&self, ids: &[impl AsRef<str>]) -> Result<Vec<Outcome>> {
        self.store.verify(&strings(ids))
    }

    /// Replaces parts of an item's envelope, and returns its new revision.
    ///
    /// # Errors
    ///
    /// Those of `queue.update` in the contract.
    pub fn update(&self, id: impl AsRef<str>, change: &EnvelopeChange, durability: Durability) -> Result<String> {
        self.store.update(id.as_ref(), change, durability)
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
        self.store.record_attempts(id.as_ref(), attempts, if_revision, durability)
    }

    /// Moves items to a state: holds, releases, quarantines or restores them.
    ///
    /// # Errors
    ///
    /// Where nothing was tried. The outcomes have the error of each item.
    pub fn set_state(&self, ids: &[impl AsRef<str>], state: State) -> Result<Vec<Outcome>> {
        self.store.set_state(&strings(ids), state)
    }

    /// Removes items that are in one of `states`; none given: ready and held, never quarantined.
    ///
    /// # Errors
    ///
    /// Where nothing was tried. The outcomes have the error of each item.
    pub fn remove(&self, ids: &[impl AsRef<str>], states: &[State], durability: Durability) -> Result<Vec<Outcome>> {
        self.store.remove(&strings(ids), states, durability)
    }

    /// Writes new checksums for items that were edited by hand, or have none.
    ///
    /// # Errors
    ///
    /// Where nothing was tried. The outcomes have the error of each item.
    pub fn seal(&self, ids: &[impl AsRef<str>]) -> Result<Vec<Outcome>> {
        self.store.seal(&strings(ids))
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
        self.store.recover(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// Returns whether the queue refuses changes until [`Queue::recover`], because an fsync failed.
    pub fn needs_recovery(&self) -> bool {
        self.store.needs_recovery()
    }

    /// Returns the limits of the component, by name.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    pub fn limits(&self) -> Result<Vec<(String, u64)>> {
        self.store.limits()
    }

    /// Returns the counters of this queue since it was opened, by name. Those of an instance are added when its call,
    /// or its draft, submission, body reader or listing, is over; those of an instance that trapped are lost.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    pub fn counters(&self) -> Result<Vec<(String, u64)>> {
        self.store.counters()
    }

    /// Returns the component's name, its version, the contract and the format version.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    pub fn about(&self) -> Result<Vec<(String, String)>> {
        self.store.about()
    }

    /// Returns what keeps the items.
    #[cfg(feature = "plugin")]
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Queue").field("store", &self.store).finish()
    }
}

/// Copies strings to where the bindings take them.
fn strings(strings: &[impl AsRef<str>]) -> Vec<String> {
    strings.iter().map(|string| string.as_ref().to_string()).collect()
}
