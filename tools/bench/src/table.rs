//! Formats the results as tables of Markdown.

use crate::measure::Spread;
use crate::report::{Bound, Report, Row};
use crate::stores::KINDS;
use comfy_table::{CellAlignment, Table, presets};

/// The columns. The last one, the project's own bound, is only for the terminal.
const HEADER: [&str; 7] = ["measurement", "unit", "median", "compared with", "its median", "ratio", "bound"];

/// Formats a number with three significant digits.
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

/// Formats rows for the page.
pub(crate) fn markdown<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    columns(rows, HEADER.len() - 1)
}

/// Formats the first `columns` columns of rows.
fn columns<'a>(rows: impl IntoIterator<Item = &'a Row>, columns: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(&HEADER[..columns]);
    for row in rows {
        let optional = |value: &Option<Spread>| value.as_ref().map(spread).unwrap_or_default();
        let cells = [
            row.what.clone(),
            row.unit.clone(),
            spread(&row.value),
            row.against.clone().unwrap_or_default(),
            optional(&row.there),
            optional(&row.ratio),
            bound(row),
        ];
        table.add_row(cells.into_iter().take(columns));
    }
    for column in [2, 4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The name of a store, a median and its unit.
type Standing<'a> = (&'a str, f64, &'a str);

/// Ranks the stores from the best to the worst in each measurement that covers all of them. Less is better in each.
pub(crate) fn standings(report: &Report) -> String {
    let mut standings: Vec<(&str, Vec<Standing<'_>>)> = Vec::new();
    let mut add = |what, store, value: &Spread, unit| {
        let found = standings.iter().position(|(known, _)| *known == what).unwrap_or_else(|| {
            standings.push((what, Vec::new()));
            standings.len() - 1
        });
        let stores = &mut standings[found].1;
        if !stores.iter().any(|(known, ..)| *known == store) {
            stores.push((store, value.median, unit));
        }
    };
    for row in report.rows.iter().filter(|row| row.benchmark.starts_with("stores: ") && row.bound.is_none()) {
        if let (Some(against), Some(there)) = (&row.against, &row.there) {
            add(&row.what, KINDS[0].name, &row.value, &row.unit);
            add(&row.what, against, there, &row.unit);
        } else if let Some((store, what)) = row.what.split_once(": ") {
            add(what, store, &row.value, &row.unit);
        }
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["measurement", "from the best to the worst"]);
    for (what, mut stores) in standings {
        stores.sort_by(|one, other| one.1.total_cmp(&other.1));
        let words = stores.iter().map(|(store, value, unit)| format!("{store} {} {unit}", number(*value)));
        table.add_row([what.to_string(), words.collect::<Vec<_>>().join(", ")]);
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Formats the whole report for a terminal.
pub(crate) fn text(report: &Report) -> String {
    let notes: String = report.notes.iter().map(|note| format!("{note}\n")).collect();
    columns(&report.rows, HEADER.len()) + &notes
}
