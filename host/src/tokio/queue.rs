//! A queue, with calls that do not block.

use super::blocking::run;
use super::{AsyncBodyReader, AsyncDraft, AsyncListing, AsyncSubmission};
use crate::error::Result;
use crate::queue::Queue;
use crate::types::{
    Attempt, Counts, Detail, Durability, Envelope, EnvelopeChange, IdentifiedMail, Item, ItemInfo, Mail, Outcome,
    Recovery, State, WriteOptions,
};
use std::time::Duration;

/// A queue in a directory, for programs on tokio. A handle that is cheap to clone.
///
/// The methods are those of [`Queue`], with owned arguments, and fail as they do; besides, with
/// [`crate::Error::RuntimeShutDown`]. They panic outside of a tokio runtime. A call that has begun goes on to its end
/// when its future is dropped.
#[derive(Clone, Debug)]
pub struct AsyncQueue {
    queue: Queue,
}

impl From<Queue> for AsyncQueue {
    fn from(queue: Queue) -> AsyncQueue {
        AsyncQueue { queue }
    }
}

impl AsyncQueue {
    /// Returns the handle whose calls block.
    pub fn blocking(&self) -> &Queue {
        &self.queue
    }

    async fn run<T: Send + 'static>(&self, call: impl FnOnce(&Queue) -> Result<T> + Send + 'static) -> Result<T> {
        let queue = self.queue.clone();
        run(move || call(&queue)).await
    }

    /// Generates an id for a put: see [`Queue::new_id`].
    pub async fn new_id(&self) -> Result<String> {
        self.run(Queue::new_id).await
    }

    /// Queues a mail under a generated id, which is returned: see [`Queue::put`].
    pub async fn put(&self, mail: Mail) -> Result<String> {
        self.run(move |queue| queue.put(&mail)).await
    }

    /// Queues a mail and returns its id: see [`Queue::put_with`].
    pub async fn put_with(&self, id: Option<String>, mail: Mail, options: WriteOptions) -> Result<String> {
        self.run(move |queue| queue.put_with(id.as_deref(), &mail, &options)).await
    }

    /// Queues several mails with one fsync of the directory for all: see [`Queue::put_many`].
    pub async fn put_many(&self, mails: Vec<IdentifiedMail>, options: WriteOptions) -> Result<Vec<Outcome>> {
        self.run(move |queue| queue.put_many(&mails, &options)).await
    }

    /// Begins a mail that is written in chunks: see [`Queue::draft`].
    pub async fn draft(&self, id: Option<String>, envelope: Envelope, options: WriteOptions) -> Result<AsyncDraft> {
        Ok(AsyncDraft::new(self.run(move |queue| queue.draft(id.as_deref(), &envelope, &options)).await?))
    }

    /// Queues a mail as a plugin may: see [`Queue::submit`].
    pub async fn submit(
        &self,
        reverse_path: impl Into<String>,
        to: Vec<String>,
        body: impl Into<Vec<u8>>,
    ) -> Result<String> {
        let (reverse_path, body) = (reverse_path.into(), body.into());
        self.run(move |queue| queue.submit(&reverse_path, &to, &body)).await
    }

    /// Begins a mail that is submitted in chunks: see [`Queue::submission`].
    pub async fn submission(&self, reverse_path: impl Into<String>, to: Vec<String>) -> Result<AsyncSubmission> {
        let reverse_path = reverse_path.into();
        Ok(AsyncSubmission::new(self.run(move |queue| queue.submission(&reverse_path, &to)).await?))
    }

    /// Returns an item, verified whole: see [`Queue::get`].
    pub async fn get(&self, id: impl Into<String>) -> Result<Item> {
        let id = id.into();
        self.run(move |queue| queue.get(id)).await
    }

    /// Returns the facts about an item without reading its body: see [`Queue::info`].
    pub async fn info(&self, id: impl Into<String>) -> Result<ItemInfo> {
        let id = id.into();
        self.run(move |queue| queue.info(id)).await
    }

    /// Opens the body of an item, `offset` bytes from its beginning: see [`Queue::read`].
    pub async fn read(&self, id: impl Into<String>, offset: u64) -> Result<AsyncBodyReader> {
        let id = id.into();
        Ok(AsyncBodyReader::new(self.run(move |queue| queue.read(id, offset)).await?))
    }

    /// Begins a listing of every item in these states: see [`Queue::items`].
    pub async fn items(&self, states: Vec<State>, detail: Detail) -> Result<AsyncListing> {
        Ok(AsyncListing::new(self.run(move |queue| queue.items(&states, detail)).await?))
    }

    /// Counts the files in the directory by kind: see [`Queue::count`].
    pub async fn count(&self) -> Result<Counts> {
        self.run(Queue::count).await
    }

    /// Verifies items whole: see [`Queue::verify`].
    pub async fn verify(&self, ids: Vec<String>) -> Result<Vec<Outcome>> {
        self.run(move |queue| queue.verify(&ids)).await
    }

    /// Replaces parts of an item's envelope, and returns its new revision: see [`Queue::update`].
    pub async fn update(
        &self,
        id: impl Into<String>,
        change: EnvelopeChange,
        durability: Durability,
    ) -> Result<String> {
        let id = id.into();
        self.run(move |queue| queue.update(id, &change, durability)).await
    }

    /// Records the results of delivery attempts, and returns the item's new revision: see [`Queue::record_attempts`].
    pub async fn record_attempts(
        &self,
        id: impl Into<String>,
        attempts: Vec<Attempt>,
        if_revision: Option<String>,
        durability: Durability,
    ) -> Result<String> {
        let id = id.into();
        self.run(move |queue| queue.record_attempts(id, &attempts, if_revision.as_deref(), durability)).await
    }

    /// Moves items to a state: see [`Queue::set_state`].
    pub async fn set_state(&self, ids: Vec<String>, state: State) -> Result<Vec<Outcome>> {
        self.run(move |queue| queue.set_state(&ids, state)).await
    }

    /// Removes items that are in one of `states`: see [`Queue::remove`].
    pub async fn remove(&self, ids: Vec<String>, states: Vec<State>, durability: Durability) -> Result<Vec<Outcome>> {
        self.run(move |queue| queue.remove(&ids, &states, durability)).await
    }

    /// Writes new checksums for items: see [`Queue::seal`].
    pub async fn seal(&self, ids: Vec<String>) -> Result<Vec<Outcome>> {
        self.run(move |queue| queue.seal(&ids)).await
    }

    /// Makes the queue's state definite, and opens it for changes: see [`Queue::recover`].
    pub async fn recover(&self, grace: Duration) -> Result<Recovery> {
        self.run(move |queue| queue.recover(grace)).await
    }

    /// Returns whether the queue refuses changes: see [`Queue::needs_recovery`]. This does not block.
    pub fn needs_recovery(&self) -> bool {
        self.queue.needs_recovery()
    }

    /// Returns the limits of the component: see [`Queue::limits`].
    pub async fn limits(&self) -> Result<Vec<(String, u64)>> {
        self.run(Queue::limits).await
    }

    /// Returns the counters of this queue: see [`Queue::counters`].
    pub async fn counters(&self) -> Result<Vec<(String, u64)>> {
        self.run(Queue::counters).await
    }

    /// Returns the component's name and versions: see [`Queue::about`].
    pub async fn about(&self) -> Result<Vec<(String, String)>> {
        self.run(Queue::about).await
    }
}
