//! An item that is not in the database yet.

use crate::convert::{self, failure};
use queue_store::item::envelope::Envelope;
use queue_store::item::parts::{Parts, PartsEncoder};
use queue_store_host::Result;
use queue_store_host::types::Format;
use tokio_postgres::types::ToSql;

/// An id, and the checksum of a whole item.
pub(crate) type Key = (String, i64);

/// A mail that is checked and encoded.
pub(crate) struct NewItem {
    pub(crate) id: String,
    pub(crate) parts: Parts,
    pub(crate) format: i16,
    pub(crate) body_size: i64,
    pub(crate) created: i64,
}

impl NewItem {
    /// Encodes a mail whose envelope was accepted.
    pub(crate) fn encode(envelope: &Envelope, format: Format, body: &[u8]) -> Result<NewItem> {
        let mut encoder = PartsEncoder::new(envelope).map_err(|cause| failure(cause, &envelope.id))?;
        encoder.body(body);
        Ok(NewItem::new(envelope, format, encoder))
    }

    /// Ends an item whose body was encoded.
    pub(crate) fn new(envelope: &Envelope, format: Format, encoder: PartsEncoder) -> NewItem {
        let body_size = encoder.body_length().cast_signed();
        let created = envelope.created_at.map_or(0, |created_at| created_at.seconds);
        let format = convert::format_number(format);
        NewItem { id: envelope.id.clone(), parts: encoder.finish(), format, body_size, created }
    }

    /// The columns that every item has.
    pub(crate) fn parameters<'a>(&'a self, queue: &'a String, revision: &'a i64) -> [&'a (dyn ToSql + Sync); 8] {
        let NewItem { id, parts: Parts { head, tail, checksum: _ }, format, body_size, created } = self;
        [queue, id, format, revision, body_size, created, head, tail]
    }

    /// The key that tells it from an item of the same id with another content.
    pub(crate) fn key(&self) -> Key {
        (self.id.clone(), self.revision())
    }

    /// The checksum of the whole as the tables have it.
    pub(crate) fn revision(&self) -> i64 {
        self.parts.checksum.cast_signed()
    }
}
