//! Moves of an item from one state to another: renames, so that a name of it exists at every moment.

use super::batch::Outcome;
use super::handle::Queue;
use super::lookup::{ItemFile, most_restrained, no_item, not_regular};
use super::read::check_recorded_id;
use crate::error::{Cause, Error, Operation, Result};
use crate::item::Format;
use crate::item::id::{InvalidId, ItemId};
use crate::storage::errno::Errno;
use crate::storage::file_name::{self, LIVE, MAX_NAME_BYTES, State};
use crate::storage::filesystem::{Directory, FileType, System};
use crate::storage::temporary_file::{Durability, with_random};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

impl<S: System> Queue<S> {
    /// Moves items to a state.
    pub fn set_state(&self, ids: &[String], state: State) -> Result<Vec<Outcome>> {
        // The files in quarantine, found by one pass over the directory at the first id that needs them.
        let quarantined = OnceCell::new();
        self.batch(ids, Durability::Full, |id| {
            let names = self.names_of_live_file(id)?;
            if !names.is_empty() {
                return self.move_live(id, &names, state);
            }
            let found = quarantined.get_or_init(|| self.quarantined_files(ids)).as_ref().map_err(Error::clone)?;
            let mut found: Vec<ItemFile> = found.iter().filter(|file| file.id() == &**id).cloned().collect();
            if found.is_empty() {
                // It may have come there by an earlier id of the call, which is the same one.
                found = self.files(id, &[State::Quarantined])?;
            }
            match state {
                State::Quarantined => self.keep_quarantined(id, &found),
                State::Ready | State::Held => self.move_from_quarantine(id, &found, state),
            }
        })
    }

    /// Moves an item, which has these names, to a state, also one that it has: a second name is removed.
    pub(super) fn move_live(&self, id: &ItemId, names: &[ItemFile], state: State) -> Result<()> {
        let file = most_restrained(names);
        let target = match state {
            State::Ready | State::Held => file_name::item(id, state, file.format),
            State::Quarantined => match names.iter().find(|name| name.state == state) {
                Some(name) => name.name.clone(),
                None => self.quarantine_name(id, file.format)?,
            },
        };
        let existing = names.iter().find(|name| name.name == target);
        match existing {
            Some(existing) => self.sync_existing(id, existing)?,
            None => {
                if names.len() > 1 {
                    // The name that goes may be the one of a file that is durable, and this one the one of a copy.
                    self.sync_existing(id, file)?;
                }
                self.rename(&file.name, &target)?;
            }
        }
        let is_second = |name: &&ItemFile| name.name != target && (existing.is_some() || name.name != file.name);
        let second_names: Vec<&ItemFile> = names.iter().filter(is_second).collect();
        if second_names.is_empty() {
            return Ok(());
        }
        // A rename between two names of one file does nothing, so a second name is removed. The name that stays is made
        // durable before.
        let moved = existing.is_none();
        let consequence = if moved { Error::indeterminate } else { Error::needs_recovery };
        self.sync_directory().map_err(consequence)?;
        for name in second_names {
            self.unlink(&name.name).map_err(|error| if moved { error.indeterminate() } else { error })?;
        }
        Ok(())
    }

    /// Returns a free name in quarantine for an item.
    fn quarantine_name(&self, id: &ItemId, format: Format) -> Result<String> {
        if self.files(id, &[State::Quarantined])?.is_empty() {
            return Ok(file_name::item(id, State::Quarantined, format));
        }
        with_random(self.system, |random| {
            let name = file_name::quarantined_again(id, format, random);
            if name.len() > MAX_NAME_BYTES {
                return Err(Error::new(InvalidId::TooLong, Operation::Rename, &name));
            }
            match self.file_type(&name)? {
                Some(_) => Err(Error::new(Errno::Exist, Operation::Rename, &name)),
                None => Ok(name),
            }
        })
    }

    /// Fsyncs items that are in quarantine already.
    fn keep_quarantined(&self, id: &ItemId, found: &[ItemFile]) -> Result<()> {
        if found.is_empty() {
            return Err(no_item(id));
        }
        found.iter().try_for_each(|file| self.sync_existing(id, file))
    }

    /// Moves an item out of quarantine, if it is intact. No live item has its id.
    fn move_from_quarantine(&self, id: &ItemId, found: &[ItemFile], state: State) -> Result<()> {
        let file = match found {
            [] => return Err(no_item(id)),
            [file] => file,
            [file, ..] => return Err(Error::new(Cause::SeveralQuarantined, Operation::None, &file.name)),
        };
        if self.file_type(&file.name)? != Some(FileType::Regular) {
            return Err(not_regular(&file.name));
        }
        check_recorded_id(self.verified(file)?.reader.envelope(), file)?;
        // The verification takes time, in which another caller may have put an item under the id.
        if let Some(live) = self.files(id, &LIVE)?.pop() {
            return Err(Error::new(Cause::TwoFiles(live.name), Operation::None, &file.name));
        }
        self.rename(&file.name, &file_name::item(id, state, file.format))
    }

    /// Renames an item to a name that is free.
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let Err(errno) = self.directory.rename(from, to) else {
            self.counters.moves.add(1);
            return Ok(());
        };
        let error = Error::new(errno, Operation::Rename, from);
        match self.directory.stat(to) {
            Err(Errno::NoEntry | Errno::NameTooLong) => Err(error),
            // The rename took effect, or may have.
            Ok(_) | Err(_) => Err(error.indeterminate()),
        }
    }
}
