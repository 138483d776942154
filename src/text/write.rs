//! A message into protocol buffer text format, as Go's `prototext` with `Multiline` writes it: fields in the order of
//! their numbers, two blanks of indent, and nothing for a value that is zero.

use crate::integrity::push_decimal;
use crate::message::{Message, Place};
use crate::zeros;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use queue_store_literal::escape::{GROWTH, MARGIN, escape};

/// What the body's literal begins with.
pub(crate) const BODY: &[u8] = b"data: \"";

/// What the body's literal ends with.
pub(crate) const AFTER_BODY: &[u8] = b"\"\n";

/// Appends the fields that have these numbers, each line after `indent`.
pub(crate) fn fields(message: &mut dyn Message, numbers: RangeInclusive<usize>, indent: &str, output: &mut Vec<u8>) {
    for number in numbers {
        let Some(&name) = message.names().get(number - 1) else {
            continue;
        };
        let name = &[indent, name];
        match message.place(number) {
            Some(Place::Text(text)) if !text.is_empty() => string(name, text, output),
            Some(Place::Texts(texts)) => texts.iter().for_each(|text| string(name, text, output)),
            Some(Place::Enumeration(value, names)) => match names.get(*value as usize) {
                Some(known) if *value != 0 => line(name, ": ", known, output),
                _ => integer(name, (*value).into(), output),
            },
            Some(Place::Short(value)) => integer(name, (*value).into(), output),
            Some(Place::Long(value)) => integer(name, *value, output),
            Some(Place::Recipients(recipients)) => {
                recipients.iter_mut().for_each(|recipient| embedded(name, recipient, output));
            }
            Some(Place::Timestamp(crate::list::Maybe::Some(timestamp))) => embedded(name, timestamp, output),
            _ => {}
        }
    }
}

/// A message, in one line if it is empty.
fn embedded(name: &[&str], message: &mut dyn Message, output: &mut Vec<u8>) {
    line(name, ": {", "", output);
    let begin = output.len();
    let last = message.names().len();
    fields(message, 1..=last, "  ", output);
    if output.len() == begin {
        output.pop();
    }
    push(&["}\n"], output);
}

fn string(name: &[&str], value: &str, output: &mut Vec<u8>) {
    push(name, output);
    push(&[": \""], output);
    let begin = output.len();
    zeros::resize(output, begin + value.len() * GROWTH + MARGIN);
    let room = output.get_mut(begin..).unwrap_or_default();
    let end = begin + escape(value.as_bytes(), room, true).produced;
    output.truncate(end);
    push(&["\"\n"], output);
}

fn integer(name: &[&str], value: i64, output: &mut Vec<u8>) {
    if value != 0 {
        push(name, output);
        push(&[if value < 0 { ": -" } else { ": " }], output);
        push_decimal(value.unsigned_abs(), output);
        push(&["\n"], output);
    }
}

fn line(name: &[&str], sign: &str, value: &str, output: &mut Vec<u8>) {
    push(name, output);
    push(&[sign, value, "\n"], output);
}

#[inline(never)]
fn push(parts: &[&str], output: &mut Vec<u8>) {
    parts.iter().for_each(|part| output.extend_from_slice(part.as_bytes()));
}
