//! `queue-store`.

use super::bindings::exports::mail::queue::queue_store::{
    Counts, Durability, EnvelopeChange, Error, Guest, IdPage, Item, ItemInfo, Mail, Outcome, Page, Recovery, State,
    WriteOptions,
};
use super::{Component, convert, forget_if_gone, queue, state};
use crate::filesystem::wasi::Wasi;
use crate::queue::Queue;
use crate::{integrity, limits};
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Calls a function of the queue that `path` names.
fn on<T>(
    path: &str,
    call: impl FnOnce(&Rc<Queue<Wasi>>) -> Result<T, crate::error::Error>,
) -> Result<T, crate::error::Error> {
    call(&queue(path)?).inspect_err(|error| forget_if_gone(path, error))
}

impl Guest for Component {
    fn new_id() -> String {
        Queue::new_id(state().system.as_ref())
    }

    fn put(queue: String, id: Option<String>, mail: Mail, options: Option<WriteOptions>) -> Result<String, Error> {
        let options = convert::write_options(options)?;
        let mut envelope = convert::envelope(convert::given_id(id)?, mail.envelope);
        Ok(on(&queue, |queue| queue.put(&mut envelope, &mail.body, &options))?)
    }

    fn put_many(
        queue: String,
        mails: Vec<(Option<String>, Mail)>,
        options: Option<WriteOptions>,
    ) -> Result<Vec<Outcome>, Error> {
        let options = convert::write_options(options)?;
        let convert = |(id, mail): (Option<String>, Mail)| {
            Ok((convert::envelope(convert::given_id(id)?, mail.envelope), mail.body))
        };
        let mails = mails.into_iter().map(convert).collect();
        convert::outcomes(on(&queue, |queue| queue.put_many(mails, &options)))
    }

    fn get(queue: String, id: String) -> Result<Item, Error> {
        Ok(on(&queue, |queue| queue.get(&id))?.into())
    }

    fn info(queue: String, id: String) -> Result<ItemInfo, Error> {
        Ok(on(&queue, |queue| queue.info(&id))?.into())
    }

    fn list_ids(queue: String, states: Vec<State>, after: Option<String>, limit: u32) -> Result<IdPage, Error> {
        let (states, limit) = (convert::states(states), convert::limit(limit));
        Ok(on(&queue, |queue| queue.list_ids(&states, after.as_deref(), limit))?.into())
    }

    fn list_items(queue: String, states: Vec<State>, after: Option<String>, limit: u32) -> Result<Page, Error> {
        let (states, limit) = (convert::states(states), convert::limit(limit));
        Ok(on(&queue, |queue| queue.list_items(&states, after.as_deref(), limit))?.into())
    }

    fn count(queue: String) -> Result<Counts, Error> {
        Ok(on(&queue, |queue| queue.count())?.into())
    }

    fn update(
        queue: String,
        id: String,
        change: EnvelopeChange,
        options: Option<WriteOptions>,
    ) -> Result<String, Error> {
        let options = convert::write_options(options)?;
        Ok(on(&queue, |queue| queue.update(&id, change.into(), &options))?)
    }

    fn remove(queue: String, ids: Vec<String>, durability: Option<Durability>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(on(&queue, |queue| queue.remove(&ids, convert::durability(durability))))
    }

    fn hold(queue: String, ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(on(&queue, |queue| queue.hold(&ids)))
    }

    fn release(queue: String, ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(on(&queue, |queue| queue.release(&ids)))
    }

    fn quarantine(queue: String, ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(on(&queue, |queue| queue.quarantine(&ids)))
    }

    fn restore(queue: String, ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(on(&queue, |queue| queue.restore(&ids)))
    }

    fn discard(queue: String, ids: Vec<String>, durability: Option<Durability>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(on(&queue, |queue| queue.discard(&ids, convert::durability(durability))))
    }

    fn seal(queue: String, ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(on(&queue, |queue| queue.seal(&ids)))
    }

    fn verify(queue: String, ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(on(&queue, |queue| queue.verify(&ids)))
    }

    fn recover(queue: String, older_than_seconds: u64) -> Result<Recovery, Error> {
        Ok(on(&queue, |queue| queue.recover(older_than_seconds))?.into())
    }

    fn require_recovery(queue: String) -> Result<(), Error> {
        Ok(on(&queue, |queue| {
            queue.require_recovery();
            Ok(())
        })?)
    }

    fn counters() -> Vec<(String, u64)> {
        named(state().counters.all())
    }

    fn limits() -> Vec<(String, u64)> {
        named(limits::ALL.iter().copied())
    }

    fn about() -> Vec<(String, String)> {
        [
            ("name", env!("CARGO_PKG_NAME").to_string()),
            ("version", env!("CARGO_PKG_VERSION").to_string()),
            ("contract", "mail:queue@0.1.0".to_string()),
            ("format-version", integrity::VERSION.to_string()),
        ]
        .map(|(name, value)| (name.to_string(), value))
        .into()
    }
}

fn named(numbers: impl IntoIterator<Item = (&'static str, u64)>) -> Vec<(String, u64)> {
    numbers.into_iter().map(|(name, number)| (name.to_string(), number)).collect()
}
