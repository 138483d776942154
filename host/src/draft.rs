//! A mail that is written in chunks.

use crate::error::Result;
use crate::instance::Call;
use crate::pool::Pool;
use crate::resource::Resource;
use crate::types::{Envelope, WriteOptions};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// Bytes of a body that are passed to the component at a time.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;

/// A mail that is written in chunks. Dropped without [`Draft::commit`], it leaves nothing.
pub struct Draft {
    resource: Resource,
}

impl Draft {
    pub(crate) fn begin(
        pool: &Arc<Pool>,
        id: Option<&str>,
        envelope: &Envelope,
        options: WriteOptions,
    ) -> Result<Draft> {
        let begin = |Call { store, exports }: Call<'_>, queue| {
            exports.mail_queue_queue_store().queue().call_begin(store, queue, id, envelope, Some(options))
        };
        Ok(Draft { resource: Resource::open(pool, begin)? })
    }

    /// Appends bytes of any number to the body.
    ///
    /// # Errors
    ///
    /// Those of `draft.write` in the contract. The draft cannot be committed any more then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        bytes.chunks(CHUNK_BYTES).try_for_each(|chunk| {
            self.resource.call(|Call { store, exports }, draft| {
                exports.mail_queue_queue_store().draft().call_write(store, draft, chunk)
            })
        })
    }

    /// Makes the mail durable, publishes it and returns its id.
    ///
    /// # Errors
    ///
    /// Those of `draft.commit` in the contract.
    pub fn commit(self) -> Result<String> {
        self.resource.consume(|Call { store, exports }, draft| {
            exports.mail_queue_queue_store().draft().call_commit(store, draft)
        })
    }

    /// Gives the mail up. Unlike dropping the draft, it reports a failure.
    ///
    /// # Errors
    ///
    /// Those of `draft.abandon` in the contract.
    pub fn abandon(self) -> Result<()> {
        self.resource.consume(|Call { store, exports }, draft| {
            exports.mail_queue_queue_store().draft().call_abandon(store, draft)
        })
    }
}

impl Write for Draft {
    /// Appends to the body. An error of the queue is inside the one that is returned, as [`crate::Error`].
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Draft").finish_non_exhaustive()
    }
}
