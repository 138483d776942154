//! Calls after a power cut and before the recovery from it, as of a host that does not recover at once.

use super::action::{Action, Call, Slot, Stamp, alphabet};
use super::answer::Returned;
use super::observation::needs_recovery;
use super::perform::{Numbered, Performed, perform};
use super::processes::Processes;
use super::promise::Promises;
use super::scenario::Step;
use super::violation::Broken;
use crate::bindings::Durability;
use crate::simulator::disk::Disk;

/// The number of each of these calls: greater than that of a call of a scenario.
const STAMP: Stamp = 101;

/// A moment in or after such a call.
pub(super) struct Moment {
    /// The moment in words.
    pub(super) event: String,
    /// The disk then.
    pub(super) disk: Disk,
    /// The promises about it.
    pub(super) promises: Promises,
}

/// Makes each call of the component on the item of a slot, each on a disk as a power cut left it, and checks the answers. Returns the moments
/// at which the power can be cut again.
pub(super) fn moments(
    processes: &Processes<'_>,
    durability: Durability,
    disk: &Disk,
    promises: &Promises,
    slot: Slot,
) -> Result<Vec<Moment>, Broken> {
    let mut moments = Vec::new();
    for call in alphabet(slot) {
        let Call::To(action, slots) = &call else { continue };
        if action.is_chasquid() || *action == Action::PutGenerated || *slots != [slot] {
            continue;
        }
        let event = || format!("in `{call}` before the recovery");
        let mut system = processes.begin(disk.clone());
        let was_closed = needs_recovery(&mut system)?;
        system.world().log.clear();
        system.world().snapshots = Some(Vec::new());
        let performed = perform(&mut system, promises, &Numbered { call: &call, stamp: STAMP, durability });
        let (snapshots, after, operations) = {
            let mut world = system.world();
            (world.snapshots.take().unwrap_or_default(), world.disk.clone(), world.operations())
        };
        let is_closed = needs_recovery(&mut system)?;
        processes.end(system);
        let during = promises.during(&call, STAMP);
        moments.extend(snapshots.into_iter().map(|(operation, disk)| Moment {
            event: format!("{}, before its operation {operation}", event()),
            disk,
            promises: during.clone(),
        }));
        let Performed::Items(answers) = performed else { continue };
        let mut promises = promises.clone();
        let step = Step { call: call.clone(), fault: None };
        let returned = Returned {
            step: &step,
            stamp: STAMP,
            before: disk,
            after: &after,
            was_closed,
            is_closed,
            operations: &operations,
        };
        let checked = returned.check_items(*action, &answers, &mut promises);
        checked.map_err(|wrong| Broken::from(wrong).after(event))?;
        moments.push(Moment { event: format!("after `{call}` before the recovery"), disk: after, promises });
    }
    Ok(moments)
}
