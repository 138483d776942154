//! Rows as tables.

use crate::measure::Spread;
use crate::report::{Bound, Report, Row};
use comfy_table::{CellAlignment, Table, presets};

const HEADER: [&str; 7] = ["what", "unit", "median", "against", "median there", "ratio", "bound"];

/// A number with three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn spread(spread: &Spread) -> String {
    let Spread { low, median, high } = *spread;
    if low == high {
        return number(median);
    }
    format!("{} ({} to {})", number(median), number(low), number(high))
}

fn bound(row: &Row) -> String {
    let words = match row.bound {
        None => return String::new(),
        Some(Bound::RatioAtMost(most)) => format!("ratio at most {most}"),
        Some(Bound::RatioAtLeast(least)) => format!("ratio at least {least}"),
        Some(Bound::AtMost(most)) => format!("at most {most} {}", row.unit),
        Some(Bound::AtLeast(least)) => format!("at least {least} {}", row.unit),
    };
    if row.holds == Some(true) { format!("holds: {words}") } else { format!("**missed**: {words}") }
}

/// Rows as a table of Markdown.
pub(crate) fn markdown<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(HEADER);
    for row in rows {
        let optional = |value: &Option<Spread>| value.as_ref().map(spread).unwrap_or_default();
        table.add_row([
            row.what.clone(),
            row.unit.clone(),
            spread(&row.value),
            row.against.clone().unwrap_or_default(),
            optional(&row.there),
            optional(&row.ratio),
            bound(row),
        ]);
    }
    for column in [2, 4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// All of a report, for a terminal.
pub(crate) fn text(report: &Report) -> String {
    let notes: String = report.notes.iter().map(|note| format!("{note}\n")).collect();
    markdown(&report.rows) + &notes
}
