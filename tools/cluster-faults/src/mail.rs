//! The mails, whose bytes follow from their names.

use queue_store_host::types::{Envelope, Mail};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Bytes of a usual body.
pub const SHORT: usize = 2 << 10;

/// Bytes of a body that takes several chunks.
pub const LONG: usize = 600 << 10;

/// The domain of the recipients.
const DOMAIN: &str = "@example.com";

/// Returns the mail of a name, to a recipient of that name.
pub fn mail(name: &str, length: usize) -> Mail {
    Mail::new("a@example.com", [format!("{name}{DOMAIN}")], body(name, length))
}

/// Returns the name of the mail that has an envelope.
pub fn name(envelope: &Envelope) -> Option<&str> {
    envelope.recipients.first()?.address.strip_suffix(DOMAIN)
}

/// Returns the body of the mail of a name: a header with the name, and random bytes.
pub fn body(name: &str, length: usize) -> Vec<u8> {
    let mut body = format!("Subject: {name}\r\n\r\n").into_bytes();
    let seed = name.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let start = body.len();
    body.resize(length.max(start), 0);
    random.fill(&mut body[start..]);
    body
}
