//! Exposes a disk of this program as a block device of the kernel: a loop device over a file of a FUSE file system.

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

/// A block device whose content this program holds and whose writes it logs.
///
/// Dropping a drive detaches the loop device, unmounts the FUSE file system and removes the directory, in the order of
/// the fields. A [`Mounted`] borrows the drive, so it is unmounted before.
pub struct Drive {
    loop_device: LoopDevice,
    marks: File,
    _fuse: FuseMount,
    disk: Arc<Disk>,
    directory: TempDir,
}

impl Drive {
    /// Creates a drive of `bytes` bytes, all zeros.
    ///
    /// # Errors
    ///
    /// Fails without root, without FUSE and without a free loop device.
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

    /// Returns the disk behind the device.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Returns the path of the block device.
    pub fn device(&self) -> &Path {
        self.loop_device.path()
    }

    /// Appends a mark to the log of the disk, by a write to the FUSE file `marks`.
    ///
    /// # Errors
    ///
    /// Fails if the FUSE file system is unmounted.
    pub fn mark(&self, text: &str) -> Result<(), Error> {
        (&self.marks).write_all(text.as_bytes()).map_err(Error::system("a mark"))
    }

    /// Replaces the content of the disk. The exclusive borrow guarantees that no file system is mounted.
    ///
    /// # Errors
    ///
    /// Fails if the kernel cannot drop the cached buffers of the device.
    pub fn load(&mut self, image: Image) -> Result<(), Error> {
        self.disk.load(image);
        self.loop_device.drop_cached_buffers()
    }

    /// Mounts the file system on the device.
    ///
    /// # Errors
    ///
    /// Fails if `mount` fails.
    pub fn mount(&self, kind: &str, options: &str) -> Result<Mounted<'_>, Error> {
        Mounted::new(self.device(), self.directory.path().join(MOUNTED), kind, options)
    }

    /// Writes all cached data of the file system that is mounted at `mounted`, and flushes the disk.
    ///
    /// # Errors
    ///
    /// Fails if a write or the flush fails.
    pub fn sync(&self, mounted: &Path) -> Result<(), Error> {
        let root = File::open(mounted).map_err(Error::file(mounted))?;
        nix::unistd::syncfs(root).map_err(Error::file(mounted))?;
        // ext4 without a journal issues no flush after its last writes of metadata.
        let device = File::open(self.device()).and_then(|device| device.sync_all());
        device.map_err(Error::file(self.device()))
    }

    /// Returns a directory outside the drive, which is removed with the drive.
    pub fn scratch_directory(&self) -> PathBuf {
        self.directory.path().to_path_buf()
    }
}
