//! Runs a scenario, and cuts the power in and after its calls.

use super::answer::Returned;
use super::observation::{first_disk, is_complete, make_definite, needs_recovery};
use super::perform::{Numbered, Performed, perform};
use super::power_cut::{Moment, PowerCuts};
use super::promise::Promises;
use super::scenario::Scenario;
use super::violation::Broken;
use crate::bindings::Recovery;
use crate::instance;
use crate::simulator::fault::FaultKind;
use crate::simulator::host::Simulated;
use crate::simulator::operation::Operation;

/// The facts about a run that decide which scenarios that begin like it are worth a run.
pub(super) struct Run {
    /// The operations of the system in each call.
    pub(super) operations: Vec<Vec<Operation>>,
    /// Whether longer scenarios can show more.
    pub(super) extensible: bool,
}

/// The state of a run between two calls.
struct State {
    promises: Promises,
    /// Whether the queue refuses changes.
    closed: bool,
    /// Whether a fault may have kept the component from marking an unsynced item.
    unmarked: bool,
}

/// Runs a scenario on a new disk, and cuts the power in and after the calls from number `cut_from` on.
pub(super) fn run(cuts: &PowerCuts<'_>, scenario: &Scenario, cut_from: usize) -> Result<Run, Broken> {
    let mut system = cuts.processes.begin(first_disk());
    let result = run_in(cuts, &mut system, scenario, cut_from);
    cuts.processes.end(system);
    result
}

fn run_in(cuts: &PowerCuts<'_>, system: &mut Simulated, scenario: &Scenario, cut_from: usize) -> Result<Run, Broken> {
    let mut state = State { promises: Promises::default(), closed: false, unmarked: false };
    let mut run = Run { operations: Vec::new(), extensible: true };
    for (number, step) in scenario.steps.iter().enumerate() {
        let is_cut = number >= cut_from;
        let stamp = number as u32 + 1;
        let during = state.promises.during(&step.call, stamp);
        let before = system.world().disk.clone();
        {
            let mut world = system.world();
            world.log.clear();
            world.fault_at = step.fault;
            world.lie = cuts.settings.lie_in(&step.call, number + 1 == scenario.steps.len());
            world.snapshots = is_cut.then(Vec::new);
        }
        let numbered = Numbered { call: &step.call, stamp, durability: cuts.settings.durability };
        let performed = perform(system, &state.promises, &numbered);
        let (snapshots, after, killed, operations) = {
            let mut world = system.world();
            let killed = world.killed;
            world.repair();
            (world.snapshots.take().unwrap_or_default(), world.disk.clone(), killed, world.operations())
        };
        if killed {
            state.promises = during.clone();
        } else {
            let is_closed = needs_recovery(system)?;
            let was_closed = state.closed;
            let returned = Returned {
                step,
                stamp,
                before: &before,
                after: &after,
                was_closed,
                is_closed,
                operations: &operations,
            };
            check(cuts, &returned, &performed, &mut state)
                .map_err(|wrong| Broken::from(wrong).after(|| format!("call {stamp}, `{step}`")))?;
            run.extensible = returned.is_extensible();
            state.closed = is_closed;
        }
        for (operation, snapshot) in snapshots {
            let event = || format!("in call {stamp}, `{step}`, before its operation {operation}");
            cuts.cut(&snapshot, &during, Moment::During(&step.call)).map_err(|broken| broken.after(event))?;
        }
        if killed || matches!(performed, Performed::Restart) {
            if state.unmarked {
                state.promises.forget();
            }
            state.closed = after.is_marked();
            let next = cuts.processes.begin(after.clone());
            // The system outlives the process: its randomness continues.
            std::mem::swap(&mut *next.world(), &mut *system.world());
            cuts.processes.end(std::mem::replace(system, next));
        }
        if is_cut {
            cuts.cut(&after, &state.promises, Moment::Between)
                .map_err(|broken| broken.after(|| format!("after call {stamp}, `{step}`")))?;
        }
        run.operations.push(operations);
    }
    Ok(run)
}

/// Checks a call that returned, and brings the promises up to date.
fn check(
    cuts: &PowerCuts<'_>,
    returned: &Returned<'_>,
    performed: &Performed,
    state: &mut State,
) -> Result<(), String> {
    let step = returned.step;
    if let Some(fault) = step.fault {
        state.promises.forfeit_unsynced();
        state.unmarked |= matches!(fault.kind, FaultKind::StaysBroken(_));
    }
    match performed {
        Performed::Items(answers) => match step.call.action() {
            Some(action) => returned.check_items(action, answers, &mut state.promises),
            None => Ok(()),
        },
        Performed::Recovery(recovery) => check_recovery(cuts, returned, recovery, &mut state.promises),
        Performed::Restart => Ok(()),
    }
}

/// Checks the report of a recovery. Where it is complete, every item stays as it is found.
fn check_recovery(
    cuts: &PowerCuts<'_>,
    returned: &Returned<'_>,
    recovery: &instance::Result<Recovery>,
    promises: &mut Promises,
) -> Result<(), String> {
    let Returned { step, after, is_closed, .. } = returned;
    if let Err(error) = recovery {
        returned.check_closed(&[Some(error.code)])?;
    }
    if !is_complete(recovery, promises) {
        return match step.fault {
            Some(_) => Ok(()),
            None => Err(format!("recovery, without a fault, returned {recovery:?}")),
        };
    }
    if *is_closed {
        return Err("a recovery is complete, and the queue still refuses changes".to_string());
    }
    let files;
    (*promises, files) = make_definite(&cuts.processes, after, promises)?;
    if let (Ok(report), None) = (recovery, step.fault) {
        files.check(report)?;
    }
    if step.fault.is_none() && !promises.is_forfeited() && !after.is_durable() {
        return Err("a recovery is complete, and a power cut would still change something".to_string());
    }
    Ok(())
}
