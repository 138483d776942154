//! Scenarios: calls in order, and a fault in some of them. A scenario is written as a line of text, from which it can be
//! replayed: `put 1; hold 1 !4 fails io; restart; recover`.

use super::action::Call;
use crate::simulator::disk::FailedSync;
use crate::simulator::fault::{FaultAt, FaultKind};
use crate::simulator::types::ERRORS;
use std::fmt::{self, Display};
use std::str::FromStr;

/// A call, and the fault in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The call.
    pub call: Call,
    /// The fault.
    pub fault: Option<FaultAt>,
}

/// Calls, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scenario {
    /// The calls.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// Creates a scenario without faults.
    pub fn of(calls: impl IntoIterator<Item = Call>) -> Scenario {
        Scenario { steps: calls.into_iter().map(|call| Step { call, fault: None }).collect() }
    }

    /// Returns the same scenario with a fault in a step.
    pub fn with_fault(&self, step: usize, fault: FaultAt) -> Scenario {
        let mut scenario = self.clone();
        scenario.steps[step].fault = Some(fault);
        scenario
    }

    /// Returns every scenario that is one call of an alphabet longer. An item is not used before the ones with lower
    /// numbers, since that would be the same scenario under other names.
    pub(super) fn extensions(&self, alphabet: &[Call]) -> Vec<Scenario> {
        let used = self.steps.iter().filter_map(|step| step.call.last_slot()).max().unwrap_or(0);
        let fits = |call: &&Call| match call {
            Call::To(_, slots) => slots[0] <= used + 1,
            Call::Recover | Call::Restart => true,
        };
        let longer = |call: &Call| {
            let mut longer = self.clone();
            longer.steps.push(Step { call: call.clone(), fault: None });
            longer
        };
        alphabet.iter().filter(fits).map(longer).collect()
    }

    /// Returns every scenario that is simpler by one thing: without a call, without a fault, or with one item of several.
    pub(super) fn simplifications(&self) -> Vec<Scenario> {
        let mut simpler = Vec::new();
        for at in 0..self.steps.len() {
            let mut shorter = self.clone();
            shorter.steps.remove(at);
            simpler.push(shorter);
        }
        for (at, step) in self.steps.iter().enumerate() {
            if step.fault.is_some() {
                let mut faultless = self.clone();
                faultless.steps[at].fault = None;
                simpler.push(faultless);
            }
            if let Call::To(action, slots) = &step.call
                && slots.len() > 1
            {
                for slot in slots {
                    let mut smaller = self.clone();
                    smaller.steps[at].call = Call::To(*action, vec![*slot]);
                    simpler.push(smaller);
                }
            }
        }
        simpler.retain(|scenario| !scenario.steps.is_empty());
        simpler
    }
}

/// Returns the name of a fault in a scenario.
fn fault_name(kind: FaultKind) -> String {
    match kind {
        FaultKind::Fails(error) => format!("fails {error}"),
        FaultKind::HappensAndFails(error) => format!("happens and fails {error}"),
        FaultKind::LosesPages(FailedSync::Kept) => "loses pages".to_string(),
        FaultKind::LosesPages(FailedSync::Reverted) => "reverts pages".to_string(),
        FaultKind::WritesHalf => "writes half".to_string(),
        FaultKind::StaysBroken(error) => format!("stays broken {error}"),
        FaultKind::Killed => "killed".to_string(),
    }
}

/// Returns the fault that has a name.
fn fault_of_name(name: &str) -> Option<FaultKind> {
    let with_error = ERRORS
        .iter()
        .flat_map(|error| [FaultKind::Fails(error), FaultKind::HappensAndFails(error), FaultKind::StaysBroken(error)]);
    let without = [
        FaultKind::LosesPages(FailedSync::Kept),
        FaultKind::LosesPages(FailedSync::Reverted),
        FaultKind::WritesHalf,
        FaultKind::Killed,
    ];
    with_error.chain(without).find(|kind| fault_name(*kind) == name)
}

impl Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.call)?;
        if let Some(FaultAt { operation, kind }) = self.fault {
            write!(formatter, " !{operation} {}", fault_name(kind))?;
        }
        Ok(())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Step, String> {
        let Some((call, fault)) = text.split_once(" !") else {
            return Ok(Step { call: text.parse()?, fault: None });
        };
        let unknown = || format!("`!{fault}` is not a fault: try `!3 fails io`, `!0 killed` or `!4 loses pages`");
        let (operation, name) = fault.split_once(' ').ok_or_else(unknown)?;
        let kind = fault_of_name(name).ok_or_else(unknown)?;
        let operation = operation.parse().map_err(|_| unknown())?;
        Ok(Step { call: call.parse()?, fault: Some(FaultAt { operation, kind }) })
    }
}

impl Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.steps.iter().map(Step::to_string).collect();
        formatter.write_str(&steps.join("; "))
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Scenario, String> {
        let steps: Result<Vec<Step>, String> = text.split(';').map(|step| step.trim().parse()).collect();
        Ok(Scenario { steps: steps? })
    }
}
