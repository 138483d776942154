//! Searches for violations: runs scenarios on all processors, all of a length or at random.

use super::action::{Call, Slot, alphabet};
use super::item_files::ItemFiles;
use super::power_cut::PowerCuts;
use super::processes::lock;
use super::run::{Run, run};
use super::scenario::Scenario;
use super::settings::Settings;
use super::violation::{Broken, Violation};
use crate::simulator::fault::{FaultAt, faults_of};
use crate::simulator::host::ComponentUnderTest;
use crate::simulator::operation::Operation;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_xorshift::XorShiftRng;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// The size of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Scenarios that were run and cut.
    pub scenarios: u64,
    /// Distinct states after a power cut that were recovered: a disk, and the promises about it.
    pub crash_states: u64,
    /// Scenarios that break a promise.
    pub violations: u64,
}

/// The faults in the scenarios of an exhaustive search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// No fault.
    None,
    /// One fault: each that is possible, at each operation of each call in turn.
    One,
}

/// Gets the tally from time to time, and ends the search by `false`.
pub type Progress<'a> = &'a (dyn Fn(Tally) -> bool + Sync);

/// A search for violations.
pub struct Search<'a> {
    component: &'a ComponentUnderTest,
    cuts: PowerCuts<'a>,
    scenarios: AtomicU64,
    violations: Mutex<Vec<Violation>>,
    /// The number of violations at which the search ends.
    enough: usize,
}

impl<'a> Search<'a> {
    /// Begins a search of a component, which ends at `enough` violations.
    pub fn new(component: &'a ComponentUnderTest, settings: Settings, enough: usize) -> Search<'a> {
        let cuts = PowerCuts::new(component, settings);
        Search { component, cuts, scenarios: AtomicU64::new(0), violations: Mutex::default(), enough }
    }

    /// Returns the same, which records the files of an item after power cuts.
    pub(super) fn recording_item_files(self) -> Search<'a> {
        Search { cuts: self.cuts.recording_item_files(), ..self }
    }

    /// Calls `show` with the recorded files of an item, if they are recorded.
    pub(super) fn with_item_files(&self, show: impl FnOnce(&ItemFiles)) {
        self.cuts.with_item_files(show);
    }

    /// Runs every scenario of these lengths over an alphabet of calls. The power is cut in the last call and after it:
    /// the earlier ones were the last calls of shorter scenarios.
    pub fn exhaustive_search(
        &self,
        lengths: RangeInclusive<usize>,
        alphabet: &[Call],
        faults: Faults,
        progress: Progress<'_>,
    ) {
        let mut scenarios = vec![Scenario::default()];
        for length in 1..=*lengths.end() {
            let longer: Vec<Scenario> = scenarios.iter().flat_map(|scenario| scenario.extensions(alphabet)).collect();
            let extensible = Mutex::new(Vec::new());
            self.each(&longer, progress, &|scenario| {
                if self.run_extensible(scenario, faults, lengths.contains(&length)) {
                    lock(&extensible).push(scenario.clone());
                }
            });
            scenarios = std::mem::take(&mut lock(&extensible));
            scenarios.sort();
        }
    }

    /// Runs random scenarios: 3 to 10 calls on `slots` items, with up to two faults. The same seed gives the same ones.
    pub fn random_search(&self, seed: u64, count: usize, slots: Slot, progress: Progress<'_>) {
        let calls = alphabet(slots);
        let scenarios = (0..count).map(|number| random_scenario(seed.wrapping_add(number as u64), &calls));
        self.each(&scenarios.collect::<Vec<_>>(), progress, &|scenario| drop(self.run(scenario, 0)));
    }

    /// Runs these scenarios.
    pub fn replay(&self, scenarios: &[Scenario], progress: Progress<'_>) {
        self.each(scenarios, progress, &|scenario| drop(self.run(scenario, 0)));
    }

    /// Returns the violation of the shortest scenario to which this one can be simplified step by step.
    pub fn shortest(&self, violation: &Violation) -> Violation {
        let mut shortest = violation.clone();
        loop {
            let simpler = shortest.scenario.simplifications().into_iter().find_map(|scenario| {
                let search = Search::new(self.component, self.cuts.settings, 1);
                search.run(&scenario, 0);
                search.violations().pop()
            });
            match simpler {
                Some(simpler) => shortest = simpler,
                None => return shortest,
            }
        }
    }

    /// Returns the size of the search so far.
    pub fn tally(&self) -> Tally {
        Tally {
            scenarios: self.scenarios.load(Ordering::Relaxed),
            crash_states: self.cuts.count_seen(),
            violations: lock(&self.violations).len() as u64,
        }
    }

    /// Returns hashes of the distinct states after a power cut.
    pub fn seen(&self) -> HashSet<u128> {
        self.cuts.seen()
    }

    /// Returns the violations, those of the shortest scenarios first.
    pub fn violations(&self) -> Vec<Violation> {
        let mut violations = lock(&self.violations).clone();
        violations.sort_by_key(|violation| (violation.scenario.steps.len(), violation.scenario.clone()));
        violations
    }

    /// Calls `visit` with each scenario, on all processors.
    fn each(&self, scenarios: &[Scenario], progress: Progress<'_>, visit: &(dyn Fn(&Scenario) + Sync)) {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || {
            while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                if stop.load(Ordering::Relaxed) || lock(&self.violations).len() >= self.enough {
                    return;
                }
                visit(scenario);
                if !progress(self.tally()) {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
    }

    /// Runs a scenario, with its faults if it is `searched`. Returns whether longer ones can show more.
    fn run_extensible(&self, scenario: &Scenario, faults: Faults, searched: bool) -> bool {
        let last = scenario.steps.len() - 1;
        let faultless = if searched && faults == Faults::None {
            self.run(scenario, last)
        } else {
            // Only for its operations: it is cut in a search without faults.
            run(&self.cuts, scenario, usize::MAX).map_err(|broken| self.report(scenario, broken)).ok()
        };
        let Some(Run { operations, extensible }) = faultless else {
            return false;
        };
        if searched && faults == Faults::One {
            // The behaviour of chasquid under faults is not under test.
            let steps = scenario.steps.iter().zip(&operations).enumerate();
            for (step, (_, operations)) in steps.filter(|(_, (step, _))| !step.call.is_chasquid()) {
                for (operation, of) in operations.iter().enumerate() {
                    for &kind in faults_of(*of) {
                        self.run(&scenario.with_fault(step, FaultAt { operation, kind }), last);
                    }
                }
            }
        }
        extensible
    }

    /// Runs a scenario and reports a violation. None if it broke a promise.
    fn run(&self, scenario: &Scenario, cut_from: usize) -> Option<Run> {
        self.scenarios.fetch_add(1, Ordering::Relaxed);
        run(&self.cuts, scenario, cut_from).map_err(|broken| self.report(scenario, broken)).ok()
    }

    fn report(&self, scenario: &Scenario, Broken { events, wrong }: Broken) {
        lock(&self.violations).push(Violation { scenario: scenario.clone(), events, wrong });
    }
}

/// Returns the random scenario of a seed.
fn random_scenario(seed: u64, calls: &[Call]) -> Scenario {
    let mut random = XorShiftRng::seed_from_u64(seed);
    let length = random.random_range(3..=10);
    let chosen: Vec<Call> = (0..length).filter_map(|_| calls.choose(&mut random).cloned()).collect();
    let mut scenario = Scenario::of(chosen);
    for _ in 0..random.random_range(0..=2) {
        let step = random.random_range(0..length);
        let operations = [Operation::Create, Operation::Write, Operation::SyncFile, Operation::Rename];
        let kinds: Vec<_> = operations.iter().flat_map(|operation| faults_of(*operation)).collect();
        if let Some(&&kind) = kinds.choose(&mut random)
            && !scenario.steps[step].call.is_chasquid()
        {
            scenario = scenario.with_fault(step, FaultAt { operation: random.random_range(0..25), kind });
        }
    }
    scenario
}
