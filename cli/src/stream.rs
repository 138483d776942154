//! Mails that are queued in chunks, so that a large one is never whole in memory.

use crate::failure::Failure;
use crate::input::Input;
use queue_store_host::Queue;
use queue_store_host::types::{Envelope, WriteOptions};

/// Bytes of a body that are read at a time. Nothing is on the disk before that much of it was read.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Queues a mail whose body is `start` and the rest of `input`. Where it fails, dropping the draft removes the
/// temporary file.
pub(crate) fn put(
    queue: &Queue,
    id: Option<&str>,
    envelope: &Envelope,
    options: &WriteOptions,
    start: Vec<u8>,
    input: Option<&mut Input<'_>>,
) -> Result<String, Failure> {
    let mut draft = queue.draft(id, envelope, options)?;
    draft.append(&start)?;
    drop(start);
    if let Some(input) = input {
        loop {
            let chunk = input.read_chunk(CHUNK_BYTES)?;
            if chunk.is_empty() {
                break;
            }
            draft.append(&chunk)?;
        }
    }
    Ok(draft.commit()?)
}
