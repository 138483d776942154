//! Mails that are written in chunks.

use super::blocking::Open;
use crate::draft::Draft;
use crate::error::Result;
use crate::submission::Submission;

/// A mail that is written in chunks: see [`Draft`].
#[derive(Debug)]
pub struct AsyncDraft(Open<Draft>);

impl AsyncDraft {
    pub(crate) fn new(draft: Draft) -> AsyncDraft {
        AsyncDraft(Open::new(draft))
    }

    /// Appends bytes of any number to the body. If the future is dropped, so is the draft.
    ///
    /// # Errors
    ///
    /// As [`Draft::append`].
    pub async fn append(&mut self, bytes: impl Into<Vec<u8>>) -> Result<()> {
        let bytes = bytes.into();
        self.0.run(move |draft| draft.append(&bytes)).await
    }

    /// Makes the mail durable, publishes it and returns its id.
    ///
    /// # Errors
    ///
    /// As [`Draft::commit`].
    pub async fn commit(self) -> Result<String> {
        self.0.consume(Draft::commit).await
    }

    /// Gives the mail up. Unlike dropping the draft, it reports a failure.
    ///
    /// # Errors
    ///
    /// As [`Draft::abandon`].
    pub async fn abandon(self) -> Result<()> {
        self.0.consume(Draft::abandon).await
    }
}

/// A mail that is submitted in chunks: see [`Submission`].
#[derive(Debug)]
pub struct AsyncSubmission(Open<Submission>);

impl AsyncSubmission {
    pub(crate) fn new(submission: Submission) -> AsyncSubmission {
        AsyncSubmission(Open::new(submission))
    }

    /// Appends bytes of any number to the body. If the future is dropped, so is the submission.
    ///
    /// # Errors
    ///
    /// As [`Submission::append`].
    pub async fn append(&mut self, bytes: impl Into<Vec<u8>>) -> Result<()> {
        let bytes = bytes.into();
        self.0.run(move |submission| submission.append(&bytes)).await
    }

    /// Makes the mail durable, queues it and returns its id.
    ///
    /// # Errors
    ///
    /// As [`Submission::commit`].
    pub async fn commit(self) -> Result<String> {
        self.0.consume(Submission::commit).await
    }
}
