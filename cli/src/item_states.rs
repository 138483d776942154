//! The states of the items that share an id: one that is ready or held, and any number in quarantine.

use queue_store_host::types::{Detail, State};
use queue_store_host::{Error, Queue};
use std::collections::HashMap;

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

    /// Returns the number of items in these states.
    pub(crate) fn among(&self, states: &[State]) -> usize {
        self.0.iter().filter(|state| states.contains(state)).count()
    }
}

/// Finds the states of all items, by the names of their files.
pub(crate) fn by_id(queue: &Queue) -> Result<HashMap<String, ItemStates>, Error> {
    let mut found = HashMap::<String, ItemStates>::new();
    for entry in queue.items(&[], Detail::Name)? {
        let entry = entry?;
        found.entry(entry.id).or_default().0.push(entry.state);
    }
    Ok(found)
}
