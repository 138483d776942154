//! File systems in memory, so that the disk of one node can be filled without the others.

use crate::error::Error;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Capacity of the disk of a node: its data, and WAL that it keeps for the others.
const BYTES: u64 = 768 << 20;

/// Name of the file that fills a disk.
const FILLING: &str = "filling";

/// Sizes of the writes that fill a disk, the last of which is the size of its blocks.
const WRITES: [usize; 2] = [1 << 20, 4 << 10];

/// Enters a private mount namespace, in which mounts end with the last process of the nodes. Must be called before the
/// process has several threads, since only threads that start later are in the namespace.
///
/// # Errors
///
/// Fails without root, and in a container that may not mount.
pub fn enter_namespace() -> Result<(), Error> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(Error::system("a mount namespace"))?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(Error::system("a private mount namespace"))
}

/// A mounted file system, which a drop unmounts.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts an empty file system on a directory.
    pub(crate) fn mount(path: &Path) -> Result<Disk, Error> {
        let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
        let options = format!("size={BYTES},mode=0755");
        mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some(options.as_str()))
            .map_err(Error::system(format!("mounting a tmpfs on {}", path.display())))?;
        Ok(Disk { path: path.to_path_buf() })
    }

    /// Returns the mount point.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Fills the file system to its last block.
    pub(crate) fn fill(&self) -> Result<(), Error> {
        let path = self.path.join(FILLING);
        let error = || Error::system(path.display().to_string());
        let mut file = File::create(&path).map_err(error())?;
        for size in WRITES {
            let zeros = vec![0; size];
            loop {
                match file.write(&zeros) {
                    Ok(_) => {}
                    Err(full) if full.kind() == ErrorKind::StorageFull => break,
                    Err(failure) => return Err(error()(failure)),
                }
            }
        }
        Ok(())
    }

    /// Removes the file that fills the file system.
    pub(crate) fn free(&self) -> Result<(), Error> {
        let path = self.path.join(FILLING);
        match fs::remove_file(&path) {
            Err(failure) if failure.kind() != ErrorKind::NotFound => {
                Err(Error::system(path.display().to_string())(failure))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = umount2(&self.path, MntFlags::MNT_DETACH) {
            eprintln!("cluster-faults: {} stays mounted: {error}", self.path.display());
        }
    }
}
