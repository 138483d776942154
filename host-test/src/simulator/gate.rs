//! A scheduler for several instances on one simulated system: their operations take turns in a chosen order.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The number of an instance.
pub type Actor = usize;

/// Admits one operation of one instance at a time.
#[derive(Debug)]
pub struct Gate {
    turns: Mutex<Turns>,
    changed: Condvar,
}

#[derive(Debug)]
struct Turns {
    /// The chosen order. After it, an instance continues for as long as it can.
    order: Vec<Actor>,
    /// The turns so far.
    taken: Vec<Actor>,
    /// Whether each instance waits for a turn.
    waiting: Vec<bool>,
    /// Whether each instance has ended.
    ended: Vec<bool>,
}

impl Gate {
    /// Creates a gate for `actors` instances, which take turns in this order as far as it reaches.
    pub fn new(actors: usize, order: Vec<Actor>) -> Gate {
        let turns = Turns { order, taken: Vec::new(), waiting: vec![false; actors], ended: vec![false; actors] };
        Gate { turns: Mutex::new(turns), changed: Condvar::new() }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of an instance.
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

    /// Marks an instance as ended: it takes no more turns.
    pub fn end(&self, actor: Actor) {
        self.turns().ended[actor] = true;
        self.changed.notify_all();
    }

    /// Returns the turns so far.
    pub fn taken(&self) -> Vec<Actor> {
        self.turns().taken.clone()
    }
}

impl Turns {
    /// Returns the instance that has the turn: none before every instance waits or has ended, so that the order alone
    /// decides.
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

/// Runs every order of two instances in which one interrupts the other at most `interruptions` times. `run` gets the
/// beginning of an order and returns the turns that were taken.
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
            let mut other = taken[..at].to_vec();
            other.push(1 - taken[at]);
            // A switch that the end of the other instance forces is not an interruption.
            if taken[at] == taken[at - 1] && taken[at..].contains(&(1 - taken[at])) {
                beginnings.push(other);
            }
        }
    }
}
