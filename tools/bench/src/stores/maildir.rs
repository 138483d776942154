//! A Maildir that syncs the file and its directory. The envelope is two headers, and the status is part of the file's
//! name.

use super::store::Store;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The headers that a delivery agent prepends to a mail.
const HEADERS: &str = "Return-Path: <a@example.com>\nDelivered-To: b@example.org\n";

/// The suffix of the name of a mail that was seen.
const SEEN: &str = ":2,S";

pub(super) struct Maildir {
    path: PathBuf,
    new: File,
    current: File,
    next: AtomicU64,
}

impl Maildir {
    pub(super) fn open(path: &Path) -> Maildir {
        for name in ["tmp", "new", "cur"] {
            fs::create_dir_all(path.join(name)).expect("the directory can be created");
        }
        let open = |name: &str| File::open(path.join(name)).expect("the directory opens");
        Maildir { path: path.to_path_buf(), new: open("new"), current: open("cur"), next: AtomicU64::new(0) }
    }

    fn deliver(&self, body: &[u8], sync: bool) -> String {
        let id = format!("1760785824.M{}.localhost", self.next.fetch_add(1, Ordering::Relaxed));
        let temporary = self.path.join("tmp").join(&id);
        let mut file = File::create_new(&temporary).expect("the file is new");
        file.write_all(HEADERS.as_bytes()).and_then(|()| file.write_all(body)).expect("the file is writable");
        if sync {
            file.sync_all().expect("the sync succeeds");
        }
        fs::rename(temporary, self.path.join("new").join(&id)).expect("the rename succeeds");
        if sync {
            self.new.sync_all().expect("the sync succeeds");
        }
        id
    }

    /// Returns the two paths that a mail may have: delivered, and seen.
    fn places(&self, id: &str) -> [PathBuf; 2] {
        [self.path.join("new").join(id), self.path.join("cur").join(format!("{id}{SEEN}"))]
    }
}

impl Store for Maildir {
    fn put(&self, body: &[u8]) -> String {
        self.deliver(body, true)
    }

    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String> {
        bodies.map(|body| self.deliver(&body, false)).collect()
    }

    fn update(&self, id: &str, _: u64) {
        let [new, seen] = self.places(id);
        if new.exists() {
            fs::rename(new, seen).expect("the rename succeeds");
        } else {
            fs::rename(seen, new).expect("the rename succeeds");
        }
        self.current.sync_all().and_then(|()| self.new.sync_all()).expect("the sync succeeds");
    }

    fn list(&self) -> usize {
        let envelope = |entry: std::io::Result<fs::DirEntry>| {
            let file = File::open(entry.ok()?.path()).ok()?;
            let mut lines = BufReader::with_capacity(512, file).lines();
            let from = lines.next()?.ok()?.strip_prefix("Return-Path: ")?.to_string();
            Some((from, lines.next()?.ok()?.strip_prefix("Delivered-To: ")?.to_string()))
        };
        let entries = ["new", "cur"]
            .into_iter()
            .flat_map(|name| fs::read_dir(self.path.join(name)).expect("the directory exists"));
        entries.filter_map(envelope).count()
    }

    fn get(&self, id: &str) -> Option<Vec<u8>> {
        let bytes = self.places(id).iter().find_map(|place| fs::read(place).ok())?;
        bytes.get(HEADERS.len()..).map(<[u8]>::to_vec)
    }

    fn remove(&self, id: &str) {
        let [new, seen] = self.places(id);
        let directory = if fs::remove_file(new).is_ok() {
            &self.new
        } else {
            fs::remove_file(seen).expect("the mail has one of the two paths");
            &self.current
        };
        directory.sync_all().expect("the sync succeeds");
    }
}
