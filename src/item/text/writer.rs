//! An envelope into protocol buffer text format, as Go's `prototext` with `Multiline` writes it: fields in the order of
//! their numbers, two blanks of indent, and nothing for a value that is zero.

use super::escape::{GROWTH, MARGIN, escape};
use crate::item::envelope::{Envelope, KINDS, Recipient, STATUSES, Timestamp};
use crate::item::trailer::push_decimal;
use alloc::vec::Vec;

/// The beginning of the body's field.
pub(crate) const BODY: &[u8] = b"data: \"";

/// The end of the body's field.
pub(crate) const AFTER_BODY: &[u8] = b"\"\n";

/// Appends the fields that precede the body.
pub(crate) fn before_body(envelope: &Envelope, output: &mut Vec<u8>) {
    let Envelope { id, reverse_path, to, recipients, created_at: _ } = envelope;
    string("ID", id, output);
    string("from", reverse_path, output);
    to.iter().for_each(|address| list_string("To", address, output));
    recipients.iter().for_each(|recipient| message("rcpt", output, |output| self::recipient(recipient, output)));
}

/// Appends the field that follows the body.
pub(crate) fn after_body(created_at: Option<Timestamp>, output: &mut Vec<u8>) {
    if let Some(Timestamp { seconds, nanos }) = created_at {
        message("created_at_ts", output, |output| {
            integer("  seconds", seconds, output);
            integer("  nanos", nanos.into(), output);
        });
    }
}

fn recipient(recipient: &Recipient, output: &mut Vec<u8>) {
    let Recipient { address, kind, status, last_failure_message, original_address, via } = recipient;
    string("  address", address, output);
    enumeration("  type", *kind, &KINDS, output);
    enumeration("  status", *status, &STATUSES, output);
    string("  last_failure_message", last_failure_message, output);
    string("  original_address", original_address, output);
    via.iter().for_each(|server| list_string("  via", server, output));
}

/// Appends a message, in one line if it is empty.
fn message(name: &str, output: &mut Vec<u8>, fields: impl FnOnce(&mut Vec<u8>)) {
    push(&[name, ": {\n"], output);
    let begin = output.len();
    fields(output);
    if output.len() == begin {
        output.pop();
    }
    push(&["}\n"], output);
}

/// Appends a string that is not empty.
fn string(name: &str, value: &str, output: &mut Vec<u8>) {
    if !value.is_empty() {
        list_string(name, value, output);
    }
}

/// Appends a string of a list, which may be empty.
fn list_string(name: &str, value: &str, output: &mut Vec<u8>) {
    push(&[name, ": \""], output);
    let begin = output.len();
    output.resize(begin + value.len() * GROWTH + MARGIN, 0);
    let progress = escape(value.as_bytes(), &mut output[begin..], true);
    output.truncate(begin + progress.produced);
    push(&["\"\n"], output);
}

/// Appends a value of an enum that is not 0: its name, or its number where it has no name.
fn enumeration(name: &str, value: i32, names: &[&str], output: &mut Vec<u8>) {
    match usize::try_from(value).ok().and_then(|value| names.get(value)) {
        Some(known) if value != 0 => push(&[name, ": ", known, "\n"], output),
        _ => integer(name, value.into(), output),
    }
}

/// Appends a number that is not 0.
fn integer(name: &str, value: i64, output: &mut Vec<u8>) {
    if value != 0 {
        push(&[name, if value < 0 { ": -" } else { ": " }], output);
        push_decimal(value.unsigned_abs(), output);
        push(&["\n"], output);
    }
}

fn push(parts: &[&str], output: &mut Vec<u8>) {
    parts.iter().for_each(|part| output.extend_from_slice(part.as_bytes()));
}
