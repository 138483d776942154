//! The items that a queue must have after a round.

use super::changes::Change;
use super::items::{Content, Items};
use crate::process::Output;
use std::collections::{BTreeMap, BTreeSet};

/// The items that the queue must have after a round, as far as the outputs of the commands tell.
pub(super) struct Expected {
    acknowledged: Items,
    /// Bodies of mails whose ids were not printed.
    unacknowledged: BTreeSet<Vec<u8>>,
    /// Changes of commands that were killed or failed: the status that was to be set, none for a removal.
    undecided: BTreeMap<String, Option<i32>>,
}

impl Expected {
    pub(super) fn new(items: Items) -> Expected {
        Expected { acknowledged: items, unacknowledged: BTreeSet::new(), undecided: BTreeMap::new() }
    }

    /// Adds the effect of a command. One that was killed or failed may have done more than it printed, and never less.
    pub(super) fn add(&mut self, change: Change, output: &Output) {
        let is_done = output.code == 0;
        let printed = output.text();
        let lines: Vec<&str> = printed.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
        match change {
            Change::Put { body } => match lines.first() {
                Some(id) => _ = self.acknowledged.insert((*id).to_string(), Content { body, status: 0 }),
                None => _ = self.unacknowledged.insert(body),
            },
            Change::PutAgain { .. } => assert!(!is_done, "a put replaced an item"),
            Change::Import { mut bodies } => {
                // A mail that failed has no line. From the end, so that the numbers of the others stay.
                for line in lines.iter().rev() {
                    let (id, number) = line.split_once("  /dev/stdin:").expect("a line names the id and the mail");
                    let number: usize = number.parse().expect("mails are numbered");
                    let body = bodies.remove(number - 1);
                    self.acknowledged.insert(id.to_string(), Content { body, status: 0 });
                }
                self.unacknowledged.extend(bodies);
            }
            Change::Update { id, status } if is_done => {
                self.acknowledged.get_mut(&id).expect("an update is of an acknowledged item").status = status;
            }
            Change::Update { id, status } => _ = self.undecided.insert(id, Some(status)),
            Change::Remove { id } if is_done => _ = self.acknowledged.remove(&id),
            Change::Remove { id } => _ = self.undecided.insert(id, None),
            Change::Recover => {}
        }
    }

    /// Asserts that the queue has these items, and returns the number of those that were not acknowledged.
    pub(super) fn check(mut self, found: &Items, round: u64) -> usize {
        for (id, change) in std::mem::take(&mut self.undecided) {
            let old = self.acknowledged.remove(&id).expect("a change is of an acknowledged item");
            let new = change.map(|status| Content { status, ..old.clone() });
            let found = found.get(&id);
            assert!(found == Some(&old) || found == new.as_ref(), "round {round}: {id} is neither old nor new");
            self.acknowledged.extend(found.map(|found| (id, found.clone())));
        }
        let mut adopted = 0;
        for (id, content) in found {
            if !self.acknowledged.contains_key(id) {
                let was_put = self.unacknowledged.remove(&content.body) && content.status == 0;
                assert!(was_put, "round {round}: no command put {id} like this");
                self.acknowledged.insert(id.clone(), content.clone());
                adopted += 1;
            }
        }
        let lost: Vec<&String> = self
            .acknowledged
            .iter()
            .filter(|(id, content)| found.get(*id) != Some(content))
            .map(|(id, _)| id)
            .collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} are lost or changed");
        adopted
    }
}
