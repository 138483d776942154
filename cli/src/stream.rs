//! Mails that are queued in chunks, so that a large one is never whole in memory.

use crate::failure::Failure;
use queue_store_host::Queue;
use queue_store_host::types::{Envelope, WriteOptions};

/// Bytes of a body that are read at a time. Nothing is on the disk before that much of it was read.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Queues a mail whose body is `start` and what `next_chunk` returns until it returns nothing. Where it fails, dropping the
/// draft removes the temporary file.
pub(crate) fn put(
    queue: &Queue,
    id: Option<&str>,
    envelope: &Envelope,
    options: &WriteOptions,
    start: Vec<u8>,
    mut next_chunk: impl FnMut() -> Result<Vec<u8>, Failure>,
) -> Result<String, Failure> {
    let mut draft = queue.draft(id, envelope, options)?;
    draft.append(&start)?;
    drop(start);
    loop {
        let chunk = next_chunk()?;
        if chunk.is_empty() {
            break;
        }
        draft.append(&chunk)?;
    }
    Ok(draft.commit()?)
}
