//! A queue in a directory: each call is one of the component.

mod resources;

use crate::contract_limits::MAX_LIST_BODY_BYTES;
use crate::error::Result;
use crate::instance::Call;
use crate::pool::Pool;
use crate::store::{OpenBody, OpenDraft, OpenListing, Store};
use crate::types::{
    Attempt, Counts, Detail, Durability, Envelope, EnvelopeChange, Format, IdentifiedMail, Item, ItemInfo, Mail,
    Outcome, Recovery, State, WriteOptions,
};
use resources::{ComponentBody, ComponentDraft, ComponentListing, ComponentSubmission};
use std::fmt;
use std::sync::Arc;

/// Bytes up to which a body is passed to the component in one piece.
const WHOLE_BODY_BYTES: usize = 256 << 10;

/// The component in a directory.
pub(crate) struct DirectoryStore {
    pool: Arc<Pool>,
}

impl DirectoryStore {
    pub(crate) fn new(pool: Pool) -> DirectoryStore {
        DirectoryStore { pool: Arc::new(pool) }
    }
}

/// Calls a method of the contract's `queue`.
macro_rules! call {
    ($lease:expr, $call:ident, $function:ident($($argument:expr),*)) => {
        $lease.$call(|Call { store, exports }, queue| {
            exports.mail_queue_queue_store().queue().$function(store, queue $(, $argument)*)
        })
    };
}

impl Store for DirectoryStore {
    fn new_id(&self) -> Result<String> {
        self.pool.lease()?.call(|Call { store, exports }| exports.mail_queue_queue_store().call_new_id(store).map(Ok))
    }

    /// A large body reaches the component in chunks, so that its memory stays small.
    fn put(&self, id: Option<&str>, mail: &Mail, options: &WriteOptions) -> Result<String> {
        if mail.body.len() > WHOLE_BODY_BYTES {
            let max_body_bytes = options.max_body_bytes.unwrap_or(MAX_LIST_BODY_BYTES).min(MAX_LIST_BODY_BYTES);
            let options = WriteOptions { max_body_bytes: Some(max_body_bytes), ..*options };
            let mut draft = self.begin(id, &mail.envelope, &options)?;
            draft.append(&mail.body)?;
            return draft.commit();
        }
        call!(self.pool.lease()?, call_queue, call_put(id, mail, Some(*options)))
    }

    fn put_many(&self, mails: &[IdentifiedMail], options: &WriteOptions) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_put_many(mails, Some(*options)))
    }

    fn begin(&self, id: Option<&str>, envelope: &Envelope, options: &WriteOptions) -> Result<Box<dyn OpenDraft>> {
        Ok(Box::new(ComponentDraft::begin(&self.pool, id, envelope, *options)?))
    }

    /// A large body reaches the component in chunks, so that its memory stays small.
    fn submit(&self, reverse_path: &str, to: &[String], body: &[u8]) -> Result<String> {
        if body.len() > WHOLE_BODY_BYTES {
            let mut submission = self.begin_submission(reverse_path, to)?;
            submission.append(body)?;
            return submission.commit();
        }
        self.pool.lease()?.call_intake(|Call { store, exports }| {
            exports.mail_queue_intake().call_submit(store, reverse_path, to, body)
        })
    }

    fn begin_submission(&self, reverse_path: &str, to: &[String]) -> Result<Box<dyn OpenDraft>> {
        Ok(Box::new(ComponentSubmission::begin(&self.pool, reverse_path, to)?))
    }

    fn get(&self, id: &str) -> Result<Item> {
        call!(self.pool.lease()?, call_queue, call_get(id))
    }

    fn info(&self, id: &str) -> Result<ItemInfo> {
        call!(self.pool.lease()?, call_queue, call_info(id))
    }

    fn read(&self, id: &str, offset: u64) -> Result<(ItemInfo, Box<dyn OpenBody>)> {
        let (info, body) = ComponentBody::open(&self.pool, id, offset)?;
        Ok((info, Box::new(body)))
    }

    fn items(&self, states: &[State], detail: Detail) -> Result<Box<dyn OpenListing>> {
        Ok(Box::new(ComponentListing::open(&self.pool, states, detail)?))
    }

    fn count(&self) -> Result<Counts> {
        call!(self.pool.lease()?, call_queue, call_count())
    }

    fn verify(&self, ids: &[String]) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_verify(ids))
    }

    fn update(&self, id: &str, change: &EnvelopeChange, durability: Durability) -> Result<String> {
        call!(self.pool.lease()?, call_queue, call_update(id, change, Some(durability)))
    }

    fn record_attempts(
        &self,
        id: &str,
        attempts: &[Attempt],
        if_revision: Option<&str>,
        durability: Durability,
    ) -> Result<String> {
        call!(self.pool.lease()?, call_queue, call_record_attempts(id, attempts, if_revision, Some(durability)))
    }

    fn set_state(&self, ids: &[String], state: State) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_set_state(ids, state))
    }

    fn remove(&self, ids: &[String], states: &[State], durability: Durability) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_remove(ids, states, Some(durability)))
    }

    fn seal(&self, ids: &[String]) -> Result<Vec<Outcome>> {
        call!(self.pool.lease()?, call_batch, call_seal(ids))
    }

    fn recover(&self, grace_seconds: u32) -> Result<Recovery> {
        self.pool.recover(grace_seconds)
    }

    fn needs_recovery(&self) -> bool {
        self.pool.is_closed()
    }

    fn encode(&self, item: &Item, format: Format) -> Result<Vec<u8>> {
        self.pool
            .lease()?
            .call(|Call { store, exports }| exports.mail_queue_item_codec().call_encode(store, item, format))
    }

    fn decode(&self, bytes: Vec<u8>, format: Format) -> Result<Item> {
        self.pool
            .lease()?
            .call(|Call { store, exports }| exports.mail_queue_item_codec().call_decode(store, &bytes, format))
    }

    fn directory_name(&self) -> Option<&str> {
        Some(self.pool.name())
    }

    fn limits(&self) -> Result<Vec<(String, u64)>> {
        self.pool.lease()?.call(|Call { store, exports }| exports.mail_queue_introspection().call_limits(store).map(Ok))
    }

    fn counters(&self) -> Result<Vec<(String, u64)>> {
        self.pool.counters()
    }

    fn about(&self) -> Result<Vec<(String, String)>> {
        self.pool.lease()?.call(|Call { store, exports }| exports.mail_queue_introspection().call_about(store).map(Ok))
    }
}

impl fmt::Debug for DirectoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DirectoryStore").field("directory", &self.pool.directory()).finish_non_exhaustive()
    }
}
