//! Cuts the power in every way at a point of a scenario, recovers, and compares the items with the promises.

use super::action::Call;
use super::item_files::ItemFiles;
use super::observation::{FileCounts, contents, count_temporary, is_bystander, is_complete, make_definite, observe};
use super::processes::{Processes, lock};
use super::promise::Promises;
use super::settings::Settings;
use super::unrecovered;
use super::violation::Broken;
use crate::simulator::disk::Disk;
use crate::simulator::host::{ComponentUnderTest, Simulated};
use crate::simulator::power::{Sampling, cuts};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Mutex;
use xxhash_rust::xxh3::Xxh3;

/// The depth to which recoveries are cut: a cut in a recovery, a cut in the recovery from that, and so on.
const MAX_DEPTH: usize = 3;

/// The power cuts of a search.
pub(super) struct PowerCuts<'a> {
    pub(super) settings: Settings,
    pub(super) processes: Processes<'a>,
    /// Hashes of the states after a power cut that were recovered: a disk, and the promises about it.
    seen: Mutex<HashSet<u128>>,
    /// Hashes of the states after a recovery that were checked, with the number of files in each.
    checked: Mutex<HashMap<u128, FileCounts>>,
    /// The files of an item after a power cut, if they are recorded.
    item_files: Option<Mutex<ItemFiles>>,
}

/// The time of a power cut.
#[derive(Clone, Copy)]
pub(super) enum Moment<'a> {
    /// In a call.
    During(&'a Call),
    /// Between calls.
    Between,
    /// In a recovery, at this depth.
    Recovery(usize),
}

impl<'a> PowerCuts<'a> {
    pub(super) fn new(component: &'a ComponentUnderTest, settings: Settings) -> PowerCuts<'a> {
        let processes = Processes::new(component, settings.profile);
        PowerCuts { settings, processes, seen: Mutex::default(), checked: Mutex::default(), item_files: None }
    }

    /// Returns the same, which records the files of an item after power cuts.
    pub(super) fn recording_item_files(self) -> PowerCuts<'a> {
        PowerCuts { item_files: Some(Mutex::default()), ..self }
    }

    /// Calls `show` with the recorded files of an item, if they are recorded.
    pub(super) fn with_item_files(&self, show: impl FnOnce(&ItemFiles)) {
        if let Some(item_files) = &self.item_files {
            show(&lock(item_files));
        }
    }

    /// Returns the number of distinct states after a power cut.
    pub(super) fn count_seen(&self) -> u64 {
        lock(&self.seen).len() as u64
    }

    /// Returns the hashes of the distinct states after a power cut.
    pub(super) fn seen(&self) -> HashSet<u128> {
        lock(&self.seen).clone()
    }

    /// Cuts the power, in every way.
    pub(super) fn cut(&self, disk: &Disk, promises: &Promises, moment: Moment<'_>) -> Result<(), Broken> {
        let mut random = Xxh3::new();
        disk.entries.hash(&mut random);
        let mut below = |most: usize| {
            random.write_u8(0);
            random.finish() as usize % most
        };
        let unsynced = if promises.is_unsafe() { Settings::UNSYNCED_CHOICES } else { usize::MAX };
        let mut sampling = Sampling { most: self.settings.choices.min(unsynced), random: &mut below };
        for cut in cuts(disk, self.settings.profile, &mut sampling) {
            self.recover(&cut, promises, moment).map_err(|broken| broken.after(|| describe(disk, &cut)))?;
        }
        Ok(())
    }

    /// Recovers from a power cut, compares the items with the promises, and cuts the power in the recovery.
    fn recover(&self, cut: &Disk, promises: &Promises, moment: Moment<'_>) -> Result<(), Broken> {
        let is_new = lock(&self.seen).insert(hash((cut, promises)));
        let depth = match moment {
            Moment::During(_) | Moment::Between => 0,
            Moment::Recovery(depth) => depth,
        };
        if !is_new && (depth > 0 || self.item_files.is_none()) {
            return Ok(());
        }
        let findings = observe(&self.processes, cut, promises).map_err(|wrong| format!("before recovery: {wrong}"))?;
        if depth == 0
            && let Some(slot) = findings.duplicate.and_then(|item| promises.slot(&item))
        {
            let durability = self.settings.durability;
            for moment in unrecovered::moments(&self.processes, durability, cut, promises, slot)? {
                self.cut(&moment.disk, &moment.promises, Moment::Recovery(MAX_DEPTH))
                    .map_err(|broken| broken.after(|| moment.event))?;
            }
        }
        let mut system = self.processes.begin(cut.clone());
        {
            let mut world = system.world();
            world.snapshots = (depth < MAX_DEPTH).then(Vec::new);
            world.lie = self.settings.lie_in_recovery();
        }
        let report = match system.recover(0) {
            recovery if !is_complete(&recovery, promises) => {
                return Err(format!("recovery returned {recovery:?}").into());
            }
            recovery => recovery.map_err(|error| format!("recovery returned {error:?}"))?,
        };
        let (snapshots, after) = {
            let mut world = system.world();
            (world.snapshots.take().unwrap_or_default(), world.disk.clone())
        };
        for (operation, snapshot) in snapshots {
            let event = || format!("in recovery, before its operation {operation}");
            self.cut(&snapshot, promises, Moment::Recovery(depth + 1)).map_err(|broken| broken.after(event))?;
        }
        self.check_recovered(&mut system, &after, promises)?.check(&report)?;
        self.processes.end(system);
        if let Some(item_files) = &self.item_files {
            match moment {
                Moment::During(call) => lock(item_files).record(Some(call), cut, &after),
                Moment::Between => lock(item_files).record(None, cut, &after),
                Moment::Recovery(_) => {}
            }
        }
        Ok(())
    }

    /// Checks the state after a complete recovery, unless the same one was checked before. Returns the number of files.
    fn check_recovered(&self, system: &mut Simulated, after: &Disk, promises: &Promises) -> Result<FileCounts, String> {
        if !after.is_durable() {
            return Err("a power cut after recovery would still change something".to_string());
        }
        if after.marks.is_some() {
            return Err("recovery left a mark".to_string());
        }
        if count_temporary(after) > 0 {
            return Err("recovery left a temporary file".to_string());
        }
        let state = hash((contents(after), promises));
        if let Some(files) = lock(&self.checked).get(&state) {
            return Ok(*files);
        }
        let (_, files) = make_definite(&self.processes, after, promises)?;
        let again = system.recover(0).map_err(|error| format!("a second recovery returned {error:?}"))?;
        if (again.temporary_removed, again.rewritten) != (0, 0) || contents(&system.world().disk) != contents(after) {
            return Err(format!("a second recovery changed something: {again:?}"));
        }
        lock(&self.checked).insert(state, files);
        Ok(files)
    }
}

fn hash(value: impl Hash) -> u128 {
    let mut hash = Xxh3::new();
    value.hash(&mut hash);
    hash.digest128()
}

/// Describes the state in which a power cut leaves a disk.
fn describe(before: &Disk, cut: &Disk) -> String {
    let mut words = Vec::new();
    for (name, inode) in cut.entries.iter().filter(|(name, _)| !is_bystander(name)) {
        let content = &cut.files[inode].content;
        let is_known = before.files.values().any(|file| file.content == *content && !content.is_empty());
        let state = if is_known {
            format!("intact, {} bytes", content.len())
        } else if content.is_empty() {
            "empty".to_string()
        } else if content.iter().all(|byte| *byte == 0) {
            format!("{} zeros", content.len())
        } else {
            format!("{} bytes, some of them as written", content.len())
        };
        words.push(format!("`{name}` ({state})"));
    }
    let lost: Vec<String> =
        before.entries.keys().filter(|name| !cut.entries.contains_key(*name)).map(|name| format!("`{name}`")).collect();
    let lost = if lost.is_empty() { String::new() } else { format!(", without {}", lost.join(", ")) };
    let left = if words.is_empty() { "nothing".to_string() } else { words.join(", ") };
    format!("the power cut leaves {left}{lost}")
}
