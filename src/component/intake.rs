//! `intake`: a put that cannot harm, into the only queue there is.

use super::abi::{answer, exports};
use super::queue_stream::OpenDraft;
use super::resource::resource;
use super::{WasiQueue, queue, state};
use crate::acceptance;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::System;
use crate::limits::MAX_LIST_BODY_BYTES;
use crate::list::{List, Maybe, Text};
use crate::message::Envelope;
use crate::queue::{Given, WriteOptions, header};
use alloc::rc::Rc;

/// How every mail of a plugin is written.
const OPTIONS: WriteOptions = WriteOptions { max_body_bytes: MAX_LIST_BODY_BYTES, ..WriteOptions::DEFAULT };

exports! {
    "mail:queue/intake@0.1.0#submit" => (envelope: envelope, body: list<u8>) answer(submit(&mut envelope, body));
    "mail:queue/intake@0.1.0#[static]submission.begin" => (envelope: envelope) {
        answer(begin(&mut envelope).map(submission::give))
    };
    "mail:queue/intake@0.1.0#[method]submission.write" => (submission: borrowed<Option<OpenDraft>>, chunk: list<u8>) {
        answer(OpenDraft::write(submission, &chunk))
    };
    "mail:queue/intake@0.1.0#[static]submission.commit" => (submission: u32) {
        answer(OpenDraft::commit(submission::take(submission)))
    };
}

resource!(
    submission: Option<OpenDraft>, "[export]mail:queue/intake@0.1.0", "[resource-new]submission",
    "mail:queue/intake@0.1.0#[dtor]submission", "[resource-rep]submission", "[resource-drop]submission"
);

fn submit(envelope: &mut Envelope, body: List<u8>) -> Result<Text> {
    acceptance::accept_from_plugin(envelope)?;
    only_queue()?.put(&mut Given { id: Maybe::None, envelope: core::mem::take(envelope), body }, &OPTIONS)
}

fn begin(envelope: &mut Envelope) -> Result<Option<OpenDraft>> {
    acceptance::accept_from_plugin(envelope)?;
    OpenDraft::begin(&only_queue()?, &mut header(&mut Maybe::None, envelope)?, &OPTIONS)
}

/// The queue in the only directory that the host opened.
fn only_queue() -> Result<Rc<WasiQueue>> {
    let mut preopens = state().system.preopens();
    let (code, detail) = match (preopens.pop(), preopens.is_empty()) {
        (Some(only), true) => return queue(&only),
        (None, _) => (Code::NotFound, "the host opened no directory for this instance"),
        (Some(_), false) => {
            (Code::Conflict, "the host opened several directories for this instance: the queue must be the only one")
        }
    };
    Err(Error::of(code, Operation::Resolve, "", detail))
}
