//! Detectors: each returns a broken promise where a certain safeguard is missing.

use super::interleaving::interleave_puts;
use super::scenario::Scenario;
use super::search::Search;
use super::settings::{LieScope, Settings};
use crate::bindings::Durability;
use crate::simulator::host::ComponentUnderTest;
use crate::simulator::lie::Lie;
use crate::simulator::power::Profile;
use std::fmt::{self, Display};

/// A single case: a broken promise, in words, or none.
pub type Case = fn(&ComponentUnderTest, Option<Lie>) -> Option<String>;

/// A detector of a missing safeguard.
#[derive(Clone, Copy)]
pub enum Detector {
    /// The scenario, on a disk of this profile, with a power cut anywhere. `!N` stands for a fault at each operation in turn.
    Crash(Profile, &'static str),
    /// Two puts under these ids at once, in every order of their operations.
    Interleaving([Option<&'static str>; 2]),
    /// A single case, and its name.
    Case(&'static str, Case),
}

/// The number of operations at which a fault is tried; more than any call of a scenario has.
const OPERATIONS: usize = 32;

impl Display for Detector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Detector::Crash(profile, scenario) => write!(formatter, "a crash in `{scenario}` on {profile:?}"),
            Detector::Interleaving([None, _]) => formatter.write_str("two puts at once with the same randomness"),
            Detector::Interleaving(_) => formatter.write_str("two puts at once under one id"),
            Detector::Case(name, _) => formatter.write_str(name),
        }
    }
}

impl Detector {
    /// Returns the promise that a component breaks, in words, where the system tells this lie; none if it keeps it.
    pub fn detect(self, component: &ComponentUnderTest, lie: Option<(Lie, LieScope)>) -> Option<String> {
        match self {
            Detector::Crash(profile, scenario) => {
                let search = Search::new(component, Settings { lie, ..Settings::new(profile, Durability::Full) }, 1);
                search.replay(&with_faults(scenario), &|_| true);
                search.violations().first().map(|violation| violation.wrong.clone())
            }
            Detector::Interleaving(ids) => interleave_puts(component, ids, lie.map(|(lie, _)| lie)),
            Detector::Case(_, case) => case(component, lie.map(|(lie, _)| lie)),
        }
    }
}

/// Returns the scenarios that a text with `!N` stands for.
fn with_faults(text: &str) -> Vec<Scenario> {
    let parse = |text: &str| text.parse().expect("the scenario of a detector is well-formed");
    if text.contains("!N") {
        (0..OPERATIONS).map(|operation| parse(&text.replace("!N", &format!("!{operation}")))).collect()
    } else {
        vec![parse(text)]
    }
}
