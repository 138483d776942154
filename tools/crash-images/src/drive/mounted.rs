//! A file system that is mounted for as long as it is looked at.

use crate::error::Error;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long an unmount is tried again, since a program that ended a moment ago may still have something open.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A mounted file system.
pub struct Mounted<'a> {
    path: PathBuf,
    mounted: bool,
    drive: PhantomData<&'a ()>,
}

impl Mounted<'_> {
    pub(super) fn new<'a>(device: &Path, path: PathBuf, kind: &str, options: &str) -> Result<Mounted<'a>, Error> {
        let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
        mount(Some(device), &path, Some(kind), flags, Some(options))
            .map_err(Error::system(format!("mounting {kind} with \"{options}\"")))?;
        Ok(Mounted { path, mounted: true, drive: PhantomData })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Unmounts it, which writes everything.
    ///
    /// # Errors
    ///
    /// If somebody has something of it open.
    pub fn unmount(mut self) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            match umount2(&self.path, MntFlags::empty()) {
                Ok(()) => {
                    self.mounted = false;
                    return Ok(());
                }
                Err(Errno::EBUSY) if begun.elapsed() < BUSY_TIMEOUT => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(Error::file(&self.path)(error)),
            }
        }
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        if self.mounted
            && let Err(error) = umount2(&self.path, MntFlags::MNT_DETACH)
        {
            eprintln!("crash-images: {} stays mounted: {error}", self.path.display());
        }
    }
}
