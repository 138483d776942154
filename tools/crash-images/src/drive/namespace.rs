//! Enters a private mount namespace: its mounts are invisible to other processes, and vanish when this process ends,
//! even if it is killed.

use crate::error::Error;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, getppid, setsid};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::Duration;

/// The mount source of the FUSE file systems of this program, as `/proc/self/mounts` lists it.
pub(super) const FUSE_SOURCE: &str = "crash-images";

/// The name of the mount point of the FUSE file system, in the directory of a drive.
pub(super) const FILES: &str = "fuse";

/// The name of the mount point of the drive's file system, in the directory of the drive.
pub(super) const MOUNTED: &str = "mounted";

/// The interval at which the watching process checks that its parent is running.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Enters a new mount namespace. Must be called before the process has several threads, since only threads that start
/// later are in the namespace.
///
/// # Errors
///
/// Fails without root, and in a container that may not mount.
pub fn enter() -> Result<(), Error> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(Error::system("a mount namespace"))?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(Error::system("a private mount namespace"))?;
    let process = std::process::id();
    // SAFETY: `fork` requires that the child takes no lock that another thread held; this process has one thread.
    match unsafe { fork() }.map_err(Error::system("a process that watches this one"))? {
        ForkResult::Parent { .. } => Ok(()),
        ForkResult::Child => watch(process),
    }
}

/// Waits for the end of `process`, the parent, and aborts its FUSE connections.
///
/// A thread of a killed process can be blocked in the kernel in a FUSE request that another of its threads should have
/// served. The blocked thread keeps the FUSE device open, so without an abort neither the request nor the process would
/// ever end.
fn watch(process: u32) -> ! {
    // A session of its own, so that ^C does not signal this process; and /dev/null for its standard streams, so that a
    // reader of the parent's output gets the end of file when the parent ends.
    let _ = setsid();
    if let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
        let _ = dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).and_then(|()| dup2_stderr(&null));
    }
    while is_running(process) {
        std::thread::sleep(POLL_INTERVAL);
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| line.strip_prefix(FUSE_SOURCE)?.split(' ').nth(1));
    let mounts: Vec<&Path> = mounts.map(Path::new).collect();
    for path in &mounts {
        // The unmount itself fails with EBUSY, but aborts the connection, so that all pending requests fail.
        let _ = umount2(*path, MntFlags::MNT_FORCE);
    }
    // The mounts end with this process, but the directories of their mount points must be removed.
    std::thread::sleep(POLL_INTERVAL);
    for directory in mounts.iter().filter_map(|path| path.parent()) {
        let detach = |name: &str| umount2(&directory.join(name), MntFlags::MNT_DETACH);
        // Fails if only the FUSE file system is mounted.
        let _ = detach(MOUNTED);
        if detach(FILES).is_ok() {
            let _ = fs::remove_dir_all(directory);
        }
    }
    std::process::exit(0)
}

/// Returns whether `process` is the parent of this process and its main thread is no zombie.
fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = status.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    getppid().as_raw().cast_unsigned() == process && state.is_some_and(|state| state != 'Z')
}
