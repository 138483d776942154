//! `queue-stream`.

use super::abi::{answer, exports};
use super::options::{Options, options};
use super::resource::resource;
use super::{OpenOne, WasiQueue, queue, state};
use crate::error::{Code, Error, Result};
use crate::filesystem::wasi::Wasi;
use crate::limits::{MAX_DRAFTS, MAX_LISTINGS, MAX_READERS};
use crate::list::{List, Maybe, Text};
use crate::message::{Envelope, Header};
use crate::name::State;
use crate::queue::{self, BodyReader, Detail, Listing, WriteOptions, header};
use alloc::boxed::Box;
use alloc::rc::Rc;

/// The parameters of `draft.begin`.
#[repr(C)]
struct Begin {
    path: Text,
    id: Maybe<Text>,
    envelope: Envelope,
    options: Maybe<Options>,
}

exports! {
    "mail:queue/queue-stream@0.1.0#[static]draft.begin" => (parameters: parameters<Begin>) {
        answer(begin(&mut parameters).map(draft::give))
    };
    "mail:queue/queue-stream@0.1.0#[method]draft.write" => (draft: borrowed<Option<OpenDraft>>, chunk: list<u8>) {
        answer(OpenDraft::write(draft, &chunk))
    };
    "mail:queue/queue-stream@0.1.0#[static]draft.commit" => (draft: u32) {
        answer(OpenDraft::commit(draft::take(draft)))
    };
    "mail:queue/queue-stream@0.1.0#[static]draft.abandon" => (draft: u32) {
        answer(abandon(draft::take(draft)))
    };
    "mail:queue/queue-stream@0.1.0#[static]body.open" => (path: text, id: text, offset: u64) {
        answer(open_body(&path, &id, offset).map(body::give))
    };
    "mail:queue/queue-stream@0.1.0#[method]body.info" => (body: borrowed<OpenBody>) (&raw const *body.reader.info()).cast();
    "mail:queue/queue-stream@0.1.0#[method]body.read" => (body: borrowed<OpenBody>, max: u32) {
        answer(body.reader.read(max as usize).map(Maybe::from))
    };
    "mail:queue/queue-stream@0.1.0#[static]listing.open" => (path: text, states: list<State>, detail: case<Detail>) {
        answer(open_listing(&path, states, detail).map(listing::give))
    };
    "mail:queue/queue-stream@0.1.0#[method]listing.next" => (listing: borrowed<OpenListing>, limit: u32) {
        answer(listing.listing.next(limit as usize))
    };
}

resource!(
    draft: Option<OpenDraft>, "[export]mail:queue/queue-stream@0.1.0", "[resource-new]draft",
    "mail:queue/queue-stream@0.1.0#[dtor]draft", "[resource-rep]draft", "[resource-drop]draft"
);
resource!(
    body: OpenBody, "[export]mail:queue/queue-stream@0.1.0", "[resource-new]body",
    "mail:queue/queue-stream@0.1.0#[dtor]body"
);
resource!(
    listing: OpenListing, "[export]mail:queue/queue-stream@0.1.0", "[resource-new]listing",
    "mail:queue/queue-stream@0.1.0#[dtor]listing"
);

/// A draft, which counts as open until it is committed, abandoned or dropped.
pub(super) struct OpenDraft {
    draft: Box<queue::Draft<Wasi>>,
    _open: OpenOne,
}

impl OpenDraft {
    /// Begins a draft in a queue.
    pub(super) fn begin(
        queue: &Rc<WasiQueue>,
        header: &mut Header,
        options: &WriteOptions,
    ) -> Result<Option<OpenDraft>> {
        let open = state().drafts.one(MAX_DRAFTS, "max-drafts")?;
        Ok(Some(OpenDraft { draft: queue::Draft::begin(queue, header, options, None)?, _open: open }))
    }

    /// Appends a part of the body.
    pub(super) fn write(open: &mut Option<OpenDraft>, chunk: &[u8]) -> Result<()> {
        open.as_mut().ok_or_else(aborted)?.draft.write_chunk(chunk)
    }

    /// Commits the draft.
    pub(super) fn commit(open: Option<OpenDraft>) -> Result<Text> {
        open.ok_or_else(aborted)?.draft.commit()
    }
}

fn abandon(open: Option<OpenDraft>) -> Result<()> {
    open.ok_or_else(aborted)?.draft.abandon()
}

/// A handle has its draft until it is given back, so this is never said.
#[cold]
fn aborted() -> Error {
    Error::refused(Code::Aborted, "the draft is gone")
}

fn begin(parameters: &mut Begin) -> Result<Option<OpenDraft>> {
    let options = options(&parameters.options)?;
    let mut header = header(&mut parameters.id, &mut parameters.envelope)?;
    OpenDraft::begin(&queue(&parameters.path)?, &mut header, &options)
}

/// A body being read.
struct OpenBody {
    reader: Box<BodyReader<Wasi>>,
    _open: OpenOne,
}

fn open_body(path: &str, id: &str, offset: u64) -> Result<OpenBody> {
    let open = state().readers.one(MAX_READERS, "max-readers")?;
    Ok(OpenBody { reader: BodyReader::open(&queue(path)?, id, offset)?, _open: open })
}

/// A listing being read.
struct OpenListing {
    listing: Listing<Wasi>,
    _open: OpenOne,
}

fn open_listing(path: &str, states: List<State>, detail: Detail) -> Result<OpenListing> {
    let open = state().listings.one(MAX_LISTINGS, "max-listings")?;
    Ok(OpenListing { listing: Listing::open(&queue(path)?, states, detail)?, _open: open })
}
