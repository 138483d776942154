//! `cat`: writes the body of an item to standard output.

use crate::failure::{Cause, Failure, note};
use crate::options::Item;
use crate::queue_directory;
use queue_store_host::Queue;
use std::io::{self, Write};
use std::path::Path;
use sysexits::ExitCode as Sysexit;

/// Writes the body of an item to standard output, byte for byte.
pub(crate) fn run(queue: &Path, arguments: &Item) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(queue)?;
    cat(&queue, &arguments.id).map_err(|failure| failure.at_item(&arguments.id))?;
    Ok(Sysexit::Ok)
}

fn cat(queue: &Queue, id: &str) -> Result<(), Failure> {
    let mut body = queue.read(id, 0)?;
    let mut output = io::stdout().lock();
    loop {
        match body.next_chunk() {
            Ok(Some(chunk)) => output.write_all(&chunk).map_err(Cause::Stdout)?,
            Ok(None) => break,
            Err(error) => return Err(Failure::from(error).with_note(note::UNVERIFIED_OUTPUT)),
        }
    }
    output.flush().map_err(Cause::Stdout)?;
    Ok(())
}
