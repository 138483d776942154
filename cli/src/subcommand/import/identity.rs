//! Ids that the same import gives to the same mails each time, so that it can be repeated.

use queue_store_host::types::Envelope;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Bytes of a digest that an id has in hexadecimal digits: too many for two mails to have the same by chance, or by a
/// search for a mail that has the id of another.
const ID_BYTES: usize = 16;

/// The ids of an import.
#[derive(Default)]
pub(super) struct Ids {
    /// For each digest of a mail, the mails so far that have it.
    counts: HashMap<[u8; 32], u64>,
}

impl Ids {
    /// Returns the id of a mail. Mails that are the same have different ids, which depend on their number and not on their
    /// places.
    pub(super) fn id(&mut self, mail: MailDigest) -> String {
        let digest = mail.0.finalize().into();
        let count = self.counts.entry(digest).or_insert(0);
        let id = Sha256::new().chain_update(digest).chain_update(count.to_be_bytes()).finalize();
        *count += 1;
        id[..ID_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The digest of a mail, whose body comes in pieces.
pub(super) struct MailDigest(Sha256);

impl MailDigest {
    /// Begins with the envelope.
    pub(super) fn new(envelope: &Envelope) -> MailDigest {
        let mut digest = Sha256::new();
        for address in [&envelope.reverse_path].into_iter().chain(&envelope.to) {
            digest.update(address);
            // No address has a line feed, and none but a reverse-path is empty.
            digest.update("\n");
        }
        digest.update("\n");
        MailDigest(digest)
    }

    /// Adds a piece of the body.
    pub(super) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }
}
