//! A pass over the items of a queue.

use crate::error::{Error, Result};
use crate::store::OpenListing;
use crate::types::{Entry, ErrorCode};
use std::fmt;
use std::iter::FusedIterator;
use std::vec;

/// The items of a queue, in one pass and in no order.
pub struct Listing {
    open: Box<dyn OpenListing>,
    page: vec::IntoIter<Entry>,
    done: bool,
    has_failed: bool,
}

impl Listing {
    pub(crate) fn new(open: Box<dyn OpenListing>) -> Listing {
        Listing { open, page: Vec::new().into_iter(), done: false, has_failed: false }
    }

    /// Returns the next item; none at the end. After an error, which is one of `listing.next` in the contract, it fails with
    /// `aborted`, so that a part is not taken for the whole.
    ///
    /// # Errors
    ///
    /// Those of `listing.next` in the contract.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        if self.has_failed {
            return Err(Error::of_library(ErrorCode::Aborted, "the listing failed before"));
        }
        self.next().transpose()
    }

    /// Returns the next items; none at the end.
    #[cfg(feature = "tokio")]
    pub(crate) fn next_page(&mut self) -> Result<Option<Vec<Entry>>> {
        self.open.next_page()
    }

    /// Returns the next items of one page, at most `max`; none at the end.
    #[cfg(feature = "plugin")]
    pub(crate) fn next_entries(&mut self, max: usize) -> Result<Option<Vec<Entry>>> {
        while self.page.as_slice().is_empty() {
            match self.open.next_page()? {
                Some(page) => self.page = page.into_iter(),
                None => return Ok(None),
            }
        }
        Ok(Some(self.page.by_ref().take(max).collect()))
    }
}

impl Iterator for Listing {
    type Item = Result<Entry>;

    /// Returns the next item. After an error, which is one of `listing.next` in the contract, there is none.
    fn next(&mut self) -> Option<Result<Entry>> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(Ok(entry));
            }
            if self.done {
                return None;
            }
            match self.open.next_page() {
                Ok(Some(page)) => self.page = page.into_iter(),
                Ok(None) => self.done = true,
                Err(error) => {
                    (self.done, self.has_failed) = (true, true);
                    return Some(Err(error));
                }
            }
        }
    }
}

impl FusedIterator for Listing {}

impl fmt::Debug for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Listing").finish_non_exhaustive()
    }
}
