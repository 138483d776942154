//! `cat`: writes the body of an item to standard output.

use crate::escape::escape_lines;
use crate::failure::{Cause, Failure, note};
use crate::item_file;
use crate::location::Location;
use crate::open_queue;
use crate::salvage;
use clap::Args;
use queue_store_host::Queue;
use std::io::{self, IsTerminal, Write};
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The id of the item; `--` goes before one that begins with `-`
    id: String,
    /// Write what can be read of a damaged item, without verifying it
    #[arg(long)]
    damaged: bool,
    /// Write control characters to a terminal as they are, which may change its state
    #[arg(long)]
    raw: bool,
}

/// Writes the body of an item to standard output, byte for byte, except for characters that a terminal would obey.
pub(crate) fn run(location: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = open_queue::open(location)?;
    let mut output = Output { stdout: io::stdout().lock(), is_escaped: !arguments.raw && io::stdout().is_terminal() };
    if arguments.damaged {
        let file = item_file::find_one(location.require_directory()?, &arguments.id)?;
        let body = salvage::body(&file.read()?, file.format())
            .ok_or_else(|| Failure::from(Cause::NoBody).at(&arguments.id))?;
        output.write(&body)?;
    } else {
        cat(&queue, &arguments.id, &mut output).map_err(|failure| failure.at_item(&arguments.id))?;
    }
    output.stdout.flush().map_err(Cause::Stdout)?;
    Ok(Sysexit::Ok)
}

fn cat(queue: &Queue, id: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut body =
        queue.read(id, 0).map_err(|error| Failure::from(error).with_note_on_damage(note::DAMAGED_IS_SHOWN))?;
    loop {
        match body.next_chunk() {
            Ok(Some(chunk)) => output.write(&chunk)?,
            Ok(None) => return Ok(()),
            Err(error) => return Err(Failure::from(error).with_note(note::UNVERIFIED_OUTPUT)),
        }
    }
}

/// Standard output for a body.
struct Output<'a> {
    stdout: io::StdoutLock<'a>,
    is_escaped: bool,
}

impl Output<'_> {
    /// Writes a part of the body. On a terminal a character that is split between two parts is shown as U+FFFD.
    fn write(&mut self, part: &[u8]) -> Result<(), Cause> {
        let written = if self.is_escaped {
            self.stdout.write_all(escape_lines(&String::from_utf8_lossy(part)).as_bytes())
        } else {
            self.stdout.write_all(part)
        };
        written.map_err(Cause::Stdout)
    }
}
