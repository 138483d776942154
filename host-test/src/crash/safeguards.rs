//! The safeguards of the component. Each is removed from outside, and a detector must find the promise that breaks.

use super::cases;
use super::detector::{Case, Detector};
use super::settings::LieScope;
use crate::simulator::host::ComponentUnderTest;
use crate::simulator::lie::Lie;
use crate::simulator::power::Profile;

/// A way to remove a safeguard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The simulated system lies to the component that ships, so that a system call of the safeguard has no effect or shows
    /// nothing.
    Lie(Lie, LieScope),
    /// The patch in `host-test/mutants/` that has the safeguard's name removes its logic from the sources.
    Patch,
}

/// A safeguard.
#[derive(Clone, Copy)]
pub struct Safeguard {
    /// Its name.
    pub name: &'static str,
    /// The promise that it keeps, by its number in `docs/durability.md`.
    pub promise: &'static str,
    /// The way to remove it.
    pub removal: Removal,
    /// The detector of its absence.
    pub detector: Detector,
}

/// The result of a detector with and without a safeguard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The absence breaks this promise, and its presence breaks none.
    Killed(String),
    /// The absence breaks no promise.
    Survived,
    /// A promise is broken although the safeguard is present.
    Broken(String),
}

impl Verdict {
    /// Judges a safeguard by the violations without it, and with it.
    pub fn of(without: Option<String>, with: Option<String>) -> Verdict {
        match (without, with) {
            (_, Some(wrong)) => Verdict::Broken(wrong),
            (Some(wrong), None) => Verdict::Killed(wrong),
            (None, None) => Verdict::Survived,
        }
    }
}

impl Safeguard {
    /// Runs the detector with and without the safeguard where a lie removes it, and returns none where a patch does.
    pub fn judge_lie(&self, component: &ComponentUnderTest) -> Option<Verdict> {
        let Removal::Lie(lie, scope) = self.removal else {
            return None;
        };
        let without = self.detector.detect(component, Some((lie, scope)));
        Some(Verdict::of(without, self.detector.detect(component, None)))
    }
}

const fn lie(name: &'static str, promise: &'static str, removal: (Lie, LieScope), detector: Detector) -> Safeguard {
    Safeguard { name, promise, removal: Removal::Lie(removal.0, removal.1), detector }
}

const fn patch(name: &'static str, promise: &'static str, detector: Detector) -> Safeguard {
    Safeguard { name, promise, removal: Removal::Patch, detector }
}

const fn crash(scenario: &'static str) -> Detector {
    Detector::Crash(Profile::Posix, scenario)
}

const fn case(name: &'static str, case: Case) -> Detector {
    Detector::Case(name, case)
}

use LieScope::{LastCall, Recovery};

/// Every safeguard.
pub const SAFEGUARDS: &[Safeguard] = &[
    // A file is fsynced before it is published.
    lie("file-sync", "P1", (Lie::TemporaryFileSync, LastCall), Detector::Crash(Profile::Linux, "put 1")),
    // A failed fsync is never repeated.
    patch("no-retry", "P10", crash("put 1 !N loses pages")),
    // The directory is fsynced before a change returns.
    lie("directory-sync", "P1", (Lie::DirectorySync, LastCall), Detector::Crash(Profile::Linux, "put 1")),
    // The directory is fsynced before a removal returns `not-found`.
    lie(
        "not-found-sync",
        "P4",
        (Lie::DirectorySyncBeforeChange, LastCall),
        crash("put 1; remove 1 !N killed; remove 1"),
    ),
    // The directory is fsynced before an update returns `not-found`.
    lie(
        "update-not-found-sync",
        "P4",
        (Lie::DirectorySyncBeforeChange, LastCall),
        crash("put 1; remove 1 !N killed; update 1"),
    ),
    // Directory entries of another process are fsynced before an item is published beside them.
    lie(
        "preexisting-entries-sync",
        "P12",
        (Lie::DirectorySyncBeforeChange, LastCall),
        crash("put 1; remove 1 !N killed; put-binary 1"),
    ),
    // A temporary file is created exclusively.
    lie("exclusive-create", "P1", (Lie::ExclusiveCreate, LastCall), Detector::Interleaving([None, None])),
    // A write that stored a part of the bytes is continued.
    lie("write-loop", "P1", (Lie::PartialWrite, LastCall), crash("put 1 !N writes half")),
    // An item under a caller-chosen id is published by link.
    lie("no-replace", "P12", (Lie::ReplacingLink, LastCall), Detector::Interleaving([Some("x"), Some("x")])),
    // The names of a caller-chosen id are looked up, in every state.
    lie("look-at-chosen", "P12", (Lie::HiddenItem, LastCall), crash("put 1; hold 1; put 1")),
    // The name of a generated id is looked up.
    lie(
        "look-at-generated",
        "P1",
        (Lie::HiddenItem, LastCall),
        case("two puts with the same randomness", cases::puts_with_same_randomness),
    ),
    // A temporary file that is not published is removed.
    lie("remove-temporary", "P10", (Lie::TemporaryUnlink, LastCall), crash("put 1 !N fails io")),
    // After a publication that failed, a look tells whether it happened.
    lie("look-after-failure", "P5", (Lie::StaleEntries, LastCall), crash("put 1 !N happens and fails io")),
    // Before a put returns `exists`, the directory is fsynced.
    lie("exists-sync", "P8", (Lie::DirectorySyncBeforeChange, LastCall), crash("put 2; chasquid 1; put 1")),
    // Before a put returns `exists`, the item is fsynced.
    lie("exists-file-sync", "P8", (Lie::ItemFileSync, LastCall), crash("put 2; old-chasquid 1; put 1")),
    // After a failed fsync of the directory, the queue refuses changes.
    patch("close", "P10", crash("put 1 !N fails io; put 2")),
    // A recovery removes temporary files.
    lie("delete-stale", "P7", (Lie::TemporaryUnlink, Recovery), crash("put 1")),
    // A recovery fsyncs items.
    lie("recovery-sync", "P8", (Lie::ItemFileSync, Recovery), crash("old-chasquid 1; recover")),
    // A recovery fsyncs the directory.
    lie("recovery-directory-sync", "P8", (Lie::DirectorySync, Recovery), crash("chasquid 1; recover")),
    // A recovery fsyncs the directory before it writes an item to a new file, so that no old name of it comes back.
    patch("recovery-first-sync", "P5", crash("old-chasquid 1; hold 1 !N fails io; recover")),
    // A recovery writes an item whose fsync failed to a new file.
    patch("rewrite", "P10", crash("old-chasquid 1; put 1 !N loses pages; recover")),
    // A failed fsync is marked in the directory.
    patch("mark", "P10", crash("old-chasquid 1; put 1 !N loses pages; restart; recover")),
    // A queue that has a mark refuses changes.
    patch("mark-look", "P10", crash("old-chasquid 1; put 1 !N loses pages; restart; put 1")),
    // A recovery writes an item to a new file whose fsync failed in another process.
    patch("mark-read", "P10", crash("old-chasquid 1; put 1 !N loses pages; restart; recover")),
    // A recovery that failed to fsync an item and to rewrite it does not fsync it again.
    patch(
        "second-fsync",
        "P10",
        case("a recovery that fails to rewrite an item with a second name", cases::recovery_fsyncs_twice),
    ),
    // A recovery looks for marks at its end.
    patch("late-mark", "P10", case("a failure during a recovery", cases::recovery_with_failure_meanwhile)),
    // A recovery removes the second name of an item.
    lie("reconcile", "P5", (Lie::ItemUnlink, Recovery), Detector::Crash(Profile::Hostile, "put 1; hold 1")),
    // An item that begins with a header line ends with a trailer line.
    patch("end-marker", "P6", case("a read of a truncated item", cases::read_truncated)),
    // The checksums of an item match.
    patch("checksum", "P6", case("a read of an item with a changed bit", cases::read_flipped)),
    // An update verifies the old item before it publishes the new one.
    patch("update-checks", "P6", case("an update of a damaged item", cases::update_damaged)),
    // After a rename that failed, a look tells whether it happened.
    lie("move-look", "P5", (Lie::StaleEntries, LastCall), crash("put 1; hold 1 !N happens and fails io")),
    // After an unlink that failed, a look tells whether it happened.
    lie("remove-look", "P5", (Lie::StaleEntries, LastCall), crash("put 1; remove 1 !N happens and fails io")),
    // The remaining name is durable before a second one is removed, in a change of state.
    patch("move-order", "P1", case("a hold of an item with a second name", cases::hold_with_second_name)),
    // The removal of a second name is durable before an update replaces the other one.
    patch("update-order", "P3", Detector::Crash(Profile::Hostile, "put 1; hold 1")),
    // The remaining name is durable before a second one is removed, in a recovery.
    patch("reconcile-order", "P1", case("a recovery of an item with a second name", cases::recovery_with_second_name)),
    // A second item of an id is quarantined under a name of its own.
    patch("quarantine-apart", "P9", case("a quarantine beside a quarantined item", cases::quarantine_twice)),
    // A restoration looks for a live item of the id.
    lie(
        "restore-look",
        "P9",
        (Lie::HiddenItem, LastCall),
        case("a restoration beside a live item", cases::restore_beside_live),
    ),
    // An item is verified before it is restored.
    patch("restore-checks", "P6", case("a restoration of a damaged item", cases::restore_damaged)),
    // A recovery removes temporary files before it needs space.
    patch("delete-stale-first", "P11", case("a recovery on a full disk", cases::recover_on_full_disk)),
    // The age of temporary files is measured against the time of the file system.
    patch("file-system-age", "P7", case("a recovery while the host's clock is ahead", cases::recover_with_other_clock)),
    // A queue that was told of a failed fsync in another instance refuses changes.
    patch("require-recovery", "P10", case("a put after `require-recovery`", cases::put_after_require_recovery)),
];
