//! The queue for plugins, with bounds on what they may write.

#[cfg(feature = "plugin")]
use crate::contract_limits::check_chunk;
use crate::error::{Error, Result};
use crate::queue::Queue;
use crate::submission::Submission;
use crate::types::ErrorCode;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bounds on what a plugin may submit. A mail counts once its submission begins, and its bytes once they are written, also
/// where the submission fails or is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntakeLimits {
    /// Mails.
    pub mails: u64,
    /// Bytes of the bodies in all.
    pub bytes: u64,
}

impl Default for IntakeLimits {
    /// Any number of mails, of any size that the component takes.
    fn default() -> IntakeLimits {
        IntakeLimits { mails: u64::MAX, bytes: u64::MAX }
    }
}

/// Submits mails of a plugin, within [`IntakeLimits`]. Clones share the limits, so an embedder makes one for each plugin, and
/// calls it where the plugin imports `mail:queue/intake`.
#[derive(Clone, Debug)]
pub struct Intake {
    queue: Queue,
    /// The limits of this intake, and of those that it was bounded from.
    remaining: Vec<Arc<Mutex<IntakeLimits>>>,
}

impl Intake {
    /// Makes the intake of a queue.
    pub fn new(queue: &Queue, limits: IntakeLimits) -> Intake {
        Intake { queue: queue.clone(), remaining: vec![Arc::new(Mutex::new(limits))] }
    }

    /// Makes an intake with limits of its own, whose mails count for the limits of this one too.
    #[must_use]
    pub fn bounded(&self, limits: IntakeLimits) -> Intake {
        let mut bounded = self.clone();
        bounded.remaining.push(Arc::new(Mutex::new(limits)));
        bounded
    }

    /// Queues a mail and returns its id.
    ///
    /// # Errors
    ///
    /// Those of [`Queue::submit`]; [`Error::QueueFull`] if it exceeds the limits.
    pub fn submit(&self, reverse_path: &str, to: &[impl AsRef<str>], body: &[u8]) -> Result<String> {
        self.take(1, body.len())?;
        self.queue.submit(reverse_path, to, body)
    }

    /// Begins a mail that is submitted in chunks.
    ///
    /// # Errors
    ///
    /// Those of [`Queue::submission`]; [`Error::QueueFull`] if it exceeds the limits.
    pub fn submission(&self, reverse_path: &str, to: &[impl AsRef<str>]) -> Result<BoundedSubmission> {
        self.take(1, 0)?;
        let submission = self.queue.submission(reverse_path, to)?;
        Ok(BoundedSubmission { submission, intake: self.clone(), is_incomplete: false })
    }

    /// Returns how much may be submitted from here on.
    pub fn remaining(&self) -> IntakeLimits {
        let limits = self.remaining.iter().map(|remaining| *lock(remaining));
        let smaller = |a: IntakeLimits, b: IntakeLimits| IntakeLimits {
            mails: a.mails.min(b.mails),
            bytes: a.bytes.min(b.bytes),
        };
        limits.reduce(smaller).expect("an intake has limits")
    }

    /// Takes a part of all limits, or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::QueueFull`].
    pub(crate) fn take(&self, mails: u64, bytes: usize) -> Result<()> {
        // In one order, in which every intake that was bounded from another locks them.
        let mut locked: Vec<_> = self.remaining.iter().map(|remaining| lock(remaining)).collect();
        let left = |left: u64, taken: u64, of: &str| {
            let exceeded = || format!("the limit of the plugin leaves {left} {of}");
            left.checked_sub(taken).ok_or_else(|| Error::of_library(ErrorCode::QueueFull, exceeded()))
        };
        let taken: Vec<IntakeLimits> = locked
            .iter()
            .map(|remaining| {
                let mails = left(remaining.mails, mails, "mails")?;
                Ok(IntakeLimits { mails, bytes: left(remaining.bytes, bytes as u64, "bytes")? })
            })
            .collect::<Result<_>>()?;
        for (remaining, taken) in locked.iter_mut().zip(taken) {
            **remaining = taken;
        }
        Ok(())
    }
}

fn lock(remaining: &Mutex<IntakeLimits>) -> MutexGuard<'_, IntakeLimits> {
    remaining.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A [`Submission`] whose bytes count for the limits of its [`Intake`].
#[derive(Debug)]
pub struct BoundedSubmission {
    submission: Submission,
    intake: Intake,
    /// Whether bytes were refused, so that what is written is not the whole mail.
    is_incomplete: bool,
}

impl BoundedSubmission {
    /// Appends bytes of any number to the body.
    ///
    /// # Errors
    ///
    /// Those of [`Submission::append`]; [`Error::QueueFull`] if they exceed the limits. The submission cannot be committed
    /// any more then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.check_complete()?;
        self.intake.take(0, bytes.len()).inspect_err(|_| self.is_incomplete = true)?;
        self.submission.append(bytes)
    }

    /// As `append`, for a plugin, whose chunks the contract bounds.
    #[cfg(feature = "plugin")]
    pub(crate) fn append_chunk(&mut self, chunk: &[u8]) -> Result<()> {
        self.check_complete()?;
        check_chunk(chunk).inspect_err(|_| self.is_incomplete = true)?;
        self.append(chunk)
    }

    fn check_complete(&self) -> Result<()> {
        if !self.is_incomplete {
            return Ok(());
        }
        Err(Error::of_library(ErrorCode::Aborted, "an earlier write exceeded the limit of the plugin"))
    }

    /// Makes the mail durable, queues it and returns its id.
    ///
    /// # Errors
    ///
    /// Those of [`Submission::commit`]; [`Error::Aborted`] if bytes were refused.
    pub fn commit(self) -> Result<String> {
        self.check_complete()?;
        self.submission.commit()
    }
}

impl Write for BoundedSubmission {
    /// Appends to the body. An error of the queue is inside the one that is returned, as [`Error`].
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, feature = "plugin"))]
mod tests {
    use super::*;
    use crate::Host;
    use crate::contract_limits::MAX_CHUNK_BYTES;

    #[test]
    fn chunk_of_a_plugin_that_is_too_large_ends_its_submission() {
        let directory = tempfile::tempdir().expect("a test can create a temporary directory");
        let queue = Host::new().and_then(|host| host.open(directory.path())).expect("the queue is opened");
        let intake = Intake::new(&queue, IntakeLimits::default());
        let begin = || intake.submission("", &["b@example.com"]).expect("it begins");
        let mut submission = begin();
        submission.append_chunk(&vec![b'x'; MAX_CHUNK_BYTES]).expect("it is within the limit");
        submission.commit().expect("it is whole");
        let mut submission = begin();
        let refused = submission.append_chunk(&vec![b'x'; MAX_CHUNK_BYTES + 1]);
        assert_eq!(refused.expect_err("it is too large").code(), Some(ErrorCode::TooLarge));
        assert_eq!(submission.commit().expect_err("a part is missing").code(), Some(ErrorCode::Aborted));
    }
}
