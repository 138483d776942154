//! The calls of a scenario, and how they are written.

use std::fmt::{self, Display};
use std::str::FromStr;

/// One of the items.
pub type Slot = u8;

/// The number of a call in its scenario, from 1. A call marks with it the content that it writes.
pub type Stamp = u32;

/// An action on items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// A put under the caller-chosen id of the item; for both items a `put-many`.
    Put,
    /// A put under a generated id.
    PutGenerated,
    /// A put in the binary format.
    PutBinary,
    /// A put in chunks.
    Draft,
    /// A put by chasquid: the file is fsynced, the directory is not.
    Chasquid,
    /// A put by chasquid before its commit 08273ea: nothing is fsynced.
    OldChasquid,
    /// An update of the envelope.
    Update,
    /// A record of delivery attempts.
    RecordAttempts,
    /// A removal of a live item.
    Remove,
    /// A change to the state held.
    Hold,
    /// A change to the state ready: the release of a held item, or the restoration of a quarantined one.
    Release,
    /// A change to the state quarantined.
    Quarantine,
    /// A removal of a quarantined item.
    Discard,
    /// A renewal of the checksums.
    Seal,
}

use Action::{
    Chasquid, Discard, Draft, Hold, OldChasquid, Put, PutBinary, PutGenerated, Quarantine, RecordAttempts, Release,
    Remove, Seal, Update,
};

/// Every action.
const ACTIONS: [Action; 14] = [
    Put,
    PutGenerated,
    PutBinary,
    Draft,
    Chasquid,
    OldChasquid,
    Update,
    RecordAttempts,
    Remove,
    Hold,
    Release,
    Quarantine,
    Discard,
    Seal,
];

impl Action {
    /// Returns the name of the action in a scenario.
    pub fn name(self) -> &'static str {
        match self {
            Put => "put",
            PutGenerated => "put-generated",
            PutBinary => "put-binary",
            Draft => "draft",
            Chasquid => "chasquid",
            OldChasquid => "old-chasquid",
            Update => "update",
            RecordAttempts => "record-attempts",
            Remove => "remove",
            Hold => "hold",
            Release => "release",
            Quarantine => "quarantine",
            Discard => "discard",
            Seal => "seal",
        }
    }

    /// Whether it adds an item.
    pub fn is_put(self) -> bool {
        matches!(self, Put | PutGenerated | PutBinary | Draft) || self.is_chasquid()
    }

    /// Whether it removes items.
    pub fn is_removal(self) -> bool {
        matches!(self, Remove | Discard)
    }

    /// Whether chasquid does it, and not the component.
    pub fn is_chasquid(self) -> bool {
        matches!(self, Chasquid | OldChasquid)
    }

    /// Whether the contract has it for several items.
    fn takes_several(self) -> bool {
        !matches!(self, PutBinary | Draft | Update | RecordAttempts) && !self.is_chasquid()
    }
}

/// A call of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// An action on these items.
    To(Action, Vec<Slot>),
    /// A recovery.
    Recover,
    /// The end of the process, and the beginning of another one.
    Restart,
}

impl Call {
    /// Returns the name of the call without its items.
    pub fn name(&self) -> &'static str {
        match self {
            Call::To(action, _) => action.name(),
            Call::Recover => "recover",
            Call::Restart => "restart",
        }
    }

    /// Returns the greatest of the items that it is for.
    pub fn last_slot(&self) -> Option<Slot> {
        match self {
            Call::To(_, slots) => slots.iter().max().copied(),
            Call::Recover | Call::Restart => None,
        }
    }

    /// Returns the action, if it is one.
    pub fn action(&self) -> Option<Action> {
        match self {
            Call::To(action, _) => Some(*action),
            Call::Recover | Call::Restart => None,
        }
    }

    /// Whether chasquid does it, and not the component.
    pub fn is_chasquid(&self) -> bool {
        self.action().is_some_and(Action::is_chasquid)
    }
}

/// Returns every call on `slots` items.
pub fn alphabet(slots: Slot) -> Vec<Call> {
    let mut calls = vec![Call::Recover, Call::Restart];
    for action in ACTIONS {
        calls.extend((1..=slots).map(|slot| Call::To(action, vec![slot])));
        if action.takes_several() && slots > 1 {
            calls.push(Call::To(action, (1..=slots).collect()));
        }
    }
    calls
}

impl Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())?;
        if let Call::To(_, slots) = self {
            let slots: Vec<String> = slots.iter().map(Slot::to_string).collect();
            write!(formatter, " {}", slots.join("+"))?;
        }
        Ok(())
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Call, String> {
        let unknown = || format!("`{text}` is not a call: try `put 1`, `remove 1+2`, `recover` or `restart`");
        match text {
            "recover" => return Ok(Call::Recover),
            "restart" => return Ok(Call::Restart),
            _ => {}
        }
        let (name, slots) = text.split_once(' ').ok_or_else(unknown)?;
        let action = ACTIONS.into_iter().find(|action| action.name() == name).ok_or_else(unknown)?;
        let slots: Result<Vec<Slot>, _> = slots.split('+').map(str::parse).collect();
        Ok(Call::To(action, slots.map_err(|_| unknown())?))
    }
}
