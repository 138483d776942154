//! Whose queue it is: root becomes the owner of a directory before it writes there, since a mail server cannot read
//! files that are root's.

use super::failure::Failure;
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use sysexits::ExitCode as Sysexit;

/// Becomes the owner of `directory`, or, where that does not exist, of the directory that it would be created in; if this
/// is root, and that is another user's.
pub(crate) fn become_owner_of(directory: &Path) -> Result<(), Failure> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let here = Path::new(".");
    for ancestor in directory.ancestors() {
        let ancestor = if ancestor.as_os_str().is_empty() { here } else { ancestor };
        match ancestor.metadata() {
            Ok(found) if found.uid() == 0 => return Ok(()),
            Ok(found) => return become_user(found.uid(), found.gid(), ancestor),
            // It does not exist, or cannot; which of the two, opening it will say.
            Err(_) => {}
        }
    }
    Ok(())
}

fn become_user(uid: u32, gid: u32, directory: &Path) -> Result<(), Failure> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    let became = setgroups(&[gid]).and_then(|()| setgid(gid)).and_then(|()| setuid(uid));
    became.map_err(|error| {
        let what = format!("cannot become its owner, user {uid}: {}; run this as that user", error.desc());
        Failure::new(Sysexit::NoPerm, what).at(&directory.to_string_lossy())
    })
}
