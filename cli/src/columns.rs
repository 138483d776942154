//! Tables. Most are printed row by row, without knowing the rows to come: the columns have widths from the start.

use console::{Alignment, Term, measure_text_width, pad_str, truncate_str};
use std::array;

/// A column of a table.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    width: usize,
    alignment: Alignment,
    /// The part of a wide terminal's spare width that the column gets, of the sum of all shares.
    share: usize,
}

impl Column {
    /// Makes a column of this width.
    pub(crate) fn fixed(title: &'static str, width: usize) -> Column {
        Column { title, width, alignment: Alignment::Left, share: 0 }
    }

    /// Makes a column of numbers, which are aligned to the right.
    pub(crate) fn number(title: &'static str, width: usize) -> Column {
        Column { alignment: Alignment::Right, ..Column::fixed(title, width) }
    }

    /// Makes a column that has at least this width, and a share of a terminal's spare width.
    pub(crate) fn flexible(title: &'static str, width: usize, share: usize) -> Column {
        Column { share, ..Column::fixed(title, width) }
    }
}

/// A table. On a terminal each row is a line of it, and cells that are too long are cut; elsewhere they are whole, and
/// move the cells after them to the right.
pub(crate) struct Columns<const COLUMNS: usize> {
    columns: [Column; COLUMNS],
    /// The width of the terminal.
    line: Option<usize>,
}

const SEPARATOR: &str = "  ";

/// The end of a cell that is cut.
const ELLIPSIS: &str = "…";

impl<const COLUMNS: usize> Columns<COLUMNS> {
    /// Makes a table for standard output.
    pub(crate) fn for_stdout(columns: [Column; COLUMNS]) -> Columns<COLUMNS> {
        let stdout = Term::stdout();
        let line = stdout.is_term().then(|| usize::from(stdout.size().1));
        Columns::with_line(columns, line)
    }

    /// Makes a table whose columns are as wide as the cells of these rows. No cell is cut.
    pub(crate) fn fitting(titles: [&'static str; COLUMNS], rows: &[[String; COLUMNS]]) -> Columns<COLUMNS> {
        let columns = array::from_fn(|column| {
            let cells = rows.iter().map(|row| row[column].as_str()).chain([titles[column]]);
            Column::fixed(titles[column], cells.map(measure_text_width).max().unwrap_or(0))
        });
        Columns::with_line(columns, None)
    }

    fn with_line(mut columns: [Column; COLUMNS], line: Option<usize>) -> Columns<COLUMNS> {
        let used: usize = columns.iter().map(|column| column.width).sum::<usize>() + SEPARATOR.len() * (COLUMNS - 1);
        let spare = line.map_or(0, |line| line.saturating_sub(used));
        let shares: usize = columns.iter().map(|column| column.share).sum();
        for column in &mut columns {
            column.width += (spare * column.share).checked_div(shares).unwrap_or(0);
        }
        Columns { columns, line }
    }

    /// Returns the line of titles.
    pub(crate) fn header(&self) -> String {
        self.row(self.columns.map(|column| column.title.to_string()))
    }

    /// Returns the line of a row.
    pub(crate) fn row(&self, cells: [String; COLUMNS]) -> String {
        let cells = self.columns.iter().zip(&cells).map(|(column, cell)| {
            let cell = if self.line.is_some() { truncate_str(cell, column.width, ELLIPSIS) } else { cell.into() };
            pad_str(&cell, column.width, column.alignment, None).into_owned()
        });
        let row = cells.collect::<Vec<_>>().join(SEPARATOR);
        let row = row.trim_end();
        self.line.map_or_else(|| row.to_string(), |line| truncate_str(row, line, ELLIPSIS).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Columns};
    use console::measure_text_width;

    const COLUMNS: [fn() -> Column; 3] =
        [|| Column::fixed("ID", 4), || Column::number("SIZE", 4), || Column::flexible("TO", 6, 1)];

    fn columns(line: Option<usize>) -> Columns<3> {
        Columns::with_line(COLUMNS.map(|column| column()), line)
    }

    fn row(columns: &Columns<3>, cells: [&str; 3]) -> String {
        columns.row(cells.map(str::to_string))
    }

    #[test]
    fn rows_of_a_terminal_fit_its_lines() {
        let long = "用户用户用户用户 e\u{301}e\u{301}e\u{301}".repeat(9);
        for line in 1..60 {
            let columns = columns(Some(line));
            for cells in [["a", "1", "b@example.com"], [&long, &long, &long], ["", "", ""]] {
                let row = row(&columns, cells);
                assert!(measure_text_width(&row) <= line, "{line}: {row}");
            }
        }
    }

    #[test]
    fn cells_are_cut_on_a_terminal_alone() {
        let cells = ["longer", "1", "b@example.com"];
        assert_eq!(row(&columns(Some(20)), cells), "lon…     1  b@examp…");
        assert_eq!(row(&columns(None), cells), "longer     1  b@example.com");
        assert_eq!(columns(None).header(), "ID    SIZE  TO");
    }

    #[test]
    fn fitting_columns_are_as_wide_as_their_cells() {
        let rows = [["a", "用户"], ["abc", ""]].map(|row| row.map(str::to_string));
        let columns = Columns::fitting(["X", "Y"], &rows);
        let [first, second] = rows.map(|row| columns.row(row));
        assert_eq!([columns.header(), first, second], ["X    Y", "a    用户", "abc"]);
    }

    #[test]
    fn wide_terminal_widens_flexible_columns() {
        assert_eq!(row(&columns(Some(80)), ["a", "1", "b@example.com"]), "a        1  b@example.com");
    }
}
