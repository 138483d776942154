//! An envelope into protocol buffer text format, as Go's `prototext` with `Multiline` writes it: fields in the order of
//! their numbers, two blanks of indent, and nothing for a value that is zero.

use super::escape::{GROWTH, MARGIN, escape};
use crate::message::{Envelope, KINDS, Recipient, STATUSES, Timestamp};
use alloc::vec::Vec;

/// What the body's literal begins with.
pub(crate) const BODY: &[u8] = b"data: \"";

/// What the body's literal ends with.
pub(crate) const AFTER_BODY: &[u8] = b"\"\n";

/// Appends the fields that precede the body.
pub(crate) fn head(envelope: &Envelope, output: &mut Vec<u8>) {
    string("ID", &envelope.id, output);
    string("from", &envelope.reverse_path, output);
    for to in &envelope.to {
        element("To", to, output);
    }
    for recipient in &envelope.recipients {
        message("rcpt", output, |output| fields(recipient, output));
    }
}

/// Appends the field that follows the body.
pub(crate) fn tail(created_at: Option<Timestamp>, output: &mut Vec<u8>) {
    if let Some(created_at) = created_at {
        message("created_at_ts", output, |output| {
            number("  seconds", created_at.seconds, output);
            number("  nanos", created_at.nanos.into(), output);
        });
    }
}

fn fields(recipient: &Recipient, output: &mut Vec<u8>) {
    string("  address", &recipient.address, output);
    enumeration("  type", recipient.kind, &KINDS, output);
    enumeration("  status", recipient.status, &STATUSES, output);
    string("  last_failure_message", &recipient.last_failure_message, output);
    string("  original_address", &recipient.original_address, output);
    for via in &recipient.via {
        element("  via", via, output);
    }
}

/// A message, in one line if it is empty.
fn message(name: &str, output: &mut Vec<u8>, fields: impl FnOnce(&mut Vec<u8>)) {
    push(&[name, ": {\n"], output);
    let begin = output.len();
    fields(output);
    if output.len() == begin {
        output.pop();
    }
    push(&["}\n"], output);
}

fn string(name: &str, value: &str, output: &mut Vec<u8>) {
    if !value.is_empty() {
        element(name, value, output);
    }
}

/// A string that is written even if it is empty, since it is an element of a list.
fn element(name: &str, value: &str, output: &mut Vec<u8>) {
    push(&[name, ": \""], output);
    let begin = output.len();
    output.resize(begin + value.len() * GROWTH + MARGIN, 0);
    let room = output.get_mut(begin..).unwrap_or_default();
    let end = begin + escape(value.as_bytes(), room, true).produced;
    output.truncate(end);
    push(&["\"\n"], output);
}

fn enumeration(name: &str, value: i32, names: &[&str], output: &mut Vec<u8>) {
    match usize::try_from(value).ok().and_then(|value| names.get(value)) {
        Some(known) if value != 0 => push(&[name, ": ", known, "\n"], output),
        _ => number(name, value.into(), output),
    }
}

fn number(name: &str, value: i64, output: &mut Vec<u8>) {
    if value != 0 {
        push(&[name, ": ", itoa::Buffer::new().format(value), "\n"], output);
    }
}

fn push(parts: &[&str], output: &mut Vec<u8>) {
    parts.iter().for_each(|part| output.extend_from_slice(part.as_bytes()));
}
