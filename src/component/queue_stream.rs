//! `queue-stream`.

use super::bindings::exports::mail::queue::queue_stream::{
    Body, Detail, Draft, Entry, Envelope, Error, Guest, GuestBody, GuestDraft, GuestListing, ItemInfo, Listing, State,
    WriteOptions,
};
use super::{Component, OpenOne, convert, forget_if_gone, queue, state};
use crate::filesystem::wasi::Wasi;
use crate::limits::{MAX_DRAFTS, MAX_LISTINGS, MAX_READERS};
use crate::queue::{self, BodyReader, Queue};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

impl Guest for Component {
    type Draft = OpenDraft;
    type Body = OpenBody;
    type Listing = OpenListing;
}

/// A draft, which counts as open until it is committed, abandoned or dropped.
pub(super) struct OpenDraft {
    draft: RefCell<queue::Draft<Wasi>>,
    _open: OpenOne,
}

impl OpenDraft {
    /// Begins a draft in a queue.
    pub(super) fn begin(
        queue: &Rc<Queue<Wasi>>,
        envelope: &mut crate::message::Envelope,
        options: &queue::WriteOptions,
    ) -> Result<OpenDraft, crate::error::Error> {
        let open = state().drafts.one(MAX_DRAFTS, "max-drafts")?;
        let draft = queue::Draft::begin(queue, envelope, options, None)?;
        Ok(OpenDraft { draft: RefCell::new(draft), _open: open })
    }

    /// Appends a part of the body.
    pub(super) fn write_chunk(&self, chunk: &[u8]) -> Result<(), crate::error::Error> {
        self.draft.borrow_mut().write_chunk(chunk)
    }

    /// Commits the draft.
    pub(super) fn finish(self) -> Result<String, crate::error::Error> {
        self.draft.into_inner().commit()
    }
}

impl GuestDraft for OpenDraft {
    fn begin(
        path: String,
        id: Option<String>,
        envelope: Envelope,
        options: Option<WriteOptions>,
    ) -> Result<Draft, Error> {
        let options = convert::write_options(options)?;
        let mut envelope = convert::envelope(convert::given_id(id)?, envelope);
        let queue = queue(&path)?;
        let draft = OpenDraft::begin(&queue, &mut envelope, &options);
        Ok(Draft::new(draft.inspect_err(|error| forget_if_gone(&path, error))?))
    }

    fn write(&self, chunk: Vec<u8>) -> Result<(), Error> {
        Ok(self.write_chunk(&chunk)?)
    }

    fn commit(draft: Draft) -> Result<String, Error> {
        Ok(draft.into_inner::<OpenDraft>().finish()?)
    }

    fn abandon(draft: Draft) -> Result<(), Error> {
        Ok(draft.into_inner::<OpenDraft>().draft.into_inner().abandon()?)
    }
}

/// A body being read.
pub(super) struct OpenBody {
    reader: RefCell<BodyReader<Wasi>>,
    _open: OpenOne,
}

impl GuestBody for OpenBody {
    fn open(path: String, id: String, offset: u64) -> Result<Body, Error> {
        let open = state().readers.one(MAX_READERS, "max-readers")?;
        let reader = BodyReader::open(&queue(&path)?, &id, offset)?;
        Ok(Body::new(OpenBody { reader: RefCell::new(reader), _open: open }))
    }

    fn info(&self) -> ItemInfo {
        self.reader.borrow().info().clone().into()
    }

    fn read(&self, max: u32) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.reader.borrow_mut().read(convert::limit(max))?)
    }
}

/// A listing being read.
pub(super) struct OpenListing {
    listing: RefCell<queue::Listing<Wasi>>,
    _open: OpenOne,
}

impl GuestListing for OpenListing {
    fn open(path: String, states: Vec<State>, detail: Detail) -> Result<Listing, Error> {
        let open = state().listings.one(MAX_LISTINGS, "max-listings")?;
        let listing = queue::Listing::open(&queue(&path)?, &convert::states(states), detail.into())?;
        Ok(Listing::new(OpenListing { listing: RefCell::new(listing), _open: open }))
    }

    fn next(&self, limit: u32) -> Result<Vec<Entry>, Error> {
        Ok(convert::entries(self.listing.borrow_mut().next(convert::limit(limit))?))
    }
}
