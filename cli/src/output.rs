//! Standard output: text, tables and JSON.

use crate::escape::escape_json;
use crate::failure::Cause;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;
use std::io::{self, BufWriter, Write};

/// Prints to standard output.
pub(crate) fn print(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Cause> {
    let mut output = BufWriter::new(io::stdout().lock());
    print(&mut output).and_then(|()| output.flush()).map_err(Cause::Stdout)
}

/// Prints a line.
pub(crate) fn print_line(line: &str) -> Result<(), Cause> {
    print(|output| writeln!(output, "{line}"))
}

/// Prints JSON over several lines.
pub(crate) fn print_json(value: &Value) -> Result<(), Cause> {
    print_line(&escape_json(&format!("{value:#}")))
}

/// Prints a table with columns that are aligned and not framed. The column `right` is aligned to the right.
pub(crate) fn print_table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
    right: usize,
) -> Result<(), Cause> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let column = table.column_mut(right).expect("the aligned column is one of the header");
    column.set_cell_alignment(CellAlignment::Right);
    print(|output| table.lines().try_for_each(|line| writeln!(output, "{}", line.trim_end())))
}
