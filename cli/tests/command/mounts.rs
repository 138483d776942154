//! File systems that a test mounts.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::path::Path;
use std::{fs, panic, thread};

/// Runs a test with mounts of its own, which end with it, also where it panics.
pub(crate) fn with_mounts(test: impl FnOnce() + Send) {
    let in_namespace = || {
        unshare(CloneFlags::CLONE_NEWNS).expect("root may create a mount namespace");
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("root may make its mounts private");
        test();
    };
    if let Err(panicked) = thread::scope(|scope| scope.spawn(in_namespace).join()) {
        panic::resume_unwind(panicked);
    }
}

/// Mounts a file system in memory.
pub(crate) fn mount_tmpfs(path: &Path, options: &str) {
    fs::create_dir_all(path).expect("the mount point can be created below a temporary directory");
    mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), Some(options)).expect("root may mount a tmpfs");
}

/// Makes a mounted file system read-only.
pub(crate) fn remount_read_only(path: &Path) {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(None::<&str>, path, None::<&str>, flags, None::<&str>).expect("root may remount a tmpfs");
}
