//! The types of the contract into those of the format, and back. Every record is destructured, and every enum matched, so
//! that a field or a case without a counterpart does not compile.

use crate::sql_error::{error, record};
use queue_store::error as native;
use queue_store::item::envelope;
use queue_store::item::parts::PartsReader;
use queue_store::queue;
use queue_store_host::types::{self, ErrorCode};
use queue_store_host::{Error, Result};

/// Implements the conversion of an enum whose cases have the same names on both sides.
macro_rules! same_cases {
    ($function:ident: $from:path => $to:path: $($case:ident),+ $(,)?) => {
        pub(crate) fn $function(from: $from) -> $to {
            type From_ = $from;
            type To = $to;
            match from {
                $(From_::$case => To::$case,)+
            }
        }
    };
}

same_cases!(code: native::Code => ErrorCode:
    InvalidArgument, NotFound, Exists, Conflict, Corrupt, ChecksumMismatch, IdMismatch, TooLarge, QueueFull, NoSpace,
    Quota, ReadOnly, Access, Unsupported, Busy, Io, Aborted, Indeterminate, NeedsRecovery, Other,
);
same_cases!(native_format: types::Format => queue_store::item::Format: Text, Binary);
same_cases!(integrity: queue::Integrity => types::Integrity: Unchecked, Envelope, Whole);

/// Converts an error of the format, or of an argument, that concerns the item of an id.
pub(crate) fn failure(cause: impl Into<native::Error>, id: &str) -> Error {
    let cause = cause.into();
    let (code, detail, position) = (code(cause.code()), cause.to_string(), cause.position);
    let position = position.map(|native::Position { offset, line, column }| types::Position { offset, line, column });
    let operation = cause.operation.to_string();
    types::Error { code, operation, path: id.to_string(), detail, position }.into()
}

/// Returns the record of an error, as an outcome has it.
pub(crate) fn problem(failure: &Error) -> types::Error {
    failure.record().unwrap_or_else(|| record(ErrorCode::Other, failure.to_string()))
}

/// Converts the envelope of an item that has this id.
pub(crate) fn envelope(id: &str, envelope: &types::Envelope) -> envelope::Envelope {
    let types::Envelope { reverse_path, to, recipients, created_at } = envelope.clone();
    envelope::Envelope {
        id: id.to_string(),
        reverse_path,
        to,
        recipients: recipients.into_iter().map(recipient).collect(),
        created_at: created_at.map(timestamp),
    }
}

/// Converts an envelope, and returns the id that the item records beside it.
pub(crate) fn split_envelope(envelope: envelope::Envelope) -> (String, types::Envelope) {
    let envelope::Envelope { id, reverse_path, to, recipients, created_at } = envelope;
    let recipients = recipients.into_iter().map(|recipient| {
        let envelope::Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
        types::Recipient { address, kind, status, last_failure_message, original_address, via }
    });
    let created_at = created_at.map(|envelope::Timestamp { seconds, nanos }| types::Timestamp { seconds, nanos });
    (id, types::Envelope { reverse_path, to, recipients: recipients.collect(), created_at })
}

fn recipient(recipient: types::Recipient) -> envelope::Recipient {
    let types::Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
    envelope::Recipient { address, kind, status, last_failure_message, original_address, via }
}

fn timestamp(timestamp: types::Timestamp) -> envelope::Timestamp {
    let types::Timestamp { seconds, nanos } = timestamp;
    envelope::Timestamp { seconds, nanos }
}

pub(crate) fn change(change: &types::EnvelopeChange) -> queue::EnvelopeChange {
    let types::EnvelopeChange { reverse_path, to, recipients, created_at, if_revision } = change.clone();
    let recipients = recipients.map(|recipients| recipients.into_iter().map(recipient).collect());
    queue::EnvelopeChange { reverse_path, to, recipients, created_at: created_at.map(timestamp), if_revision }
}

pub(crate) fn attempts(attempts: &[types::Attempt]) -> Vec<queue::Attempt> {
    let convert = |types::Attempt { recipient, status, message }: types::Attempt| queue::Attempt {
        recipient: recipient as usize,
        status,
        message,
    };
    attempts.iter().cloned().map(convert).collect()
}

/// Returns the facts about an item, and takes its envelope out of the reader.
pub(crate) fn info(
    id: &str,
    state: types::State,
    format: types::Format,
    parts_bytes: u64,
    reader: &mut PartsReader,
) -> types::ItemInfo {
    let body_size = reader.body_length();
    let revision = reader.revision();
    let integrity = integrity(reader.integrity());
    let (recorded_id, envelope) = split_envelope(reader.take_envelope());
    types::ItemInfo {
        id: id.to_string(),
        state,
        format,
        integrity,
        envelope,
        file_size: parts_bytes + body_size,
        body_size: Some(body_size),
        revision,
        recorded_id: Some(recorded_id).filter(|recorded_id| recorded_id != id),
    }
}

/// The number of a format in the tables.
pub(crate) fn format_number(format: types::Format) -> i16 {
    match format {
        types::Format::Text => 0,
        types::Format::Binary => 1,
    }
}

/// The format that a number in the tables stands for.
pub(crate) fn format(number: i16) -> Result<types::Format> {
    match number {
        0 => Ok(types::Format::Text),
        1 => Ok(types::Format::Binary),
        _ => Err(error(ErrorCode::Corrupt, format!("the table of items has the unknown format {number}"))),
    }
}

/// The number of a state in the tables.
pub(crate) fn state_number(state: types::State) -> i16 {
    match state {
        types::State::Ready => 0,
        types::State::Held => 1,
        types::State::Quarantined => 2,
    }
}

/// The state that a number in the tables stands for.
pub(crate) fn state(number: i16) -> Result<types::State> {
    match number {
        0 => Ok(types::State::Ready),
        1 => Ok(types::State::Held),
        2 => Ok(types::State::Quarantined),
        _ => Err(error(ErrorCode::Corrupt, format!("the table of items has the unknown state {number}"))),
    }
}

/// The numbers of states; none given: all.
pub(crate) fn state_numbers(states: &[types::State]) -> Vec<i16> {
    if states.is_empty() { vec![0, 1, 2] } else { states.iter().map(|state| state_number(*state)).collect() }
}
