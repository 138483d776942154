//! Moves of an item from one state to another: renames, so that no moment has none of it.

use super::{ItemFile, LIVE, Outcome, Queue, not_found, not_regular};
use crate::durable_write::Durability;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::{Directory, Failure, Kind, System};
use crate::id::base64url;
use crate::list::{List, Text};
use crate::mutant::{Safeguard, removed};
use crate::name::{self, State};

impl<S: System> Queue<S> {
    /// Keeps ready items from being delivered.
    pub fn hold(&self, ids: &[Text]) -> Result<List<Outcome>> {
        self.batch(ids, Durability::Full, &|id| self.move_live(id, State::Held))
    }

    /// Makes held items ready.
    pub fn release(&self, ids: &[Text]) -> Result<List<Outcome>> {
        self.batch(ids, Durability::Full, &|id| self.move_live(id, State::Ready))
    }

    /// Sets items aside.
    pub fn quarantine(&self, ids: &[Text]) -> Result<List<Outcome>> {
        self.batch(ids, Durability::Full, &|id| {
            let file = self.live_file(id)?;
            let mut target = name::item(id, State::Quarantined, file.format());
            if !removed(Safeguard::QuarantineApart) && !self.files(id, &[State::Quarantined])?.is_empty() {
                target = name::quarantined_again(id, file.format(), &base64url(self.system.random()));
            }
            self.rename(&file.name, &target)
        })
    }

    /// Makes quarantined items ready, if they are whole.
    pub fn restore(&self, ids: &[Text]) -> Result<List<Outcome>> {
        let quarantined = self.quarantined(ids).map_err(|error| self.error(error))?;
        self.batch(ids, Durability::Full, &|id| {
            if !removed(Safeguard::RestoreLook)
                && let Some(file) = self.files(id, &LIVE)?.pop()
            {
                let detail = "an item of this id is ready or held";
                return Err(Error::of(Code::Exists, Operation::None, &file.name, detail));
            }
            let mut names = quarantined.iter().filter(|(of, _)| **of == *id).map(|(_, name)| name);
            let name = names.next().ok_or_else(|| not_found(id))?;
            if names.next().is_some() {
                let detail =
                    "several items of this id are quarantined: look at them, and move all but one away by hand";
                return Err(Error::of(Code::Conflict, Operation::None, name, detail));
            }
            let file = ItemFile { name: name.clone() };
            if self.kind(name)? != Some(Kind::Regular) {
                return Err(not_regular(name));
            }
            if !removed(Safeguard::RestoreChecks) {
                self.checked(&file)?;
            }
            self.rename(name, &name::item(id, State::Ready, file.format()))
        })
    }

    /// Makes an item that is ready or held the other, or, if it is that already, durable as it is.
    fn move_live(&self, id: &str, state: State) -> Result<()> {
        let file = self.live_file(id)?;
        let others = self.files(id, &LIVE)?;
        let kept = name::item(id, state, file.format());
        match others.iter().find(|other| other.name == kept) {
            Some(done) => self.sync_or_doubt(id, done)?,
            None => self.rename(&file.name, &kept)?,
        }
        // A rename between two names of one file does nothing, so a second name, which a crash can leave, is removed; what
        // stays is made durable before.
        if others.len() > 1 {
            if !removed(Safeguard::MoveOrder) {
                self.sync_names(Durability::Full)?;
            }
            others.iter().filter(|other| other.name != kept).try_for_each(|other| self.unlink(&other.name))?;
        }
        Ok(())
    }

    /// Moves an item to a name that is free.
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.counters.moves.add(1);
        let Err(failure) = self.directory.rename(from, to) else {
            return Ok(());
        };
        let error = Error::filesystem(failure, Operation::Rename, from);
        match self.directory.stat(to) {
            _ if removed(Safeguard::MoveLook) => Err(error),
            Err(Failure::NoEntry) => Err(error),
            _ => Err(error.indeterminate()),
        }
    }
}
