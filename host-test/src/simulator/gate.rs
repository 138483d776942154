//! Several instances on one simulated system, whose operations take turns in an order that is chosen.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Which of the instances.
pub type Actor = usize;

/// Lets the instances take turns.
#[derive(Debug)]
pub struct Gate {
    turns: Mutex<Turns>,
    changed: Condvar,
}

#[derive(Debug)]
struct Turns {
    /// The order that was chosen; after it, an instance goes on for as long as it can.
    order: Vec<Actor>,
    /// Whose turns there were.
    taken: Vec<Actor>,
    /// Which of them want a turn, and which have ended.
    waiting: Vec<bool>,
    ended: Vec<bool>,
}

impl Gate {
    /// A gate for so many instances, which take turns in this order as far as it goes.
    pub fn new(actors: usize, order: Vec<Actor>) -> Gate {
        let turns = Turns { order, taken: Vec::new(), waiting: vec![false; actors], ended: vec![false; actors] };
        Gate { turns: Mutex::new(turns), changed: Condvar::new() }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is an instance's turn to do an operation.
    pub fn pass(&self, actor: Actor) {
        let mut turns = self.turns();
        turns.waiting[actor] = true;
        self.changed.notify_all();
        while turns.next() != Some(actor) {
            turns = self.changed.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        turns.waiting[actor] = false;
        turns.taken.push(actor);
    }

    /// Says that an instance does nothing more.
    pub fn end(&self, actor: Actor) {
        self.turns().ended[actor] = true;
        self.changed.notify_all();
    }

    /// Whose turns there were.
    pub fn taken(&self) -> Vec<Actor> {
        self.turns().taken.clone()
    }
}

impl Turns {
    /// Whose turn it is: nobody's before every instance that goes on wants one, so that the order alone decides.
    fn next(&self) -> Option<Actor> {
        let ready = |actor: &Actor| self.waiting[*actor];
        let mut actors = 0..self.ended.len();
        if !actors.clone().all(|actor| self.waiting[actor] || self.ended[actor]) {
            return None;
        }
        let chosen = self.order.get(self.taken.len()).or(self.taken.last()).copied().filter(ready);
        chosen.or_else(|| actors.find(ready))
    }
}

/// Every order in which two instances can take turns, in which one is interrupted by the other at most so often. `run` is
/// given the beginning of an order and returns the turns that there were.
pub fn each_order(interruptions: usize, run: &mut dyn FnMut(Vec<Actor>) -> Vec<Actor>) {
    let mut beginnings = vec![Vec::new(), vec![1]];
    while let Some(beginning) = beginnings.pop() {
        let fixed = beginning.len();
        let taken = run(beginning);
        let switches = taken[..fixed].windows(2).filter(|pair| pair[0] != pair[1]).count();
        if switches >= interruptions {
            continue;
        }
        for at in fixed.max(1)..taken.len() {
            // An order that an end of the other one forces is no choice.
            let mut other = taken[..at].to_vec();
            other.push(1 - taken[at]);
            if taken[at] == taken[at - 1] && taken[at..].contains(&(1 - taken[at])) {
                beginnings.push(other);
            }
        }
    }
}
