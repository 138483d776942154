//! Runs scenarios, cuts the power wherever it can make a difference, and looks at what recovery makes of it.

use super::call::{self, Action, Call, alphabet};
use super::promise::{Found, Identity, Promises, in_words};
use super::scenario::{Mishap, Scenario, Step, troubles};
use super::states::States;
use crate::bindings::{Durability, Entry, Error, ErrorCode, Recovery};
use crate::simulator::disk::{Disk, File};
use crate::simulator::host::{Simulated, Subject};
use crate::simulator::power::{Choice, Profile, cuts};
use crate::simulator::world::{Operation, Trouble, World};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_xorshift::XorShiftRng;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::{self, Display};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use xxhash_rust::xxh3::Xxh3;

/// How deep recoveries are cut: a cut in a recovery, a cut in the recovery from that, and so on.
const MAX_DEPTH: usize = 3;

/// A file that is not the queue's, and an item that is damaged; nothing may happen to either.
const OTHERS: [(&str, &[u8]); 2] = [("notes.txt", b"not an item"), ("m:damaged", b"ID: \"damaged\"\nfrom: \"a@exam")];

/// What is tried of each cut that may damage what another program did not sync.
const UNSYNCED_CHOICES: usize = 8;

/// What is searched, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// What the disk promises.
    pub profile: Profile,
    /// With what durability the calls write.
    pub durability: Durability,
    /// Whether one thing goes wrong in each scenario, at each operation in turn.
    pub mishaps: bool,
    /// How many subsets of names, and how many contents of a file, are tried at each cut: all of them up to this number. Where
    /// there is something that another program did not sync, which may be lost, it is at most [`UNSYNCED_CHOICES`].
    pub choices: usize,
}

/// A broken promise.
#[derive(Clone, Debug)]
pub struct Violation {
    /// What was done.
    pub scenario: Scenario,
    /// What happened from there, in words: power cuts, and what they left.
    pub events: Vec<String>,
    /// What is wrong.
    pub wrong: String,
}

impl Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "scenario: {}", self.scenario)?;
        for event in &self.events {
            writeln!(formatter, "  {event}")?;
        }
        write!(formatter, "  violation: {}", self.wrong)
    }
}

/// What was searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Scenarios that were run.
    pub scenarios: u64,
    /// Distinct states after a power cut that were recovered and looked at: a disk, and what is promised of it.
    pub crash_states: u64,
    /// Broken promises.
    pub violations: u64,
}

/// A search for violations.
pub struct Explorer<'a> {
    component: &'a Subject,
    search: Search,
    seen: Mutex<HashSet<u128>>,
    scenarios: AtomicU64,
    violations: Mutex<Vec<Violation>>,
    /// The search ends at this many violations.
    enough: usize,
    /// Instances that know of nothing in doubt, and so can be a new process on another disk.
    idle: Mutex<Vec<Simulated>>,
    /// What power cuts leave of an item, where that is asked for.
    states: Option<Mutex<States>>,
}

/// What a run of a scenario tells about scenarios that begin with it.
struct Run {
    /// The operations of the system in each call.
    operations: Vec<Vec<Operation>>,
    /// Whether more calls after it can show something that fewer do not.
    extensible: bool,
}

/// Where the power is cut.
#[derive(Clone, Copy)]
enum Origin<'a> {
    /// In a call.
    Call(&'a Call),
    /// After a call.
    AfterCall,
    /// In a recovery, at this depth.
    Recovery(usize),
}

/// What went wrong, and what led there from the start of the scenario.
struct Wrong {
    events: Vec<String>,
    wrong: String,
}

impl From<String> for Wrong {
    fn from(wrong: String) -> Wrong {
        Wrong { events: Vec::new(), wrong }
    }
}

impl Wrong {
    fn after(mut self, event: impl FnOnce() -> String) -> Wrong {
        self.events.insert(0, event());
        self
    }
}

impl<'a> Explorer<'a> {
    /// A search of a component, which ends at `enough` violations.
    pub fn new(component: &'a Subject, search: Search, enough: usize) -> Explorer<'a> {
        Explorer {
            component,
            search,
            seen: Mutex::default(),
            scenarios: AtomicU64::new(0),
            violations: Mutex::default(),
            enough,
            idle: Mutex::default(),
            states: None,
        }
    }

    /// The same, and notes what power cuts leave of an item.
    pub(super) fn noting_states(self) -> Explorer<'a> {
        Explorer { states: Some(Mutex::default()), ..self }
    }

    /// Shows what power cuts left.
    pub(super) fn states(&self, show: impl FnOnce(&States)) {
        if let Some(states) = &self.states {
            show(&lock(states));
        }
    }

    /// Runs every scenario of up to `calls` calls of an alphabet. `progress` is told the tally from time to time, and ends
    /// the search by `false`.
    pub fn exhaust(&self, calls: usize, alphabet: &[Call], progress: &(dyn Fn(Tally) -> bool + Sync)) {
        let mut scenarios = vec![Scenario::default()];
        for _ in 0..calls {
            let longer: Vec<Scenario> = scenarios.iter().flat_map(|scenario| extensions(scenario, alphabet)).collect();
            let extensible = Mutex::new(Vec::new());
            self.each(&longer, progress, &|scenario| {
                if self.with_mishaps(scenario) {
                    lock(&extensible).push(scenario.clone());
                }
            });
            scenarios = extensible.into_inner().unwrap_or_else(PoisonError::into_inner);
            scenarios.sort();
        }
    }

    /// Runs scenarios that are drawn: up to ten calls on `slots` items, two of which go wrong somewhere. The same seed
    /// draws the same ones.
    pub fn wander(&self, seed: u64, count: usize, slots: call::Slot, progress: &(dyn Fn(Tally) -> bool + Sync)) {
        let calls = alphabet(slots);
        let draw = |number: usize| {
            let mut random = XorShiftRng::seed_from_u64(seed.wrapping_add(number as u64));
            let length = random.random_range(3..=10);
            let drawn = (0..length).filter_map(|_| calls.choose(&mut random).cloned());
            let mut scenario = Scenario::of(drawn.collect::<Vec<_>>());
            for _ in 0..random.random_range(0..=2) {
                let step = random.random_range(0..length);
                let operations = [Operation::Create, Operation::Write, Operation::SyncFile, Operation::Rename];
                let troubles = operations.iter().flat_map(|operation| troubles(*operation)).collect::<Vec<_>>();
                if let Some(&&trouble) = troubles.choose(&mut random)
                    && !matches!(scenario.steps[step].call, Call::To(action, _) if action.is_chasquid())
                {
                    scenario = scenario.with(step, Mishap { operation: random.random_range(0..25), trouble });
                }
            }
            scenario
        };
        let scenarios: Vec<Scenario> = (0..count).map(draw).collect();
        self.each(&scenarios, progress, &|scenario| drop(self.run(scenario, 0)));
    }

    /// The distinct crash states that were looked at, by a hash of the disk and of what is promised of it.
    pub fn seen(&self) -> HashSet<u128> {
        lock(&self.seen).clone()
    }

    /// Runs these scenarios as they are.
    pub fn replay(&self, scenarios: &[Scenario], progress: &(dyn Fn(Tally) -> bool + Sync)) {
        self.each(scenarios, progress, &|scenario| drop(self.run(scenario, 0)));
    }

    /// The violation of the shortest sequence of calls that this one comes down to, as its simpler ones are violations too.
    pub fn shortest(&self, violation: &Violation) -> Violation {
        let mut shortest = violation.clone();
        loop {
            let simpler = shortest.scenario.simpler().into_iter().find_map(|scenario| {
                let explorer = Explorer::new(self.component, self.search, 1);
                explorer.run(&scenario, 0);
                explorer.violations().pop()
            });
            match simpler {
                Some(simpler) => shortest = simpler,
                None => return shortest,
            }
        }
    }

    /// What was searched so far.
    pub fn tally(&self) -> Tally {
        Tally {
            scenarios: self.scenarios.load(Ordering::Relaxed),
            crash_states: lock(&self.seen).len() as u64,
            violations: lock(&self.violations).len() as u64,
        }
    }

    /// The violations, those of the shortest scenarios first.
    pub fn violations(&self) -> Vec<Violation> {
        let mut violations = lock(&self.violations).clone();
        violations.sort_by_key(|violation| (violation.scenario.steps.len(), violation.scenario.clone()));
        violations
    }

    /// Visits scenarios on all processors.
    fn each(
        &self,
        scenarios: &[Scenario],
        progress: &(dyn Fn(Tally) -> bool + Sync),
        visit: &(dyn Fn(&Scenario) + Sync),
    ) {
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

    /// Runs a scenario as it is, and with every mishap. Whether longer ones are worth a look.
    fn with_mishaps(&self, scenario: &Scenario) -> bool {
        let last = scenario.steps.len() - 1;
        // What a cut in an earlier call leaves was looked at when that was the last one.
        let Some(run) = self.run(scenario, last) else {
            return false;
        };
        if self.search.mishaps {
            for (step, operations) in run.operations.iter().enumerate() {
                // What chasquid does when something goes wrong is its own affair.
                if matches!(scenario.steps[step].call, Call::To(action, _) if action.is_chasquid()) {
                    continue;
                }
                for (number, operation) in operations.iter().enumerate() {
                    for &trouble in troubles(*operation) {
                        self.run(&scenario.with(step, Mishap { operation: number, trouble }), last);
                    }
                }
            }
        }
        run.extensible
    }

    /// Runs a scenario, and cuts the power in its calls from number `from` on. None if a promise was broken.
    fn run(&self, scenario: &Scenario, from: usize) -> Option<Run> {
        self.scenarios.fetch_add(1, Ordering::Relaxed);
        match self.attempt(scenario, from) {
            Ok(run) => Some(run),
            Err(Wrong { events, wrong }) => {
                lock(&self.violations).push(Violation { scenario: scenario.clone(), events, wrong });
                None
            }
        }
    }

    fn attempt(&self, scenario: &Scenario, from: usize) -> Result<Run, Wrong> {
        let others = OTHERS.map(|(name, content)| (vec![name.to_string()], File::durable(content.to_vec(), 0)));
        let mut system = self.process(Disk::with(others));
        let result = self.attempt_in(&mut system, scenario, from);
        self.end(system);
        result
    }

    fn attempt_in(&self, system: &mut Simulated, scenario: &Scenario, from: usize) -> Result<Run, Wrong> {
        let mut promises = Promises::default();
        let mut run = Run { operations: Vec::new(), extensible: true };
        let mut closed = false;
        for (number, step) in scenario.steps.iter().enumerate() {
            let event = || format!("call {}, `{step}`", number + 1);
            let during = promises.during(&step.call, number as u32 + 1);
            let before = {
                let mut world = system.world();
                world.log.clear();
                world.trouble = step.mishap.map(|Mishap { operation, trouble }| (operation, trouble));
                world.snapshots = (number >= from).then(Vec::new);
                world.disk.clone()
            };
            let answered = self.answer(system, &mut promises, step, number as u32 + 1, &before, closed);
            let (snapshots, disk, killed, operations) = {
                let mut world = system.world();
                let killed = world.killed;
                world.repair();
                let operations = world.operations();
                (world.snapshots.take().unwrap_or_default(), world.disk.clone(), killed, operations)
            };
            let indeterminate = answered.map_err(|wrong| wrong.after(event))?;
            for (operation, snapshot) in snapshots {
                let event = || format!("in call {}, `{step}`, before its operation {operation}", number + 1);
                self.cut(&snapshot, &during, Origin::Call(&step.call)).map_err(|wrong| wrong.after(event))?;
            }
            if killed {
                promises = during;
            }
            if killed || step.call == Call::Restart {
                promises.forget();
                let next = self.process(disk.clone());
                std::mem::swap(&mut *next.world(), &mut *system.world());
                self.end(std::mem::replace(system, next));
            }
            closed = match step.call {
                _ if killed => false,
                Call::Restart => false,
                Call::Recover => closed && indeterminate,
                Call::To(..) => closed || indeterminate,
            };
            self.cut(&disk, &promises, Origin::AfterCall)
                .map_err(|wrong| wrong.after(|| format!("after call {}, `{step}`", number + 1)))?;
            let changed = disk != before;
            run.extensible = changed || matches!(step.call, Call::Recover | Call::Restart);
            run.operations.push(operations);
        }
        Ok(run)
    }

    /// Makes a call, and looks at what it answers. Whether it left the queue in need of recovery.
    fn answer(
        &self,
        system: &mut Simulated,
        promises: &mut Promises,
        step: &Step,
        stamp: u32,
        before: &Disk,
        closed: bool,
    ) -> Result<bool, Wrong> {
        let (outcomes, recovery) = call::perform(system, promises, &step.call, stamp, self.search.durability);
        let world = system.world();
        if world.killed {
            return Ok(false);
        }
        let (disk, operations) = (world.disk.clone(), world.operations());
        drop(world);
        if step.mishap.is_some() {
            promises.forfeit_unsynced();
        }
        if let Some(recovery) = recovery {
            if !is_whole(&recovery, promises) {
                return if step.mishap.is_some() {
                    Ok(true)
                } else {
                    Err(format!("recovery, with nothing going wrong, says {recovery:?}").into())
                };
            }
            *promises = self.settled(&disk, promises)?;
            if step.mishap.is_none() && !promises.is_forfeited() && !disk.is_durable() {
                return Err("recovery is done, and a power cut would still change something".to_string().into());
            }
            return Ok(false);
        }
        let Call::To(action, _) = step.call else {
            return Ok(false);
        };
        let codes: Vec<Option<ErrorCode>> = outcomes.iter().map(|(_, outcome)| *outcome).collect();
        if closed && !action.is_chasquid() {
            let refused = |code: &Option<ErrorCode>| match step.mishap {
                None => *code == Some(ErrorCode::NeedsRecovery),
                Some(_) => code.is_some(),
            };
            if !codes.iter().all(refused) {
                return Err(format!("a queue in need of recovery answered {codes:?}").into());
            }
            if disk != *before {
                return Err("a queue in need of recovery was changed".to_string().into());
            }
        }
        for (item, outcome) in &outcomes {
            promises.answered(action, stamp, item, *outcome)?;
        }
        // A removal that finds nothing may have been repeated, and have removed it before.
        let clean = |code: &Option<ErrorCode>| match code {
            None | Some(ErrorCode::Indeterminate) => false,
            Some(code) => *code != ErrorCode::NotFound || !matches!(action, Action::Remove | Action::Discard),
        };
        // What is not synced may be changed by the disk: a failed sync can revert it.
        let excused = action.is_chasquid() || promises.is_unsafe();
        if !excused && !codes.is_empty() && codes.iter().all(clean) && items(&disk) != items(before) {
            return Err(format!("failed with {codes:?}, and changed the queue").into());
        }
        // Only where the removal of the temporary file fails may that stay.
        let at = step.mishap.map(|mishap| operations.get(mishap.operation));
        let excused = matches!(at, Some(Some(Operation::Unlink)))
            || matches!(step.mishap, Some(Mishap { trouble: Trouble::StaysBroken("read-only" | "io"), .. }))
            || action.is_chasquid();
        if !excused && temporaries(&disk) > temporaries(before) {
            return Err(format!("answered {codes:?}, and left a temporary file").into());
        }
        Ok(codes.contains(&Some(ErrorCode::Indeterminate)))
    }

    /// Cuts the power, in every way.
    fn cut(&self, disk: &Disk, promises: &Promises, origin: Origin<'_>) -> Result<(), Wrong> {
        let mut choices = Xxh3::new();
        disk.hash(&mut choices);
        let mut choose = |most: usize| {
            choices.write_u8(0);
            choices.finish() as usize % most
        };
        let unsynced = if promises.is_unsafe() { UNSYNCED_CHOICES } else { usize::MAX };
        let mut choice = Choice { most: self.search.choices.min(unsynced), draw: &mut choose };
        for cut in cuts(disk, self.search.profile, &mut choice) {
            self.recovers(&cut, promises, origin).map_err(|wrong| wrong.after(|| describe(disk, &cut)))?;
        }
        Ok(())
    }

    /// Recovers what a power cut left, looks at it, and cuts the power meanwhile.
    fn recovers(&self, cut: &Disk, promises: &Promises, origin: Origin<'_>) -> Result<(), Wrong> {
        let mut hash = Xxh3::new();
        (cut, promises).hash(&mut hash);
        let is_new = lock(&self.seen).insert(hash.digest128());
        let depth = match origin {
            Origin::Call(_) | Origin::AfterCall => 0,
            Origin::Recovery(depth) => depth,
        };
        if !is_new && (depth > 0 || self.states.is_none()) {
            return Ok(());
        }
        self.observe(cut, promises, false).map_err(|wrong| format!("before recovery: {wrong}"))?;
        let mut system = self.process(cut.clone());
        system.world().snapshots = (depth < MAX_DEPTH).then(Vec::new);
        let recovery = system.recover(0);
        if !is_whole(&recovery, promises) {
            return Err(format!("recovery says {recovery:?}").into());
        }
        let (snapshots, after) = {
            let mut world = system.world();
            (world.snapshots.take().unwrap_or_default(), world.disk.clone())
        };
        for (operation, snapshot) in snapshots {
            let event = || format!("in recovery, before its operation {operation}");
            self.cut(&snapshot, promises, Origin::Recovery(depth + 1)).map_err(|wrong| wrong.after(event))?;
        }
        if !after.is_durable() {
            return Err("a power cut after recovery would still change something".to_string().into());
        }
        if temporaries(&after) > 0 {
            return Err("recovery left a temporary file".to_string().into());
        }
        self.settled(&after, promises)?;
        if let Some(states) = &self.states {
            match origin {
                Origin::Call(call) => lock(states).note(Some(call), cut, &after),
                Origin::AfterCall => lock(states).note(None, cut, &after),
                Origin::Recovery(_) => {}
            }
        }
        let again = system.recover(0).map_err(|error| format!("a second recovery says {error:?}"))?;
        if (again.swept, again.settled) != (0, 0) || contents(&system.world().disk) != contents(&after) {
            return Err(format!("a second recovery had something to do: {again:?}").into());
        }
        self.end(system);
        Ok(())
    }

    /// What is found, which is what is promised from here on, for good.
    fn settled(&self, disk: &Disk, promises: &Promises) -> Result<Promises, Wrong> {
        let Findings { found, damaged } = self.observe(disk, promises, true)?;
        let mut settled = promises.clone();
        for item in promises.items().filter(|item| !damaged.contains(*item)) {
            let found = found.get(item).copied();
            if !promises.allow(item, found) {
                let expected = promises.expected(item);
                return Err(format!("{item:?} is {}, and was promised to be {expected}", in_words(found)).into());
            }
            settled.settled(item, found);
        }
        Ok(settled)
    }

    /// What the component finds on a disk: nothing that is not promised, and nothing in part.
    fn observe(&self, disk: &Disk, promises: &Promises, settled: bool) -> Result<Findings, String> {
        let mut reader = self.process(disk.clone());
        let found = find(&mut reader, disk, promises, settled);
        lock(&self.idle).push(reader);
        found
    }

    /// A process that begins on a disk.
    fn process(&self, mut disk: Disk) -> Simulated {
        disk.sync_pins_name = self.search.profile == Profile::Linux;
        let mut order = Xxh3::new();
        disk.hash(&mut order);
        let idle = lock(&self.idle).pop();
        let system = idle.unwrap_or_else(|| Simulated::of(self.component, Arc::default()));
        let mut world = World::of(disk);
        world.directory_order = order.finish();
        *system.world() = world;
        system
    }

    /// The end of a process. All that an instance knows beyond its disk is what is in doubt, which a recovery settles, and what
    /// it knows of a directory, which it forgets when that is gone; that takes a fraction of the time of a new instance.
    fn end(&self, mut system: Simulated) {
        *system.world() = World::new();
        if system.recover(0).is_ok() {
            system.world().fail(Operation::ReadDirectory, "no-entry");
            if system.count().is_err() {
                lock(&self.idle).push(system);
            }
        }
    }
}

/// What a reader finds.
#[derive(Default)]
struct Findings {
    /// The whole items.
    found: BTreeMap<Identity, Found>,
    /// The items that are damaged and may be.
    damaged: BTreeSet<Identity>,
}

/// Whether a recovery did what it is for: it has a problem with nothing but with items that may be damaged.
fn is_whole(recovery: &Result<Recovery, Error>, promises: &Promises) -> bool {
    let of_damage = |problem: &Error| {
        let id = problem.path.rsplit([':', '=']).next().unwrap_or_default();
        id == "damaged" || promises.damageable(id).is_some()
    };
    recovery.as_ref().is_ok_and(|report| report.problems.iter().all(of_damage) && !report.truncated)
}

/// Looks at everything. Where recovery settled it, no item has two names.
fn find(system: &mut Simulated, disk: &Disk, promises: &Promises, settled: bool) -> Result<Findings, String> {
    let page = system.list_items(&[], None, 1000).map_err(|error| format!("a listing says {error:?}"))?;
    let mut findings = Findings::default();
    for entry in page.entries {
        let Entry { id, state, info, problem } = entry;
        if id == "damaged" {
            continue;
        }
        let whole = info.is_some() && problem.is_none();
        if let Some(item) = promises.damageable(&id)
            && (!whole || system.get(&id).is_err())
        {
            findings.damaged.insert(item.clone());
            continue;
        }
        if !whole {
            return Err(format!("`{id}` is damaged: {problem:?}"));
        }
        let item = system.get(&id).map_err(|error| format!("`{id}` cannot be read: {error:?}"))?;
        let (body, slot) = call::stamped(&item.body).ok_or_else(|| format!("`{id}` has a body of nobody"))?;
        let envelope = call::envelope_stamp(&item.envelope).ok_or_else(|| format!("`{id}` has a strange envelope"))?;
        if item.body != call::body(body, slot) || item.envelope != call::envelope(envelope, envelope != body) {
            return Err(format!("`{id}` is not what was written, byte for byte"));
        }
        let identity = promises.identify(&id, body, slot);
        let state = Found { place: state.into(), body, envelope };
        if !promises.allow(&identity, Some(state)) {
            let expected = promises.expected(&identity);
            return Err(format!(
                "`{id}` ({identity:?}) is {}, and was promised to be {expected}",
                in_words(Some(state))
            ));
        }
        if findings.found.insert(identity, state).is_some() && settled {
            return Err(format!("`{id}` has two names"));
        }
    }
    for (name, content) in OTHERS {
        if disk.names.get(name).map(|inode| disk.files[inode].content.as_slice()) != Some(content) {
            return Err(format!("`{name}` was changed"));
        }
    }
    Ok(findings)
}

/// Every scenario that is one call longer. The second item is not used before the first one, since that would be the same
/// scenario with other names.
fn extensions(scenario: &Scenario, alphabet: &[Call]) -> Vec<Scenario> {
    let used = scenario.steps.iter().filter_map(|step| match &step.call {
        Call::To(_, slots) => slots.iter().max().copied(),
        _ => None,
    });
    let used = used.max().unwrap_or(0);
    let fits = |call: &Call| match call {
        Call::To(_, slots) => slots[0] <= used + 1,
        _ => true,
    };
    let longer = |call| {
        let mut longer = scenario.clone();
        longer.steps.push(Step { call, mishap: None });
        longer
    };
    alphabet.iter().filter(|call| fits(call)).cloned().map(longer).collect()
}

/// The names on a disk and what they have, as a process sees it.
fn contents(disk: &Disk) -> BTreeMap<&str, &[u8]> {
    disk.names.iter().map(|(name, inode)| (name.as_str(), disk.files[inode].content.as_slice())).collect()
}

/// The same, without temporary files.
fn items(disk: &Disk) -> BTreeMap<&str, &[u8]> {
    let mut items = contents(disk);
    items.retain(|name, _| !name.starts_with(".m:"));
    items
}

fn temporaries(disk: &Disk) -> usize {
    disk.names.keys().filter(|name| name.starts_with(".m:")).count()
}

/// What a power cut leaves of a disk, in words.
fn describe(before: &Disk, cut: &Disk) -> String {
    let mut words = Vec::new();
    for (name, inode) in &cut.names {
        if OTHERS.iter().any(|(other, _)| other == name) {
            continue;
        }
        let content = &cut.files[inode].content;
        let known = before.files.values().find(|file| file.content == *content && !content.is_empty());
        let state = match (known, before.names.get(name)) {
            (Some(_), _) => format!("whole, {} bytes", content.len()),
            (None, _) if content.is_empty() => "empty".to_string(),
            (None, _) if content.iter().all(|byte| *byte == 0) => format!("{} zeros", content.len()),
            (None, _) => format!("{} bytes, in part what was written", content.len()),
        };
        words.push(format!("`{name}` ({state})"));
    }
    let lost: Vec<String> =
        before.names.keys().filter(|name| !cut.names.contains_key(*name)).map(|name| format!("`{name}`")).collect();
    let lost = if lost.is_empty() { String::new() } else { format!(", without {}", lost.join(", ")) };
    let left = if words.is_empty() { "nothing".to_string() } else { words.join(", ") };
    format!("the power cut leaves {left}{lost}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
