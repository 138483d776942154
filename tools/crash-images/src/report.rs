//! The findings as a table, and as the page `docs/crash-images.md`.

use crate::check::Kind;
use crate::file_system::FileSystem;
use crate::job::{Outcome, REPLAY};
use comfy_table::{CellAlignment, Table, TableStyle, presets};
use std::collections::BTreeSet;

/// Kinds that have a column of their own; the others share one.
const COLUMNS: [(Kind, &str); 4] = [
    (Kind::LostPut, "puts lost"),
    (Kind::LostChange, "updates lost"),
    (Kind::Returned, "removed items back"),
    (Kind::Damaged, "damaged"),
];

/// Columns that are no numbers.
const NAMES: usize = 2;

/// What is known besides the outcomes.
pub struct Setting {
    /// What made the report, as it is typed.
    pub command: String,
    /// The version of the kernel.
    pub kernel: String,
    /// Why file systems were not tried.
    pub skipped: Vec<(FileSystem, String)>,
}

/// The outcomes as a table for a terminal.
pub fn table(outcomes: &[Outcome]) -> String {
    lines(outcomes, presets::NOTHING)
}

fn lines(outcomes: &[Outcome], style: TableStyle) -> String {
    let numbers = ["calls", "flushes", "images", "second cuts", "broken"];
    let header = ["file system", "durability"].into_iter().chain(numbers);
    let header: Vec<&str> = header.chain(COLUMNS.map(|(_, title)| title)).chain(["other"]).collect();
    let mut table = Table::new();
    table.load_style(style).set_header(header).add_rows(outcomes.iter().map(row));
    for column in table.column_iter_mut().skip(NAMES) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn row(outcome: &Outcome) -> Vec<String> {
    let count = |kind: Kind| outcome.by_kind.get(&kind).copied().unwrap_or(0);
    let mut row = vec![outcome.settings.file_system.title().to_string(), outcome.settings.durability.to_string()];
    let numbers = [outcome.acknowledged, outcome.flushes, outcome.images, outcome.second, outcome.violated];
    row.extend(numbers.into_iter().chain(COLUMNS.map(|(kind, _)| count(kind))).map(|number| number.to_string()));
    let is_other = |kind: &Kind| COLUMNS.iter().all(|(column, _)| column != kind) && count(*kind) > 0;
    let others = Kind::ALL.into_iter().filter(is_other).map(|kind| format!("{} {}", count(kind), kind.title()));
    let others: Vec<String> = others.collect();
    row.push(if others.is_empty() { "0".to_string() } else { others.join(", ") });
    row
}

/// The page.
pub fn page(outcomes: &[Outcome], setting: &Setting) -> String {
    let Setting { command, kernel, skipped } = setting;
    let versions: BTreeSet<String> = outcomes.iter().map(|outcome| outcome.settings.file_system.version()).collect();
    let versions: Vec<String> = versions.into_iter().collect();
    let skipped: String = skipped
        .iter()
        .map(|(skipped, missing)| format!("\n{} was not tried: there was no {missing}.\n", skipped.title()))
        .collect();
    let sum = |number: fn(&Outcome) -> usize, which: fn(&Outcome) -> bool| {
        outcomes.iter().filter(|outcome| which(outcome)).map(number).sum::<usize>()
    };
    let images = sum(|outcome| outcome.images, Outcome::must_hold);
    let second = sum(|outcome| outcome.second, Outcome::must_hold);
    let broken = sum(|outcome| outcome.violated, Outcome::must_hold);
    let repaired = sum(|outcome| outcome.repaired, |_| true);
    let controls = outcomes.iter().filter(|outcome| outcome.control.is_empty() && outcome.sees_loss).count();
    format!(
        "# Crash images

What real file systems make of a queue when the power fails. This page is written, as root, by

```sh
{command} --report docs/crash-images.md
```

on Linux {kernel} ({versions}).

With durability `full`, {broken} of {images} images of the file systems that keep what the queue assumes are broken.
The power of {second} of these images was cut a second time, while they were recovered or after that.

{table}{skipped}
`file` syncs the file and not the directory, as chasquid does since its commit 08273ea; `none` syncs nothing. They are shown
for comparison, and to show that this test can fail.

btrfs makes a removal that nobody synced durable with its next transaction, which is half a minute away; a sync of another
file does not. The others do with the next sync of anything.

ext4 without a journal keeps no promise, whoever makes it: a rename is not atomic, a directory can be torn, and what a sync
wrote can be undone by the repair of what it did not write. Do not keep a queue there.

## How it is made

The kernel's file system runs on a loop device over a FUSE file that logs each write and each flush. The command
`queue-store` puts, imports, updates, moves and removes items there; two callers are at work at once, beside a neighbour who
syncs a file of his own. A second FUSE file takes marks into the same log: each call before it is made, and each
acknowledgement as soon as it can be read.

Then the log is cut at every flush, from the last one before the workload to the unmount after it. The disk has everything
from before the flush, and of what was written after it: nothing; any beginning; any subset; any subset with torn writes.
Everything is what the next cut has with nothing; no image is counted twice. Each image is mounted, which replays the
journal, and recovered with `queue-store recover --grace 0`. Then all that it has is read with the host library, of which the
command is made. An image is **broken** if

- an item is gone whose put was acknowledged at any moment at which the crash can have happened (**puts lost**);
- an item is older than an acknowledged update, or not where an acknowledged hold, release, quarantine or restore took it
  (**updates lost**);
- an item is there whose removal was acknowledged (**removed items back**);
- an item is there and cannot be read, unless its last call asked for no sync and nothing was promised of it (**damaged**);
- or, in the last column, a valid item is not what was put, a file that is not the queue's was changed, a temporary file is
  left, or the file system does not mount.

**calls** counts acknowledgements, and **flushes** those of the disk. Images with a **second cut** are recovered twice, the
second time to no effect. Their second power cut is inside the first recovery, after which everything above must hold as
well, or after it had reported, and then every item that it found must still be there.

Some calls of the workloads of `full` promise less, with durability `file` or `none`, until `recover`, or an answer that the
item exists or is gone, makes up for it; from there on they count as promises. The workloads of `file` and `none` have no
such calls, and no moves: these always sync.

## Assumptions

1. A write that the disk received before a flush is safe once the flush is done. (A disk need only keep what it had
   completed before; the loop device passes one request at a time, so that the two cannot be told apart here.)
2. A disk tears ext4, and the log of XFS, between sectors of 512 bytes, and everything else between blocks of 4096. XFS
   does not mount when a block of a directory was torn between sectors, and btrfs when its superblock was.
3. Writes to one place reach the disk in their order.

## Controls

For each of the {jobs} recordings, the image with every write must have everything, and the image with no write of the
workload must be found to lack it; so it was for {controls}. {repaired} images of ext4 had a torn superblock, and were
mounted after `e2fsck` had repaired them, as an operator does when a machine does not start.

## Looking at an image again

Choices are drawn from the seed; what two callers do at once, and when the kernel writes, is not. With `--keep DIR` the logs
are kept, and this looks at one image of a log again, and with `--image FILE` writes it to a file:

```sh
{REPLAY} DIR/ext4-file.log --cut 12 --choice some-0
```

`cargo test --package queue-store-crash-images` is the short form.
",
        versions = versions.join(", "),
        table = lines(outcomes, presets::ASCII_MARKDOWN),
        jobs = outcomes.len(),
    )
}
