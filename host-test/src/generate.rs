//! Random items: those that a mail server would write, and those that only the format allows.

use crate::bindings::{Envelope, Item, Recipient, Timestamp};
use proptest::prelude::*;

/// Text with every character that the format writes in a special way.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ -~]{0,40}",
        1 => "\\PC{0,20}",
        1 => prop::collection::vec(
            prop_oneof![
                Just('"'), Just('\\'), Just('\''), Just('\n'), Just('\r'), Just('\t'), Just('\0'), Just('\u{7f}'),
                Just('\u{80}'), Just('\u{9f}'), Just('\u{a0}'), Just('ñ'), Just('😀'), Just('\u{10ffff}'), any::<char>(),
            ],
            0..20,
        )
        .prop_map(|characters| characters.into_iter().collect()),
    ]
}

/// Bodies of lines, of random bytes, and of repeated parts.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => prop::collection::vec("[ -~]{0,76}", 0..40).prop_map(|lines| lines.join("\r\n").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..2000),
        1 => "\\PC{0,300}".prop_map(String::into_bytes),
        1 => (prop::collection::vec(any::<u8>(), 1..50), 1..3000_usize)
            .prop_map(|(piece, times)| piece.iter().copied().cycle().take(piece.len() * times).collect()),
    ]
}

fn recipient() -> impl Strategy<Value = Recipient> {
    let number = prop_oneof![4 => 0..3_i32, 1 => any::<i32>()];
    (text(), number.clone(), number, text(), text(), prop::collection::vec(text(), 0..3)).prop_map(
        |(address, kind, status, last_failure_message, original_address, via)| Recipient {
            address,
            kind,
            status,
            last_failure_message,
            original_address,
            via,
        },
    )
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![4 => 0..4_000_000_000_i64, 1 => any::<i64>(), 1 => Just(0)];
    let nanos = prop_oneof![4 => 0..1_000_000_000_i32, 1 => any::<i32>(), 1 => Just(0)];
    (seconds, nanos).prop_map(|(seconds, nanos)| Timestamp { seconds, nanos })
}

/// Items, complete or not.
pub fn item() -> impl Strategy<Value = Item> {
    let strings = prop::collection::vec(text(), 0..4);
    let recipients = prop::collection::vec(recipient(), 0..5);
    (text(), text(), strings, recipients, prop::option::weighted(0.9, timestamp()), body()).prop_map(
        |(id, reverse_path, to, recipients, created_at, body)| Item {
            id,
            envelope: Envelope { reverse_path, to, recipients, created_at },
            body,
        },
    )
}
