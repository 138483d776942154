//! The envelope that the other stores keep beside a body.

use serde::{Deserialize, Serialize};

/// The sender and the recipients of a mail, and the number of delivery attempts.
#[derive(Serialize, Deserialize)]
pub(super) struct Envelope {
    from: String,
    to: Vec<String>,
    attempts: u64,
    created_at: u64,
}

/// Encodes an envelope as one line of JSON.
pub(super) fn encoded(attempts: u64) -> Vec<u8> {
    let envelope = Envelope {
        from: "a@example.com".into(),
        to: vec!["b@example.org".into()],
        attempts,
        created_at: 1_760_785_824,
    };
    serde_json::to_vec(&envelope).expect("the envelope can be encoded as JSON")
}

/// Decodes an envelope.
pub(super) fn decode(bytes: &[u8]) -> Option<Envelope> {
    serde_json::from_slice(bytes).ok()
}
