//! The states of the items that share an id: one that is ready or held, and any number in quarantine.

use crate::failure::Cause;
use queue_store_host::types::{Detail, State};
use queue_store_host::{Error, Queue};
use std::collections::HashMap;

/// The states of all items, by id.
pub(crate) type AllStates = HashMap<String, ItemStates>;

/// The states of the items that have an id.
#[derive(Clone, Default)]
pub(crate) struct ItemStates(Vec<State>);

impl ItemStates {
    /// Returns the state of the item that is ready or held, which is the one that the queue finds by the id.
    pub(crate) fn live(&self) -> Option<State> {
        self.0.iter().copied().find(|state| *state != State::Quarantined)
    }

    /// Returns the number of items in quarantine.
    pub(crate) fn quarantined(&self) -> usize {
        self.among(&[State::Quarantined])
    }

    /// Returns the number of items that have the id.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the number of items in these states.
    pub(crate) fn among(&self, states: &[State]) -> usize {
        self.0.iter().filter(|state| states.contains(state)).count()
    }

    /// Returns the reason to refuse an id by which the queue may find another item than the one that is meant. `selected` are the
    /// states that a filter selects from; none where the operator named the id.
    pub(crate) fn ambiguity(&self, selected: Option<&[State]>) -> Option<Cause> {
        let Some(live) = self.live() else { return (self.quarantined() > 1).then_some(Cause::SeveralFiles) };
        let selected = selected?;
        if self.0.iter().all(|state| *state == State::Quarantined || !selected.contains(state)) {
            return Some(Cause::OtherItemOfId(live));
        }
        (self.quarantined() > 0 && selected.contains(&State::Quarantined)).then_some(Cause::SeveralFiles)
    }
}

/// Finds the states of all items, by the names of their files.
pub(crate) fn by_id(queue: &Queue) -> Result<AllStates, Error> {
    let mut found = AllStates::new();
    for entry in queue.items(&[], Detail::Name)? {
        let entry = entry?;
        found.entry(entry.id).or_default().0.push(entry.state);
    }
    Ok(found)
}
