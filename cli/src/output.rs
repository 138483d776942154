//! Standard output: text and JSON.

use crate::escape::escape_json;
use crate::failure::{Cause, Failure};
use serde::Serialize;
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

/// Prints lines.
pub(crate) fn print_lines(lines: impl Iterator<Item = Result<String, Failure>>) -> Result<(), Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    for line in lines {
        writeln!(output, "{}", line?).map_err(Cause::Stdout)?;
    }
    output.flush().map_err(Cause::Stdout)?;
    Ok(())
}

/// Prints JSON over several lines.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Cause> {
    print_line(&json_text(value))
}

/// Returns JSON over several lines.
pub(crate) fn json_text(value: &impl Serialize) -> String {
    escape_json(serde_json::to_string_pretty(value).expect("the values of items can be written"))
}

/// Returns JSON in one line.
pub(crate) fn json_line(value: &impl Serialize) -> String {
    escape_json(serde_json::to_string(value).expect("the values of items can be written"))
}

/// Prints a JSON array over several lines, of values that are JSON over several lines.
pub(crate) fn print_json_array(values: impl Iterator<Item = Result<String, Failure>>) -> Result<(), Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut write = |text: &str| output.write_all(text.as_bytes()).map_err(Cause::Stdout);
    let mut separator = "[\n";
    for value in values {
        let value = value?;
        write(separator)?;
        let mut indentation = "  ";
        for line in value.lines() {
            write(indentation)?;
            write(line)?;
            indentation = "\n  ";
        }
        separator = ",\n";
    }
    write(if separator == ",\n" { "\n]\n" } else { "[]\n" })?;
    output.flush().map_err(Cause::Stdout)?;
    Ok(())
}
