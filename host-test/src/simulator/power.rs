//! Power cuts: what a disk can have afterwards.
//!
//! - Of the changes of names that no sync of the directory covers, any subset reached the medium; a rename is one change.
//! - A file that is not synced has, of each page, what it had before, what was written, zeros, the one up to a sector and the
//!   other from there, or the one but for a sector; and of the sizes that it had, any, or nothing, or a part of what was written.

use super::disk::{Disk, File, Inode, NameChange, PAGE_BYTES};
use std::collections::{BTreeMap, BTreeSet};

/// What is written to the medium as one by the least that a disk promises, in bytes.
pub const SECTOR_BYTES: usize = 512;

/// What a file system and a disk promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// What POSIX says: the sync of a file says nothing of its name.
    Posix,
    /// What ext4, XFS and btrfs do: the sync of a file makes the name durable under which it was created.
    Linux,
    /// Less than any of them: a rename can leave both names, and a page can have garbage.
    Hostile,
}

/// All profiles.
pub const PROFILES: [Profile; 3] = [Profile::Posix, Profile::Linux, Profile::Hostile];

/// Where there are more subsets or contents than `most`, so many of them are drawn.
pub struct Choice<'a> {
    /// How many are tried at most at each choice.
    pub most: usize,
    /// Is given a number of possibilities and returns one of them.
    pub draw: &'a mut dyn FnMut(usize) -> usize,
}

/// The disks that a power cut can leave, all of them durable.
pub fn cuts(disk: &Disk, profile: Profile, choice: &mut Choice<'_>) -> Vec<Disk> {
    let mut cuts = Vec::new();
    for names in name_choices(disk, profile, choice) {
        contents_under(disk, &names, profile, choice, &mut cuts);
    }
    cuts
}

/// The directories that a power cut can leave.
fn name_choices(disk: &Disk, profile: Profile, choose: &mut Choice<'_>) -> BTreeSet<BTreeMap<String, Inode>> {
    let fates = |change: &NameChange| match (change, profile) {
        (NameChange::Moved { .. }, Profile::Hostile) => 3,
        _ => 2,
    };
    let counts: Vec<usize> = disk.unsynced().iter().map(fates).collect();
    let mut choices = BTreeSet::new();
    each_choice(&counts, choose, &mut |choice| {
        let mut names = disk.durable_names().clone();
        for (change, fate) in disk.unsynced().iter().zip(choice) {
            match (change, fate) {
                (_, 0) => {}
                (NameChange::Set { name, inode, .. }, _) => drop(names.insert(name.clone(), *inode)),
                (NameChange::Removed { name }, _) => drop(names.remove(name)),
                (NameChange::Moved { old, new, inode }, fate) => {
                    if *fate == 1 {
                        names.remove(old);
                    }
                    names.insert(new.clone(), *inode);
                }
            }
        }
        choices.insert(names);
    });
    choices
}

/// The disks that a power cut can leave, given the names that it leaves.
fn contents_under(
    disk: &Disk,
    names: &BTreeMap<String, Inode>,
    profile: Profile,
    choose: &mut Choice<'_>,
    cuts: &mut Vec<Disk>,
) {
    let mut files: BTreeMap<Inode, Vec<String>> = BTreeMap::new();
    for (name, inode) in names {
        files.entry(*inode).or_default().push(name.clone());
    }
    let contents: Vec<Vec<Vec<u8>>> =
        files.keys().map(|inode| contents(&disk.files[inode], profile, choose).into_iter().collect()).collect();
    let counts: Vec<usize> = contents.iter().map(Vec::len).collect();
    each_choice(&counts, choose, &mut |choice| {
        let chosen = contents.iter().zip(choice).map(|(contents, chosen)| contents[*chosen].clone());
        let file = |((inode, names), content): ((&Inode, &Vec<String>), Vec<u8>)| {
            (names.clone(), File::durable(content, disk.files[inode].modified))
        };
        cuts.push(Disk::with(files.iter().zip(chosen).map(file)));
    });
}

/// What a file can have after a power cut.
fn contents(file: &File, profile: Profile, choose: &mut Choice<'_>) -> BTreeSet<Vec<u8>> {
    let (old, new) = (file.durable_content(), file.content.as_slice());
    let mut contents = BTreeSet::new();
    if old == new {
        contents.insert(new.to_vec());
        return contents;
    }
    let length = old.len().max(new.len());
    let pages: Vec<Vec<Vec<u8>>> =
        (0..length.div_ceil(PAGE_BYTES)).map(|page| page_contents(old, new, page, length, profile)).collect();
    let sizes: BTreeSet<usize> = [0, old.len(), new.len(), new.len() / 2, new.len().saturating_sub(1)].into();
    let counts: Vec<usize> = pages.iter().map(Vec::len).collect();
    each_choice(&counts, choose, &mut |choice| {
        let whole: Vec<u8> =
            pages.iter().zip(choice).flat_map(|(contents, chosen)| contents[*chosen].iter().copied()).collect();
        contents.extend(sizes.iter().map(|size| whole[..*size].to_vec()));
    });
    contents
}

/// What a page of a file can have.
fn page_contents(old: &[u8], new: &[u8], page: usize, length: usize, profile: Profile) -> Vec<Vec<u8>> {
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
        // One sector alone, and all but one: tearing is not bound to an order.
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

/// Calls `visit` with every way to choose one of `counts[0]`, one of `counts[1]`, and so on; with some that are drawn, and
/// all and none, where there are too many.
fn each_choice(counts: &[usize], choose: &mut Choice<'_>, visit: &mut dyn FnMut(&[usize])) {
    let all = counts.iter().try_fold(1_usize, |all, count| all.checked_mul(*count));
    let mut choice = vec![0; counts.len()];
    if all.is_some_and(|all| all <= choose.most) {
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
    for _ in 0..choose.most {
        for (chosen, count) in choice.iter_mut().zip(counts) {
            *chosen = (choose.draw)(*count);
        }
        visit(&choice);
    }
}
