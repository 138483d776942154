//! `intake`: a put that cannot harm, into the only queue there is.

use super::bindings::exports::mail::queue::intake::{Envelope, Error, Guest, GuestSubmission, Mail, Submission};
use super::queue_stream::OpenDraft;
use super::{Component, convert, queue, state};
use crate::acceptance;
use crate::limits::MAX_LIST_BODY_BYTES;
use crate::queue::WriteOptions;
use alloc::string::String;
use alloc::vec::Vec;

/// How every mail of a plugin is written.
fn options() -> WriteOptions {
    WriteOptions { max_body_bytes: MAX_LIST_BODY_BYTES, ..WriteOptions::default() }
}

fn accepted(envelope: Envelope) -> Result<crate::message::Envelope, Error> {
    let envelope = convert::envelope(String::new(), envelope);
    acceptance::accept_from_plugin(&envelope)?;
    Ok(envelope)
}

impl Guest for Component {
    type Submission = OpenSubmission;

    fn submit(mail: Mail) -> Result<String, Error> {
        let mut envelope = accepted(mail.envelope)?;
        let queue = queue(&convert::only_preopen(state().system.as_ref())?)?;
        Ok(queue.put(&mut envelope, &mail.body, &options())?)
    }
}

/// A mail that a plugin is submitting.
pub(super) struct OpenSubmission(OpenDraft);

impl GuestSubmission for OpenSubmission {
    fn begin(envelope: Envelope) -> Result<Submission, Error> {
        let mut envelope = accepted(envelope)?;
        let queue = queue(&convert::only_preopen(state().system.as_ref())?)?;
        Ok(Submission::new(OpenSubmission(OpenDraft::begin(&queue, &mut envelope, &options())?)))
    }

    fn write(&self, chunk: Vec<u8>) -> Result<(), Error> {
        Ok(self.0.write_chunk(&chunk)?)
    }

    fn commit(submission: Submission) -> Result<String, Error> {
        Ok(submission.into_inner::<OpenSubmission>().0.finish()?)
    }
}
