//! A disk of this program as a block device of the kernel: a file of a FUSE file system, and a loop device on that.

mod fuse;
mod loop_device;
mod mounted;
pub mod namespace;

pub use mounted::Mounted;

use crate::disk::{Disk, Image};
use crate::error::Error;
use fuse::FuseMount;
use loop_device::LoopDevice;
use namespace::{FILES, MOUNTED};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A block device whose content and whose every write this program has in its hands.
///
/// Dropping it takes everything down that it put up, in the order of the fields; what is mounted is dropped before it, since a
/// [`Mounted`] borrows it.
pub struct Drive {
    loop_device: LoopDevice,
    marks: File,
    _fuse: FuseMount,
    disk: Arc<Disk>,
    directory: TempDir,
}

impl Drive {
    /// A drive of this size, full of zeros.
    ///
    /// # Errors
    ///
    /// If this is not root, or the system has no FUSE or no loop device to give.
    pub fn new(bytes: u64) -> Result<Drive, Error> {
        let directory = tempfile::Builder::new().prefix("crash-images-").tempdir();
        let directory = directory.map_err(Error::system("a temporary directory"))?;
        let files = directory.path().join(FILES);
        for path in [&files, &directory.path().join(MOUNTED)] {
            fs::create_dir(path).map_err(Error::file(path))?;
        }
        let disk = Arc::new(Disk::new(bytes));
        let fuse = FuseMount::new(&files, disk.clone())?;
        let marks = files.join(fuse::MARKS);
        let marks = OpenOptions::new().write(true).open(&marks).map_err(Error::file(&marks))?;
        let loop_device = LoopDevice::attach(&files.join(fuse::DISK))?;
        Ok(Drive { loop_device, marks, _fuse: fuse, disk, directory })
    }

    /// The disk behind it.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The block device.
    pub fn device(&self) -> &Path {
        self.loop_device.path()
    }

    /// Puts a mark into the log of the disk, by a write to a file beside the one that the loop device has.
    ///
    /// # Errors
    ///
    /// If that file system is gone.
    pub fn mark(&self, text: &str) -> Result<(), Error> {
        (&self.marks).write_all(text.as_bytes()).map_err(Error::system("a mark"))
    }

    /// Gives the disk another content. Nothing may be mounted.
    ///
    /// # Errors
    ///
    /// If the device does not let go of what it cached.
    pub fn load(&mut self, image: Image) -> Result<(), Error> {
        self.disk.load(image);
        self.loop_device.forget_cached()
    }

    /// Mounts the file system that is on it.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn mount(&self, kind: &str, options: &str) -> Result<Mounted<'_>, Error> {
        Mounted::new(self.device(), self.directory.path().join(MOUNTED), kind, options)
    }

    /// A directory for files that are not on the drive, and gone with it.
    pub fn beside(&self) -> PathBuf {
        self.directory.path().to_path_buf()
    }
}
