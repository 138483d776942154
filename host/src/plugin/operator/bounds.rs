//! The limits of the contract that the host itself keeps for an operator's plugin.

use crate::error::{Error, Result};
use crate::queue::Queue;
use crate::types::{Detail, ErrorCode};

/// The limits of the contract that the host itself keeps. The store keeps the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) drafts: usize,
    pub(super) readers: usize,
    pub(super) listings: usize,
    pub(super) chunk_bytes: usize,
    page: usize,
    item_page: usize,
}

impl Bounds {
    /// Returns the limits of a queue.
    pub(super) fn of(queue: &Queue) -> Result<Bounds> {
        let limits = queue.limits()?;
        let limit = |name: &str| {
            let found = limits.iter().find(|(limit, _)| limit == name);
            let missing = || Error::of_library(ErrorCode::Unsupported, format!("the queue has no limit {name}"));
            found.map(|(_, limit)| usize::try_from(*limit).unwrap_or(usize::MAX)).ok_or_else(missing)
        };
        Ok(Bounds {
            drafts: limit("max-drafts")?,
            readers: limit("max-readers")?,
            listings: limit("max-listings")?,
            chunk_bytes: limit("max-chunk-bytes")?,
            page: limit("max-page")?,
            item_page: limit("max-item-page")?,
        })
    }

    /// Returns how many items a page of a listing has at most.
    pub(super) fn page_items(&self, detail: Detail) -> usize {
        match detail {
            Detail::Name => self.page,
            Detail::Envelope | Detail::Whole => self.item_page,
        }
    }
}
