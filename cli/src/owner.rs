//! The owner of a queue: root becomes that user before it writes there, since a mail server cannot read files of root.

use crate::acting_user;
use crate::failure::{Cause, Failure};
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Becomes the owner of `directory`, or of the directory that it would be created in. Does nothing for another user
/// than root, or where root is the owner.
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
            // It does not exist or cannot be looked at. In the second case, opening it reports the error.
            Err(_) => {}
        }
    }
    Ok(())
}

/// Checks that the owner of `directory` can read the files that this user creates there, which are for their owner alone.
/// Root can read every file.
pub(crate) fn check_is_owner_or_root(directory: &Path) -> Result<(), Failure> {
    let user = geteuid().as_raw();
    match directory.metadata().map(|found| found.uid()) {
        Ok(owner) if owner != user && owner != 0 => {
            Err(Failure::from(Cause::NotOwner { owner, user }).at(&directory.to_string_lossy()))
        }
        // Opening a directory that cannot be looked at reports the error.
        _ => Ok(()),
    }
}

fn become_user(user: u32, group: u32, directory: &Path) -> Result<(), Failure> {
    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(group));
    setgroups(&[gid])
        .and_then(|()| setgid(gid))
        .and_then(|()| setuid(uid))
        .map_err(|errno| Failure::from(Cause::Owner { user, errno }).at(&directory.to_string_lossy()))?;
    acting_user::set(user);
    Ok(())
}
