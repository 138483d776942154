//! The settings of a search.

use super::action::Call;
use crate::bindings::Durability;
use crate::simulator::lie::Lie;
use crate::simulator::power::Profile;

/// The settings of a search.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The guarantees of the disk.
    pub profile: Profile,
    /// The durability with which the calls write.
    pub durability: Durability,
    /// The number of subsets of directory entries, and of contents of a file, that are tried at each power cut. Where another
    /// program left unsynced data, which may be lost, it is at most [`Settings::UNSYNCED_CHOICES`].
    pub choices: usize,
    /// The lie of the simulated system, and the calls during which it is told.
    pub lie: Option<(Lie, LieScope)>,
}

/// The calls during which the simulated system lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LieScope {
    /// The last call of the scenario.
    LastCall,
    /// Every recovery, in the scenario and after a power cut.
    Recovery,
}

impl Settings {
    /// The number of choices at a power cut that may damage the unsynced data of another program.
    pub const UNSYNCED_CHOICES: usize = 8;

    /// Returns settings that try every state after a power cut, up to 4096 of one cut.
    pub fn new(profile: Profile, durability: Durability) -> Settings {
        Settings { profile, durability, choices: 4096, lie: None }
    }

    /// Returns the lie that the system tells during a call of the scenario.
    pub(super) fn lie_in(&self, call: &Call, is_last: bool) -> Option<Lie> {
        let told = |scope| match scope {
            LieScope::LastCall => is_last,
            LieScope::Recovery => *call == Call::Recover,
        };
        self.lie.filter(|(_, scope)| told(*scope)).map(|(lie, _)| lie)
    }

    /// Returns the lie that the system tells during the recovery after a power cut.
    pub(super) fn lie_in_recovery(&self) -> Option<Lie> {
        self.lie.filter(|(_, scope)| *scope == LieScope::Recovery).map(|(lie, _)| lie)
    }
}
