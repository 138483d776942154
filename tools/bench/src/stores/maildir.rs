//! A Maildir that syncs the file and its directory. It has no envelope but what is in headers, and its status is in the name.

use super::store::Store;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a delivery agent writes above a mail.
const HEADERS: &str = "Return-Path: <a@example.com>\nDelivered-To: b@example.org\n";

/// What marks a mail as seen, in its name.
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
            fs::create_dir_all(path.join(name)).expect("a directory");
        }
        let open = |name: &str| File::open(path.join(name)).expect("the directory opens");
        Maildir { path: path.to_path_buf(), new: open("new"), current: open("cur"), next: AtomicU64::new(0) }
    }

    fn deliver(&self, body: &[u8], sync: bool) -> String {
        let id = format!("1760785824.M{}.localhost", self.next.fetch_add(1, Ordering::Relaxed));
        let temporary = self.path.join("tmp").join(&id);
        let mut file = File::create_new(&temporary).expect("a file");
        file.write_all(HEADERS.as_bytes()).and_then(|()| file.write_all(body)).expect("it can be written");
        if sync {
            file.sync_all().expect("a sync");
        }
        fs::rename(temporary, self.path.join("new").join(&id)).expect("a rename");
        if sync {
            self.new.sync_all().expect("a sync");
        }
        id
    }

    /// Where a mail is: delivered, or seen.
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
            fs::rename(new, seen).expect("a rename");
        } else {
            fs::rename(seen, new).expect("a rename");
        }
        self.current.sync_all().and_then(|()| self.new.sync_all()).expect("a sync");
    }

    fn list(&self) -> usize {
        let envelope = |entry: std::io::Result<fs::DirEntry>| {
            let file = File::open(entry.ok()?.path()).ok()?;
            let mut lines = BufReader::with_capacity(512, file).lines();
            let from = lines.next()?.ok()?.strip_prefix("Return-Path: ")?.to_string();
            Some((from, lines.next()?.ok()?.strip_prefix("Delivered-To: ")?.to_string()))
        };
        let entries =
            ["new", "cur"].into_iter().flat_map(|name| fs::read_dir(self.path.join(name)).expect("it is there"));
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
            fs::remove_file(seen).expect("the mail is there");
            &self.current
        };
        directory.sync_all().expect("a sync");
    }
}
