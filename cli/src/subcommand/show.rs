//! `show`: shows an item without its body.

use crate::age;
use crate::display::{size, time};
use crate::escape::escape;
use crate::failure::{Failure, note};
use crate::headers;
use crate::item_file::{self, ItemFile};
use crate::item_table::given_up;
use crate::json;
use crate::location::Location;
use crate::names::OpenEnum;
use crate::open_queue;
use crate::output::{print, print_json};
use crate::salvage;
use clap::Args;
use queue_store_host::types::{ItemInfo, Recipient};
use queue_store_host::{Error, Queue};
use std::io::{self, Write};
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The id of the item; `--` goes before one that begins with `-`
    id: String,
    /// Show what can be read of a damaged item, without verifying it
    #[arg(long)]
    damaged: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "damaged")]
    json: bool,
}

/// Shows an item without its body.
pub(crate) fn run(location: &Location, Arguments { id, damaged, json }: &Arguments) -> Result<Sysexit, Failure> {
    let queue = open_queue::open(location)?;
    if *damaged {
        show_damaged(&queue, &item_file::find_one(location.require_directory()?, id)?, id)?;
        return Ok(Sysexit::Ok);
    }
    let info = info_with_size(&queue, id)
        .map_err(|error| Failure::from(error).with_note_on_damage(note::DAMAGED_IS_SHOWN).at_item(id))?;
    if *json {
        print_json(&json::Item::of_info(&info))?;
        return Ok(Sysexit::Ok);
    }
    // A damaged body does not keep the envelope from being shown.
    let headers = headers::read(&queue, id).unwrap_or_default();
    let files = location.directory().map_or(Ok(Vec::new()), |directory| item_file::find(directory, id))?;
    print(|output| {
        write_fields(&info, output)?;
        for file in files.iter().filter(|file| (file.state(), file.format()) == (info.state, info.format)) {
            write_field(output, "path:", &escape(&file.path.to_string_lossy()))?;
        }
        if let Some(subject) = headers::find(&headers, "subject") {
            write_field(output, "subject:", &escape(subject))?;
        }
        info.envelope.recipients.iter().try_for_each(|recipient| write_delivery(recipient, output))?;
        if age::is_given_up(&info, age::now()) {
            write_field(output, "warning:", &given_up("it"))?;
        }
        Ok(())
    })?;
    Ok(Sysexit::Ok)
}

/// Shows the damage of an item, and its envelope as far as it can be read.
fn show_damaged(queue: &Queue, file: &ItemFile, id: &str) -> Result<(), Failure> {
    let content = file.read()?;
    let outcomes = queue.verify(&[id])?;
    print(|output| {
        write_field(output, "id:", &escape(id))?;
        write_field(output, "state:", file.state().name())?;
        write_field(output, "path:", &escape(&file.path.to_string_lossy()))?;
        write_field(output, "size:", &format!("{} bytes in the file", content.len()))?;
        for problem in outcomes.into_iter().filter_map(|outcome| outcome.problem) {
            write_field(output, "damage:", &escape(&format!("{}: {}", problem.code.name(), Error::from(problem))))?;
        }
        let mut lines = salvage::envelope(&content, file.format()).into_iter();
        lines.try_for_each(|line| write_field(output, "read:", &escape(&line)))
    })?;
    Ok(())
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
    let age = age::of(info, age::now()).map(|age| format!(" ({} old)", age::text(age))).unwrap_or_default();
    write_field(output, "created:", &format!("{}{age}", envelope.created_at.map(time).unwrap_or_default()))?;
    write_field(output, "size:", &format!("{} bytes, {} in the file", size(info), info.file_size))?;
    let (format, integrity) = (info.format.name(), info.integrity.name());
    write_field(output, "format:", &format!("{format}, {integrity}"))
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
