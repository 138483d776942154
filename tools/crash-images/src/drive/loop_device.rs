//! Attaches and detaches loop devices.

use crate::error::Error;
use nix::errno::Errno;
use nix::libc::{c_int, c_ulong};
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// `LO_FLAGS_AUTOCLEAR`: the kernel detaches the device when its last descriptor is closed, also when this process is
/// killed.
const AUTOCLEAR: u32 = 4;

/// Attempts to get a free device while other processes take the device numbers first.
const ATTEMPTS: usize = 20;

/// `struct loop_info64` of `linux/loop.h`.
#[repr(C)]
struct LoopInfo {
    _before: [u64; 5],
    _number_and_encryption: [u32; 3],
    flags: u32,
    _names_and_key: [u8; 64 + 64 + 32],
    _init: [u64; 2],
}

/// `struct loop_config` of `linux/loop.h`.
#[repr(C)]
struct LoopConfig {
    file: u32,
    block_size: u32,
    info: LoopInfo,
    _reserved: [u64; 8],
}

const _: () = assert!(size_of::<LoopConfig>() == 304, "the size of `struct loop_config` is part of the kernel's ABI");

nix::ioctl_write_ptr_bad!(loop_configure, 0x4c0a as c_ulong, LoopConfig);
nix::ioctl_none_bad!(loop_clear, 0x4c01 as c_ulong);
nix::ioctl_none_bad!(loop_get_free, 0x4c82 as c_ulong);
nix::ioctl_none_bad!(block_flush_buffers, 0x1261 as c_ulong);

/// A loop device backed by a file.
pub(super) struct LoopDevice {
    path: PathBuf,
    /// Read-only: some kernels refuse to mount a block device that is open for writing.
    device: File,
}

impl LoopDevice {
    /// Attaches a free loop device to `file`.
    pub(super) fn attach(file: &Path) -> Result<LoopDevice, Error> {
        let backing = OpenOptions::new().read(true).write(true).open(file).map_err(Error::file(file))?;
        let control = Path::new("/dev/loop-control");
        let control = OpenOptions::new().read(true).write(true).open(control).map_err(Error::file(control))?;
        for _ in 0..ATTEMPTS {
            // SAFETY: the ioctl takes no argument, so it accesses no memory of this process.
            let number = unsafe { loop_get_free(control.as_raw_fd()) }.map_err(Error::system("a free loop device"))?;
            let path = PathBuf::from(format!("/dev/loop{number}"));
            let device = OpenOptions::new().read(true).write(true).open(&path).map_err(Error::file(&path))?;
            match configure(&device, &backing) {
                Ok(()) => {}
                Err(Errno::EBUSY) => continue,
                Err(error) => return Err(Error::file(&path)(error)),
            }
            let for_reading = File::open(&path).map_err(Error::file(&path))?;
            return Ok(LoopDevice { path, device: for_reading });
        }
        Err(Error::system("a free loop device")(Errno::EBUSY))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Drops the kernel's cached buffers of the device (`BLKFLSBUF`).
    pub(super) fn drop_cached_buffers(&self) -> Result<(), Error> {
        // SAFETY: the ioctl takes no argument, so it accesses no memory of this process.
        let result = unsafe { block_flush_buffers(self.device.as_raw_fd()) };
        result.map(drop).map_err(Error::file(&self.path))
    }
}

fn configure(device: &File, backing: &File) -> nix::Result<()> {
    let info = LoopInfo {
        _before: [0; 5],
        _number_and_encryption: [0; 3],
        flags: AUTOCLEAR,
        _names_and_key: [0; 160],
        _init: [0; 2],
    };
    let file = c_int::cast_unsigned(backing.as_raw_fd());
    let config = LoopConfig { file, block_size: 0, info, _reserved: [0; 8] };
    // SAFETY: `LOOP_CONFIGURE` only reads a `struct loop_config`, whose layout `LoopConfig` has, and `config` outlives
    // the call.
    unsafe { loop_configure(device.as_raw_fd(), &config) }.map(drop)
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // SAFETY: the ioctl takes no argument, so it accesses no memory of this process.
        if let Err(error) = unsafe { loop_clear(self.device.as_raw_fd()) } {
            eprintln!("crash-images: {} stays attached until its last close: {error}", self.path.display());
        }
    }
}
