//! Formats the results as a table.

use crate::fault::Fault;
use crate::round::Outcome;
use crate::tally::Tally;
use comfy_table::{CellAlignment, Table, presets};
use std::collections::BTreeMap;

/// The columns after the name of the fault.
const COLUMNS: [&str; 9] =
    ["rounds", "puts", "removals", "changes", "settled", "indeterminate", "refused", "longest call", "violations"];

/// The results of all rounds of a fault.
#[derive(Clone, Debug, Default)]
struct Row {
    rounds: u64,
    tally: Tally,
    violations: usize,
}

/// The results of all rounds.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rows: BTreeMap<Fault, Row>,
}

impl Report {
    /// Adds a round.
    pub fn add(&mut self, outcome: &Outcome) {
        let row = self.rows.entry(outcome.fault).or_default();
        row.rounds += 1;
        row.tally.add(&outcome.tally);
        row.violations += outcome.violations.len();
    }

    /// Returns the number of broken guarantees.
    pub fn violations(&self) -> usize {
        self.rows.values().map(|row| row.violations).sum()
    }

    /// Formats the results, with a row for each fault and one for all.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(std::iter::once("fault").chain(COLUMNS));
        let mut all = Row::default();
        for (fault, row) in &self.rows {
            table.add_row(cells(fault.title(), row));
            all.rounds += row.rounds;
            all.tally.add(&row.tally);
            all.violations += row.violations;
        }
        table.add_row(cells("all", &all));
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let lines: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        let refused = all.tally.refused.iter().map(|(code, count)| format!("{count} {code}"));
        format!("{lines}\nRefused: {}\n", refused.collect::<Vec<_>>().join(", "))
    }
}

fn cells(title: &str, row: &Row) -> Vec<String> {
    let Row { rounds, tally, violations } = row;
    let refused: u64 = tally.refused.values().sum();
    let Tally { puts, removals, changes, settled, indeterminate, refused: _, longest } = tally;
    let numbers = [rounds, puts, removals, changes, settled, indeterminate, &refused].map(u64::to_string);
    let rest = [format!("{:.1} s", longest.as_secs_f64()), violations.to_string()];
    std::iter::once(title.to_string()).chain(numbers).chain(rest).collect()
}
