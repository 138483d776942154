//! The replacement of an item by one with the same body and another envelope, or other checksums.

use super::handle::Queue;
use super::lookup::{ItemFile, most_restrained};
use super::read::{OpenItem, check_recorded_id};
use crate::error::{Error, Result};
use crate::item::encoder::Encoder;
use crate::item::envelope::Envelope;
use crate::item::id::ItemId;
use crate::storage::ItemWriter;
use crate::storage::filesystem::System;
use crate::storage::temporary_file::Durability;

impl<S: System> Queue<S> {
    /// Writes an item with this envelope and the body of the old one, which is verified meanwhile, and publishes it in the
    /// place of the old one, which has these names. Returns the checksum of the whole.
    pub(super) fn rewrite(
        &self,
        id: &ItemId,
        names: &[ItemFile],
        old: &mut OpenItem,
        envelope: &Envelope,
        durability: Durability,
    ) -> Result<u64> {
        let file = most_restrained(names);
        // chasquid would not find the item again under its file name.
        check_recorded_id(envelope, file)?;
        let encoder = Encoder::new(file.format, envelope, old.reader.body_length())?;
        let mut writer = ItemWriter::new(self.create_temporary()?, encoder);
        if let Err(error) = old.reader.copy_body(&mut writer) {
            return Err(writer.give_up(error.at_path(&file.name)));
        }
        self.counters.bytes_read.add(old.reader.file_size());
        let (new, checksum) = writer.finish()?;
        let new = new.finish(durability)?;
        if names.len() > 1 {
            // The others keep the old content: they are gone, also after power loss, before the new one comes.
            self.sync_preexisting_entries(Durability::Full)?;
            self.move_live(id, names, file.state)?;
            self.sync_directory().map_err(Error::needs_recovery)?;
        }
        new.publish_replacing(&file.name)?;
        Ok(checksum)
    }
}
