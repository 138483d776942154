//! A mail that is submitted in chunks, as plugins do.

use crate::draft::CHUNK_BYTES;
use crate::error::Result;
use crate::instance::Call;
use crate::pool::Pool;
use crate::resource::Resource;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// A mail that is submitted in chunks. Dropped without [`Submission::commit`], it leaves nothing.
pub struct Submission {
    resource: Resource,
}

impl Submission {
    pub(crate) fn begin(pool: &Arc<Pool>, reverse_path: &str, to: &[String]) -> Result<Submission> {
        let begin = |Call { store, exports }: Call<'_>| {
            exports.mail_queue_intake().submission().call_begin(store, reverse_path, to)
        };
        Ok(Submission { resource: Resource::open_intake(pool, begin)? })
    }

    /// Appends bytes of any number to the body.
    ///
    /// # Errors
    ///
    /// Those of `submission.write` in the contract. The submission cannot be committed any more then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        bytes.chunks(CHUNK_BYTES).try_for_each(|chunk| {
            self.resource.call(|Call { store, exports }, submission| {
                exports.mail_queue_intake().submission().call_write(store, submission, chunk)
            })
        })
    }

    /// Makes the mail durable, queues it and returns its id.
    ///
    /// # Errors
    ///
    /// Those of `submission.commit` in the contract.
    pub fn commit(self) -> Result<String> {
        self.resource.consume_intake(|Call { store, exports }, submission| {
            exports.mail_queue_intake().submission().call_commit(store, submission)
        })
    }
}

impl Write for Submission {
    /// Appends to the body. An error of the queue is inside the one that is returned, as [`crate::Error`].
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Submission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Submission").finish_non_exhaustive()
    }
}
