//! Removals.

use super::batch::Outcome;
use super::handle::Queue;
use super::lookup::{ItemFile, no_item};
use crate::error::{Error, Operation, Result};
use crate::item::id::ItemId;
use crate::storage::errno::Errno;
use crate::storage::file_name::{LIVE, State};
use crate::storage::filesystem::{Directory, System};
use crate::storage::temporary_file::Durability;
use alloc::string::String;
use alloc::vec::Vec;

impl<S: System> Queue<S> {
    /// Removes items that are in one of these states; none given: ready or held. Of an id that is quarantined several times,
    /// all are removed.
    pub fn remove(&self, ids: &[String], states: &[State], durability: Durability) -> Result<Vec<Outcome>> {
        let states = if states.is_empty() { &LIVE } else { states };
        let quarantined = if states.contains(&State::Quarantined) {
            self.quarantined_files(ids).map_err(|error| self.error(error))?
        } else {
            Vec::new()
        };
        self.batch(ids, durability, |id| {
            let live = self.live_names(id, states)?;
            let quarantined = quarantined.iter().filter(|file| file.id() == &**id && !live.contains(file));
            let names: Vec<&str> = live.iter().chain(quarantined).map(|file| file.name.as_str()).collect();
            if names.is_empty() {
                return Err(no_item(id));
            }
            for (place, name) in names.iter().enumerate() {
                // Where one of several names is gone, the call changed something.
                self.unlink(name).map_err(|error| if place > 0 { error.indeterminate() } else { error })?;
            }
            self.counters.removals.add(1);
            Ok(())
        })
    }

    /// Finds the names of the item of an id that has a live name, if it is in one of these states. An item that is ready and
    /// held is held, one with a name in quarantine is there as well, and neither is gone before all names are.
    fn live_names(&self, id: &ItemId, states: &[State]) -> Result<Vec<ItemFile>> {
        let mut names = self.names_of_live_file(id)?;
        let is_in_state = |file: &ItemFile| states.contains(&file.state);
        let is_quarantined = names.first().is_some_and(|file| file.state == State::Quarantined && is_in_state(file));
        if !is_quarantined && !names.last().is_some_and(is_in_state) {
            names.clear();
        }
        Ok(names)
    }

    /// Removes a name.
    pub(super) fn unlink(&self, name: &str) -> Result<()> {
        let Err(errno) = self.directory.unlink(name) else {
            return Ok(());
        };
        let error = Error::new(errno, Operation::Unlink, name);
        match (errno, self.directory.stat(name)) {
            (_, Ok(_)) | (Errno::NoEntry, _) => Err(error),
            // The removal took effect, or may have, and may be undone by power loss.
            (_, Err(_)) => Err(error.indeterminate()),
        }
    }
}
