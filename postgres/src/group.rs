//! The puts that wait for a commit, and the turns that they wait for.

use crate::convert::problem;
use crate::new_item::{Key, NewItem};
use queue_store_host::Result;
use queue_store_host::types::{self, ErrorCode};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tokio::time::Instant;

/// Puts, or groups of them, that others wait for. With more of them fewer puts share a commit.
const TURNS: usize = 2;

/// Puts that share a commit, at most.
const MAX_PUTS: usize = 64;

/// Bytes of the items that follow the first one into a commit, at most.
const MAX_BYTES: usize = 16 << 20;

/// The turns of a queue, and the puts that wait for one.
///
/// Invariant: where puts wait, no turn is free.
pub(crate) struct Group(Mutex<State>);

struct State {
    free_turns: usize,
    waiting: VecDeque<Waiting>,
}

impl State {
    /// Takes puts that wait, in their order, within these bounds.
    fn take(&mut self, max_puts: usize, max_bytes: usize) -> Vec<Waiting> {
        let bytes = self.waiting.iter().scan(0, |bytes, waiting| {
            *bytes += waiting.bytes();
            Some(*bytes)
        });
        let puts = bytes.take(max_puts).take_while(|bytes| *bytes <= max_bytes).count();
        self.waiting.drain(..puts).collect()
    }
}

/// A put that waits.
pub(crate) struct Waiting {
    pub(crate) item: Arc<NewItem>,
    pub(crate) body: Arc<[u8]>,
    pub(crate) deadline: Instant,
    answer: Sender<Answer>,
}

impl Waiting {
    /// Tells it the result of a statement that added it and others.
    pub(crate) fn tell(self, result: &mut Result<HashSet<Key>>) {
        let _ = self.answer.send(Answer::of(result, &self.item));
    }

    fn bytes(&self) -> usize {
        self.body.len() + self.item.parts.head.len() + self.item.parts.tail.len()
    }
}

/// The answer to a put that waits.
pub(crate) enum Answer {
    /// Whether another caller added the item.
    Added(bool),
    /// It may have been added.
    Indeterminate(types::Error),
    /// Nothing was changed: what failed can be the fault of another item.
    Alone,
    /// It commits, for itself and for these.
    Lead(Turn, Vec<Waiting>),
}

impl Answer {
    /// Makes what the caller of an item is told of a statement that added it and others.
    fn of(result: &mut Result<HashSet<Key>>, item: &NewItem) -> Answer {
        match result {
            // Of two with one id it added one: the one with this checksum.
            Ok(added) => Answer::Added(added.remove(&item.key())),
            Err(failure) if failure.code() == Some(ErrorCode::Indeterminate) => Answer::Indeterminate(problem(failure)),
            Err(_) => Answer::Alone,
        }
    }
}

/// The right to commit. Dropped, it passes to the puts that wait.
pub(crate) struct Turn(Arc<Group>);

impl Group {
    pub(crate) fn new() -> Arc<Group> {
        Arc::new(Group(Mutex::new(State { free_turns: TURNS, waiting: VecDeque::new() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a turn, or a place among those that wait.
    pub(crate) fn enter(
        self: &Arc<Group>,
        item: &Arc<NewItem>,
        body: &Arc<[u8]>,
        deadline: Instant,
    ) -> std::result::Result<Turn, Receiver<Answer>> {
        let mut state = self.state();
        if state.free_turns > 0 {
            state.free_turns -= 1;
            return Ok(Turn(self.clone()));
        }
        let (answer, receiver) = channel();
        state.waiting.push_back(Waiting { item: item.clone(), body: body.clone(), deadline, answer });
        Err(receiver)
    }

    /// Gives up the place of an item among those that wait. Returns whether it had one still.
    pub(crate) fn withdraw(&self, item: &Arc<NewItem>) -> bool {
        let waiting = &mut self.state().waiting;
        let place = waiting.iter().position(|other| Arc::ptr_eq(&other.item, item));
        place.and_then(|place| waiting.remove(place)).is_some()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.state();
        let Some(first) = state.waiting.pop_front() else {
            state.free_turns += 1;
            return;
        };
        let others = state.take(MAX_PUTS - 1, MAX_BYTES);
        drop(state);
        // A put that waits receives its answer.
        let _ = first.answer.send(Answer::Lead(Turn(self.0.clone()), others));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue_store::item::envelope::Envelope;
    use queue_store_host::types::Format;

    fn item(body: &[u8]) -> (Arc<NewItem>, Arc<[u8]>) {
        let envelope = Envelope { id: "x".to_string(), ..Envelope::default() };
        (Arc::new(NewItem::encode(&envelope, Format::Text, body).expect("the mail is good")), Arc::from(body))
    }

    /// Enters a put, which waits.
    fn wait(group: &Arc<Group>, body: &[u8]) -> (Arc<NewItem>, Receiver<Answer>) {
        let (item, body) = item(body);
        let receiver = group.enter(&item, &body, Instant::now()).err().expect("no turn is free");
        (item, receiver)
    }

    fn turn(group: &Arc<Group>) -> Turn {
        let (item, body) = item(b"");
        group.enter(&item, &body, Instant::now()).ok().expect("a turn is free")
    }

    /// Returns the turn of a put, and how many others it commits.
    fn lead(mut receiver: Receiver<Answer>) -> (Turn, usize) {
        match receiver.try_recv() {
            Ok(Answer::Lead(turn, others)) => (turn, others.len()),
            _ => panic!("it got no turn"),
        }
    }

    #[test]
    fn first_put_that_waits_commits_for_the_others() {
        let group = Group::new();
        let turns = [turn(&group), turn(&group)];
        let [(_, first), (_, mut second), (_, mut third)] = [b"1", b"2", b"3"].map(|body| wait(&group, body));
        let [one, other] = turns;
        drop(one);
        let (turn, others) = lead(first);
        assert_eq!(others, 2);
        drop((turn, other));
        // They got no answer.
        assert!(second.try_recv().is_err() && third.try_recv().is_err());
        assert_eq!(group.state().free_turns, TURNS);
    }

    #[test]
    fn commit_has_a_bounded_number_of_puts_and_bytes() {
        for (body, puts, together) in [(&b"x"[..], MAX_PUTS + 3, MAX_PUTS), (&[0; 9 << 20], 4, 2)] {
            let group = Group::new();
            let (_turn, other) = (turn(&group), turn(&group));
            let waiting: Vec<_> = (0..puts).map(|_| wait(&group, body).1).collect();
            drop(other);
            let mut waiting = waiting.into_iter();
            let (turn, others) = lead(waiting.next().expect("it waits"));
            assert_eq!(others + 1, together);
            drop(turn);
            let (_turn, others) = lead(waiting.nth(together - 1).expect("it waits"));
            assert_eq!(others + 1, puts - together);
        }
    }

    #[test]
    fn one_of_two_puts_with_one_id_is_added() {
        let [(added, _), (other, _)] = [b"1", b"2"].map(|body| item(body));
        let mut result = Ok(HashSet::from([added.key()]));
        assert!(matches!(Answer::of(&mut result, &other), Answer::Added(false)));
        assert!(matches!(Answer::of(&mut result, &added), Answer::Added(true)));
        assert!(matches!(Answer::of(&mut result, &added), Answer::Added(false)), "two that are the same are one item");
    }

    #[test]
    fn put_that_goes_alone_is_committed_by_no_other() {
        let group = Group::new();
        let (_turn, other) = (turn(&group), turn(&group));
        let [(_, first), (gone, _), (led, _)] = [b"1", b"2", b"3"].map(|body| wait(&group, body));
        assert!(group.withdraw(&gone));
        drop(other);
        assert_eq!(lead(first).1, 1);
        assert!(!group.withdraw(&led), "it is being committed");
    }

    #[test]
    fn turn_without_a_receiver_passes_on() {
        let group = Group::new();
        let (_turn, other) = (turn(&group), turn(&group));
        drop(wait(&group, b"1"));
        drop(other);
        assert_eq!(group.state().free_turns, 1);
    }
}
