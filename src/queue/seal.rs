//! New checksums for items that an operator vouches for.

use super::batch::Outcome;
use super::handle::Queue;
use super::lookup::most_restrained;
use crate::error::Result;
use crate::item::decoder::Strictness;
use crate::storage::filesystem::System;
use crate::storage::temporary_file::Durability;
use alloc::string::String;
use alloc::vec::Vec;

impl<S: System> Queue<S> {
    /// Writes new checksums for items.
    pub fn seal(&self, ids: &[String]) -> Result<Vec<Outcome>> {
        self.batch(ids, Durability::Full, |id| {
            let names = self.names_of_item(id)?;
            let mut item = self.open_item(most_restrained(&names), Strictness::NoChecksums)?;
            let envelope = item.reader.take_envelope();
            self.rewrite(id, &names, &mut item, &envelope, Durability::Full).map(|_| ())
        })
    }
}
