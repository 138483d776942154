//! All items of a queue, in the order in which they are printed.

use queue_store_host::types::{Detail, Entry};
use queue_store_host::{Error, Queue};

/// Returns the items of a queue, the oldest first, and those without a time last.
pub(crate) fn oldest_first(queue: &Queue, detail: Detail) -> Result<Vec<Entry>, Error> {
    let mut entries = queue.items(&[], detail)?.collect::<Result<Vec<_>, _>>()?;
    let age = |entry: &Entry| {
        let created_at = entry.info.as_ref().and_then(|info| info.envelope.created_at);
        created_at.map_or((i64::MAX, i32::MAX), |at| (at.seconds, at.nanos))
    };
    entries.sort_by(|one, other| age(one).cmp(&age(other)).then_with(|| one.id.cmp(&other.id)));
    Ok(entries)
}
