//! A scenario: calls in order, and what goes wrong in one of them. It is written as a line of text, from which it can be
//! replayed: `put 1; hold 1 !4 fails io; restart; recover`.

use super::call::Call;
use crate::simulator::disk::{ErrorName, FailedSync};
use crate::simulator::types::ERRORS;
use crate::simulator::world::{Operation, Trouble};
use std::fmt::{self, Display};
use std::str::FromStr;

/// What goes wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mishap {
    /// The number of the operation of the system in its call, from 0.
    pub operation: usize,
    /// What happens to it.
    pub trouble: Trouble,
}

/// A call, and what goes wrong in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The call.
    pub call: Call,
    /// What goes wrong.
    pub mishap: Option<Mishap>,
}

/// Calls, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scenario {
    /// The calls.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// A scenario in which nothing goes wrong.
    pub fn of(calls: impl IntoIterator<Item = Call>) -> Scenario {
        Scenario { steps: calls.into_iter().map(|call| Step { call, mishap: None }).collect() }
    }

    /// The same, but one thing goes wrong.
    pub fn with(&self, step: usize, mishap: Mishap) -> Scenario {
        let mut scenario = self.clone();
        scenario.steps[step].mishap = Some(mishap);
        scenario
    }
}

impl Scenario {
    /// Every scenario that is simpler by one thing: without a call, without a mishap, or with one item of several.
    pub(super) fn simpler(&self) -> Vec<Scenario> {
        let mut simpler = Vec::new();
        for at in 0..self.steps.len() {
            let mut shorter = self.clone();
            shorter.steps.remove(at);
            simpler.push(shorter);
        }
        for (at, step) in self.steps.iter().enumerate() {
            if step.mishap.is_some() {
                let mut lucky = self.clone();
                lucky.steps[at].mishap = None;
                simpler.push(lucky);
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

/// What can go wrong at an operation.
pub fn troubles(operation: Operation) -> &'static [Trouble] {
    use Trouble::{Fails, HappensAndFails, Killed, LosesPages, StaysBroken, WritesHalf};
    const FULL: ErrorName = "insufficient-space";
    const READ_ONLY: ErrorName = "read-only";
    match operation {
        Operation::Create => &[
            Fails("io"),
            Fails(FULL),
            Fails("quota"),
            Fails(READ_ONLY),
            StaysBroken(FULL),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::Write => {
            &[Fails("io"), Fails(FULL), Fails("quota"), WritesHalf, StaysBroken(FULL), StaysBroken(READ_ONLY), Killed]
        }
        Operation::SyncFile => &[
            LosesPages(FailedSync::Kept),
            LosesPages(FailedSync::Reverted),
            Fails(FULL),
            Fails("quota"),
            StaysBroken("io"),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::Link => &[
            Fails("io"),
            Fails(FULL),
            Fails("quota"),
            Fails(READ_ONLY),
            HappensAndFails("io"),
            HappensAndFails("exist"),
            StaysBroken(FULL),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::Rename => &[
            Fails("io"),
            Fails(FULL),
            Fails("quota"),
            Fails(READ_ONLY),
            HappensAndFails("io"),
            HappensAndFails("no-entry"),
            StaysBroken(FULL),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::Unlink => &[
            Fails("io"),
            Fails(READ_ONLY),
            HappensAndFails("io"),
            HappensAndFails("no-entry"),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::SyncDirectory => {
            &[Fails("io"), Fails(FULL), Fails("quota"), StaysBroken("io"), StaysBroken(READ_ONLY), Killed]
        }
        Operation::SetTimes => &[Fails("io"), Killed],
        Operation::Open
        | Operation::Stat
        | Operation::Read
        | Operation::ReadDirectory
        | Operation::ReadEntry
        | Operation::Identity => &[Fails("io")],
    }
}

/// Every trouble, by its name.
fn named() -> Vec<(String, Trouble)> {
    let mut named = vec![
        ("loses pages".to_string(), Trouble::LosesPages(FailedSync::Kept)),
        ("reverts pages".to_string(), Trouble::LosesPages(FailedSync::Reverted)),
        ("writes half".to_string(), Trouble::WritesHalf),
        ("killed".to_string(), Trouble::Killed),
    ];
    for error in ERRORS {
        named.push((format!("fails {error}"), Trouble::Fails(error)));
        named.push((format!("happens and fails {error}"), Trouble::HappensAndFails(error)));
        named.push((format!("stays broken {error}"), Trouble::StaysBroken(error)));
    }
    named
}

impl Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.call)?;
        if let Some(Mishap { operation, trouble }) = self.mishap {
            let name = named().into_iter().find(|(_, known)| *known == trouble);
            write!(formatter, " !{operation} {}", name.map_or_else(String::new, |(name, _)| name))?;
        }
        Ok(())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Step, String> {
        let Some((call, mishap)) = text.split_once(" !") else {
            return Ok(Step { call: text.parse()?, mishap: None });
        };
        let wrong = || format!("`!{mishap}` is no mishap: try `!3 fails io`, `!0 killed` or `!4 loses pages`");
        let (operation, name) = mishap.split_once(' ').ok_or_else(wrong)?;
        let trouble = named().into_iter().find(|(known, _)| known == name).ok_or_else(wrong)?.1;
        let operation = operation.parse().map_err(|_| wrong())?;
        Ok(Step { call: call.parse()?, mishap: Some(Mishap { operation, trouble }) })
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
