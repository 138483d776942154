//! What shows items, and what checks them.

use super::failure::Failure;
use super::json;
use super::text::{quoted, quoted_json};
use comfy_table::{CellAlignment, Table, presets};
use queue_store_host::types::{Detail, Entry, Integrity, ItemInfo, Timestamp};
use queue_store_host::{Error, Queue};
use serde_json::Value;
use std::io::{self, BufWriter, Write};
use sysexits::ExitCode as Sysexit;

/// Prints to standard output.
fn print(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    print(&mut output).and_then(|()| output.flush()).map_err(|error| Failure::stdout(&error))
}

fn print_json(value: &Value) -> Result<(), Failure> {
    print(|output| writeln!(output, "{}", quoted_json(&format!("{value:#}"))))
}

/// The items of a queue, the oldest first.
fn entries(queue: &Queue, detail: Detail) -> Result<Vec<Entry>, Failure> {
    let mut entries = queue.listing(&[], detail)?.collect::<Result<Vec<_>, Error>>()?;
    let age = |entry: &Entry| {
        let created_at = entry.info.as_ref().and_then(|info| info.envelope.created_at);
        created_at.map_or((i64::MAX, i32::MAX), |at| (at.seconds, at.nanos))
    };
    entries.sort_by(|one, other| age(one).cmp(&age(other)).then_with(|| one.id.cmp(&other.id)));
    Ok(entries)
}

/// Prints a table with columns that are aligned and not framed.
fn print_table(header: &[&str], rows: Vec<Vec<String>>, right: Option<usize>) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec()).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if let Some(column) = right.and_then(|right| table.column_mut(right)) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    print(|output| table.lines().try_for_each(|line| writeln!(output, "{}", line.trim_end())))
}

/// Lists the items.
pub(crate) fn list(queue: &Queue, as_json: bool) -> Result<Sysexit, Failure> {
    let entries = entries(queue, Detail::Envelope)?;
    if as_json {
        print_json(&Value::Array(entries.iter().map(json::entry).collect()))?;
    } else if !entries.is_empty() {
        let rows = entries.iter().map(row).collect();
        print_table(&["ID", "STATE", "SIZE", "CREATED", "FROM", "TO"], rows, Some(2))?;
    }
    Ok(Sysexit::Ok)
}

fn row(entry: &Entry) -> Vec<String> {
    let (id, state) = (quoted(&entry.id), json::state(entry.state).to_string());
    match (&entry.info, &entry.problem) {
        (Some(info), _) => {
            let envelope = &info.envelope;
            let pending = envelope.recipients.iter().filter(|recipient| recipient.status == 0).count();
            let first = envelope.recipients.first().map(|recipient| quoted(&recipient.address)).unwrap_or_default();
            let more = match envelope.recipients.len() {
                0 | 1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            let done =
                if pending == envelope.recipients.len() { String::new() } else { format!(" ({pending} pending)") };
            let created = envelope.created_at.map(time).unwrap_or_default();
            vec![id, state, size(info), created, quoted(&envelope.reverse_path), format!("{first}{more}{done}")]
        }
        (None, problem) => {
            let detail = problem.as_ref().map(|problem| quoted(&problem.detail)).unwrap_or_default();
            vec![id, state, String::new(), String::new(), "damaged:".to_string(), detail]
        }
    }
}

/// Bytes of the body, or of the file where those are not known without reading it all.
fn size(info: &ItemInfo) -> String {
    info.body_size.map_or_else(|| format!("~{}", info.file_size), |size| size.to_string())
}

/// A point in time, in UTC (RFC 3339) if it is one that has such a form.
fn time(timestamp: Timestamp) -> String {
    match jiff::Timestamp::from_second(timestamp.seconds) {
        Ok(time) => time.to_string(),
        Err(_) => format!("{}s", timestamp.seconds),
    }
}

/// Shows an item but for its body.
pub(crate) fn show(queue: &Queue, id: &str, as_json: bool) -> Result<Sysexit, Failure> {
    let mut info = queue.info(id)?;
    if info.body_size.is_none() {
        // Only reading it all tells how long it is.
        let mut body = queue.body(id, 0)?;
        let mut size = 0;
        while let Some(chunk) = body.next_chunk()? {
            size += chunk.len() as u64;
        }
        info.body_size = Some(size);
    }
    if as_json {
        print_json(&json::item(&info))?;
    } else {
        print(|output| show_text(&info, output))?;
    }
    Ok(Sysexit::Ok)
}

fn show_text(info: &ItemInfo, output: &mut dyn Write) -> io::Result<()> {
    let envelope = &info.envelope;
    let mut line = |name: &str, value: &str| {
        let name = if name.is_empty() { String::new() } else { format!("{name}:") };
        writeln!(output, "{name:10} {value}")
    };
    line("id", &quoted(&info.id))?;
    line("state", json::state(info.state))?;
    line("from", &quoted(&envelope.reverse_path))?;
    for to in &envelope.to {
        line("to", &quoted(to))?;
    }
    line("created", &envelope.created_at.map(time).unwrap_or_default())?;
    line("size", &format!("{} bytes, {} in the file", size(info), info.file_size))?;
    line("format", &format!("{}, {}", json::format(info.format), json::integrity(info.integrity)))?;
    for recipient in &envelope.recipients {
        let kind = json::kind(recipient.kind);
        line("delivery", &format!("{} {} {}", json::status(recipient.status), kind, quoted(&recipient.address)))?;
        if recipient.original_address != recipient.address {
            line("", &format!("for {}", quoted(&recipient.original_address)))?;
        }
        for via in &recipient.via {
            line("", &format!("via {}", quoted(via)))?;
        }
        if !recipient.last_failure_message.is_empty() {
            line("", &format!("said {}", quoted(&recipient.last_failure_message)))?;
        }
    }
    for (name, value) in &info.attributes {
        line(name, &quoted(value))?;
    }
    Ok(())
}

/// Writes the body of an item to standard output.
pub(crate) fn cat(queue: &Queue, id: &str) -> Result<Sysexit, Failure> {
    let mut body = queue.body(id, 0)?;
    let mut output = io::stdout().lock();
    let failed = |error: io::Error| Failure::stdout(&error);
    loop {
        match body.next_chunk() {
            Ok(Some(chunk)) => output.write_all(&chunk).map_err(failed)?,
            Ok(None) => break,
            Err(error) => return Err(Failure::from(error).and("what was written of it is not to be trusted")),
        }
    }
    output.flush().map_err(failed)?;
    Ok(Sysexit::Ok)
}

/// Checks every item whole, and prints those that are damaged.
pub(crate) fn verify(queue: &Queue, as_json: bool) -> Result<Sysexit, Failure> {
    let entries = entries(queue, Detail::Whole)?;
    let damaged: Vec<&Entry> = entries.iter().filter(|entry| entry.problem.is_some()).collect();
    if as_json {
        print_json(&Value::Array(entries.iter().map(json::checked).collect()))?;
    } else {
        let unchecked = |entry: &&Entry| entry.info.as_ref().is_some_and(|info| info.integrity == Integrity::Unchecked);
        print(|output| {
            for entry in &damaged {
                let problem = entry.problem.as_ref();
                let code = problem.map(|problem| json::name(&problem.code)).unwrap_or_default();
                let detail = problem.map(|problem| quoted(&problem.detail)).unwrap_or_default();
                writeln!(output, "{}  {}  {code}: {detail}", quoted(&entry.id), json::state(entry.state))?;
            }
            let unchecked = entries.iter().filter(unchecked).count();
            writeln!(output, "{} items, {} damaged, {unchecked} without checksums", entries.len(), damaged.len())
        })?;
    }
    if damaged.is_empty() {
        return Ok(Sysexit::Ok);
    }
    let line =
        format!("{} of {} items are damaged: look at them, then seal or quarantine them", damaged.len(), entries.len());
    Err(Failure::new(Sysexit::DataErr, line))
}

/// Makes the state of the queue definite, and prints what was found and done.
pub(crate) fn recover(queue: &Queue, grace: u64, as_json: bool) -> Result<Sysexit, Failure> {
    let recovery = queue.recover(grace)?;
    if as_json {
        let problems: Vec<Value> = recovery.problems.iter().map(json::problem).collect();
        print_json(&serde_json::json!({
            "items": recovery.items,
            "swept": recovery.swept,
            "kept": recovery.kept,
            "settled": recovery.settled,
            "problems": problems,
            "truncated": recovery.truncated,
        }))?;
    } else {
        print(|output| {
            writeln!(
                output,
                "{} items are safe, {} of them settled; {} temporary files swept, {} kept",
                recovery.items, recovery.settled, recovery.swept, recovery.kept
            )
        })?;
    }
    let mut code = Sysexit::Ok;
    for problem in recovery.problems {
        let failure = Failure::from(Error::from(problem));
        failure.print();
        if code == Sysexit::Ok {
            code = failure.code();
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_reference_items() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_760_785_824, "2025-10-18T11:10:24Z"),
            (2_147_483_648, "2038-01-19T03:14:08Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
            (i64::MAX, "9223372036854775807s"),
            (i64::MIN, "-9223372036854775808s"),
        ] {
            assert_eq!(time(Timestamp { seconds, nanos: 0 }), expected);
        }
    }
}
