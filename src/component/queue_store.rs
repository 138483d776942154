//! `queue-store`.

use super::convert;
use super::exports::Component;
use super::intake;
use super::state::{Permit, WasiQueue, state};
use crate::limits::{MAX_DRAFTS, MAX_LISTINGS, MAX_READERS};
use crate::queue;
use crate::storage::wasi::Wasi;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use queue_store_contract::exports::mail::queue::queue_store::{
    self as wit, Attempt, BodyReader, Counts, Detail, Draft, Durability, Entry, Envelope, EnvelopeChange, Error, Guest,
    GuestBodyReader, GuestDraft, GuestListing, GuestQueue, IdentifiedMail, Item, ItemInfo, Listing, Mail, Outcome,
    Queue, Recovery, WriteOptions,
};

impl Guest for Component {
    type Queue = QueueResource;
    type Draft = DraftResource;
    type BodyReader = BodyReaderResource;
    type Listing = ListingResource;

    fn new_id() -> String {
        WasiQueue::new_id(&state().system)
    }
}

/// A queue that is open. Its drafts, readers and listings share it.
pub(super) struct QueueResource(Rc<WasiQueue>);

impl GuestQueue for QueueResource {
    fn open(path: String) -> Result<Queue, Error> {
        let state = state();
        let queue = WasiQueue::open(&state.system, &state.counters, &path)?;
        Ok(Queue::new(QueueResource(Rc::new(queue))))
    }

    fn put(&self, id: Option<String>, mail: Mail, options: Option<WriteOptions>) -> Result<String, Error> {
        Ok(self.0.put(convert::new_mail(id, mail), &convert::write_options(options))?)
    }

    fn put_many(&self, mails: Vec<IdentifiedMail>, options: Option<WriteOptions>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(self.0.put_many(convert::all(mails), &convert::write_options(options)))
    }

    fn begin(&self, id: Option<String>, envelope: Envelope, options: Option<WriteOptions>) -> Result<Draft, Error> {
        let permit = state().drafts.take(MAX_DRAFTS, "max-drafts")?;
        let envelope = convert::envelope(String::new(), envelope);
        let draft = queue::Draft::begin(&self.0, id.as_deref(), envelope, &convert::write_options(options), None)?;
        Ok(Draft::new(DraftResource { draft: RefCell::new(draft), _permit: permit }))
    }

    fn get(&self, id: String) -> Result<Item, Error> {
        Ok(self.0.get(&id)?.into())
    }

    fn info(&self, id: String) -> Result<ItemInfo, Error> {
        Ok(self.0.info(&id)?.into())
    }

    fn read(&self, id: String, offset: u64) -> Result<BodyReader, Error> {
        let permit = state().readers.take(MAX_READERS, "max-readers")?;
        let reader = queue::BodyReader::open(&self.0, &id, offset)?;
        Ok(BodyReader::new(BodyReaderResource { reader: RefCell::new(reader), _permit: permit }))
    }

    fn items(&self, states: Vec<wit::State>, detail: Detail) -> Result<Listing, Error> {
        let permit = state().listings.take(MAX_LISTINGS, "max-listings")?;
        let listing = queue::Listing::open(&self.0, convert::all(states), detail.into())?;
        Ok(Listing::new(ListingResource { listing: RefCell::new(listing), _permit: permit }))
    }

    fn count(&self) -> Result<Counts, Error> {
        Ok(self.0.count()?.into())
    }

    fn verify(&self, ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(self.0.verify(&ids))
    }

    fn update(&self, id: String, change: EnvelopeChange, durability: Option<Durability>) -> Result<String, Error> {
        Ok(self.0.update(&id, change.into(), convert::durability(durability))?)
    }

    fn record_attempts(
        &self,
        id: String,
        attempts: Vec<Attempt>,
        if_revision: Option<String>,
        durability: Option<Durability>,
    ) -> Result<String, Error> {
        let attempts = convert::all(attempts);
        let durability = convert::durability(durability);
        Ok(self.0.record_attempts(&id, attempts, if_revision.as_deref(), durability)?)
    }

    fn set_state(&self, ids: Vec<String>, state: wit::State) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(self.0.set_state(&ids, state.into()))
    }

    fn remove(
        &self,
        ids: Vec<String>,
        states: Vec<wit::State>,
        durability: Option<Durability>,
    ) -> Result<Vec<Outcome>, Error> {
        let states: Vec<queue::State> = convert::all(states);
        convert::outcomes(self.0.remove(&ids, &states, convert::durability(durability)))
    }

    fn seal(&self, ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        convert::outcomes(self.0.seal(&ids))
    }

    fn recover(&self, grace_seconds: u32) -> Result<Recovery, Error> {
        Ok(intake::recover_with(&self.0, || self.0.recover(grace_seconds))?.into())
    }

    fn needs_recovery(&self) -> bool {
        self.0.needs_recovery()
    }

    fn require_recovery(&self) {
        self.0.require_recovery();
    }
}

/// A draft, which counts as open until it is committed, abandoned or dropped.
pub(super) struct DraftResource {
    draft: RefCell<queue::Draft<Wasi>>,
    _permit: Permit,
}

impl GuestDraft for DraftResource {
    fn write(&self, chunk: Vec<u8>) -> Result<(), Error> {
        Ok(self.draft.borrow_mut().write_chunk(&chunk)?)
    }

    fn commit(this: Draft) -> Result<String, Error> {
        Ok(this.into_inner::<DraftResource>().draft.into_inner().commit()?)
    }

    fn abandon(this: Draft) -> Result<(), Error> {
        Ok(this.into_inner::<DraftResource>().draft.into_inner().abandon()?)
    }
}

/// A body reader, which counts as open until it is dropped.
pub(super) struct BodyReaderResource {
    reader: RefCell<queue::BodyReader<Wasi>>,
    _permit: Permit,
}

impl GuestBodyReader for BodyReaderResource {
    fn info(&self) -> ItemInfo {
        self.reader.borrow().info().clone().into()
    }

    fn read(&self, max: u32) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.reader.borrow_mut().read(max as usize)?)
    }
}

/// A listing, which counts as open until it is dropped.
pub(super) struct ListingResource {
    listing: RefCell<queue::Listing<Wasi>>,
    _permit: Permit,
}

impl GuestListing for ListingResource {
    fn next(&self, limit: u32) -> Result<Option<Vec<Entry>>, Error> {
        Ok(self.listing.borrow_mut().next(limit as usize)?.map(convert::all))
    }
}
