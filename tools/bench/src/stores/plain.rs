//! Hand-written storage: one file for each mail, with the envelope in its first line. The file is written under a
//! temporary name, synced and renamed, and the directory is synced. There are no checksums and no recovery.

use super::envelope;
use super::store::Store;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) struct Plain {
    path: PathBuf,
    directory: File,
    next: AtomicU64,
}

impl Plain {
    pub(super) fn open(path: &Path) -> Plain {
        let directory = File::open(path).expect("the directory opens");
        Plain { path: path.to_path_buf(), directory, next: AtomicU64::new(0) }
    }

    fn write(&self, id: &str, envelope: &[u8], body: &[u8], sync: bool) {
        let (temporary, name) = (self.path.join(format!(".{id}")), self.path.join(id));
        let mut file = File::create_new(&temporary).expect("the temporary file is new");
        let head = [envelope, b"\n"].concat();
        file.write_all(&head).and_then(|()| file.write_all(body)).expect("the file is writable");
        if sync {
            file.sync_all().expect("the sync succeeds");
        }
        fs::rename(temporary, name).expect("the rename succeeds");
        if sync {
            self.directory.sync_all().expect("the sync succeeds");
        }
    }

    fn next(&self) -> String {
        format!("{:011}", self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Store for Plain {
    fn put(&self, body: &[u8]) -> String {
        let id = self.next();
        self.write(&id, &envelope::encoded(0), body, true);
        id
    }

    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String> {
        let load = |body: Vec<u8>| {
            let id = self.next();
            self.write(&id, &envelope::encoded(0), &body, false);
            id
        };
        bodies.map(load).collect()
    }

    fn update(&self, id: &str, attempts: u64) {
        let body = self.get(id).expect("the mail exists");
        self.write(id, &envelope::encoded(attempts), &body, true);
    }

    fn list(&self) -> usize {
        let envelope = |entry: std::io::Result<fs::DirEntry>| {
            let mut line = Vec::new();
            BufReader::with_capacity(512, File::open(entry.ok()?.path()).ok()?).read_until(b'\n', &mut line).ok()?;
            envelope::decode(&line)
        };
        fs::read_dir(&self.path).expect("the directory exists").filter_map(envelope).count()
    }

    fn get(&self, id: &str) -> Option<Vec<u8>> {
        let bytes = fs::read(self.path.join(id)).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        Some(bytes[end + 1..].to_vec())
    }

    fn remove(&self, id: &str) {
        fs::remove_file(self.path.join(id))
            .and_then(|()| self.directory.sync_all())
            .expect("the mail exists and its removal is synced");
    }
}
