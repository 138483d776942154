//! Reads a disk through the component, and compares the items with the promises.

use super::content::{body, body_stamp, envelope, envelope_stamps};
use super::processes::Processes;
use super::promise::{Found, Identity, Promises, describe};
use crate::bindings::{Detail, Entry, Error, ErrorCode, Recovery};
use crate::instance;
use crate::simulator::disk::{Disk, File};
use crate::simulator::host::Simulated;
use crate::simulator::lie::is_temporary;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A file that does not belong to the queue, and a damaged item. No call may change either.
const BYSTANDERS: [(&str, &[u8]); 2] =
    [("notes.txt", b"not an item"), ("m:damaged", b"ID: \"damaged\"\nfrom: \"a@exam")];

/// The id of the damaged item.
const DAMAGED_ID: &str = "damaged";

/// Returns the disk on which every scenario begins: the bystanders alone.
pub(super) fn first_disk() -> Disk {
    Disk::with(BYSTANDERS.map(|(name, content)| (vec![name.to_string()], Arc::new(File::durable(content.to_vec(), 0)))))
}

/// Whether a name is one of the bystanders.
pub(super) fn is_bystander(name: &str) -> bool {
    BYSTANDERS.iter().any(|(bystander, _)| *bystander == name)
}

/// The number of files that have the name of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileCounts {
    /// Those that are intact.
    intact: u64,
    /// Those whose envelope is intact, which are at least as many.
    intact_envelopes: u64,
    /// Those whose envelope is damaged.
    damaged: u64,
}

impl FileCounts {
    /// Checks the report of a recovery against the files after it.
    pub(super) fn check(self, report: &Recovery) -> Result<(), String> {
        // A recovery verifies the whole of an item only where it rewrites it.
        let (durable, damaged) = (report.durable_items, report.damaged_items);
        let is_possible = (self.intact..=self.intact_envelopes).contains(&durable);
        if !is_possible || durable + damaged != self.intact_envelopes + self.damaged {
            return Err(format!("there are {self:?}, and recovery returned {report:?}"));
        }
        Ok(())
    }
}

/// The items that a reader finds.
#[derive(Default)]
pub(super) struct Findings {
    /// The intact items.
    found: BTreeMap<Identity, Found>,
    /// The items that are damaged, as the promises allow.
    damaged: BTreeSet<Identity>,
    /// The number of files.
    files: FileCounts,
    /// An item that has two names.
    pub(super) duplicate: Option<Identity>,
}

/// Reads every item of a disk. Each is promised, or may be damaged.
pub(super) fn observe(processes: &Processes<'_>, disk: &Disk, promises: &Promises) -> Result<Findings, String> {
    let mut reader = processes.begin(disk.clone());
    let findings = find(&mut reader, promises);
    processes.end(reader);
    for (name, content) in BYSTANDERS {
        if disk.content(name) != Some(content) {
            return Err(format!("`{name}` was changed"));
        }
    }
    findings
}

/// Reads every item of a disk after a recovery. Returns the promises from there on, since every item stays as it is found, and
/// the number of files.
pub(super) fn make_definite(
    processes: &Processes<'_>,
    disk: &Disk,
    promises: &Promises,
) -> Result<(Promises, FileCounts), String> {
    let Findings { found, damaged, files, duplicate } = observe(processes, disk, promises)?;
    if let Some(item) = duplicate {
        return Err(format!("{item:?} has two names after a recovery"));
    }
    let mut definite = promises.clone();
    for item in promises.items().filter(|item| !damaged.contains(*item)) {
        let found = found.get(item).copied();
        if !promises.allow(item, found) {
            let expected = promises.expected(item);
            return Err(format!("{item:?} is {}, and was promised to be {expected}", describe(found)));
        }
        definite.make_definite(item, found);
    }
    Ok((definite, files))
}

/// Whether a recovery completed: its only problems are damaged items that may be damaged.
pub(super) fn is_complete(recovery: &instance::Result<Recovery>, promises: &Promises) -> bool {
    let of_damage = |problem: &Error| {
        let id = problem.path.rsplit([':', '=']).next().unwrap_or_default();
        let is_damage =
            matches!(problem.code, ErrorCode::Corrupt | ErrorCode::ChecksumMismatch | ErrorCode::IdMismatch);
        is_damage && (id == DAMAGED_ID || promises.damageable(id).is_some())
    };
    recovery.as_ref().is_ok_and(|report| report.problems.iter().all(of_damage) && !report.truncated)
}

fn find(reader: &mut Simulated, promises: &Promises) -> Result<Findings, String> {
    let entries = reader.list(&[], Detail::Envelope, 1000).map_err(|error| format!("a listing returned {error:?}"))?;
    let mut findings = Findings::default();
    for Entry { id, state, info, problem } in entries {
        let is_intact = info.is_some() && problem.is_none();
        if is_intact {
            findings.files.intact_envelopes += 1;
            findings.files.intact += u64::from(reader.get(&id).is_ok());
        } else {
            findings.files.damaged += 1;
        }
        if id == DAMAGED_ID && !is_intact {
            continue;
        }
        if let Some(item) = promises.damageable(&id)
            && (!is_intact || reader.get(&id).is_err())
        {
            findings.damaged.insert(item.clone());
            continue;
        }
        if !is_intact {
            return Err(format!("`{id}` is damaged: {problem:?}"));
        }
        let item = reader.get(&id).map_err(|error| format!("`{id}` cannot be read: {error:?}"))?;
        let (stamp, slot) = body_stamp(&item.body).ok_or_else(|| format!("no call wrote the body of `{id}`"))?;
        let (written, attempts) =
            envelope_stamps(&item.envelope).ok_or_else(|| format!("no call wrote the envelope of `{id}`"))?;
        if item.body != body(stamp, slot) || item.envelope != envelope(written, attempts) {
            return Err(format!("`{id}` differs from the bytes that were written"));
        }
        let identity = promises.identify(&id, stamp, slot);
        let found = Found { state: state.into(), body: stamp, envelope: written, attempts };
        if !promises.allow(&identity, Some(found)) {
            let (found, expected) = (describe(Some(found)), promises.expected(&identity));
            return Err(format!("`{id}` ({identity:?}) is {found}, and was promised to be {expected}"));
        }
        if findings.found.insert(identity.clone(), found).is_some() {
            findings.duplicate = Some(identity);
        }
    }
    Ok(findings)
}

/// Whether the queue refuses changes.
pub(super) fn needs_recovery(system: &mut Simulated) -> Result<bool, String> {
    system.needs_recovery().map_err(|error| format!("the queue cannot be opened: {error:?}"))
}

/// Returns the names on a disk and their contents, as a process sees them.
pub(super) fn contents(disk: &Disk) -> BTreeMap<&str, &[u8]> {
    disk.entries.iter().map(|(name, inode)| (name.as_str(), disk.files[inode].content.as_slice())).collect()
}

/// Returns the number of temporary files on a disk.
pub(super) fn count_temporary(disk: &Disk) -> usize {
    disk.entries.keys().filter(|name| is_temporary(name)).count()
}
