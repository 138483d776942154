//! A round: writers, a fault, and the check of every mail.

use crate::check::check;
use crate::error::Error;
use crate::fault::Fault;
use crate::nodes::Nodes;
use crate::tally::Tally;
use crate::violation::Violation;
use crate::writer::{Writer, Written};
use queue_store_host::Queue;
use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The time that the writers run before the fault and after it.
const AROUND: Duration = Duration::from_millis(200);

/// The part of the longest time of a fault that it takes.
const HOLD: Range<f64> = 0.2..1.0;

/// The settings of a search.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The number of writers. One in four has a queue handle of its own, the others share one.
    pub writers: usize,
    /// The seed of the faults and of the calls. The interleaving depends on the machine.
    pub seed: u64,
    /// The longest time of a fault.
    pub hold: Duration,
    /// The timeout of the queues.
    pub timeout: Duration,
    /// `durability` in the URL of the queues.
    pub durability: &'static str,
}

/// The result of a round.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The number of the round.
    pub number: u64,
    /// Its fault.
    pub fault: Fault,
    /// The answers.
    pub tally: Tally,
    /// The broken guarantees.
    pub violations: Vec<Violation>,
}

/// A search: nodes, and the queue handles of the writers.
#[derive(Debug)]
pub struct Search {
    nodes: Arc<Nodes>,
    settings: Settings,
    handles: Vec<Queue>,
    faults: Vec<Fault>,
}

impl Search {
    /// Opens the queues on healthy nodes. Faults of disks are left out where the nodes have none of their own.
    ///
    /// # Errors
    ///
    /// Fails if a queue cannot be opened.
    pub fn new(nodes: Arc<Nodes>, settings: Settings, faults: &[Fault]) -> Result<Search, Error> {
        let Settings { timeout, durability, writers, .. } = &settings;
        let url = format!("{}?queue=faults&timeout={}&durability={durability}", nodes.url(), timeout.as_secs());
        let handles: Result<Vec<Queue>, _> = (0..=writers / 4).map(|_| queue_store_postgres::open(&url)).collect();
        let has_disks = nodes.missing_disks().is_none();
        let faults = faults.iter().copied().filter(|fault| has_disks || !fault.needs_disks()).collect();
        Ok(Search { handles: handles?, nodes, settings, faults })
    }

    /// Returns the faults of the rounds.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Runs a round with a fault that the seed chooses.
    ///
    /// # Errors
    ///
    /// Fails if the nodes do not do as they are told.
    pub fn round(&self, number: u64) -> Result<Outcome, Error> {
        let fault = self.faults.choose(&mut self.random(number)).copied().unwrap_or(Fault::PrimaryKilled);
        self.round_of(number, fault)
    }

    /// Runs a round with a fault.
    ///
    /// # Errors
    ///
    /// Fails if the nodes do not do as they are told.
    pub fn round_of(&self, number: u64, fault: Fault) -> Result<Outcome, Error> {
        let mut random = self.random(number);
        let hold = self.settings.hold.mul_f64(random.random_range(HOLD));
        let stop = AtomicBool::new(false);
        let (injected, written) = thread::scope(|scope| {
            let writers: Vec<_> = (0..self.settings.writers)
                .map(|writer| {
                    let seed = random.random();
                    let writer = Writer::new(self.handle(writer), self.settings.timeout, seed);
                    scope.spawn(|| writer.run(&stop))
                })
                .collect();
            thread::sleep(AROUND);
            let injected = fault.inject(&self.nodes, hold, &mut random).and_then(|()| self.nodes.heal());
            thread::sleep(AROUND);
            stop.store(true, Ordering::Relaxed);
            let ends = writers.into_iter().map(|writer| writer.join());
            let written = ends.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            (injected, written.collect::<Vec<Written>>())
        });
        injected?;
        let (mut items, mut tally, mut violations) = (Vec::new(), Tally::default(), Vec::new());
        for writer in written {
            items.extend(writer.items);
            tally.add(&writer.tally);
            violations.extend(writer.violations);
        }
        violations.extend(check(&self.nodes, &self.handles, &items)?);
        Ok(Outcome { number, fault, tally, violations })
    }

    /// Returns the handle of a writer: one of its own for every fourth one.
    fn handle(&self, writer: usize) -> &Queue {
        if writer % 4 == 3 { &self.handles[writer / 4 + 1] } else { &self.handles[0] }
    }

    fn random(&self, number: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.settings.seed.wrapping_mul(1_000_003).wrapping_add(number))
    }
}
