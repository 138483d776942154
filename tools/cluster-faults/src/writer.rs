//! A writer: makes calls on mails of its own, and notes the answers in order.

use crate::history::{Answer, Call, Item, attempt_message};
use crate::mail::{LONG, SHORT, body, mail};
use crate::tally::Tally;
use crate::violation::{Kind, Violation};
use queue_store_host::types::{Attempt, Durability, IdentifiedMail, State, WriteOptions};
use queue_store_host::{BodyReader, Queue, Result};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::io::Read;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// The pause after a call, so that the writers leave time to the nodes.
const PAUSE: std::ops::Range<u64> = 10..60;

/// The time by which a call may exceed the timeout of its queue.
pub(crate) const MARGIN: Duration = Duration::from_secs(2);

/// Bytes that are appended to a draft at once.
const APPENDED: usize = 200 << 10;

/// Bytes of a mail that a reader in parts reads first.
const BEGINNING: usize = 1000;

/// Mails of a `put-many`.
const BATCH: usize = 4;

/// Mails that are put at the same time.
const TOGETHER: usize = 8;

/// The results of a writer.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) items: Vec<Item>,
    pub(crate) tally: Tally,
    pub(crate) violations: Vec<Violation>,
}

/// A writer.
pub(crate) struct Writer<'a> {
    queue: &'a Queue,
    limit: Duration,
    random: ChaCha8Rng,
    attempts: u32,
    /// The places of the mails that may exist.
    live: Vec<usize>,
    /// A reader of a long mail, its place, and the bytes that were read. A fault may come before the rest.
    reader: Option<(BodyReader, usize, Vec<u8>)>,
    written: Written,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(queue: &'a Queue, timeout: Duration, seed: u64) -> Writer<'a> {
        let (random, written) = (ChaCha8Rng::seed_from_u64(seed), Written::default());
        Writer { queue, limit: timeout + MARGIN, random, attempts: 0, live: Vec::new(), reader: None, written }
    }

    /// Makes calls until `stop` is set.
    pub(crate) fn run(mut self, stop: &AtomicBool) -> Written {
        while !stop.load(Ordering::Relaxed) {
            match self.random.random_range(0..100) {
                0..5 => self.put_together(),
                5..40 => self.put(SHORT),
                40 => self.put(LONG),
                41 => self.draft(),
                42..45 => self.put_many(),
                choice => self.change(choice),
            }
            thread::sleep(Duration::from_millis(self.random.random_range(PAUSE)));
        }
        self.written
    }

    fn put(&mut self, length: usize) {
        let Some(place) = self.begin(length) else { return };
        self.put_item(place);
        // A caller that does not know the outcome puts again.
        if self.written.items[place].is_in_doubt() && self.random.random() {
            self.put_item(place);
        }
        self.live.push(place);
    }

    /// Puts mails at the same time, for which the queue generates the ids, so that puts share commits.
    fn put_together(&mut self) {
        let queue = self.queue;
        let names: Vec<String> = (0..TOGETHER).filter_map(|_| queue.new_id().ok()).collect();
        let results = thread::scope(|scope| {
            let puts: Vec<_> =
                names.iter().map(|name| scope.spawn(move || timed(|| queue.put(&mail(name, SHORT))))).collect();
            let ends = puts.into_iter().map(ScopedJoinHandle::join);
            ends.map(|end| end.unwrap_or_else(|panic| resume_unwind(panic))).collect::<Vec<_>>()
        });
        for (name, (result, took)) in names.into_iter().zip(results) {
            self.time(&result, took);
            let place = self.add(Item::with_id(name, result.as_ref().ok().cloned(), SHORT));
            self.note(place, Call::Put, Answer::of(&result));
            self.live.push(place);
        }
    }

    fn put_item(&mut self, place: usize) {
        let Item { name: id, length, .. } = &self.written.items[place];
        let (id, mail) = (id.clone(), mail(id, *length));
        let result = self.call(|queue| queue.put_with(Some(&id), &mail, &WriteOptions::default()));
        self.note(place, Call::Put, Answer::of(&result));
    }

    fn draft(&mut self) {
        let Some(place) = self.begin(LONG) else { return };
        let id = self.written.items[place].name.clone();
        let (envelope, body) = (mail(&id, 0).envelope, body(&id, LONG));
        let draft = self.call(|queue| queue.draft(Some(&id), &envelope, &WriteOptions::default()));
        let draft = draft.and_then(|mut draft| {
            body.chunks(APPENDED).try_for_each(|bytes| self.call(|_| draft.append(bytes))).map(|()| draft)
        });
        // Before the commit nothing can take effect.
        let answer = match draft {
            Ok(draft) => Answer::of(&self.call(|_| draft.commit())),
            Err(error) => Answer::Refused(error.code().unwrap_or(queue_store_host::types::ErrorCode::Other)),
        };
        self.note(place, Call::Put, answer);
        self.live.push(place);
    }

    fn put_many(&mut self) {
        let places: Vec<usize> = (0..BATCH).filter_map(|_| self.begin(SHORT)).collect();
        let mails = places.iter().map(|place| &self.written.items[*place].name);
        let mails = mails.map(|id| IdentifiedMail { id: Some(id.clone()), mail: mail(id, SHORT) });
        let mails: Vec<IdentifiedMail> = mails.collect();
        match self.call(|queue| queue.put_many(&mails, &WriteOptions::default())) {
            Ok(outcomes) => {
                for (place, outcome) in places.iter().zip(outcomes) {
                    self.note(*place, Call::Put, Answer::of(&outcome.into_result()));
                }
            }
            failed => {
                let answer = Answer::of(&failed);
                places.iter().for_each(|place| self.note(*place, Call::Put, answer));
            }
        }
        self.live.extend(places);
    }

    /// Changes one of the mails that may exist.
    fn change(&mut self, choice: u32) {
        if self.live.is_empty() {
            return;
        }
        let index = self.random.random_range(0..self.live.len());
        let place = self.live[index];
        let item = &self.written.items[place];
        let Some(id) = item.id.clone().filter(|_| item.may_exist()) else {
            self.live.swap_remove(index);
            return;
        };
        match choice {
            45..65 => {
                self.attempts += 1;
                let number = self.attempts;
                let attempt = Attempt { recipient: 0, status: 0, message: attempt_message(number) };
                let result = self.call(|queue| queue.record_attempts(&id, &[attempt], None, Durability::Full));
                self.note(place, Call::Attempt(number), Answer::of(&result));
            }
            65..75 => {
                let state = if self.random.random() { State::Held } else { State::Ready };
                let result = self.call(|queue| only(queue.set_state(&[&id], state)));
                self.note(place, Call::SetState(state), Answer::of(&result));
            }
            75..79 => self.read(place, &id),
            79 => self.read_in_parts(place),
            _ => {
                let result = self.call(|queue| only(queue.remove(&[&id], &[], Durability::Full)));
                self.note(place, Call::Remove, Answer::of(&result));
            }
        }
    }

    fn read(&mut self, place: usize, id: &str) {
        let result = self.call(|queue| queue.get(id));
        self.note(place, Call::Read, Answer::of(&result));
        let item = &self.written.items[place];
        if result.is_ok_and(|found| found.body != body(&item.name, item.length)) {
            self.written.violations.push(item.violation(Kind::Damaged, "it was read with other bytes"));
        }
    }

    /// Begins to read a long mail, or reads the rest of one.
    fn read_in_parts(&mut self, place: usize) {
        if let Some((mut reader, place, mut bytes)) = self.reader.take() {
            let is_read = self.call(|_| Ok(reader.read_to_end(&mut bytes))).is_ok_and(|read| read.is_ok());
            let item = &self.written.items[place];
            if is_read && bytes != body(&item.name, item.length) {
                self.written.violations.push(item.violation(Kind::Damaged, "it was read in parts with other bytes"));
            }
            return;
        }
        let long = self.live.iter().rev().find(|place| self.written.items[**place].length == LONG);
        let place = *long.unwrap_or(&place);
        let Some(id) = self.written.items[place].id.clone() else { return };
        let opened = self.call(|queue| queue.read(&id, 0));
        self.note(place, Call::Read, Answer::of(&opened));
        let mut bytes = vec![0; BEGINNING];
        if let Ok(mut reader) = opened
            && reader.read_exact(&mut bytes).is_ok()
        {
            self.reader = Some((reader, place, bytes));
        }
    }

    /// Generates the id of a new mail.
    fn begin(&mut self, length: usize) -> Option<usize> {
        let id = self.queue.new_id().ok()?;
        Some(self.add(Item::new(id, length)))
    }

    fn add(&mut self, item: Item) -> usize {
        self.written.items.push(item);
        self.written.items.len() - 1
    }

    /// Makes a call, and measures it.
    fn call<T>(&mut self, call: impl FnOnce(&Queue) -> Result<T>) -> Result<T> {
        let (result, took) = timed(|| call(self.queue));
        self.time(&result, took);
        result
    }

    fn time<T>(&mut self, result: &Result<T>, took: Duration) {
        self.written.tally.time(took);
        if took > self.limit {
            let failure = result.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
            let text = format!(
                "a call took {:.1} s, and may take {:.1}{failure}",
                took.as_secs_f64(),
                self.limit.as_secs_f64()
            );
            self.written.violations.push(Violation::new(Kind::Slow, text));
        }
    }

    fn note(&mut self, place: usize, call: Call, answer: Answer) {
        self.written.tally.count(call, answer);
        let violation = self.written.items[place].note(call, answer);
        self.written.violations.extend(violation);
    }
}

/// Returns the result of a call, and the time that it took.
fn timed<T>(call: impl FnOnce() -> Result<T>) -> (Result<T>, Duration) {
    let began = Instant::now();
    let result = call();
    (result, began.elapsed())
}

/// Returns the only outcome of a call.
fn only(outcomes: Result<Vec<queue_store_host::types::Outcome>>) -> Result<()> {
    outcomes?.remove(0).into_result()
}
