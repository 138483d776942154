//! The calls of a queue.

use crate::resources::{NativeBody, NativeDraft, NativeListing, closed};
use crate::task::{Call, answer, call, invalid};
use crate::values::{
    Attempt, Counts, Envelope, EnvelopeChange, IdentifiedMail, Item, ItemInfo, NamedNumber, NamedText, Outcome,
    Recovery, WriteOptions, durability, list, named,
};
use napi::bindgen_prelude::{AsyncTask, Buffer, ToNapiValue, TypeName};
use napi_derive::napi;
use queue_store_host::types::{self, Detail, Mail, State};
use queue_store_host::{Queue, Result};
use queue_store_place::Place;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A queue: the methods of the contract's resource `queue`.
#[napi]
pub struct NativeQueue {
    /// None after it was closed.
    queue: Mutex<Option<Queue>>,
    place: Place,
}

impl NativeQueue {
    fn queue(&self) -> Option<Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has a thread make a call of the queue.
    fn call<T, U>(&self, work: impl FnOnce(&Queue) -> Result<T> + Send + 'static) -> AsyncTask<Call<U>>
    where
        U: From<T> + Send + ToNapiValue + TypeName + 'static,
    {
        let queue = self.queue();
        call(move || answer(work(queue.as_ref().ok_or_else(closed)?)).map(U::from))
    }

    /// Has a thread make a call of the queue that has several results.
    fn call_list<T, U>(&self, work: impl FnOnce(&Queue) -> Result<Vec<T>> + Send + 'static) -> AsyncTask<Call<Vec<U>>>
    where
        U: From<T> + Send + ToNapiValue + 'static,
    {
        let queue = self.queue();
        call(move || answer(work(queue.as_ref().ok_or_else(closed)?)).map(list))
    }
}

/// Returns the states that have these names.
fn states(names: &[String]) -> napi::Result<Vec<State>> {
    names.iter().map(|name| named(name)).collect()
}

#[napi]
impl NativeQueue {
    /// Opens the queue in a directory, or the one that a URL names. A missing directory is created durably if `create` is
    /// true.
    #[napi]
    pub fn open(place: String, create: bool) -> AsyncTask<Call<NativeQueue>> {
        call(move || {
            let place = answer(Place::parse(&place))?;
            let queue = answer(place.open(create))?;
            Ok(NativeQueue { queue: Mutex::new(Some(queue)), place })
        })
    }

    /// Returns the URL without its password; null for a directory.
    #[napi]
    pub fn shown_url(&self) -> Option<String> {
        match &self.place {
            Place::Directory(_) => None,
            Place::Database(url) => Some(url.to_string()),
        }
    }

    #[napi]
    pub fn new_id(&self) -> AsyncTask<Call<String>> {
        self.call(Queue::new_id)
    }

    #[napi]
    pub fn put(
        &self,
        id: Option<String>,
        envelope: Envelope,
        body: Buffer,
        options: WriteOptions,
    ) -> napi::Result<AsyncTask<Call<String>>> {
        let mail = Mail { envelope: envelope.into(), body: body.to_vec() };
        let options = options.try_into()?;
        Ok(self.call(move |queue| queue.put_with(id.as_deref(), &mail, &options)))
    }

    #[napi]
    pub fn put_many(
        &self,
        mails: Vec<IdentifiedMail>,
        options: WriteOptions,
    ) -> napi::Result<AsyncTask<Call<Vec<Outcome>>>> {
        let (mails, options) = (list::<_, types::IdentifiedMail>(mails), options.try_into()?);
        Ok(self.call_list(move |queue| queue.put_many(&mails, &options)))
    }

    #[napi]
    pub fn begin(
        &self,
        id: Option<String>,
        envelope: Envelope,
        options: WriteOptions,
    ) -> napi::Result<AsyncTask<Call<NativeDraft>>> {
        let (envelope, options) = (envelope.into(), options.try_into()?);
        Ok(self.call(move |queue| queue.draft(id.as_deref(), &envelope, &options)))
    }

    #[napi]
    pub fn submit(&self, reverse_path: String, to: Vec<String>, body: Buffer) -> AsyncTask<Call<String>> {
        let body = body.to_vec();
        self.call(move |queue| queue.submit(&reverse_path, &to, &body))
    }

    #[napi]
    pub fn get(&self, id: String) -> AsyncTask<Call<Item>> {
        self.call(move |queue| queue.get(id))
    }

    #[napi]
    pub fn info(&self, id: String) -> AsyncTask<Call<ItemInfo>> {
        self.call(move |queue| queue.info(id))
    }

    #[napi]
    pub fn read(&self, id: String, offset: i64) -> napi::Result<AsyncTask<Call<NativeBody>>> {
        let offset = u64::try_from(offset).map_err(invalid)?;
        Ok(self.call(move |queue| queue.read(id, offset)))
    }

    #[napi]
    pub fn items(&self, states: Vec<String>, detail: String) -> napi::Result<AsyncTask<Call<NativeListing>>> {
        let (states, detail) = (self::states(&states)?, named::<Detail>(&detail)?);
        Ok(self.call(move |queue| queue.items(&states, detail)))
    }

    #[napi]
    pub fn count(&self) -> AsyncTask<Call<Counts>> {
        self.call(Queue::count)
    }

    #[napi]
    pub fn verify(&self, ids: Vec<String>) -> AsyncTask<Call<Vec<Outcome>>> {
        self.call_list(move |queue| queue.verify(&ids))
    }

    #[napi]
    pub fn update(
        &self,
        id: String,
        change: EnvelopeChange,
        durability: Option<String>,
    ) -> napi::Result<AsyncTask<Call<String>>> {
        let (change, durability) = (types::EnvelopeChange::from(change), self::durability(durability)?);
        Ok(self.call(move |queue| queue.update(id, &change, durability)))
    }

    #[napi]
    pub fn record_attempts(
        &self,
        id: String,
        attempts: Vec<Attempt>,
        if_revision: Option<String>,
        durability: Option<String>,
    ) -> napi::Result<AsyncTask<Call<String>>> {
        let (attempts, durability) = (list::<_, types::Attempt>(attempts), self::durability(durability)?);
        Ok(self.call(move |queue| queue.record_attempts(id, &attempts, if_revision.as_deref(), durability)))
    }

    #[napi]
    pub fn set_state(&self, ids: Vec<String>, state: String) -> napi::Result<AsyncTask<Call<Vec<Outcome>>>> {
        let state = named(&state)?;
        Ok(self.call_list(move |queue| queue.set_state(&ids, state)))
    }

    #[napi]
    pub fn remove(
        &self,
        ids: Vec<String>,
        states: Vec<String>,
        durability: Option<String>,
    ) -> napi::Result<AsyncTask<Call<Vec<Outcome>>>> {
        let (states, durability) = (self::states(&states)?, self::durability(durability)?);
        Ok(self.call_list(move |queue| queue.remove(&ids, &states, durability)))
    }

    #[napi]
    pub fn seal(&self, ids: Vec<String>) -> AsyncTask<Call<Vec<Outcome>>> {
        self.call_list(move |queue| queue.seal(&ids))
    }

    #[napi]
    pub fn recover(&self, grace_seconds: u32) -> AsyncTask<Call<Recovery>> {
        self.call(move |queue| queue.recover(Duration::from_secs(grace_seconds.into())))
    }

    #[napi]
    pub fn needs_recovery(&self) -> bool {
        self.queue().as_ref().is_some_and(Queue::needs_recovery)
    }

    /// Lets the queue go, when the calls that run are over.
    #[napi]
    pub fn close(&self) {
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    #[napi]
    pub fn limits(&self) -> AsyncTask<Call<Vec<NamedNumber>>> {
        self.call_list(Queue::limits)
    }

    #[napi]
    pub fn counters(&self) -> AsyncTask<Call<Vec<NamedNumber>>> {
        self.call_list(Queue::counters)
    }

    #[napi]
    pub fn about(&self) -> AsyncTask<Call<Vec<NamedText>>> {
        self.call_list(Queue::about)
    }
}
