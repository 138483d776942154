//! Counts the mails that a store loses to one corrupted sector.

use super::child::{Expected, Found};
use super::{Kind, Store};
use crate::mail::random;
use crate::settings::Settings;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const SECTOR_BYTES: u64 = 512;

/// The time a process has to read a damaged store. Past it, all mails count as missing.
const CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// The outcomes of all flips.
pub(crate) struct Flips {
    /// The number of mails in the store.
    pub(crate) mails: usize,
    /// The outcomes of each flip.
    pub(crate) found: Vec<Found>,
}

/// Fills a store with `mails` mails, and flips `times` sectors, each in a new copy that a new process reads.
pub(crate) fn flips(settings: &Settings, kind: &Kind, mails: usize, times: usize) -> Flips {
    let original = settings.in_memory();
    let mut bodies = (0..mails as u64).map(|seed| random(2 << 10, seed));
    let ids = {
        let store: Box<dyn Store> = (kind.open)(original.path());
        store.load(&mut bodies)
    };
    let expected = |(seed, id)| Expected { id, bytes: 2 << 10, seed };
    let expected: Vec<Expected> = (0..).zip(ids).map(expected).collect();
    let list = tempfile::NamedTempFile::new().expect("a temporary file can be created");
    fs::write(list.path(), serde_json::to_vec(&expected).expect("the list can be encoded as JSON"))
        .expect("the temporary file is writable");
    let mut random = fastrand::Rng::with_seed(42);
    let found = (0..times).map(|_| {
        let copy = settings.in_memory();
        copy_files(original.path(), copy.path());
        flip(copy.path(), &mut random);
        check(kind, copy.path(), list.path()).unwrap_or(Found { missing: mails, ..Found::default() })
    });
    Flips { mails, found: found.collect() }
}

/// Returns all files of a store in a reproducible order.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("the store has its directory") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the store has its directory") {
        let path = entry.expect("the entry can be read").path();
        let target = to.join(path.file_name().expect("a directory entry has a name"));
        if path.is_dir() {
            fs::create_dir(&target).expect("the directory is new");
            copy_files(&path, &target);
        } else {
            fs::copy(&path, &target).expect("the file can be copied");
        }
    }
}

/// Inverts the bytes of one sector. All sectors of the store are equally likely.
fn flip(directory: &Path, random: &mut fastrand::Rng) {
    // Preallocated ranges that were never written are holes, which have no sector on a disk.
    let sectors = |path: &PathBuf| {
        let found = fs::metadata(path).expect("the file exists");
        found.blocks().min(found.len().div_ceil(SECTOR_BYTES))
    };
    let files = files(directory);
    let all: u64 = files.iter().map(sectors).sum();
    let mut chosen = random.u64(..all);
    for path in &files {
        let here = sectors(path);
        if chosen >= here {
            chosen -= here;
            continue;
        }
        let file = OpenOptions::new().read(true).write(true).open(path).expect("the file opens");
        let mut sector = vec![0; SECTOR_BYTES as usize];
        let read = file.read_at(&mut sector, chosen * SECTOR_BYTES).expect("the sector can be read");
        sector.truncate(read);
        sector.iter_mut().for_each(|byte| *byte = !*byte);
        file.write_all_at(&sector, chosen * SECTOR_BYTES).expect("the sector can be written");
        return;
    }
}

/// Reads the store in another process. Returns `None` if the process fails or exceeds `CHECK_TIMEOUT`.
fn check(kind: &Kind, directory: &Path, expected: &Path) -> Option<Found> {
    let output = tempfile::NamedTempFile::new().expect("a temporary file can be created");
    let mut command = Command::new(std::env::current_exe().expect("the path of this program is known"));
    command.args(["store", "check", kind.name]).arg(directory).arg(expected);
    command.stdin(Stdio::null()).stdout(output.reopen().expect("the temporary file opens")).stderr(Stdio::null());
    let mut child = command.spawn().expect("this program starts");
    let begun = Instant::now();
    loop {
        match child.try_wait().expect("the child can be waited for") {
            Some(status) if status.success() => break,
            Some(_) => return None,
            None if begun.elapsed() > CHECK_TIMEOUT => {
                child.kill().and_then(|()| child.wait()).expect("the child can be killed");
                return None;
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
    serde_json::from_slice(&fs::read(output.path()).ok()?).ok()
}
