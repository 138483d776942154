//! A queue, with typed calls.

use crate::error::Error;
use crate::instance::Call;
use crate::pool::Pool;
use crate::stream::{Body, Draft, Listing};
use crate::types::{
    Counts, Detail, Durability, Envelope, EnvelopeChange, IdPage, Item, ItemInfo, Mail, Outcome, Page, Recovery, State,
    WriteOptions,
};
use std::sync::Arc;

/// Bytes up to which a body is passed whole.
const WHOLE_BYTES: usize = 256 << 10;

/// A queue in a directory. A handle that is cheap to clone; threads share it, and each call gets an instance of its own.
///
/// Each method is the function of the same name of `mail:queue/queue-store`, where it is documented in full.
#[derive(Clone)]
pub struct Queue {
    pool: Arc<Pool>,
}

/// Calls a function of `queue-store`.
macro_rules! call {
    ($pool:expr, $function:ident($($argument:expr),*)) => {
        $pool.call(|Call { store, exports, queue }| {
            exports.mail_queue_queue_store().$function(store, queue $(, $argument)*)
        })
    };
}

impl Queue {
    pub(crate) fn new(pool: Arc<Pool>) -> Queue {
        Queue { pool }
    }

    /// Draws an id for a put, so that it is known before the put can fail.
    ///
    /// # Errors
    ///
    /// [`Error::Component`].
    pub fn new_id(&self) -> Result<String, Error> {
        self.pool.call(|Call { store, exports, .. }| exports.mail_queue_queue_store().call_new_id(store).map(Ok))
    }

    /// Queues a mail and returns its id: `id`, or one drawn at random. A large body reaches the component as a [`Draft`], in
    /// parts, so that the memory of its instance stays small.
    ///
    /// # Errors
    ///
    /// Those of `put` in the contract; [`Error::OutOfMemory`] and the like leave the mail whole or not there.
    pub fn put(&self, id: Option<&str>, mail: &Mail, options: &WriteOptions) -> Result<String, Error> {
        if mail.body.len() > WHOLE_BYTES {
            let mut draft = self.draft(id, &mail.envelope, options)?;
            draft.append(&mail.body)?;
            return draft.commit();
        }
        call!(self.pool, call_put(id, mail, Some(options)))
    }

    /// Queues several mails with one sync of the directory for all.
    ///
    /// # Errors
    ///
    /// Where nothing was tried; what became of each mail is in its outcome.
    pub fn put_many(&self, mails: &[(Option<String>, Mail)], options: &WriteOptions) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| {
            exports.mail_queue_queue_store().call_put_many(store, queue, mails, Some(options))
        })
    }

    /// Returns an item, checked whole.
    ///
    /// # Errors
    ///
    /// Those of `get` in the contract.
    pub fn get(&self, id: &str) -> Result<Item, Error> {
        call!(self.pool, call_get(id))
    }

    /// Returns what can be said of an item without reading its body.
    ///
    /// # Errors
    ///
    /// Those of `info` in the contract.
    pub fn info(&self, id: &str) -> Result<ItemInfo, Error> {
        call!(self.pool, call_info(id))
    }

    /// Returns ids in ascending order, a page at a time. Every page reads the whole directory; [`Queue::listing`] does so once.
    ///
    /// # Errors
    ///
    /// Those of `list-ids` in the contract.
    pub fn list_ids(&self, states: &[State], after: Option<&str>, limit: u32) -> Result<IdPage, Error> {
        call!(self.pool, call_list_ids(states, after, limit))
    }

    /// Returns items in ascending order of their ids, a page at a time.
    ///
    /// # Errors
    ///
    /// Those of `list-items` in the contract.
    pub fn list_items(&self, states: &[State], after: Option<&str>, limit: u32) -> Result<Page, Error> {
        call!(self.pool, call_list_items(states, after, limit))
    }

    /// Counts the files in the directory by kind.
    ///
    /// # Errors
    ///
    /// Those of `count` in the contract.
    pub fn count(&self) -> Result<Counts, Error> {
        call!(self.pool, call_count())
    }

    /// Replaces the envelope of an item and returns its new revision.
    ///
    /// # Errors
    ///
    /// Those of `update` in the contract.
    pub fn update(&self, id: &str, change: &EnvelopeChange, options: &WriteOptions) -> Result<String, Error> {
        call!(self.pool, call_update(id, change, Some(options)))
    }

    /// Removes items that are ready or held.
    ///
    /// # Errors
    ///
    /// Where nothing was tried; what became of each item is in its outcome.
    pub fn remove(&self, ids: &[String], durability: Durability) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| {
            exports.mail_queue_queue_store().call_remove(store, queue, ids, Some(durability))
        })
    }

    /// Keeps ready items from being delivered.
    ///
    /// # Errors
    ///
    /// As [`Queue::remove`].
    pub fn hold(&self, ids: &[String]) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| exports.mail_queue_queue_store().call_hold(store, queue, ids))
    }

    /// Makes held items ready again.
    ///
    /// # Errors
    ///
    /// As [`Queue::remove`].
    pub fn release(&self, ids: &[String]) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| exports.mail_queue_queue_store().call_release(store, queue, ids))
    }

    /// Sets items aside, damaged or not.
    ///
    /// # Errors
    ///
    /// As [`Queue::remove`].
    pub fn quarantine(&self, ids: &[String]) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| exports.mail_queue_queue_store().call_quarantine(store, queue, ids))
    }

    /// Makes quarantined items ready again, after checking them whole.
    ///
    /// # Errors
    ///
    /// As [`Queue::remove`].
    pub fn restore(&self, ids: &[String]) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| exports.mail_queue_queue_store().call_restore(store, queue, ids))
    }

    /// Removes every quarantined item with one of these ids, for good.
    ///
    /// # Errors
    ///
    /// As [`Queue::remove`].
    pub fn discard(&self, ids: &[String], durability: Durability) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| {
            exports.mail_queue_queue_store().call_discard(store, queue, ids, Some(durability))
        })
    }

    /// Writes new checksums for items that were edited by hand, or have none.
    ///
    /// # Errors
    ///
    /// As [`Queue::remove`].
    pub fn seal(&self, ids: &[String]) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| exports.mail_queue_queue_store().call_seal(store, queue, ids))
    }

    /// Checks items whole.
    ///
    /// # Errors
    ///
    /// As [`Queue::remove`].
    pub fn verify(&self, ids: &[String]) -> Result<Vec<Outcome>, Error> {
        self.batch(|Call { store, exports, queue }| exports.mail_queue_queue_store().call_verify(store, queue, ids))
    }

    /// Makes the queue's state definite, and opens it for writing again. To be called when a program starts, and after
    /// `indeterminate` or `needs-recovery`.
    ///
    /// # Errors
    ///
    /// Those of `recover` in the contract.
    pub fn recover(&self, older_than_seconds: u64) -> Result<Recovery, Error> {
        self.pool.recover(older_than_seconds)
    }

    /// Begins a mail whose body comes in parts.
    ///
    /// # Errors
    ///
    /// Those of `queue-stream.draft.begin` in the contract.
    pub fn draft(&self, id: Option<&str>, envelope: &Envelope, options: &WriteOptions) -> Result<Draft, Error> {
        Draft::begin(&self.pool, id, envelope, options)
    }

    /// Opens the body of an item, `offset` bytes from its beginning.
    ///
    /// # Errors
    ///
    /// Those of `queue-stream.body.open` in the contract.
    pub fn body(&self, id: &str, offset: u64) -> Result<Body, Error> {
        Body::open(&self.pool, id, offset)
    }

    /// Begins a listing in one pass over the directory, in no order. No states: all.
    ///
    /// # Errors
    ///
    /// Those of `queue-stream.listing.open` in the contract.
    pub fn listing(&self, states: &[State], detail: Detail) -> Result<Listing, Error> {
        Listing::open(&self.pool, states, detail)
    }

    /// What the limits of the component are, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Component`].
    pub fn limits(&self) -> Result<Vec<(String, u64)>, Error> {
        self.pool.call(|Call { store, exports, .. }| exports.mail_queue_queue_store().call_limits(store).map(Ok))
    }

    /// Calls for several items, and notes what became of them.
    fn batch(
        &self,
        call: impl FnOnce(Call<'_>) -> wasmtime::Result<Result<Vec<Outcome>, crate::types::Error>>,
    ) -> Result<Vec<Outcome>, Error> {
        let mut lease = self.pool.lease()?;
        let mut outcomes = lease.call(call)?;
        outcomes.iter_mut().filter_map(|outcome| outcome.problem.as_mut()).for_each(|problem| lease.note(problem));
        Ok(outcomes)
    }
}
