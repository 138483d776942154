//! A mail that is submitted in chunks, as plugins do.

use crate::error::Result;
use crate::store::OpenDraft;
use std::fmt;
use std::io::{self, Write};

/// A mail that is submitted in chunks. Dropped without [`Submission::commit`], it leaves nothing.
pub struct Submission {
    open: Box<dyn OpenDraft>,
}

impl Submission {
    pub(crate) fn new(open: Box<dyn OpenDraft>) -> Submission {
        Submission { open }
    }

    /// Appends bytes of any number to the body.
    ///
    /// # Errors
    ///
    /// Those of `submission.write` in the contract. The submission cannot be committed any more then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.open.append(bytes)
    }

    /// Makes the mail durable, queues it and returns its id.
    ///
    /// # Errors
    ///
    /// Those of `submission.commit` in the contract.
    pub fn commit(self) -> Result<String> {
        self.open.commit()
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
