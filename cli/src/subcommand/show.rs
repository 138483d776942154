//! `show`: shows an item without its body.

use crate::display::{size, time};
use crate::escape::escape;
use crate::failure::Failure;
use crate::json;
use crate::names::OpenEnum;
use crate::output::{print, print_json};
use crate::queue_directory;
use clap::Args;
use queue_store_host::types::{ItemInfo, Recipient};
use queue_store_host::{Error, Queue};
use std::io::{self, Write};
use std::path::Path;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The id of the item; `--` goes before one that begins with `-`
    pub(crate) id: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows an item without its body.
pub(crate) fn run(queue: &Path, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(queue)?;
    let info = info_with_size(&queue, &arguments.id).map_err(|error| Failure::from(error).at_item(&arguments.id))?;
    if arguments.json {
        print_json(&json::Item::of_info(&info))?;
    } else {
        print(|output| write_fields(&info, output))?;
    }
    Ok(Sysexit::Ok)
}

/// Returns the facts about an item, and reads the body where only that tells its size.
fn info_with_size(queue: &Queue, id: &str) -> Result<ItemInfo, Error> {
    let mut info = queue.info(id)?;
    if info.body_size.is_none() {
        let mut body = queue.read(id, 0)?;
        let mut size = 0;
        while let Some(chunk) = body.next_chunk()? {
            size += chunk.len() as u64;
        }
        info.body_size = Some(size);
    }
    Ok(info)
}

fn write_fields(info: &ItemInfo, output: &mut dyn Write) -> io::Result<()> {
    let envelope = &info.envelope;
    write_field(output, "id:", &escape(&info.id))?;
    if let Some(recorded_id) = &info.recorded_id {
        write_field(output, "field ID:", &escape(recorded_id))?;
    }
    write_field(output, "state:", info.state.name())?;
    write_field(output, "from:", &escape(&envelope.reverse_path))?;
    for to in &envelope.to {
        write_field(output, "to:", &escape(to))?;
    }
    write_field(output, "created:", &envelope.created_at.map(time).unwrap_or_default())?;
    write_field(output, "size:", &format!("{} bytes, {} in the file", size(info), info.file_size))?;
    let (format, integrity) = (info.format.name(), info.integrity.name());
    write_field(output, "format:", &format!("{format}, {integrity}"))?;
    envelope.recipients.iter().try_for_each(|recipient| write_delivery(recipient, output))
}

fn write_delivery(recipient: &Recipient, output: &mut dyn Write) -> io::Result<()> {
    let (status, kind) = (OpenEnum::Status.text(recipient.status), OpenEnum::Kind.text(recipient.kind));
    write_field(output, "delivery:", &format!("{status} {kind} {}", escape(&recipient.address)))?;
    if recipient.original_address != recipient.address {
        write_field(output, "", &format!("for {}", escape(&recipient.original_address)))?;
    }
    for via in &recipient.via {
        write_field(output, "", &format!("via {}", escape(via)))?;
    }
    if !recipient.last_failure_message.is_empty() {
        write_field(output, "", &format!("said {}", escape(&recipient.last_failure_message)))?;
    }
    Ok(())
}

fn write_field(output: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(output, "{name:10} {value}")
}
