//! The seam between a queue and the place of its items.

use crate::error::Result;
use crate::types::{
    Attempt, Counts, Detail, Durability, Entry, Envelope, EnvelopeChange, Format, IdentifiedMail, Item, ItemInfo, Mail,
    Outcome, Recovery, State, WriteOptions,
};
use std::fmt;

/// The place of the items of a [`crate::Queue`]: the component in a directory, or another implementation of the contract, of
/// which [`crate::Queue::from_store`] makes a queue.
///
/// The methods are the functions of the contract (`wit/`), with its errors and guarantees. They block their thread, and are
/// called from several threads at once.
pub trait Store: fmt::Debug + Send + Sync {
    /// `new-id`.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    fn new_id(&self) -> Result<String>;

    /// `queue.put`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn put(&self, id: Option<&str>, mail: &Mail, options: &WriteOptions) -> Result<String>;

    /// `queue.put-many`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn put_many(&self, mails: &[IdentifiedMail], options: &WriteOptions) -> Result<Vec<Outcome>>;

    /// `queue.begin`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn begin(&self, id: Option<&str>, envelope: &Envelope, options: &WriteOptions) -> Result<Box<dyn OpenDraft>>;

    /// `intake.submit`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn submit(&self, reverse_path: &str, to: &[String], body: &[u8]) -> Result<String>;

    /// `intake.submission.begin`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn begin_submission(&self, reverse_path: &str, to: &[String]) -> Result<Box<dyn OpenDraft>>;

    /// `queue.get`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn get(&self, id: &str) -> Result<Item>;

    /// `queue.info`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn info(&self, id: &str) -> Result<ItemInfo>;

    /// `queue.read`. Returns the facts about the item with its body.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn read(&self, id: &str, offset: u64) -> Result<(ItemInfo, Box<dyn OpenBody>)>;

    /// `queue.items`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn items(&self, states: &[State], detail: Detail) -> Result<Box<dyn OpenListing>>;

    /// `queue.count`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn count(&self) -> Result<Counts>;

    /// `queue.verify`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn verify(&self, ids: &[String]) -> Result<Vec<Outcome>>;

    /// `queue.update`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn update(&self, id: &str, change: &EnvelopeChange, durability: Durability) -> Result<String>;

    /// `queue.record-attempts`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn record_attempts(
        &self,
        id: &str,
        attempts: &[Attempt],
        if_revision: Option<&str>,
        durability: Durability,
    ) -> Result<String>;

    /// `queue.set-state`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn set_state(&self, ids: &[String], state: State) -> Result<Vec<Outcome>>;

    /// `queue.remove`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn remove(&self, ids: &[String], states: &[State], durability: Durability) -> Result<Vec<Outcome>>;

    /// `queue.seal`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn seal(&self, ids: &[String]) -> Result<Vec<Outcome>>;

    /// `queue.recover`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn recover(&self, grace_seconds: u32) -> Result<Recovery>;

    /// `queue.needs-recovery`.
    fn needs_recovery(&self) -> bool;

    /// `item-codec.encode`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn encode(&self, item: &Item, format: Format) -> Result<Vec<u8>>;

    /// `item-codec.decode`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn decode(&self, bytes: Vec<u8>, format: Format) -> Result<Item>;

    /// The path of the queue's directory, with which the paths in its errors begin. None where they have no directory.
    fn directory_name(&self) -> Option<&str> {
        None
    }

    /// `introspection.limits`.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    fn limits(&self) -> Result<Vec<(String, u64)>>;

    /// `introspection.counters`, of this store since it was opened.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    fn counters(&self) -> Result<Vec<(String, u64)>>;

    /// `introspection.about`.
    ///
    /// # Errors
    ///
    /// No code of the contract.
    fn about(&self) -> Result<Vec<(String, String)>>;
}

/// A mail that is written in chunks: a `draft` of the contract, or a `submission`. Dropped before its end, it leaves nothing.
pub trait OpenDraft: Send {
    /// `draft.write`, of any number of bytes.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// `draft.commit`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn commit(self: Box<Self>) -> Result<String>;

    /// `draft.abandon`.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn abandon(self: Box<Self>) -> Result<()>;
}

/// The body of an item: a `body-reader` of the contract.
pub trait OpenBody: Send {
    /// `body-reader.read`, of as many bytes as suit the store.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn next_chunk(&mut self) -> Result<Option<Vec<u8>>>;
}

/// A `listing` of the contract.
pub trait OpenListing: Send {
    /// `listing.next`, of as many items as suit the store.
    ///
    /// # Errors
    ///
    /// Those of the contract.
    fn next_page(&mut self) -> Result<Option<Vec<Entry>>>;
}
