//! What one sector costs that a disk returns wrong.

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

/// How long a process may take to look at a store that is damaged. One that takes longer has lost everything.
const PATIENCE: Duration = Duration::from_secs(20);

/// What flips did.
pub(crate) struct Flips {
    pub(crate) mails: usize,
    pub(crate) found: Vec<Found>,
}

/// Fills a store, and flips so many sectors of its files, one at a time, each in a new copy that a new process reads.
pub(crate) fn flips(settings: &Settings, kind: &Kind, mails: usize, times: usize) -> Flips {
    let original = settings.in_memory();
    let mut bodies = (0..mails as u64).map(|seed| random(2 << 10, seed));
    let ids = {
        let store: Box<dyn Store> = (kind.open)(original.path());
        store.load(&mut bodies)
    };
    let expected = |(seed, id)| Expected { id, bytes: 2 << 10, seed };
    let expected: Vec<Expected> = (0..).zip(ids).map(expected).collect();
    let list = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(list.path(), serde_json::to_vec(&expected).expect("text")).expect("it can be written");
    let mut random = fastrand::Rng::with_seed(42);
    let found = (0..times).map(|_| {
        let copy = settings.in_memory();
        copy_files(original.path(), copy.path());
        flip(copy.path(), &mut random);
        check(kind, copy.path(), list.path()).unwrap_or(Found { missing: mails, ..Found::default() })
    });
    Flips { mails, found: found.collect() }
}

/// All files of a store, in an order that does not depend on the system.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory of a store") {
        let path = entry.expect("an entry").path();
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
    for entry in fs::read_dir(from).expect("the directory of a store") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            fs::create_dir(&target).expect("a directory");
            copy_files(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// Inverts the bytes of one sector, any of them as likely as another.
fn flip(directory: &Path, random: &mut fastrand::Rng) {
    // What a store reserved and has not written is a hole, for which a disk has no sector.
    let sectors = |path: &PathBuf| {
        let found = fs::metadata(path).expect("a file");
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
        let file = OpenOptions::new().read(true).write(true).open(path).expect("the file of a store");
        let mut sector = vec![0; SECTOR_BYTES as usize];
        let read = file.read_at(&mut sector, chosen * SECTOR_BYTES).expect("it can be read");
        sector.truncate(read);
        sector.iter_mut().for_each(|byte| *byte = !*byte);
        file.write_all_at(&sector, chosen * SECTOR_BYTES).expect("it can be written");
        return;
    }
}

/// Has another process look; none if that fails or takes too long.
fn check(kind: &Kind, directory: &Path, expected: &Path) -> Option<Found> {
    let output = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["store", "check", kind.name]).arg(directory).arg(expected);
    command.stdin(Stdio::null()).stdout(output.reopen().expect("a file")).stderr(Stdio::null());
    let mut child = command.spawn().expect("this program starts");
    let begun = Instant::now();
    loop {
        match child.try_wait().expect("a child") {
            Some(status) if status.success() => break,
            Some(_) => return None,
            None if begun.elapsed() > PATIENCE => {
                child.kill().and_then(|()| child.wait()).expect("a child");
                return None;
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
    serde_json::from_slice(&fs::read(output.path()).ok()?).ok()
}
