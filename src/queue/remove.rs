//! Removals.

use super::{LIVE, Outcome, Queue, not_found};
use crate::durable_write::Durability;
use crate::error::{Error, Operation, Result};
use crate::filesystem::{Directory, Failure, System};
use crate::list::{List, Text};
use crate::mutant::{Safeguard, removed};
use crate::name::{Name, State};

impl<S: System> Queue<S> {
    /// Removes items that are ready or held.
    pub fn remove(&self, ids: &[Text], durability: Durability) -> Result<List<Outcome>> {
        self.batch(ids, durability, &|id| {
            // One that has a second name, or a copy, is not gone before that is too.
            self.file(id, &LIVE)?.ok_or_else(|| not_found(id))?;
            self.unlink_all(self.files(id, &LIVE)?.iter().map(|file| &file.name))
        })
    }

    /// Removes every quarantined item of these ids.
    pub fn discard(&self, ids: &[Text], durability: Durability) -> Result<List<Outcome>> {
        let quarantined = self.quarantined(ids).map_err(|error| self.error(error))?;
        self.batch(ids, durability, &|id| {
            let mut names = quarantined.iter().filter(|(of, _)| **of == *id).map(|(_, name)| name).peekable();
            names.peek().ok_or_else(|| not_found(id))?;
            self.unlink_all(names)
        })
    }

    /// The ids and the names of the quarantined items that have one of these ids.
    pub(super) fn quarantined(&self, ids: &[Text]) -> Result<List<(Text, Text)>> {
        let mut quarantined = List::new();
        let mut names = self.names()?;
        while let Some(found) = names.next()? {
            if let Name::Item { id, state: State::Quarantined, .. } = found.meaning()
                && ids.iter().any(|wanted| **wanted == *id)
            {
                quarantined.push((id.into(), found.name));
            }
        }
        Ok(quarantined)
    }

    fn unlink_all<'a>(&self, names: impl Iterator<Item = &'a Text>) -> Result<()> {
        for name in names {
            self.unlink(name)?;
        }
        self.counters.removals.add(1);
        Ok(())
    }

    /// Removes a name.
    pub(super) fn unlink(&self, name: &str) -> Result<()> {
        let Err(failure) = self.directory.unlink(name) else {
            return Ok(());
        };
        let error = Error::filesystem(failure, Operation::Unlink, name);
        match (failure, self.directory.stat(name)) {
            _ if removed(Safeguard::RemoveLook) => Err(error),
            (_, Ok(_)) | (Failure::NoEntry, _) => Err(error),
            // It is gone, or may be, and may come back.
            (_, Err(_)) => Err(error.indeterminate()),
        }
    }
}
