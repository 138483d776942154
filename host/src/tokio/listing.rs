//! A pass over the items of a queue.

use super::blocking::Open;
use crate::error::Result;
use crate::listing::Listing;
use crate::types::Entry;
use std::vec;

/// The items of a queue: see [`Listing`].
#[derive(Debug)]
pub struct AsyncListing {
    listing: Open<Listing>,
    page: vec::IntoIter<Entry>,
    done: bool,
}

impl AsyncListing {
    pub(crate) fn new(listing: Listing) -> AsyncListing {
        AsyncListing { listing: Open::new(listing), page: Vec::new().into_iter(), done: false }
    }

    /// Returns the next item. After an error there is none. If the future is dropped, so is the listing.
    pub async fn next(&mut self) -> Option<Result<Entry>> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(Ok(entry));
            }
            if self.done {
                return None;
            }
            match self.listing.run(Listing::next_page).await {
                Ok(Some(page)) => self.page = page.into_iter(),
                Ok(None) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
