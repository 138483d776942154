//! `queue-store`.

use super::abi::{answer, exports, keep};
use super::options::{Options, options};
use super::{WasiQueue, queue, state};
use crate::durable_write::Durability;
use crate::error::Result;
use crate::list::{Fixed, List, Maybe, Text};
use crate::mutant::{Safeguard, removed};
use crate::name::State;
use crate::queue::{EnvelopeChange, Given, Outcome, Queue};
use crate::{integrity, limits};

/// The parameters of `put`.
#[repr(C)]
struct Put {
    path: Text,
    mail: Given,
    options: Maybe<Options>,
}

/// The parameters of `update`.
#[repr(C)]
struct Update {
    path: Text,
    id: Text,
    change: EnvelopeChange,
    options: Maybe<Options>,
}

exports! {
    "mail:queue/queue-store@0.1.0#new-id" => () keep(Queue::new_id(&state().system));
    "mail:queue/queue-store@0.1.0#put" => (parameters: parameters<Put>) answer(put(&mut parameters));
    "mail:queue/queue-store@0.1.0#put-many" => (path: text, mails: list<Given>, given: options) {
        answer(put_many(&path, &mut mails, &given))
    };
    "mail:queue/queue-store@0.1.0#get" => (path: text, id: text) answer(queue(&path).and_then(|queue| queue.get(&id)));
    "mail:queue/queue-store@0.1.0#info" => (path: text, id: text) answer(queue(&path).and_then(|queue| queue.info(&id)).map(|info| *info));
    "mail:queue/queue-store@0.1.0#list-ids" => (path: text, states: list<State>, after: maybe_text, limit: u32) {
        answer(queue(&path).and_then(|queue| queue.list_ids(&states, after.as_ref(), limit as usize)))
    };
    "mail:queue/queue-store@0.1.0#list-items" => (path: text, states: list<State>, after: maybe_text, limit: u32) {
        answer(queue(&path).and_then(|queue| queue.list_items(&states, after.as_ref(), limit as usize)))
    };
    "mail:queue/queue-store@0.1.0#count" => (path: text) answer(queue(&path).and_then(|queue| queue.count()));
    "mail:queue/queue-store@0.1.0#update" => (parameters: parameters<Update>) answer(update(&mut parameters));
    "mail:queue/queue-store@0.1.0#remove" => (path: text, ids: list<Text>, durability: maybe_case<Durability>) {
        batch(&path, &ids, WasiQueue::remove, durability)
    };
    "mail:queue/queue-store@0.1.0#hold" => (path: text, ids: list<Text>) batch(&path, &ids, |queue, ids, _| queue.hold(ids), None);
    "mail:queue/queue-store@0.1.0#release" => (path: text, ids: list<Text>) batch(&path, &ids, |queue, ids, _| queue.release(ids), None);
    "mail:queue/queue-store@0.1.0#quarantine" => (path: text, ids: list<Text>) {
        batch(&path, &ids, |queue, ids, _| queue.quarantine(ids), None)
    };
    "mail:queue/queue-store@0.1.0#restore" => (path: text, ids: list<Text>) batch(&path, &ids, |queue, ids, _| queue.restore(ids), None);
    "mail:queue/queue-store@0.1.0#discard" => (path: text, ids: list<Text>, durability: maybe_case<Durability>) {
        batch(&path, &ids, WasiQueue::discard, durability)
    };
    "mail:queue/queue-store@0.1.0#seal" => (path: text, ids: list<Text>) batch(&path, &ids, |queue, ids, _| queue.seal(ids), None);
    "mail:queue/queue-store@0.1.0#verify" => (path: text, ids: list<Text>) batch(&path, &ids, |queue, ids, _| queue.verify(ids), None);
    "mail:queue/queue-store@0.1.0#recover" => (path: text, older_than: u64) {
        answer(queue(&path).and_then(|queue| queue.recover(older_than)))
    };
    "mail:queue/queue-store@0.1.0#require-recovery" => (path: text) {
        answer(queue(&path).map(|queue| {
            if !removed(Safeguard::Siblings) {
                queue.require_recovery();
            }
        }))
    };
    "mail:queue/queue-store@0.1.0#counters" => () keep(state().counters.all());
    "mail:queue/queue-store@0.1.0#limits" => () (&raw const limits::ALL).cast();
    "mail:queue/queue-store@0.1.0#about" => () (&raw const ABOUT).cast();
}

fn put(parameters: &mut Put) -> Result<Text> {
    let options = options(&parameters.options)?;
    queue(&parameters.path)?.put(&mut parameters.mail, &options)
}

fn put_many(path: &str, mails: &mut [Given], given: &Maybe<Options>) -> Result<List<Outcome>> {
    let options = options(given)?;
    queue(path)?.put_many(mails, &options)
}

fn update(parameters: &mut Update) -> Result<Text> {
    let options = options(&parameters.options)?;
    queue(&parameters.path)?.update(&parameters.id, &mut parameters.change, &options)
}

/// What is done to several items.
type Batch = fn(&WasiQueue, &[Text], Durability) -> Result<List<Outcome>>;

/// Does it.
#[inline(never)]
fn batch(path: &str, ids: &[Text], change: Batch, durability: Option<Durability>) -> *const u8 {
    answer(queue(path).and_then(|queue| change(&queue, ids, durability.unwrap_or_default())))
}

/// A fact that never changes, and its name.
#[repr(C)]
struct Fact {
    name: Fixed<u8>,
    value: Fixed<u8>,
}

const fn fact(name: &'static str, value: &'static str) -> Fact {
    Fact { name: Fixed::text(name), value: Fixed::text(value) }
}

/// What this component is.
static ABOUT: Fixed<Fact> = Fixed::of(&[
    fact("name", env!("CARGO_PKG_NAME")),
    fact("version", env!("CARGO_PKG_VERSION")),
    fact("contract", "mail:queue@0.1.0"),
    fact("format-version", integrity::VERSION),
]);
