//! What the promises of the queue say about each item: the states in which it may be, given what was answered so far.

use super::call::{Action, Call, Slot, given_id};
use crate::bindings::{ErrorCode, State};
use std::collections::{BTreeMap, BTreeSet};

/// The number of a call in its scenario, from 1; what a call writes says it.
pub type Stamp = u32;

/// What became of an item in a call: an error's code, or none.
pub type Outcome = Option<ErrorCode>;

/// Which item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// The one that has the given id of a slot.
    Given(Slot),
    /// The one that a call put under an id that was drawn.
    Drawn(Slot, Stamp),
}

/// Where an item stands; the contract's `state`, in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "as in the contract")]
pub enum Place {
    Ready,
    Held,
    Quarantined,
}

impl From<State> for Place {
    fn from(state: State) -> Place {
        match state {
            State::Ready => Place::Ready,
            State::Held => Place::Held,
            State::Quarantined => Place::Quarantined,
        }
    }
}

/// An item as it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found {
    /// Where it stands.
    pub place: Place,
    /// Which call wrote its body.
    pub body: Stamp,
    /// Which call wrote its envelope.
    pub envelope: Stamp,
}

/// What is promised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Promises {
    /// What may be found of each item; `None` is its absence.
    possible: BTreeMap<Identity, BTreeSet<Option<Found>>>,
    /// The ids that were drawn, as far as they were told.
    drawn: BTreeMap<Identity, String>,
    /// Which item each slot stands for.
    current: BTreeMap<Slot, Identity>,
    /// Items that another program wrote without a sync. Before the queue vouches for them, a crash may damage them.
    unsynced: BTreeSet<Identity>,
    /// Those of them whose sync may have failed and dropped what was written. A process that knows writes them anew.
    forfeited: BTreeSet<Identity>,
    /// Those of which no process knows any more: a sync that has nothing left to write vouches for them.
    forgotten: BTreeSet<Identity>,
}

/// What an action makes of what it finds; none if it cannot succeed there.
fn effect(action: Action, stamp: Stamp, before: Option<Found>) -> Option<Option<Found>> {
    let live = before.filter(|found| found.place != Place::Quarantined);
    let quarantined = before.filter(|found| found.place == Place::Quarantined);
    let to = |found: Option<Found>, place| found.map(|found| Some(Found { place, ..found }));
    match action {
        put if put.is_put() => {
            before.is_none().then_some(Some(Found { place: Place::Ready, body: stamp, envelope: stamp }))
        }
        Action::Update => live.map(|found| Some(Found { envelope: stamp, ..found })),
        Action::Remove => live.map(|_| None),
        Action::Discard => quarantined.map(|_| None),
        Action::Hold => to(live, Place::Held),
        Action::Release => to(live, Place::Ready),
        Action::Quarantine => to(live, Place::Quarantined),
        Action::Restore => to(quarantined, Place::Ready),
        _ => before.map(Some),
    }
}

impl Promises {
    /// The item that an action of this call is for.
    pub fn target(&self, action: Action, slot: Slot, stamp: Stamp) -> Identity {
        match action {
            Action::PutDrawn => Identity::Drawn(slot, stamp),
            put if put.is_put() => Identity::Given(slot),
            _ => self.current.get(&slot).cloned().unwrap_or(Identity::Given(slot)),
        }
    }

    /// The id of an item, if it is known.
    pub fn id(&self, of: &Identity) -> Option<String> {
        match of {
            Identity::Given(slot) => Some(given_id(*slot)),
            Identity::Drawn(..) => self.drawn.get(of).cloned(),
        }
    }

    /// Notes the id that an item was given.
    pub fn names(&mut self, item: &Identity, id: &str) {
        if let Identity::Drawn(..) = item {
            self.drawn.insert(item.clone(), id.to_string());
        }
    }

    /// The item that has an id and whose body says that a call put it.
    pub fn identify(&self, id: &str, stamp: Stamp, slot: Slot) -> Identity {
        let given = Identity::Given(slot);
        if self.id(&given).is_some_and(|known| known == id) { given } else { Identity::Drawn(slot, stamp) }
    }

    fn possible(&self, of: &Identity) -> BTreeSet<Option<Found>> {
        self.possible.get(of).cloned().unwrap_or_else(|| BTreeSet::from([None]))
    }

    /// The items of which something may be there.
    pub fn items(&self) -> impl Iterator<Item = &Identity> {
        self.possible.keys()
    }

    /// Whether an item may be found like that.
    pub fn allow(&self, item: &Identity, found: Option<Found>) -> bool {
        self.possible(item).contains(&found)
    }

    /// What may be found of an item, in words.
    pub fn expected(&self, item: &Identity) -> String {
        let words: Vec<String> = self.possible(item).iter().map(|found| in_words(*found)).collect();
        words.join(", or ")
    }

    /// What is promised while a call is under way: what was before, or what it makes of that.
    pub fn during(&self, call: &Call, stamp: Stamp) -> Promises {
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

    /// What is promised once a call answered.
    ///
    /// # Errors
    ///
    /// If it cannot have answered that.
    pub fn answered(&mut self, action: Action, stamp: Stamp, item: &Identity, outcome: Outcome) -> Result<(), String> {
        let before = self.possible(item);
        let made = || before.iter().filter_map(|found| effect(action, stamp, *found));
        let either = || before.iter().copied().chain(made());
        let after: BTreeSet<Option<Found>> = match outcome {
            None if action.is_chasquid() => either().collect(),
            None => made().collect(),
            Some(ErrorCode::Exists) if action.is_put() => before.iter().copied().filter(Option::is_some).collect(),
            // A repeated request finds nothing, because of itself.
            Some(ErrorCode::NotFound) if action == Action::Remove => {
                either().filter(|found| found.is_none_or(|found| found.place == Place::Quarantined)).collect()
            }
            Some(ErrorCode::NotFound) if action == Action::Discard => {
                either().filter(|found| found.is_none_or(|found| found.place != Place::Quarantined)).collect()
            }
            Some(ErrorCode::Indeterminate) => either().collect(),
            Some(_) => before.clone(),
        };
        if after.is_empty() {
            return Err(format!("answered {outcome:?} for {item:?}, which was promised to be {}", self.expected(item)));
        }
        if outcome.is_none() && (action.is_put() || after == BTreeSet::from([None])) {
            for items in [&mut self.unsynced, &mut self.forfeited, &mut self.forgotten] {
                items.remove(item);
            }
        }
        self.possible.insert(item.clone(), after);
        match outcome {
            None if action == Action::OldChasquid => drop(self.unsynced.insert(item.clone())),
            Some(ErrorCode::Exists) if action.is_put() => drop(self.unsynced.remove(item)),
            _ => {}
        }
        if action.is_put() && outcome.is_none() {
            let (Identity::Given(slot) | Identity::Drawn(slot, _)) = item;
            self.current.insert(*slot, item.clone());
        }
        Ok(())
    }

    /// Whether a crash may damage any item.
    pub fn is_unsafe(&self) -> bool {
        !self.unsynced.is_empty() || !self.forfeited.is_empty()
    }

    /// Whether a sync may have dropped what was written of any item.
    pub fn is_forfeited(&self) -> bool {
        !self.forfeited.is_empty()
    }

    /// The item of this id, if it may be found damaged.
    pub fn damageable(&self, id: &str) -> Option<&Identity> {
        self.unsynced.union(&self.forfeited).find(|item| self.id(item).as_deref() == Some(id))
    }

    /// Notes that something went wrong: that may have been the sync of an item that was not synced before.
    pub fn forfeit_unsynced(&mut self) {
        self.forfeited.extend(self.unsynced.iter().cloned());
    }

    /// Notes that the process ended, and with it what it knew of failed syncs.
    pub fn forget(&mut self) {
        self.forgotten.extend(self.forfeited.iter().cloned());
    }

    /// Whether it is known that an item is not there, and will not come back.
    pub fn is_free(&self, item: &Identity) -> bool {
        self.possible(item) == BTreeSet::from([None])
    }

    /// Notes that an item was found like that, and is so for good.
    pub fn settled(&mut self, item: &Identity, found: Option<Found>) {
        self.unsynced.remove(item);
        if !self.forgotten.contains(item) {
            self.forfeited.remove(item);
        }
        self.possible.insert(item.clone(), BTreeSet::from([found]));
    }
}

/// What is found of an item, in words.
pub fn in_words(found: Option<Found>) -> String {
    match found {
        None => "absent".to_string(),
        Some(Found { place, body, envelope }) => {
            format!("{place:?} with the body of call {body} and the envelope of call {envelope}")
        }
    }
}
