//! The resources of the component: each holds an instance while it is open.

use crate::error::Result;
use crate::instance::Call;
use crate::pool::Pool;
use crate::resource::Resource;
use crate::store::{OpenBody, OpenDraft, OpenListing};
use crate::types::{Detail, Entry, Envelope, ItemInfo, State, WriteOptions};
use std::sync::Arc;

/// Bytes of a body that are passed to the component at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Items that the component is asked for at a time.
const PAGE_ITEMS: u32 = 1000;

/// A draft of the component.
pub(super) struct ComponentDraft {
    resource: Resource,
}

impl ComponentDraft {
    pub(super) fn begin(
        pool: &Arc<Pool>,
        id: Option<&str>,
        envelope: &Envelope,
        options: WriteOptions,
    ) -> Result<ComponentDraft> {
        let begin = |Call { store, exports }: Call<'_>, queue| {
            exports.mail_queue_queue_store().queue().call_begin(store, queue, id, envelope, Some(options))
        };
        Ok(ComponentDraft { resource: Resource::open(pool, begin)? })
    }
}

impl OpenDraft for ComponentDraft {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        bytes.chunks(CHUNK_BYTES).try_for_each(|chunk| {
            self.resource.call(|Call { store, exports }, draft| {
                exports.mail_queue_queue_store().draft().call_write(store, draft, chunk)
            })
        })
    }

    fn commit(self: Box<Self>) -> Result<String> {
        self.resource.consume(|Call { store, exports }, draft| {
            exports.mail_queue_queue_store().draft().call_commit(store, draft)
        })
    }

    fn abandon(self: Box<Self>) -> Result<()> {
        self.resource.consume(|Call { store, exports }, draft| {
            exports.mail_queue_queue_store().draft().call_abandon(store, draft)
        })
    }
}

/// A submission of the component.
pub(super) struct ComponentSubmission {
    resource: Resource,
}

impl ComponentSubmission {
    pub(super) fn begin(pool: &Arc<Pool>, reverse_path: &str, to: &[String]) -> Result<ComponentSubmission> {
        let begin = |Call { store, exports }: Call<'_>| {
            exports.mail_queue_intake().submission().call_begin(store, reverse_path, to)
        };
        Ok(ComponentSubmission { resource: Resource::open_intake(pool, begin)? })
    }
}

impl OpenDraft for ComponentSubmission {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        bytes.chunks(CHUNK_BYTES).try_for_each(|chunk| {
            self.resource.call(|Call { store, exports }, submission| {
                exports.mail_queue_intake().submission().call_write(store, submission, chunk)
            })
        })
    }

    fn commit(self: Box<Self>) -> Result<String> {
        self.resource.consume_intake(|Call { store, exports }, submission| {
            exports.mail_queue_intake().submission().call_commit(store, submission)
        })
    }

    /// The contract has no function for it: dropping the submission gives it up.
    fn abandon(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// A body reader of the component.
pub(super) struct ComponentBody {
    resource: Resource,
}

impl ComponentBody {
    pub(super) fn open(pool: &Arc<Pool>, id: &str, offset: u64) -> Result<(ItemInfo, ComponentBody)> {
        let mut resource = Resource::open(pool, |Call { store, exports }, queue| {
            exports.mail_queue_queue_store().queue().call_read(store, queue, id, offset)
        })?;
        let info = resource.call(|Call { store, exports }, reader| {
            exports.mail_queue_queue_store().body_reader().call_info(store, reader).map(Ok)
        })?;
        Ok((info, ComponentBody { resource }))
    }
}

impl OpenBody for ComponentBody {
    fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        self.resource.call(|Call { store, exports }, reader| {
            exports.mail_queue_queue_store().body_reader().call_read(store, reader, CHUNK_BYTES as u32)
        })
    }
}

/// A listing of the component.
pub(super) struct ComponentListing {
    resource: Resource,
}

impl ComponentListing {
    pub(super) fn open(pool: &Arc<Pool>, states: &[State], detail: Detail) -> Result<ComponentListing> {
        let open = |Call { store, exports }: Call<'_>, queue| {
            exports.mail_queue_queue_store().queue().call_items(store, queue, states, detail)
        };
        Ok(ComponentListing { resource: Resource::open(pool, open)? })
    }
}

impl OpenListing for ComponentListing {
    fn next_page(&mut self) -> Result<Option<Vec<Entry>>> {
        self.resource.call(|Call { store, exports }, listing| {
            exports.mail_queue_queue_store().listing().call_next(store, listing, PAGE_ITEMS)
        })
    }
}
