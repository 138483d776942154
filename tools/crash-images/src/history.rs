//! Reads the history of each item from the marks in the log of a disk.
//!
//! A call takes an item from one state to the next. The new state is possible after the mark of the call, and certain
//! after the mark of the acknowledgement, if the acknowledgement promises durability.

use crate::disk::{Event, Log};
use crate::error::Error;
use crate::workload::{Action, Call, Durability, Mail, Place, Workload};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// A note of the rig in the log.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// The queue is filled; crashes before this mark are not tested.
    Begin,
    /// A call is about to be made.
    Called {
        /// The number of the call.
        call: usize,
    },
    /// A call reported success for an item.
    Acknowledged {
        /// The number of the call.
        call: usize,
        /// The number of the item.
        item: usize,
        /// The id that a put or an import printed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A call that concerns no single item succeeded.
    Done {
        /// The number of the call.
        call: usize,
    },
    /// The creation time of an item, read from its envelope.
    Created {
        /// The number of the item.
        item: usize,
        /// Seconds and nanoseconds.
        at: (i64, i32),
    },
    /// The workload is done.
    End,
}

impl Mark {
    /// Serializes the mark as JSON.
    ///
    /// # Panics
    ///
    /// Never: every value of a mark has a representation in JSON.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a mark has no value that JSON cannot represent")
    }
}

/// A delivery of an item: its status, and the failure message of the last attempt.
pub type Delivery = (i32, String);

/// The mutable fields of an item at some moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct State {
    /// The place of the item.
    pub place: Place,
    /// The deliveries, in the order of [`Mail::to`].
    pub deliveries: Vec<Delivery>,
}

/// The kind of call that changes an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// A put or an import.
    Put,
    /// An update.
    Update,
    /// A move to another place.
    Move,
    /// A removal.
    Remove,
}

/// A change of an item.
#[derive(Clone, Debug)]
pub struct Transition {
    /// The kind of the call.
    pub change: Change,
    /// Position in the log from which the change may be visible after a crash.
    pub called: usize,
    /// Position from which the change must be visible after a crash.
    pub promised: Option<usize>,
    /// The state after the change; `None` if the change removes the item.
    pub state: Option<State>,
    /// Whether the call fsynced nothing, so that a crash before `promised` may damage the item.
    pub unsynced: bool,
}

/// The changes of an item.
#[derive(Clone, Debug, Default)]
pub struct ItemHistory {
    /// The id that the put or import printed.
    pub id: Option<String>,
    /// The creation time, if the item was in the queue at the end.
    pub created_at: Option<(i64, i32)>,
    /// The changes, in order. Before the first one the item does not exist.
    pub transitions: Vec<Transition>,
}

impl ItemHistory {
    /// Returns the numbers of changes that the item may show in an image that a crash at any moment between `earliest`
    /// and `latest` leaves: at least those promised by `latest`, at most those called by `earliest`. Each is an index
    /// for [`ItemHistory::state`]. If the range is empty, every state breaks a promise.
    pub fn allowed(&self, earliest: usize, latest: usize) -> RangeInclusive<usize> {
        let promised = |transition: &Transition| transition.promised.is_some_and(|position| position <= latest);
        let least = self.transitions.iter().rposition(promised).map_or(0, |index| index + 1);
        let most = self.transitions.iter().take_while(|transition| transition.called <= earliest).count();
        least..=most
    }

    /// Returns the state after `changes` changes; `None` if the item does not exist then.
    pub fn state(&self, changes: usize) -> Option<&State> {
        self.transitions.get(changes.checked_sub(1)?)?.state.as_ref()
    }

    /// Returns the last of the first `changes` changes.
    pub fn change(&self, changes: usize) -> Option<&Transition> {
        self.transitions.get(changes.checked_sub(1)?)
    }

    fn last_state(&self) -> Option<&State> {
        self.state(self.transitions.len())
    }
}

/// The changes of all items.
pub struct History {
    /// The histories, by number of the item.
    pub items: Vec<ItemHistory>,
    /// The number of the item of each generated or caller-chosen id.
    pub by_id: HashMap<String, usize>,
    /// Position of [`Mark::Begin`].
    pub begin: usize,
    /// Number of acknowledgements: one for each item of an import or a removal.
    pub acknowledged: usize,
}

impl History {
    /// Reads the marks of a log.
    ///
    /// # Errors
    ///
    /// Fails if a mark is invalid, or does not belong to the workload.
    pub fn new(workload: &Workload, log: &Log) -> Result<History, Error> {
        let mut reader = Reader {
            workload,
            history: History {
                items: vec![ItemHistory::default(); workload.mails.len()],
                by_id: HashMap::new(),
                begin: 0,
                acknowledged: 0,
            },
            called: HashMap::new(),
            unpromised: Vec::new(),
        };
        for (position, event) in log.iter().enumerate() {
            if let Event::Mark(text) = event {
                let mark = serde_json::from_str(text).map_err(|error| Error::Log(format!("{text}: {error}")))?;
                reader.mark(position, mark)?;
            }
        }
        Ok(reader.history)
    }
}

struct Reader<'a> {
    workload: &'a Workload,
    history: History,
    /// Position of each call, by its number.
    called: HashMap<usize, usize>,
    /// Acknowledged changes that are not promised: position, item, index of the transition.
    unpromised: Vec<(usize, usize, usize)>,
}

impl<'a> Reader<'a> {
    fn mark(&mut self, position: usize, mark: Mark) -> Result<(), Error> {
        match mark {
            Mark::Begin => self.history.begin = position,
            Mark::End => {}
            Mark::Called { call } => {
                self.called.insert(call, position);
                let call = self.call(call)?;
                self.begin(position, call)?;
            }
            Mark::Acknowledged { call, item, id } => {
                let call = self.call(call)?;
                if let Some(id) = id {
                    self.history.by_id.insert(id.clone(), item);
                    self.item(item)?.id = Some(id);
                }
                self.history.acknowledged += 1;
                self.acknowledge(position, call, item)?;
            }
            Mark::Done { call } => {
                if self.call(call)?.action == Action::Recover {
                    let called = self.called.get(&call).copied().unwrap_or(position);
                    self.promise(position, |acknowledged, _| acknowledged < called)?;
                }
            }
            Mark::Created { item, at } => self.item(item)?.created_at = Some(at),
        }
        Ok(())
    }

    fn call(&self, number: usize) -> Result<&'a Call, Error> {
        self.workload.call(number).ok_or_else(|| Error::Log(format!("no call {number} in the workload")))
    }

    fn item(&mut self, item: usize) -> Result<&mut ItemHistory, Error> {
        self.history.items.get_mut(item).ok_or_else(|| Error::Log(format!("no item {item} in the workload")))
    }

    /// Adds the transitions that a call may make from `position` on.
    fn begin(&mut self, position: usize, call: &Call) -> Result<(), Error> {
        match &call.action {
            Action::Put(item) => self.begin_put(position, call, *item),
            Action::Import(items) => items.iter().try_for_each(|item| self.begin_put(position, call, *item)),
            Action::Update { item, recipient, status, failure } => {
                let mut state = self.item(*item)?.last_state().cloned();
                let delivery = state.as_mut().and_then(|state| state.deliveries.get_mut(*recipient));
                let delivery =
                    delivery.ok_or_else(|| Error::Log(format!("call {} updates no recipient", call.number)))?;
                *delivery = (*status, failure.clone());
                self.change(position, call, *item, Change::Update, state)
            }
            Action::Move { item, to, .. } => {
                let state = self.item(*item)?.last_state().map(|state| State { place: *to, ..state.clone() });
                self.change(position, call, *item, Change::Move, state)
            }
            Action::Remove(items) => {
                items.iter().try_for_each(|item| self.change(position, call, *item, Change::Remove, None))
            }
            Action::PutAgain(_) | Action::PutKilled | Action::RemoveAgain(_) | Action::Recover | Action::Neighbour => {
                Ok(())
            }
        }
    }

    fn begin_put(&mut self, position: usize, call: &Call, item: usize) -> Result<(), Error> {
        let mail: &Mail = &self.workload.mails[item];
        if let Some(id) = &mail.id {
            self.history.by_id.insert(id.clone(), item);
        }
        let deliveries = vec![(0, String::new()); mail.to.len()];
        self.change(position, call, item, Change::Put, Some(State { place: Place::Ready, deliveries }))
    }

    fn change(
        &mut self,
        position: usize,
        call: &Call,
        item: usize,
        change: Change,
        state: Option<State>,
    ) -> Result<(), Error> {
        let unsynced = call.durability == Durability::None && change != Change::Remove;
        let transition = Transition { change, called: position, promised: None, state, unsynced };
        self.item(item)?.transitions.push(transition);
        Ok(())
    }

    /// Records the acknowledgement of an item, and promises the change if the call's durability does.
    fn acknowledge(&mut self, position: usize, call: &Call, item: usize) -> Result<(), Error> {
        match &call.action {
            Action::PutAgain(_) | Action::RemoveAgain(_) => self.promise(position, |_, unpromised| unpromised == item),
            _ => {
                let promises = self.workload.promises(call);
                let transitions = &mut self.item(item)?.transitions;
                let last = transitions.len().checked_sub(1);
                let last = last.ok_or_else(|| Error::Log(format!("item {item} was acknowledged before its call")))?;
                if promises {
                    transitions[last].promised = Some(position);
                } else {
                    self.unpromised.push((position, item, last));
                }
                Ok(())
            }
        }
    }

    /// Promises from `position` on the unpromised changes that `filter` selects by the position of their
    /// acknowledgement and their item.
    fn promise(&mut self, position: usize, filter: impl Fn(usize, usize) -> bool) -> Result<(), Error> {
        let (promised, unpromised) =
            self.unpromised.iter().partition(|(acknowledged, item, _)| filter(*acknowledged, *item));
        self.unpromised = unpromised;
        let promised: Vec<(usize, usize, usize)> = promised;
        promised.into_iter().try_for_each(|(_, item, index)| {
            self.item(item)?.transitions[index].promised = Some(position);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_system::FileSystem;
    use crate::workload::Settings;

    /// Reads the history of `calls`, numbered from 1, from a log of `marks`, in which `None` stands for a write.
    fn history(calls: Vec<(Action, Durability)>, marks: Vec<Option<Mark>>) -> History {
        let settings =
            Settings { file_system: FileSystem::Ext4, durability: Durability::Full, seed: 1, calls: 0, imported: 0 };
        let mut workload = Workload::new(settings);
        let numbered = calls.into_iter().enumerate();
        workload.clients = vec![
            numbered.map(|(index, (action, durability))| Call { number: index + 1, action, durability }).collect(),
        ];
        let event = |mark: Option<Mark>| {
            mark.map_or(Event::Write { offset: 0, bytes: Vec::new() }, |mark| Event::Mark(mark.text()))
        };
        History::new(&workload, &marks.into_iter().map(event).collect())
            .expect("every mark is of a call of the workload")
    }

    fn acknowledged(call: usize, item: usize) -> Option<Mark> {
        Some(Mark::Acknowledged { call, item, id: Some(format!("id{item}")) })
    }

    fn called(call: usize) -> Option<Mark> {
        Some(Mark::Called { call })
    }

    #[test]
    fn item_is_possible_after_call_and_required_after_acknowledgement() {
        let history =
            history(vec![(Action::Put(0), Durability::Full)], vec![None, called(1), None, acknowledged(1, 0), None]);
        let item = &history.items[0];
        assert_eq!(item.allowed(0, 0), 0..=0);
        assert_eq!(item.allowed(2, 2), 0..=1);
        assert_eq!(item.allowed(4, 4), 1..=1);
        assert_eq!(item.allowed(2, 4), 1..=1, "the crash can have happened after the acknowledgement");
        assert!(item.allowed(0, 4).is_empty(), "no write came between the call and its acknowledgement");
        assert_eq!((history.by_id["id0"], item.state(0)), (0, None));
        assert_eq!(item.state(1).map(|state| state.place), Some(Place::Ready));
    }

    #[test]
    fn later_recovery_or_exists_answer_promises_weaker_puts() {
        let calls = vec![
            (Action::Put(0), Durability::None),
            (Action::Recover, Durability::Full),
            (Action::Put(1), Durability::ContentOnly),
            (Action::PutAgain(1), Durability::Full),
        ];
        let marks = vec![
            called(1),
            called(3),
            acknowledged(1, 0),
            called(2),
            acknowledged(3, 1),
            Some(Mark::Done { call: 2 }),
            called(4),
            acknowledged(4, 1),
        ];
        let history = history(calls, marks);
        assert_eq!(history.items[0].transitions[0].promised, Some(5));
        assert!(history.items[0].transitions[0].unsynced);
        let promised = history.items[1].transitions[0].promised;
        assert_eq!(promised, Some(7), "the recovery began before the acknowledgement");
        assert!(!history.items[1].transitions[0].unsynced);
    }

    #[test]
    fn later_promise_includes_earlier_ones() {
        let update = |status| Action::Update { item: 0, recipient: 0, status, failure: "later".to_string() };
        let calls = vec![
            (Action::Put(0), Durability::Full),
            (update(1), Durability::Full),
            (Action::Move { item: 0, subcommand: "hold", to: Place::Held }, Durability::Full),
            (Action::Remove(vec![0]), Durability::Full),
        ];
        let marks = vec![
            called(1),
            acknowledged(1, 0),
            called(2),
            acknowledged(2, 0),
            called(3),
            acknowledged(3, 0),
            called(4),
            acknowledged(4, 0),
        ];
        let history = history(calls, marks);
        let item = &history.items[0];
        assert_eq!(item.state(2).map(|state| state.deliveries[0].clone()), Some((1, "later".to_string())));
        assert_eq!(item.state(3).map(|state| (state.place, state.deliveries[0].0)), Some((Place::Held, 1)));
        assert_eq!((item.allowed(6, 6), item.allowed(7, 7)), (3..=4, 4..=4));
        assert_eq!(item.state(4), None);
    }
}
