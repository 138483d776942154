//! Files of one mail each: those of a maildir, or `.eml` files in a directory.

use crate::durable_file::{NewFile, cannot_create, directory_of, sync_directory};
use crate::failure::Failure;
use queue_store_host::Queue;
use queue_store_host::types::ItemInfo;
use std::fs;
use std::path::{Path, PathBuf};

/// Files in a directory.
pub(super) struct Files {
    directory: PathBuf,
    /// The directory of files that are not whole yet.
    temporary: PathBuf,
    force: bool,
    name: fn(&ItemInfo) -> String,
}

impl Files {
    /// Opens a maildir, or creates it.
    pub(super) fn maildir(path: &Path, force: bool) -> Result<Files, Failure> {
        for name in ["cur", "new", "tmp"] {
            create_directory(&path.join(name))?;
        }
        Ok(Files { directory: path.join("new"), temporary: path.join("tmp"), force, name: maildir_name })
    }

    /// Opens a directory of `.eml` files, or creates it.
    pub(super) fn eml(path: &Path, force: bool) -> Result<Files, Failure> {
        create_directory(path)?;
        Ok(Files { directory: path.to_path_buf(), temporary: path.to_path_buf(), force, name: eml_name })
    }

    /// Writes a mail.
    pub(super) fn add(&mut self, queue: &Queue, id: &str) -> Result<(), Failure> {
        let mut mail = queue.read(id, 0)?;
        let path = self.directory.join((self.name)(mail.info()));
        let mut file = NewFile::create(&self.temporary, &path, self.force)?;
        while let Some(chunk) = mail.next_chunk()? {
            file.write(&chunk)?;
        }
        file.publish()
    }

    /// Makes the names of the files durable.
    pub(super) fn finish(self) -> Result<(), Failure> {
        sync_directory(&self.directory)
    }
}

/// Creates a directory and those above it, each of which survives power loss.
fn create_directory(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = directory_of(path);
    create_directory(parent)?;
    fs::create_dir(path).map_err(|error| cannot_create(path, error))?;
    sync_directory(parent)
}

/// Returns a name that sorts by time (maildir(5)). A colon would begin its flags.
fn maildir_name(info: &ItemInfo) -> String {
    let seconds = info.envelope.created_at.map_or(0, |at| at.seconds);
    format!("{seconds}.{}", info.id.replace(':', "\\072"))
}

fn eml_name(info: &ItemInfo) -> String {
    format!("{}.eml", info.id)
}
