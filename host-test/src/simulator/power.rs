//! Power cuts: every state of the disk that one can leave.
//!
//! - Of the changes of directory entries that no fsync of the directory covers, any subset reached the medium; a rename is one
//!   change.
//! - A file that is not fsynced has, in each page, the old bytes, the new ones, zeros, the one up to a sector and the other
//!   from there, or the one except for a sector. Its size is any that it had, zero, or a part of the written one.

use super::disk::{Disk, Entries, EntryChange, File, Inode, PAGE_BYTES};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes that the weakest disk writes to the medium as one unit.
pub const SECTOR_BYTES: usize = 512;

/// The guarantees of a file system and its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// POSIX: the fsync of a file does not cover its directory entry.
    Posix,
    /// ext4, XFS and btrfs: the fsync of a file makes the directory entry durable that its creation made.
    Linux,
    /// Weaker than any of them: a rename can leave both names, and a page can have garbage.
    Hostile,
}

/// All profiles.
pub const PROFILES: [Profile; 3] = [Profile::Posix, Profile::Linux, Profile::Hostile];

/// A bound on the subsets of entries, and on the contents of a file, that are tried at each power cut.
pub struct Sampling<'a> {
    /// All possibilities are tried where there are at most so many, and otherwise a sample of this size.
    pub most: usize,
    /// Returns a number below its argument, to draw the sample.
    pub random: &'a mut dyn FnMut(usize) -> usize,
}

/// Returns the disks that a power cut can leave. Each of them is durable.
pub fn cuts(disk: &Disk, profile: Profile, sampling: &mut Sampling<'_>) -> Vec<Disk> {
    let (mut cuts, mut known) = (Vec::new(), PossibleFiles::new());
    for entries in possible_entries(disk, profile, sampling) {
        for inode in entries.values() {
            known.entry(*inode).or_insert_with(|| possible_files(&disk.files[inode], profile, sampling));
        }
        push_combinations(&entries, &known, sampling, &mut cuts);
    }
    if disk.marks.is_some() {
        let mut marked = cuts.clone();
        marked.iter_mut().for_each(|cut| cut.marks.clone_from(&disk.marks));
        cuts.extend(marked);
    }
    cuts
}

/// The files that a power cut can leave of each file.
type PossibleFiles = BTreeMap<Inode, Vec<Arc<File>>>;

/// Returns the directory entries that a power cut can leave.
fn possible_entries(disk: &Disk, profile: Profile, sampling: &mut Sampling<'_>) -> BTreeSet<Entries> {
    let outcomes = |change: &EntryChange| match (change, profile) {
        (EntryChange::Moved { .. }, Profile::Hostile) => 3,
        _ => 2,
    };
    let counts: Vec<usize> = disk.unsynced().iter().map(outcomes).collect();
    let mut possible = BTreeSet::new();
    each_choice(&counts, sampling, &mut |choice| {
        let mut entries = disk.durable_entries().clone();
        for (change, outcome) in disk.unsynced().iter().zip(choice) {
            match (change, outcome) {
                (_, 0) => {}
                (EntryChange::Set { name, inode, .. }, _) => drop(entries.insert(name.clone(), *inode)),
                (EntryChange::Removed { name }, _) => drop(entries.remove(name)),
                (EntryChange::Moved { old, new, inode }, outcome) => {
                    if *outcome == 1 {
                        entries.remove(old);
                    }
                    entries.insert(new.clone(), *inode);
                }
            }
        }
        possible.insert(entries);
    });
    possible
}

/// Appends the disks with these entries that a power cut can leave: one for each combination of files.
fn push_combinations(entries: &Entries, known: &PossibleFiles, sampling: &mut Sampling<'_>, cuts: &mut Vec<Disk>) {
    let mut names: BTreeMap<Inode, Vec<String>> = BTreeMap::new();
    for (name, inode) in entries {
        names.entry(*inode).or_default().push(name.clone());
    }
    let possible: Vec<&Vec<Arc<File>>> = names.keys().map(|inode| &known[inode]).collect();
    let counts: Vec<usize> = possible.iter().map(|files| files.len()).collect();
    each_choice(&counts, sampling, &mut |choice| {
        let chosen = possible.iter().zip(choice).map(|(files, chosen)| files[*chosen].clone());
        cuts.push(Disk::with(names.values().cloned().zip(chosen)));
    });
}

/// Returns the files that a power cut can leave of a file.
fn possible_files(file: &Arc<File>, profile: Profile, sampling: &mut Sampling<'_>) -> Vec<Arc<File>> {
    let (old, new) = (file.durable_content(), file.content.as_slice());
    if old == new {
        return vec![if file.is_clean() { file.clone() } else { Arc::new(File::durable(old.to_vec(), file.modified)) }];
    }
    let mut contents = BTreeSet::new();
    let length = old.len().max(new.len());
    let pages: Vec<Vec<Vec<u8>>> =
        (0..length.div_ceil(PAGE_BYTES)).map(|page| possible_page(old, new, page, length, profile)).collect();
    let sizes: BTreeSet<usize> = [0, old.len(), new.len(), new.len() / 2, new.len().saturating_sub(1)].into();
    let counts: Vec<usize> = pages.iter().map(Vec::len).collect();
    each_choice(&counts, sampling, &mut |choice| {
        let whole: Vec<u8> =
            pages.iter().zip(choice).flat_map(|(contents, chosen)| contents[*chosen].iter().copied()).collect();
        contents.extend(sizes.iter().map(|size| whole[..*size].to_vec()));
    });
    contents.into_iter().map(|content| Arc::new(File::durable(content, file.modified))).collect()
}

/// Returns the contents that a power cut can leave in a page of a file.
fn possible_page(old: &[u8], new: &[u8], page: usize, length: usize, profile: Profile) -> Vec<Vec<u8>> {
    let start = page * PAGE_BYTES;
    let end = (start + PAGE_BYTES).min(length);
    let of = |content: &[u8]| {
        let mut bytes = content.get(start..end.min(content.len())).unwrap_or_default().to_vec();
        bytes.resize(end - start, 0);
        bytes
    };
    let (old, new) = (of(old), of(new));
    let mut contents = vec![old.clone()];
    if old != new {
        contents.extend([new.clone(), vec![0; end - start]]);
        for torn in (SECTOR_BYTES..end - start).step_by(SECTOR_BYTES) {
            contents.push([&new[..torn], &old[torn..]].concat());
            contents.push([&old[..torn], &new[torn..]].concat());
        }
        // One sector alone, and all but one, since sectors are written in no order.
        for start in (0..old.len()).step_by(SECTOR_BYTES) {
            let sector = start..(start + SECTOR_BYTES).min(old.len());
            let swapped = |into: &[u8], from: &[u8]| {
                let mut page = into.to_vec();
                page[sector.clone()].copy_from_slice(&from[sector.clone()]);
                page
            };
            contents.extend([swapped(&old, &new), swapped(&new, &old)]);
        }
        if profile == Profile::Hostile {
            contents.push(new.iter().map(|byte| byte ^ 0xa5).collect());
        }
    }
    contents.sort();
    contents.dedup();
    contents
}

/// Calls `visit` with every combination of one of `counts[0]` possibilities, one of `counts[1]`, and so on. Where there are
/// too many, `visit` gets the first and the last combination, and a random sample.
fn each_choice(counts: &[usize], sampling: &mut Sampling<'_>, visit: &mut dyn FnMut(&[usize])) {
    let all = counts.iter().try_fold(1_usize, |all, count| all.checked_mul(*count));
    let mut choice = vec![0; counts.len()];
    if all.is_some_and(|all| all <= sampling.most) {
        loop {
            visit(&choice);
            let Some(next) = (0..counts.len()).find(|&at| choice[at] + 1 < counts[at]) else {
                return;
            };
            choice[next] += 1;
            choice[..next].fill(0);
        }
    }
    visit(&choice);
    visit(&counts.iter().map(|count| count - 1).collect::<Vec<_>>());
    for _ in 0..sampling.most {
        for (chosen, count) in choice.iter_mut().zip(counts) {
            *chosen = (sampling.random)(*count);
        }
        visit(&choice);
    }
}
