//! A pass over the items of a queue.

use crate::error::Result;
use crate::instance::Call;
use crate::pool::Pool;
use crate::resource::Resource;
use crate::types::{Detail, Entry, State};
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::vec;

/// Items that the component is asked for at a time.
const PAGE_ITEMS: u32 = 1000;

/// The items of a queue, in one pass over the directory and in no order.
pub struct Listing {
    resource: Resource,
    page: vec::IntoIter<Entry>,
    done: bool,
}

impl Listing {
    pub(crate) fn open(pool: &Arc<Pool>, states: &[State], detail: Detail) -> Result<Listing> {
        let open = |Call { store, exports }: Call<'_>, queue| {
            exports.mail_queue_queue_store().queue().call_items(store, queue, states, detail)
        };
        Ok(Listing { resource: Resource::open(pool, open)?, page: Vec::new().into_iter(), done: false })
    }

    /// Returns the next items; none at the end.
    pub(crate) fn next_page(&mut self) -> Result<Option<Vec<Entry>>> {
        self.resource.call(|Call { store, exports }, listing| {
            exports.mail_queue_queue_store().listing().call_next(store, listing, PAGE_ITEMS)
        })
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
            match self.next_page() {
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

impl FusedIterator for Listing {}

impl fmt::Debug for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Listing").finish_non_exhaustive()
    }
}
