//! The mail that the tests of the library put.

use queue_store_host::types::{Envelope, Mail, Recipient};

/// A mail from `a@example.com` to `b@example.com`.
pub(crate) fn mail(body: &[u8]) -> Mail {
    let recipient = Recipient { address: "b@example.com".into(), ..Recipient::default() };
    let envelope = Envelope {
        reverse_path: "a@example.com".into(),
        to: vec!["b@example.com".into()],
        recipients: vec![recipient],
        created_at: None,
    };
    Mail { envelope, body: body.to_vec() }
}
