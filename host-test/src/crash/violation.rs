//! Broken promises.

use super::scenario::Scenario;
use std::fmt::{self, Display};

/// A broken promise, and the events that led to it from the beginning of the scenario.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) events: Vec<String>,
    pub(super) wrong: String,
}

impl From<String> for Broken {
    fn from(wrong: String) -> Broken {
        Broken { events: Vec::new(), wrong }
    }
}

impl Broken {
    /// Returns the same after an earlier event.
    pub(super) fn after(mut self, event: impl FnOnce() -> String) -> Broken {
        self.events.insert(0, event());
        self
    }
}

/// A scenario that breaks a promise.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The scenario.
    pub scenario: Scenario,
    /// The events in and after it, in words: power cuts, and the states that they left.
    pub events: Vec<String>,
    /// The broken promise, in words.
    pub wrong: String,
}

impl Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "scenario: {}", self.scenario)?;
        for event in &self.events {
            writeln!(formatter, "  {event}")?;
        }
        write!(formatter, "  violation: {}", self.wrong)
    }
}
