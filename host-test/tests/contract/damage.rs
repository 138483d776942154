//! Damaged items: truncated anywhere, with any bit flipped, or with parts exchanged. None passes for an intact one.

use crate::support::{formats, one, put_as};
use queue_store_host_test::bindings::{Attempt, Detail, EnvelopeChange, Item, no_change};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

const BODY: &[u8] = b"Subject: hi\r\n\r\n\"quoted\" \xff\x00 \xc3\xb1\r\n";

/// The required detection of a damage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Every way of reading the whole item fails.
    Refused,
    /// The item is refused, or equals the one that was written.
    RefusedOrEqual,
}

/// Reads the damaged item `x` in every way. Returns the call that passed it for an intact one, if there is one.
fn undetected_by(queue: &mut TestQueue, written: &Item, expected: Expected) -> Option<&'static str> {
    let refused = expected == Expected::Refused;
    if queue.get("x").is_ok_and(|item| refused || item != *written) {
        return Some("get");
    }
    if queue.read_body("x", 0, 1 << 16).is_ok_and(|body| refused || body != written.body) {
        return Some("read");
    }
    let verified = queue.verify(&one("x")).expect("the call has an outcome for each item");
    if refused && verified[0].problem.is_none() {
        return Some("verify");
    }
    if queue.info("x").is_ok_and(|info| info.envelope != written.envelope) {
        return Some("info");
    }
    let entries = queue.list(&[], Detail::Envelope, 10).expect("a damaged item is not the failure of the listing");
    assert_eq!(entries.len(), 1, "the listing has the damaged item");
    if entries[0].info.as_ref().is_some_and(|info| info.envelope != written.envelope) {
        return Some("items");
    }
    let files = queue.names();
    let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
    if queue.record_attempts("x", &attempts, None, None).is_ok() && refused {
        return Some("record-attempts");
    }
    let change = EnvelopeChange { reverse_path: Some("new@example.com".to_string()), ..no_change() };
    let updated = queue.update("x", &change, None).is_ok();
    if updated && (refused || queue.get("x").map(|item| item.body) != Ok(written.body.clone())) {
        return Some("update");
    }
    assert_eq!(queue.names(), files, "a call that is refused leaves no file");
    None
}

/// Has `damage` report each damaged content of an item, in both formats, and reads it in every way.
fn each_damage(damage: impl Fn(&[u8], &mut dyn FnMut(&str, Vec<u8>, Expected))) {
    for options in formats() {
        let mut queue = TestQueue::new();
        put_as(&mut queue, "x", BODY, Some(options));
        let file = queue.file(&queue.names()[0]);
        let written = queue.get("x").expect("the item is intact");
        let intact = fs::read(&file).expect("the file exists");
        damage(&intact, &mut |what, damaged, expected| {
            fs::write(&file, damaged).expect("the file can be written");
            if let Some(call) = undetected_by(&mut queue, &written, expected) {
                panic!("{what} of {}: {call} passes the item for an intact one", file.display());
            }
        });
    }
}

fn is_text(intact: &[u8]) -> bool {
    intact.starts_with(b"# ")
}

/// Bytes of the header: a line in text, a field in binary.
fn header(intact: &[u8]) -> usize {
    if is_text(intact) { b"# queue-store 1\n".len() } else { b"\xc2\x3e\x0dqueue-store 1".len() }
}

#[test]
fn items_truncated_anywhere_are_refused() {
    each_damage(|intact, check| {
        // Only the line feed at the end of a text may be missing, since editors drop it.
        let needed = if is_text(intact) { intact.len() - 1 } else { intact.len() };
        for end in 0..needed {
            let what = format!("truncation at {end} of {}", intact.len());
            check(&what, intact[..end].to_vec(), Expected::Refused);
        }
    });
}

#[test]
fn any_flipped_bit_is_refused_or_harmless() {
    each_damage(|intact, check| {
        for bit in 0..intact.len() * 8 {
            let mut damaged = intact.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // Without its header, the item is one that another program wrote. The line feed at the end of a text may be
            // any other white space.
            let in_header = bit / 8 < header(intact);
            let at_end = is_text(intact) && bit / 8 == intact.len() - 1;
            let expected = if in_header || at_end { Expected::RefusedOrEqual } else { Expected::Refused };
            check(&format!("flip of bit {bit}"), damaged, expected);
        }
    });
}

#[test]
fn holes_and_moved_parts_are_refused() {
    each_damage(|intact, check| {
        for at in (header(intact)..intact.len() - 1).step_by(7) {
            let length = (intact.len() - at).min(16);
            let mut hole = intact.to_vec();
            hole[at..at + length].fill(0);
            check(&format!("hole at {at}"), hole, Expected::Refused);
            let doubled = [&intact[..at + length], &intact[at..]].concat();
            check(&format!("doubled part at {at}"), doubled, Expected::Refused);
            if length == 16 {
                let exchanged =
                    [&intact[..at], &intact[at + 8..at + 16], &intact[at..at + 8], &intact[at + 16..]].concat();
                if exchanged != intact {
                    check(&format!("exchange at {at}"), exchanged, Expected::Refused);
                }
            }
        }
    });
}
