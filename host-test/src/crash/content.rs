//! The content that calls write, marked with the call and the item, so that a reader can tell both.

use super::action::{Slot, Stamp};
use crate::bindings::{Attempt, Envelope, mail, recipient};

/// Returns the caller-chosen id of an item.
pub(super) fn chosen_id(slot: Slot) -> String {
    format!("item-{slot}")
}

/// Returns the body that a put writes. Every second one is longer than a sector, and every fourth one longer than a page.
pub(super) fn body(stamp: Stamp, slot: Slot) -> Vec<u8> {
    let lines = match stamp % 4 {
        0 => 200,
        2 => 20,
        _ => 1,
    };
    format!("{stamp} {slot}\r\n{}", "A line of the mail, with \"quotes\".\r\n".repeat(lines)).into_bytes()
}

/// Returns the call and the item that a body is marked with.
pub(super) fn body_stamp(body: &[u8]) -> Option<(Stamp, Slot)> {
    let line = std::str::from_utf8(body.split(|byte| *byte == b'\r').next()?).ok()?;
    let (stamp, slot) = line.split_once(' ')?;
    Some((stamp.parse().ok()?, slot.parse().ok()?))
}

/// Returns the envelope that call `stamp` wrote, with the attempts that another call recorded.
pub(super) fn envelope(stamp: Stamp, attempts: Option<Stamp>) -> Envelope {
    let mut envelope = mail(b"").envelope;
    envelope.reverse_path = format!("{stamp}@example.com");
    envelope.recipients = vec![recipient("b@example.com"), recipient("c@example.com")];
    for Attempt { recipient, status, message } in attempts.map(recorded_attempts).unwrap_or_default() {
        let recipient = &mut envelope.recipients[recipient as usize];
        (recipient.status, recipient.last_failure_message) = (status, message);
    }
    envelope
}

/// Returns the attempts that call `stamp` records: one of each delivery.
pub(super) fn recorded_attempts(stamp: Stamp) -> Vec<Attempt> {
    let message = format!("451 try again after call {stamp}");
    vec![Attempt { recipient: 0, status: 1, message: String::new() }, Attempt { recipient: 1, status: 0, message }]
}

/// Returns the call that wrote an envelope, and the call that recorded its attempts.
pub(super) fn envelope_stamps(envelope: &Envelope) -> Option<(Stamp, Option<Stamp>)> {
    let stamp = envelope.reverse_path.strip_suffix("@example.com")?.parse().ok()?;
    let message = &envelope.recipients.get(1)?.last_failure_message;
    let attempts = message.strip_prefix("451 try again after call ").map(str::parse).transpose().ok()?;
    Some((stamp, attempts))
}
