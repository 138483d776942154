//! A mount namespace of this process's own: what it mounts is invisible elsewhere, and gone when it is, however it ends.

use crate::error::Error;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, getppid, setsid};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::Duration;

/// What the FUSE file systems of this program say they are mounted from.
pub(super) const FUSE_SOURCE: &str = "crash-images";

/// The directory of the FUSE file system, in the directory of a drive.
pub(super) const FILES: &str = "fuse";

/// The directory where the file system of a drive is mounted, in the directory of the drive.
pub(super) const MOUNTED: &str = "mounted";

/// How often it is looked whether the process is still there.
const LOOK: Duration = Duration::from_millis(200);

/// Enters a new mount namespace. To be called before there are threads: only those that begin later are in it.
///
/// # Errors
///
/// If this is not root, or in a container that may not mount.
pub fn enter() -> Result<(), Error> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(Error::system("a mount namespace"))?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(Error::system("a private mount namespace"))?;
    let process = std::process::id();
    // SAFETY: there is one thread, so that nothing that the child needs is locked by another one.
    match unsafe { fork() }.map_err(Error::system("a process that watches this one"))? {
        ForkResult::Parent { .. } => Ok(()),
        ForkResult::Child => watch(process),
    }
}

/// Ends the FUSE file systems when their process is killed.
///
/// A thread of that process may wait, in the kernel, for what another one should have served; it holds the FUSE device open by that,
/// so that neither would ever end.
fn watch(process: u32) -> ! {
    // ^C is for the process alone, and who reads what that prints need not wait for this one.
    let _ = setsid();
    if let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
        let _ = dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).and_then(|()| dup2_stderr(&null));
    }
    while is_running(process) {
        std::thread::sleep(LOOK);
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| line.strip_prefix(FUSE_SOURCE)?.split(' ').nth(1));
    let mounts: Vec<&Path> = mounts.map(Path::new).collect();
    for path in &mounts {
        // It is busy, but fails everybody who waits for it from here on.
        let _ = umount2(*path, MntFlags::MNT_FORCE);
    }
    // What was mounted goes with this process, and what it was mounted on is to go, too.
    std::thread::sleep(LOOK);
    for directory in mounts.iter().filter_map(|path| path.parent()) {
        let detach = |name: &str| umount2(&directory.join(name), MntFlags::MNT_DETACH);
        // There may be nothing mounted but FUSE.
        let _ = detach(MOUNTED);
        if detach(FILES).is_ok() {
            let _ = fs::remove_dir_all(directory);
        }
    }
    std::process::exit(0)
}

/// Whether the first thread of a process is running, of which this one is a child.
fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = status.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    getppid().as_raw().cast_unsigned() == process && state.is_some_and(|state| state != 'Z')
}
