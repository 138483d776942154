//! Whether two queues have the same item of an id.

use crate::failure::Failure;
use queue_store_host::Queue;
use queue_store_host::types::{Envelope, ItemInfo, State};
use std::io::{ErrorKind, Read};

/// Returns the state of the target's item, if it has the envelope and the body of the source's.
pub(super) fn state_of_same(source: &Queue, target: &Queue, info: &ItemInfo) -> Result<Option<State>, Failure> {
    let copy = target.info(&info.id)?;
    let is_same = as_stored(&copy.envelope) == as_stored(&info.envelope) && have_same_body(source, target, &info.id)?;
    Ok(is_same.then_some(copy.state))
}

fn have_same_body(source: &Queue, target: &Queue, id: &str) -> Result<bool, Failure> {
    let (mut one, mut other) = (source.read(id, 0)?, target.read(id, 0)?);
    let (mut left, mut right) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let read = fill(&mut one, &mut left)?;
        if fill(&mut other, &mut right)? != read || left[..read] != right[..read] {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

/// Returns an envelope as a put stores it.
fn as_stored(envelope: &Envelope) -> Envelope {
    let mut stored = envelope.clone();
    if stored.reverse_path.is_empty() {
        stored.reverse_path = "<>".to_string();
    }
    for recipient in &mut stored.recipients {
        if recipient.original_address.is_empty() {
            recipient.original_address.clone_from(&recipient.address);
        }
    }
    stored
}

/// Reads until the buffer is full, or to the end.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Failure> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let error =
                    error.downcast::<queue_store_host::Error>().expect("a body fails with an error of the queue");
                return Err(error.into());
            }
        }
    }
    Ok(filled)
}
