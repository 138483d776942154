//! Mounts the file system of a drive for the lifetime of a guard.

use crate::error::Error;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The time during which an unmount is retried on `EBUSY`, since a process that just exited may still hold files open.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A mounted file system, which a drop detaches.
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

    /// Returns the mount point.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Unmounts the file system, which writes all its cached data to the device.
    ///
    /// # Errors
    ///
    /// Fails if a process has files of it open.
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
