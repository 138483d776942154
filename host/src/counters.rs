//! Sums of the instances' counters.

use std::collections::BTreeMap;

/// Sums of counters, by name.
#[derive(Clone, Default)]
pub(crate) struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// Adds the counters of an instance.
    pub(crate) fn add(&mut self, counters: Vec<(String, u64)>) {
        for (name, value) in counters {
            let sum = self.0.entry(name).or_default();
            *sum = sum.wrapping_add(value);
        }
    }

    /// Returns the names and the sums.
    pub(crate) fn into_list(self) -> Vec<(String, u64)> {
        self.0.into_iter().collect()
    }
}
