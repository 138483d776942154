//! The mails, whose bytes follow from their ids.

use queue_store_host::types::Mail;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Bytes of a usual body.
pub const SHORT: usize = 2 << 10;

/// Bytes of a body that takes several chunks.
pub const LONG: usize = 600 << 10;

/// Returns the mail of an id.
pub fn mail(id: &str, length: usize) -> Mail {
    Mail::new("a@example.com", ["b@example.com"], body(id, length))
}

/// Returns the body of the mail of an id: a header with the id, and random bytes.
pub fn body(id: &str, length: usize) -> Vec<u8> {
    let mut body = format!("Subject: {id}\r\n\r\n").into_bytes();
    let seed = id.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let start = body.len();
    body.resize(length.max(start), 0);
    random.fill(&mut body[start..]);
    body
}
