//! Mails, bodies and listings that are never whole in memory. Each holds an instance while it is open.

use crate::error::Error;
use crate::instance::Call;
use crate::pool::{Lease, Pool};
use crate::types::{Detail, Entry, Envelope, ItemInfo, State, WriteOptions};
use std::io::{self, Read, Write};
use std::sync::Arc;
use wasmtime::component::ResourceAny;

/// Bytes of a body that are passed at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Items of a listing that are asked for at a time.
const PAGE_ITEMS: u32 = 1000;

/// A mail whose body comes in parts. Dropped without [`Draft::commit`], it leaves nothing.
pub struct Draft {
    lease: Lease,
    draft: Option<ResourceAny>,
}

impl Draft {
    pub(crate) fn begin(
        pool: &Arc<Pool>,
        id: Option<&str>,
        envelope: &Envelope,
        options: &WriteOptions,
    ) -> Result<Draft, Error> {
        let mut lease = pool.lease()?;
        let draft = lease.call(|Call { store, exports, queue }| {
            exports.mail_queue_queue_stream().draft().call_begin(store, queue, id, envelope, Some(options))
        })?;
        Ok(Draft { lease, draft: Some(draft) })
    }

    /// Appends a part of the body, of any size.
    ///
    /// # Errors
    ///
    /// Those of `queue-stream.draft.write` in the contract. The draft cannot be committed any more then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        bytes.chunks(CHUNK_BYTES).try_for_each(|chunk| {
            let draft = self.draft.ok_or_else(|| Error::Component(wasmtime::Error::msg("the draft is done")))?;
            self.lease.call(|Call { store, exports, .. }| {
                exports.mail_queue_queue_stream().draft().call_write(store, draft, chunk)
            })
        })
    }

    /// Makes the mail durable, publishes it and returns its id.
    ///
    /// # Errors
    ///
    /// Those of `queue-stream.draft.commit` in the contract.
    pub fn commit(mut self) -> Result<String, Error> {
        let draft = self.take()?;
        self.lease
            .call(|Call { store, exports, .. }| exports.mail_queue_queue_stream().draft().call_commit(store, draft))
    }

    /// Gives the mail up; like dropping it, but says what went wrong.
    ///
    /// # Errors
    ///
    /// Those of `queue-stream.draft.abandon` in the contract.
    pub fn abandon(mut self) -> Result<(), Error> {
        let draft = self.take()?;
        self.lease
            .call(|Call { store, exports, .. }| exports.mail_queue_queue_stream().draft().call_abandon(store, draft))
    }

    fn take(&mut self) -> Result<ResourceAny, Error> {
        self.draft.take().ok_or_else(|| Error::Component(wasmtime::Error::msg("the draft is done")))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(draft) = self.draft.take() {
            self.lease.drop_resource(draft);
        }
    }
}

/// The body of an item, as it was when it was opened.
pub struct Body {
    lease: Lease,
    body: ResourceAny,
    info: ItemInfo,
    /// What [`Read`] has not given out yet.
    rest: io::Cursor<Vec<u8>>,
}

impl Body {
    pub(crate) fn open(pool: &Arc<Pool>, id: &str, offset: u64) -> Result<Body, Error> {
        let mut lease = pool.lease()?;
        let (body, info) = lease.call(|Call { store, exports, queue }| {
            let body = exports.mail_queue_queue_stream().body();
            match body.call_open(&mut *store, queue, id, offset)? {
                Ok(opened) => Ok(Ok((opened, body.call_info(store, opened)?))),
                Err(error) => Ok(Err(error)),
            }
        })?;
        Ok(Body { lease, body, info, rest: io::Cursor::default() })
    }

    /// What the item is.
    pub fn info(&self) -> &ItemInfo {
        &self.info
    }

    /// Returns the next bytes; none at the end, which is also the statement that the item is whole. What was read before
    /// that is not vouched for.
    ///
    /// # Errors
    ///
    /// Those of `queue-stream.body.read` in the contract.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let body = self.body;
        self.lease.call(|Call { store, exports, .. }| {
            exports.mail_queue_queue_stream().body().call_read(store, body, CHUNK_BYTES as u32)
        })
    }
}

impl Read for Body {
    /// Reads the next bytes. An error of the queue is inside the one that is returned, as [`Error`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.rest.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.next_chunk().map_err(io::Error::other)? {
                Some(chunk) => self.rest = io::Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.lease.drop_resource(self.body);
    }
}

/// The items of a queue, in one pass over the directory and in no order.
pub struct Listing {
    lease: Lease,
    listing: ResourceAny,
    page: std::vec::IntoIter<Entry>,
    done: bool,
}

impl Listing {
    pub(crate) fn open(pool: &Arc<Pool>, states: &[State], detail: Detail) -> Result<Listing, Error> {
        let mut lease = pool.lease()?;
        let listing = lease.call(|Call { store, exports, queue }| {
            exports.mail_queue_queue_stream().listing().call_open(store, queue, states, detail)
        })?;
        Ok(Listing { lease, listing, page: Vec::new().into_iter(), done: false })
    }
}

impl Iterator for Listing {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Result<Entry, Error>> {
        if let Some(entry) = self.page.next() {
            return Some(Ok(entry));
        }
        if self.done {
            return None;
        }
        let listing = self.listing;
        let page = self.lease.call(|Call { store, exports, .. }| {
            exports.mail_queue_queue_stream().listing().call_next(store, listing, PAGE_ITEMS)
        });
        match page {
            Ok(page) => {
                self.done = page.is_empty();
                self.page = page.into_iter();
                self.page.next().map(Ok)
            }
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.lease.drop_resource(self.listing);
    }
}
