//! The promises of the queue about each item: the states in which it may be found, given the answers so far.

use super::action::{Action, Call, Slot, Stamp};
use super::content::chosen_id;
use crate::bindings::{ErrorCode, State};
use std::collections::{BTreeMap, BTreeSet};

/// The identity of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Identity {
    /// The item that has the caller-chosen id of a slot.
    Chosen(Slot),
    /// The item that a call put under a generated id.
    Generated(Slot, Stamp),
}

/// The contract's `state`, with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "documented in the contract")]
pub(super) enum ItemState {
    Ready,
    Held,
    Quarantined,
}

impl From<State> for ItemState {
    fn from(state: State) -> ItemState {
        match state {
            State::Ready => ItemState::Ready,
            State::Held => ItemState::Held,
            State::Quarantined => ItemState::Quarantined,
        }
    }
}

/// An item that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Found {
    /// Its state.
    pub(super) state: ItemState,
    /// The call that wrote its body.
    pub(super) body: Stamp,
    /// The call that wrote its envelope.
    pub(super) envelope: Stamp,
    /// The call that recorded its delivery attempts.
    pub(super) attempts: Option<Stamp>,
}

/// The answer of a call about one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The item.
    pub(super) item: Identity,
    /// The id that a put generated for it.
    pub(super) generated_id: Option<String>,
    /// The code of the error; none: success.
    pub(super) code: Option<ErrorCode>,
}

/// The promises.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Promises {
    /// The states in which each item may be found; `None` is its absence.
    possible: BTreeMap<Identity, BTreeSet<Option<Found>>>,
    /// The generated ids that were returned.
    generated: BTreeMap<Identity, String>,
    /// The item that each slot stands for.
    current: BTreeMap<Slot, Identity>,
    /// Items that another program wrote without an fsync. A crash may damage them until the queue vouches for them.
    unsynced: BTreeSet<Identity>,
    /// Unsynced items whose fsync may have failed and dropped their data. A process that knows it writes them anew.
    forfeited: BTreeSet<Identity>,
    /// Forfeited items that no process knows any more. An fsync that has nothing left to write succeeds for them.
    forgotten: BTreeSet<Identity>,
}

/// Returns the item that an action makes of `before`; none if it cannot succeed there.
fn effect(action: Action, stamp: Stamp, before: Option<Found>) -> Option<Option<Found>> {
    let live = before.filter(|found| found.state != ItemState::Quarantined);
    let to = |state| before.map(|found| Some(Found { state, ..found }));
    match action {
        put if put.is_put() => before.is_none().then_some(Some(Found {
            state: ItemState::Ready,
            body: stamp,
            envelope: stamp,
            attempts: None,
        })),
        Action::Update => live.map(|found| Some(Found { envelope: stamp, attempts: Some(stamp), ..found })),
        Action::RecordAttempts => live.map(|found| Some(Found { attempts: Some(stamp), ..found })),
        Action::Remove => live.map(|_| None),
        Action::Discard => before.filter(|found| found.state == ItemState::Quarantined).map(|_| None),
        Action::Hold => to(ItemState::Held),
        Action::Release => to(ItemState::Ready),
        Action::Quarantine => to(ItemState::Quarantined),
        _ => before.map(Some),
    }
}

impl Promises {
    /// Returns the item that an action of this call is for.
    pub(super) fn target(&self, action: Action, slot: Slot, stamp: Stamp) -> Identity {
        match action {
            Action::PutGenerated => Identity::Generated(slot, stamp),
            put if put.is_put() => Identity::Chosen(slot),
            _ => self.current.get(&slot).cloned().unwrap_or(Identity::Chosen(slot)),
        }
    }

    /// Returns the id of an item, if it is known.
    pub(super) fn id(&self, of: &Identity) -> Option<String> {
        match of {
            Identity::Chosen(slot) => Some(chosen_id(*slot)),
            Identity::Generated(..) => self.generated.get(of).cloned(),
        }
    }

    /// Returns the item that has an id and a body with these marks.
    pub(super) fn identify(&self, id: &str, stamp: Stamp, slot: Slot) -> Identity {
        let chosen = Identity::Chosen(slot);
        if self.id(&chosen).is_some_and(|known| known == id) { chosen } else { Identity::Generated(slot, stamp) }
    }

    /// Returns the slot that stands for an item, if its calls are for that item.
    pub(super) fn slot(&self, of: &Identity) -> Option<Slot> {
        let (Identity::Chosen(slot) | Identity::Generated(slot, _)) = of;
        let current = self.current.get(slot).cloned().unwrap_or(Identity::Chosen(*slot));
        (current == *of).then_some(*slot)
    }

    fn possible(&self, of: &Identity) -> BTreeSet<Option<Found>> {
        self.possible.get(of).cloned().unwrap_or_else(|| BTreeSet::from([None]))
    }

    /// Returns the items that may exist.
    pub(super) fn items(&self) -> impl Iterator<Item = &Identity> {
        self.possible.keys()
    }

    /// Whether an item may be found like this.
    pub(super) fn allow(&self, item: &Identity, found: Option<Found>) -> bool {
        self.possible(item).contains(&found)
    }

    /// Describes the states in which an item may be found.
    pub(super) fn expected(&self, item: &Identity) -> String {
        let words: Vec<String> = self.possible(item).iter().map(|found| describe(*found)).collect();
        words.join(", or ")
    }

    /// Returns the promises while a call runs: each item is as it was, or as the call makes it.
    pub(super) fn during(&self, call: &Call, stamp: Stamp) -> Promises {
        let mut during = self.clone();
        if let Call::To(action, slots) = call {
            for slot in slots {
                let item = self.target(*action, *slot, stamp);
                let mut possible = self.possible(&item);
                possible.extend(self.possible(&item).into_iter().filter_map(|before| effect(*action, stamp, before)));
                if *action == Action::OldChasquid {
                    during.unsynced.insert(item.clone());
                }
                during.possible.insert(item, possible);
            }
        }
        during
    }

    /// Records an answer to a call.
    ///
    /// # Errors
    ///
    /// The promises so far exclude the answer.
    pub(super) fn record(&mut self, action: Action, stamp: Stamp, answer: &Answer) -> Result<(), String> {
        let Answer { item, generated_id, code } = answer;
        if let Some(id) = generated_id {
            self.generated.insert(item.clone(), id.clone());
        }
        let before = self.possible(item);
        let made = || before.iter().filter_map(|found| effect(action, stamp, *found));
        let either = || before.iter().copied().chain(made());
        let after: BTreeSet<Option<Found>> = match code {
            None if action.is_chasquid() => either().collect(),
            None => made().collect(),
            Some(ErrorCode::Exists) if action.is_put() => before.iter().copied().filter(Option::is_some).collect(),
            // A network file system can repeat an unlink, which then finds that its first one removed the name.
            Some(ErrorCode::NotFound) if action.is_removal() => {
                let removable = |found: &Found| effect(action, stamp, Some(*found)).is_some();
                either().filter(|found| !found.as_ref().is_some_and(removable)).collect()
            }
            Some(ErrorCode::NotFound | ErrorCode::Conflict) => {
                before.iter().copied().filter(|found| effect(action, stamp, *found).is_none()).collect()
            }
            Some(ErrorCode::Indeterminate) => either().collect(),
            Some(_) => before.clone(),
        };
        if after.is_empty() {
            return Err(format!("answered {code:?} for {item:?}, which was promised to be {}", self.expected(item)));
        }
        if code.is_none() && (action.is_put() || after == BTreeSet::from([None])) {
            for items in [&mut self.unsynced, &mut self.forfeited, &mut self.forgotten] {
                items.remove(item);
            }
        }
        self.possible.insert(item.clone(), after);
        match code {
            None if action == Action::OldChasquid => drop(self.unsynced.insert(item.clone())),
            Some(ErrorCode::Exists) if action.is_put() => drop(self.unsynced.remove(item)),
            _ => {}
        }
        if action.is_put() && code.is_none() {
            let (Identity::Chosen(slot) | Identity::Generated(slot, _)) = item;
            self.current.insert(*slot, item.clone());
        }
        Ok(())
    }

    /// Whether a crash may damage any item.
    pub(super) fn is_unsafe(&self) -> bool {
        !self.unsynced.is_empty() || !self.forfeited.is_empty()
    }

    /// Whether an fsync may have dropped the data of any item.
    pub(super) fn is_forfeited(&self) -> bool {
        !self.forfeited.is_empty()
    }

    /// Returns the item that has an id, if it may be found damaged.
    pub(super) fn damageable(&self, id: &str) -> Option<&Identity> {
        self.unsynced.union(&self.forfeited).find(|item| self.id(item).as_deref() == Some(id))
    }

    /// Records that a fault happened: it may have been the failure of the first fsync of an unsynced item.
    pub(super) fn forfeit_unsynced(&mut self) {
        self.forfeited.extend(self.unsynced.iter().cloned());
    }

    /// Records that the process ended, and its knowledge of failed fsyncs with it.
    pub(super) fn forget(&mut self) {
        self.forgotten.extend(self.forfeited.iter().cloned());
    }

    /// Whether an item certainly does not exist and will not return.
    pub(super) fn is_free(&self, item: &Identity) -> bool {
        self.possible(item) == BTreeSet::from([None])
    }

    /// Records that an item was found like this after a recovery, and stays so.
    pub(super) fn make_definite(&mut self, item: &Identity, found: Option<Found>) {
        self.unsynced.remove(item);
        if !self.forgotten.contains(item) {
            self.forfeited.remove(item);
        }
        self.possible.insert(item.clone(), BTreeSet::from([found]));
    }
}

/// Describes an item as it is found.
pub(super) fn describe(found: Option<Found>) -> String {
    match found {
        None => "absent".to_string(),
        Some(Found { state, body, envelope, attempts }) => {
            let attempts = attempts.map_or_else(String::new, |stamp| format!(" and the attempts of call {stamp}"));
            format!("{state:?} with the body of call {body}, the envelope of call {envelope}{attempts}")
        }
    }
}
