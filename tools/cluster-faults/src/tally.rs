//! Counts the answers of a round, and measures its calls.

use crate::history::{Answer, Call};
use queue_store_host::types::ErrorCode;
use std::collections::BTreeMap;
use std::time::Duration;

/// The number of answers, and the longest call.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Acknowledged puts.
    pub puts: u64,
    /// Acknowledged removals.
    pub removals: u64,
    /// Acknowledged changes of envelope or state.
    pub changes: u64,
    /// Indeterminate answers.
    pub indeterminate: u64,
    /// Answers that the id is taken, or that the mail does not exist.
    pub settled: u64,
    /// Refused calls by code.
    pub refused: BTreeMap<&'static str, u64>,
    /// The longest call.
    pub longest: Duration,
}

impl Tally {
    /// Counts an answer.
    pub(crate) fn count(&mut self, call: Call, answer: Answer) {
        match (answer, call) {
            (Answer::Acknowledged, Call::Put) => self.puts += 1,
            (Answer::Acknowledged, Call::Remove) => self.removals += 1,
            (Answer::Acknowledged, Call::Attempt(_) | Call::SetState(_)) => self.changes += 1,
            (Answer::Acknowledged, Call::Read) => {}
            (Answer::Indeterminate, _) => self.indeterminate += 1,
            (Answer::Exists | Answer::NotFound, _) => self.settled += 1,
            (Answer::Refused(code), _) => *self.refused.entry(ErrorCode::name(code)).or_default() += 1,
        }
    }

    /// Notes the time that a call took.
    pub(crate) fn time(&mut self, took: Duration) {
        self.longest = self.longest.max(took);
    }

    /// Adds the counts of another one.
    pub fn add(&mut self, other: &Tally) {
        let Tally { puts, removals, changes, indeterminate, settled, refused, longest } = other;
        self.puts += puts;
        self.removals += removals;
        self.changes += changes;
        self.indeterminate += indeterminate;
        self.settled += settled;
        for (code, count) in refused {
            *self.refused.entry(code).or_default() += count;
        }
        self.longest = self.longest.max(*longest);
    }
}
