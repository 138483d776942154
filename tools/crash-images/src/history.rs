//! What was promised, and when: read from the marks in the log of a disk.
//!
//! A call takes an item from one state to the next. It may have any effect from the mark on that it began, and it must have had it
//! from the mark on that it was acknowledged.

use crate::disk::{Event, Log};
use crate::error::Error;
use crate::workload::{Action, Call, Durability, Mail, Place, Workload};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// What the rig notes in the log.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Crashes before this are of no interest.
    Begin,
    /// A call is about to be made.
    Called {
        /// Its number.
        call: usize,
    },
    /// A call said of an item that it is done.
    Acknowledged {
        /// The number of the call.
        call: usize,
        /// The item.
        item: usize,
        /// The id that it got, where it got one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A call that names no item is done.
    Done {
        /// Its number.
        call: usize,
    },
    /// When an item says that it was created.
    Created {
        /// The item.
        item: usize,
        /// Seconds and nanoseconds.
        at: (i64, i32),
    },
    /// The workload is done.
    End,
}

impl Mark {
    /// The mark as a text.
    ///
    /// # Panics
    ///
    /// Never: it has nothing that JSON could not.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a mark is plain data")
    }
}

/// A delivery as an item has it: status, and what the last attempt said.
pub type Delivery = (i32, String);

/// What an item is at some time, besides what never changes of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct State {
    /// Where it is.
    pub place: Place,
    /// Its recipients, in the order of [`Mail::to`].
    pub deliveries: Vec<Delivery>,
}

/// What kind of call made the last state.
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
    /// What it was.
    pub change: Change,
    /// Position in the log from which on it may be seen.
    pub called: usize,
    /// Position from which on it must be seen.
    pub promised: Option<usize>,
    /// What the item is then; none: it is gone.
    pub state: Option<State>,
    /// Nothing of it was synced, so that before it is promised the item may be damaged.
    pub unsynced: bool,
}

/// What happened to an item.
#[derive(Clone, Debug, Default)]
pub struct ItemHistory {
    /// The id that it got.
    pub id: Option<String>,
    /// When it says that it was created, if it lived to the end.
    pub created_at: Option<(i64, i32)>,
    /// Its changes, in order. Before the first it is not there.
    pub transitions: Vec<Transition>,
}

impl ItemHistory {
    /// What it may be after any crash between two positions of the log that leaves one image: a range of indices for
    /// [`ItemHistory::state`]. Empty if the image breaks a promise whatever it has.
    pub fn allowed(&self, earliest: usize, latest: usize) -> RangeInclusive<usize> {
        let promised = |transition: &Transition| transition.promised.is_some_and(|position| position <= latest);
        let least = self.transitions.iter().rposition(promised).map_or(0, |index| index + 1);
        let most = self.transitions.iter().take_while(|transition| transition.called <= earliest).count();
        least..=most
    }

    /// What it is after so many changes.
    pub fn state(&self, changes: usize) -> Option<&State> {
        self.transitions.get(changes.checked_sub(1)?)?.state.as_ref()
    }

    /// The last of so many changes.
    pub fn change(&self, changes: usize) -> Option<&Transition> {
        self.transitions.get(changes.checked_sub(1)?)
    }

    fn last_state(&self) -> Option<&State> {
        self.state(self.transitions.len())
    }
}

/// What happened to all items.
pub struct History {
    /// The items, by number.
    pub items: Vec<ItemHistory>,
    /// The item of each id that was given out.
    pub by_id: HashMap<String, usize>,
    /// Position of [`Mark::Begin`].
    pub begin: usize,
    /// Calls that were acknowledged, counting each item of an import or a removal.
    pub acknowledged: usize,
}

impl History {
    /// Reads the marks of a log.
    ///
    /// # Errors
    ///
    /// If they are not those of the workload.
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
            weak: Vec::new(),
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
    /// Where each call was made.
    called: HashMap<usize, usize>,
    /// Changes that were acknowledged and not promised: position, item, index of the transition.
    weak: Vec<(usize, usize, usize)>,
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
                    self.settle(position, |acknowledged, _| acknowledged < called)?;
                }
            }
            Mark::Created { item, at } => self.item(item)?.created_at = Some(at),
        }
        Ok(())
    }

    fn call(&self, number: usize) -> Result<&'a Call, Error> {
        self.workload.call(number).ok_or_else(|| Error::Log(format!("there is no call {number}")))
    }

    fn item(&mut self, item: usize) -> Result<&mut ItemHistory, Error> {
        self.history.items.get_mut(item).ok_or_else(|| Error::Log(format!("there is no item {item}")))
    }

    /// Notes what a call may change from here on.
    fn begin(&mut self, position: usize, call: &Call) -> Result<(), Error> {
        match &call.action {
            Action::Put(item) => self.begin_put(position, call, *item),
            Action::Import(items) => items.iter().try_for_each(|item| self.begin_put(position, call, *item)),
            Action::Update { item, recipient, status, failure } => {
                let mut state = self.item(*item)?.last_state().cloned();
                let delivery = state.as_mut().and_then(|state| state.deliveries.get_mut(*recipient));
                let delivery = delivery.ok_or_else(|| Error::Log(format!("call {} updates nothing", call.number)))?;
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

    /// Notes what a call promised.
    fn acknowledge(&mut self, position: usize, call: &Call, item: usize) -> Result<(), Error> {
        match &call.action {
            Action::PutAgain(_) | Action::RemoveAgain(_) => self.settle(position, |_, weak| weak == item),
            _ => {
                let promises = self.workload.promises(call);
                let transitions = &mut self.item(item)?.transitions;
                let last = transitions.len().checked_sub(1);
                let last = last.ok_or_else(|| Error::Log(format!("item {item} was acknowledged before its call")))?;
                if promises {
                    transitions[last].promised = Some(position);
                } else {
                    self.weak.push((position, item, last));
                }
                Ok(())
            }
        }
    }

    /// Promises what was acknowledged without a promise: `which` is told where that was, and for which item.
    fn settle(&mut self, position: usize, which: impl Fn(usize, usize) -> bool) -> Result<(), Error> {
        let (settled, weak) = self.weak.iter().partition(|(acknowledged, item, _)| which(*acknowledged, *item));
        self.weak = weak;
        let settled: Vec<(usize, usize, usize)> = settled;
        settled.into_iter().try_for_each(|(_, item, index)| {
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

    /// Calls that are numbered from 1, and the marks of a log, in which `None` is a write.
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
        History::new(&workload, &marks.into_iter().map(event).collect()).expect("the marks fit the calls")
    }

    fn acknowledged(call: usize, item: usize) -> Option<Mark> {
        Some(Mark::Acknowledged { call, item, id: Some(format!("id{item}")) })
    }

    fn called(call: usize) -> Option<Mark> {
        Some(Mark::Called { call })
    }

    #[test]
    fn an_item_may_be_there_once_its_put_began_and_must_be_once_it_was_acknowledged() {
        let history =
            history(vec![(Action::Put(0), Durability::Full)], vec![None, called(1), None, acknowledged(1, 0), None]);
        let item = &history.items[0];
        assert_eq!(item.allowed(0, 0), 0..=0);
        assert_eq!(item.allowed(2, 2), 0..=1);
        assert_eq!(item.allowed(4, 4), 1..=1);
        assert_eq!(item.allowed(2, 4), 1..=1, "the image of a crash before and after the acknowledgement");
        assert!(item.allowed(0, 4).is_empty(), "nothing was written between the call and its acknowledgement");
        assert_eq!((history.by_id["id0"], item.state(0)), (0, None));
        assert_eq!(item.state(1).map(|state| state.place), Some(Place::Ready));
    }

    #[test]
    fn what_promises_little_is_promised_by_a_recovery_that_began_after_it() {
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
        assert_eq!(history.items[1].transitions[0].promised, Some(7), "the recovery began too early for it");
        assert!(!history.items[1].transitions[0].unsynced);
    }

    #[test]
    fn a_later_promise_includes_the_earlier_ones() {
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
