//! `headers`: prints the headers of an item's message, decoded.

use crate::escape::escape;
use crate::failure::Failure;
use crate::headers;
use crate::location::Location;
use crate::open_queue;
use crate::output::print;
use clap::Args;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The id of the item; `--` goes before one that begins with `-`
    id: String,
}

/// Prints a line for each header field.
pub(crate) fn run(queue: &Location, Arguments { id }: &Arguments) -> Result<Sysexit, Failure> {
    let queue = open_queue::open(queue)?;
    let headers = headers::read(&queue, id).map_err(|error| Failure::from(error).at_item(id))?;
    print(|output| {
        let mut lines = headers.iter().map(|header| format!("{}: {}", escape(&header.name), escape(&header.value)));
        lines.try_for_each(|line| writeln!(output, "{line}"))
    })?;
    Ok(Sysexit::Ok)
}
