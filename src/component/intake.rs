//! `intake`: a put that cannot harm, into the queue that the embedder chose.

use super::exports::Component;
use super::state::{Permit, WasiQueue, state};
use crate::error::{self, Cause, Operation};
use crate::item::envelope::Envelope;
use crate::item::validation;
use crate::limits::{MAX_DRAFTS, MAX_LIST_BODY_BYTES};
use crate::queue::{Draft, NewMail, WriteOptions};
use crate::storage::errno::Errno;
use crate::storage::filesystem::{Directory, System};
use crate::storage::wasi::Wasi;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use queue_store_contract::exports::mail::queue::intake::{Error, Guest, GuestSubmission, Submission};

/// The name of the preopen that is the queue where there are several.
const QUEUE: &str = "queue";

impl Guest for Component {
    type Submission = SubmissionResource;

    fn submit(reverse_path: String, to: Vec<String>, body: Vec<u8>) -> Result<String, Error> {
        let envelope = envelope(reverse_path, to)?;
        Ok(with_queue(|queue| queue.put(NewMail { id: None, envelope, body }, &options()))?)
    }
}

/// A submission, which counts as an open draft until it is committed or dropped.
pub(super) struct SubmissionResource {
    draft: RefCell<Draft<Wasi>>,
    _permit: Permit,
}

impl GuestSubmission for SubmissionResource {
    fn begin(reverse_path: String, to: Vec<String>) -> Result<Submission, Error> {
        let permit = state().drafts.take(MAX_DRAFTS, "max-drafts")?;
        let envelope = envelope(reverse_path, to)?;
        let draft = with_queue(|queue| Draft::begin(queue, None, envelope, &options(), None))?;
        Ok(Submission::new(SubmissionResource { draft: RefCell::new(draft), _permit: permit }))
    }

    fn write(&self, chunk: Vec<u8>) -> Result<(), Error> {
        Ok(self.draft.borrow_mut().write_chunk(&chunk)?)
    }

    fn commit(this: Submission) -> Result<String, Error> {
        Ok(this.into_inner::<SubmissionResource>().draft.into_inner().commit()?)
    }
}

/// Returns the options of every mail of a plugin.
fn options() -> WriteOptions {
    WriteOptions { max_body_bytes: MAX_LIST_BODY_BYTES, ..WriteOptions::default() }
}

/// Makes the envelope of a mail of a plugin, if it may submit it.
fn envelope(reverse_path: String, to: Vec<String>) -> error::Result<Envelope> {
    validation::accept_from_plugin(&reverse_path, &to)?;
    Ok(Envelope { reverse_path, to, ..Envelope::default() })
}

/// Calls `use_queue` with the queue of the intake, which is opened at the first call. Where its directory is gone, another
/// one may have its place, so that the next call opens it anew.
fn with_queue<T>(use_queue: impl FnOnce(&Rc<WasiQueue>) -> error::Result<T>) -> error::Result<T> {
    let state = state();
    let opened = state.intake.borrow().clone();
    let queue = match opened {
        Some(queue) => queue,
        None => {
            let queue = Rc::new(WasiQueue::open(&state.system, &state.counters, &queue_path()?)?);
            state.intake.replace(Some(queue.clone()));
            queue
        }
    };
    use_queue(&queue).inspect_err(|error| {
        if error.operation == Operation::Create && error.is(Errno::NoEntry) && !queue.needs_recovery() {
            state.intake.replace(None);
        }
    })
}

/// Recovers a queue by `recover`, and with it the queue of the intake, if both are of one path.
pub(super) fn recover_with<T>(queue: &WasiQueue, recover: impl FnOnce() -> error::Result<T>) -> error::Result<T> {
    let intake = state().intake.borrow().clone().filter(|intake| intake.path() == queue.path());
    if let Some(intake) = &intake {
        queue.adopt_unsynced(intake);
    }
    let recovered = recover()?;
    if intake.is_some() && !queue.needs_recovery() {
        // The next submission opens it anew.
        state().intake.replace(None);
    }
    Ok(recovered)
}

/// Returns the path of the queue: the preopen named `queue`, or the only one. Two names of one directory count as one.
fn queue_path() -> error::Result<String> {
    let system = &state().system;
    let mut preopens = system.preopens();
    if preopens.iter().any(|name| name == QUEUE) {
        return Ok(QUEUE.into());
    }
    let refused = |cause| error::Error::new(cause, Operation::Resolve, "");
    let path = preopens.pop().ok_or_else(|| refused(Cause::NoPreopens))?;
    for other in &preopens {
        if !is_same_directory(&path, other)? {
            return Err(refused(Cause::SeveralPreopens));
        }
    }
    Ok(path)
}

fn is_same_directory(one: &str, other: &str) -> error::Result<bool> {
    let identity = |path: &str| {
        let identity = state().system.open_directory(path)?.identity(".");
        identity.map_err(|errno| error::Error::new(errno, Operation::Resolve, path))
    };
    Ok(identity(one)? == identity(other)?)
}
