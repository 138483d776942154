//! The sets of files of one item that power cuts leave, as a search finds them.

use super::action::Call;
use crate::simulator::disk::{Disk, Inode};
use crate::simulator::lie::is_temporary;
use std::collections::{BTreeMap, BTreeSet};

/// The files of an item: the names of each.
pub(super) type Files = BTreeSet<BTreeSet<String>>;

/// The sets of files that were found.
#[derive(Debug, Default)]
pub(super) struct ItemFiles {
    /// For each set, the calls in which a power cut leaves it, and the sets that recovery makes of it.
    pub(super) found: BTreeMap<Files, (BTreeSet<&'static str>, BTreeSet<Files>)>,
}

impl ItemFiles {
    /// Records that a power cut, during a call or between calls, left a disk, and that recovery made another of it.
    pub(super) fn record(&mut self, call: Option<&Call>, left: &Disk, recovered: &Disk) {
        let (calls, outcomes) = self.found.entry(files(left)).or_default();
        calls.insert(call.map_or(BETWEEN_CALLS, Call::name));
        outcomes.insert(files(recovered));
    }
}

/// The name, in the table, of no call: the state is a lasting one. It sorts before the calls.
const BETWEEN_CALLS: &str = "**between calls**";

/// Returns the prefixes of the names of an item's files.
fn files(disk: &Disk) -> Files {
    let mut files: BTreeMap<Inode, BTreeSet<String>> = BTreeMap::new();
    for (name, inode) in &disk.entries {
        let is_item = matches!(name.as_bytes(), [_, b':' | b'=', ..]);
        if (is_item || is_temporary(name)) && name != "m:damaged" {
            let length = if is_temporary(name) { 3 } else { 2 };
            files.entry(*inode).or_default().insert(format!("`{}`", &name[..length]));
        }
    }
    files.into_values().collect()
}
