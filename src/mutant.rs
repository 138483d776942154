//! Safeguards that a test can remove, one at a time, to see that their absence is noticed. That takes a build with the
//! feature `mutants`, which no release has; in every other build nothing is removed, and nothing of this is left.

/// Declares the safeguards, and their names for tests.
macro_rules! safeguards {
    ($($(#[$meta:meta])* $safeguard:ident = $name:literal,)+) => {
        /// What keeps a promise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Safeguard {
            $($(#[$meta])* $safeguard,)+
        }

        /// Every safeguard, by its name.
        pub const SAFEGUARDS: &[(&str, Safeguard)] = &[$(($name, Safeguard::$safeguard),)+];
    };
}

safeguards! {
    /// A file is synced before it is published.
    FileSync = "file-sync",
    /// A failed sync is never repeated.
    NoRetry = "no-retry",
    /// The directory is synced before a change is answered.
    NameSync = "name-sync",
    /// It is synced before a removal answers that it found nothing.
    NotFoundSync = "not-found-sync",
    /// It is synced before an item is built on what another process left there.
    InheritedSync = "inherited-sync",
    /// A temporary file is created exclusively.
    ExclusiveCreate = "exclusive-create",
    /// A write that took some of the bytes is continued.
    WriteLoop = "write-loop",
    /// An id that was given is published by link.
    NoReplace = "no-replace",
    /// The names of an id that was given are looked at, in every state.
    LookAtGiven = "look-at-given",
    /// The names of an id that was drawn are looked at.
    LookAtDrawn = "look-at-drawn",
    /// A temporary file that is not published is removed.
    RemoveTemporary = "remove-temporary",
    /// What failed to be published is looked for.
    LookAfterFailure = "look-after-failure",
    /// An item that `exists` names is synced.
    ExistsSync = "exists-sync",
    /// After a failed sync, the queue refuses changes.
    Close = "close",
    /// Recovery removes temporary files.
    Sweep = "sweep",
    /// Recovery syncs items.
    RecoverySync = "recovery-sync",
    /// Recovery syncs the directory.
    RecoveryNameSync = "recovery-name-sync",
    /// Recovery writes an item whose sync failed to a new file.
    Renew = "renew",
    /// Recovery removes the second name of an item.
    Settle = "settle",
    /// An item that begins with the opening ends with the closing.
    EndMarker = "end-marker",
    /// The checksums of an item match.
    Checksum = "checksum",
    /// An update checks the old item before it publishes the new one.
    UpdateChecks = "update-checks",
    /// What failed to be moved is looked for under its new name.
    MoveLook = "move-look",
    /// What failed to be removed is looked for.
    RemoveLook = "remove-look",
    /// The name that stays is durable before a second one goes: in a hold or a release.
    MoveOrder = "move-order",
    /// The same in recovery.
    SettleOrder = "settle-order",
    /// A second item of an id is quarantined under a name of its own.
    QuarantineApart = "quarantine-apart",
    /// An item is not restored over another one.
    RestoreLook = "restore-look",
    /// What is restored is checked.
    RestoreChecks = "restore-checks",
    /// Recovery removes temporary files before it needs room.
    SweepFirst = "sweep-first",
    /// Their age is measured against the time of the file system.
    FileSystemAge = "file-system-age",
    /// An instance is told of a failed sync in another one.
    Siblings = "siblings",
}

/// Whether a safeguard is removed.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub const fn removed(_: Safeguard) -> bool {
    false
}

#[cfg(feature = "mutants")]
pub use chosen::{remove, removed};

#[cfg(feature = "mutants")]
mod chosen {
    use super::{SAFEGUARDS, Safeguard};
    use core::sync::atomic::{AtomicUsize, Ordering};

    /// The place of the removed one among [`SAFEGUARDS`].
    static REMOVED: AtomicUsize = AtomicUsize::new(usize::MAX);

    /// Whether a safeguard is removed.
    pub fn removed(safeguard: Safeguard) -> bool {
        REMOVED.load(Ordering::Relaxed) == safeguard as usize
    }

    /// Removes the safeguard that the name of a preopen says: `removed:` and its name. Whether it says one.
    pub fn remove(preopen: &str) -> bool {
        let Some(name) = preopen.strip_prefix("removed:") else {
            return false;
        };
        let place = SAFEGUARDS.iter().position(|(known, _)| *known == name);
        REMOVED.store(place.unwrap_or(usize::MAX), Ordering::Relaxed);
        true
    }
}
