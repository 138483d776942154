//! A mail that is written in chunks.

use crate::error::Result;
use crate::store::OpenDraft;
use std::fmt;
use std::io::{self, Write};

/// A mail that is written in chunks. Dropped without [`Draft::commit`], it leaves nothing.
pub struct Draft {
    open: Box<dyn OpenDraft>,
}

impl Draft {
    pub(crate) fn new(open: Box<dyn OpenDraft>) -> Draft {
        Draft { open }
    }

    /// Appends bytes of any number to the body.
    ///
    /// # Errors
    ///
    /// Those of `draft.write` in the contract. The draft cannot be committed any more then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.open.append(bytes)
    }

    /// Makes the mail durable, publishes it and returns its id.
    ///
    /// # Errors
    ///
    /// Those of `draft.commit` in the contract.
    pub fn commit(self) -> Result<String> {
        self.open.commit()
    }

    /// Gives the mail up. Unlike dropping the draft, it reports a failure.
    ///
    /// # Errors
    ///
    /// Those of `draft.abandon` in the contract.
    pub fn abandon(self) -> Result<()> {
        self.open.abandon()
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
