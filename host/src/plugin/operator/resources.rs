//! The resources that an operator's plugin has open.

#![allow(unreachable_pub, reason = "the generated bindings, which are private, re-export the types")]

use crate::body_reader::BodyReader;
use crate::draft::Draft;
use crate::error::{Error, Result};
use crate::listing::Listing;
use crate::types::ErrorCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A resource `queue`, which knows whether the plugin closed it for changes. Its drafts share it.
#[derive(Clone, Debug, Default)]
pub struct OpenQueue {
    is_closed: Arc<AtomicBool>,
}

impl OpenQueue {
    pub(super) fn set_closed(&self, is_closed: bool) {
        self.is_closed.store(is_closed, Ordering::Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Fails with `needs-recovery` if the plugin closed it.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.is_closed() { Err(needs_recovery()) } else { Ok(()) }
    }
}

/// A resource that is of no use after a call of it failed.
#[derive(Debug)]
pub(super) struct UntilFailure<T> {
    value: T,
    has_failed: bool,
}

impl<T> UntilFailure<T> {
    fn new(value: T) -> UntilFailure<T> {
        UntilFailure { value, has_failed: false }
    }

    /// Calls the resource, or fails with `aborted` if a call failed before.
    pub(super) fn call<R>(&mut self, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        self.check_usable()?;
        call(&mut self.value).inspect_err(|_| self.has_failed = true)
    }

    fn check_usable(&self) -> Result<()> {
        if self.has_failed {
            return Err(Error::of_library(ErrorCode::Aborted, "an earlier call of it failed: begin a new one"));
        }
        Ok(())
    }
}

/// A resource `draft`.
#[derive(Debug)]
pub struct OpenDraft {
    pub(super) draft: UntilFailure<Draft>,
    queue: OpenQueue,
}

impl OpenDraft {
    pub(super) fn new(draft: Draft, queue: OpenQueue) -> OpenDraft {
        OpenDraft { draft: UntilFailure::new(draft), queue }
    }

    pub(super) fn commit(self) -> Result<String> {
        self.draft.check_usable()?;
        self.queue.check_open()?;
        self.draft.value.commit()
    }

    /// Gives the mail up, also after a failure.
    pub(super) fn abandon(self) -> Result<()> {
        self.draft.value.abandon()
    }
}

/// A resource `body-reader`.
#[derive(Debug)]
pub struct OpenBodyReader {
    reader: UntilFailure<BodyReader>,
}

impl OpenBodyReader {
    pub(super) fn new(reader: BodyReader) -> OpenBodyReader {
        OpenBodyReader { reader: UntilFailure::new(reader) }
    }

    pub(super) fn info(&self) -> &crate::types::ItemInfo {
        self.reader.value.info()
    }

    /// Returns the next bytes, at most `max`; none at the end. A chunk of the store that is longer is handed out in pieces.
    pub(super) fn read(&mut self, max: usize) -> Result<Option<Vec<u8>>> {
        if max == 0 {
            let detail = "a read of 0 bytes could not be told from the end of the body";
            return Err(Error::of_library(ErrorCode::InvalidArgument, detail));
        }
        self.reader.call(|reader| {
            let mut bytes = vec![0; max];
            let length = reader.read_into(&mut bytes)?;
            bytes.truncate(length);
            Ok((length > 0).then_some(bytes))
        })
    }
}

/// A resource `listing`.
#[derive(Debug)]
pub struct OpenListing {
    listing: UntilFailure<Listing>,
    /// Items on a page at most.
    page_items: usize,
}

impl OpenListing {
    pub(super) fn new(listing: Listing, page_items: usize) -> OpenListing {
        OpenListing { listing: UntilFailure::new(listing), page_items }
    }

    /// Returns the next items, at most `limit`; none at the end.
    pub(super) fn next(&mut self, limit: usize) -> Result<Option<Vec<crate::types::Entry>>> {
        if limit == 0 {
            let detail = "a limit of 0 could not be told from the end of the listing";
            return Err(Error::of_library(ErrorCode::InvalidArgument, detail));
        }
        let max = limit.min(self.page_items);
        self.listing.call(|listing| listing.next_entries(max))
    }
}

/// The error of a queue that the plugin closed for changes.
fn needs_recovery() -> Error {
    Error::of_library(ErrorCode::NeedsRecovery, "the plugin closed the queue for changes until `recover`")
}
