//! Formats the outcomes as a table, and as the page `docs/crash-images.md`.

use crate::check::Kind;
use crate::failed_write;
use crate::file_system::FileSystem;
use crate::job::{Outcome, REPLAY};
use comfy_table::{CellAlignment, Table, TableStyle, presets};
use std::collections::BTreeSet;

/// Kinds with a column of their own; the others share one.
const COLUMNS: [(Kind, &str); 4] = [
    (Kind::LostPut, "puts lost"),
    (Kind::LostChange, "updates lost"),
    (Kind::Resurrected, "removed items back"),
    (Kind::Damaged, "damaged"),
];

/// Number of columns with text, which come before those with numbers.
const TEXT_COLUMNS: usize = 2;

/// The command line and the machine of a run.
pub struct Environment {
    /// The command line that made the report.
    pub command: String,
    /// The version of the kernel.
    pub kernel: String,
    /// The file systems that were skipped, each with the missing requirements.
    pub skipped: Vec<(FileSystem, String)>,
}

/// Formats the outcomes as a table for a terminal.
pub fn table(outcomes: &[Outcome]) -> String {
    lines(outcomes, presets::NOTHING)
}

fn lines(outcomes: &[Outcome], style: TableStyle) -> String {
    let numbers = ["calls", "flushes", "images", "second cuts", "broken"];
    let header = ["file system", "durability"].into_iter().chain(numbers);
    let header: Vec<&str> = header.chain(COLUMNS.map(|(_, title)| title)).chain(["other"]).collect();
    let mut table = Table::new();
    table.load_style(style).set_header(header).add_rows(outcomes.iter().map(row));
    for column in table.column_iter_mut().skip(TEXT_COLUMNS) {
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

/// Formats the outcomes of the scenarios of a failed write as a table.
pub fn failed_writes(outcomes: &[failed_write::Outcome]) -> String {
    let row = |outcome: &failed_write::Outcome| {
        let numbers = [outcome.images, outcome.broken.len()].map(|number| number.to_string());
        [[outcome.file_system.title().to_string(), outcome.calls()], numbers].concat()
    };
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["file system", "calls", "images", "broken"]);
    table.add_rows(outcomes.iter().map(row));
    for column in table.column_iter_mut().skip(TEXT_COLUMNS) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Formats the page.
pub fn page(outcomes: &[Outcome], failed_writes: &[failed_write::Outcome], environment: &Environment) -> String {
    let Environment { command, kernel, skipped } = environment;
    let versions: BTreeSet<String> = outcomes.iter().map(|outcome| outcome.settings.file_system.version()).collect();
    let versions: Vec<String> = versions.into_iter().collect();
    let skipped: String = skipped
        .iter()
        .map(|(skipped, missing)| format!("\n{} was not tested: missing {missing}.\n", skipped.title()))
        .collect();
    let sum = |number: fn(&Outcome) -> usize, which: fn(&Outcome) -> bool| {
        outcomes.iter().filter(|outcome| which(outcome)).map(number).sum::<usize>()
    };
    let images = sum(|outcome| outcome.images, Outcome::must_hold);
    let second = sum(|outcome| outcome.second, Outcome::must_hold);
    let broken = sum(|outcome| outcome.violated, Outcome::must_hold);
    let repaired = sum(|outcome| outcome.repaired, |_| true);
    let controls = outcomes.iter().filter(|outcome| outcome.control.is_empty() && outcome.detects_loss).count();
    let reported = || failed_writes.iter().filter(|outcome| outcome.scenario.is_reported);
    let reported_images: usize = reported().map(|outcome| outcome.images).sum();
    let reported_broken: usize = reported().map(|outcome| outcome.broken.len()).sum();
    format!(
        "# Crash images

Results of tests of a queue on real file systems against power cuts. This page is generated, as root, by

```sh
{command} --report docs/crash-images.md
```

on Linux {kernel} ({versions}).

With durability `full`, {broken} of {images} images of the file systems that keep the queue's assumptions are broken.
{second} of these images had a second power cut, during their recovery or after it.

{table}{skipped}
`content-only` fsyncs the file and not the directory, as chasquid does since its commit 08273ea; `none` fsyncs nothing of an item.
Both are shown for comparison, and to show that this test detects losses.

btrfs makes a removal without fsync durable with its next transaction commit, which is half a minute away; an fsync of
another file does not commit it. On the other file systems the next fsync of any file does.

ext4 without a journal keeps no guarantee: a rename is not atomic, a directory can be torn, and when `e2fsck` repairs
unsynced metadata, it can undo writes that an fsync made durable. Do not keep a queue there.

## Method

The kernel's file system runs on a loop device over a FUSE file that logs each write and each flush. The command
`queue-store` puts, imports, updates, moves and removes items there. Two clients work concurrently, and also fsync a
file outside the queue, as another process would. A second FUSE file adds marks to the same log: each call before it is
made, and each acknowledgement as soon as the client reads it.

Then the log is cut at every flush, from the last one before the workload to the unmount after it. The disk has all
writes before the flush, and of the writes after it: none; any prefix; any subset; any subset with torn writes. The
image with all of them is the next cut's image with none, and no image is counted twice. Each image is mounted, which
replays the journal, and recovered with `queue-store recover --grace 0`. Then every item is read with the host library,
on which the command is built. An image is **broken** if

- an item is missing whose put was acknowledged at any moment at which the crash can have happened (**puts lost**);
- an item lacks an acknowledged update, or is not in the state of an acknowledged hold, release, quarantine or restore
  (**updates lost**);
- an item exists whose removal was acknowledged (**removed items back**);
- an item exists and cannot be read, unless its last call fsynced nothing and nothing was promised of it (**damaged**);
- or, in the last column, a valid item differs from its put, a file that is not the queue's was changed, a temporary
  file is left, or the file system does not mount.

**calls** counts acknowledgements, and **flushes** counts the flushes of the disk. Images with a **second cut** are
recovered twice, and the second recovery must change nothing. The second power cut is inside the first recovery, and
then all of the above must hold again, or after its end, and then every item that it found must also still exist.

Some calls of the `full` workloads have the durability `content-only` or `none`. Their changes count as promised once a
later `recover` succeeds, or a later call answers that the item exists or is gone. The workloads of `content-only` and
`none` have no such calls, and no moves, since these always fsync.

## Failed writes

One write fails with `EIO` at the block device, once: the first one of a block with the content of a marked item. Linux
reports that to the next fsync of the item. Later ones have nothing left to write and succeed, though the disk lacks the
data. The file systems are mounted with their default options, and each call is a process of its own:

- `write X` is another program that writes two items without an fsync, and X is the marked one. `syncfs` and `fsync X`
  are also calls of other programs, with their results;
- `put`, `put --id X` and `recover` are calls of `queue-store`, with their exit codes: 0 done; 73 X exists and is
  durable; 74 the put failed; 75 nothing is changed before a `recover`. Every put has the mark too, so that where there
  is no `write X`, the write of the first put fails.

Then the log is cut, and each image is mounted and recovered, as above. An image is broken if `recover` or `verify`
fails, or if an item is not read with its exact body that a put had acknowledged, that exit code 73 had named, or that a
recovery had counted as durable.

{failed}
Where the queue can know of the failure, {reported_broken} of {reported_images} images are broken.

In the last scenario, another program gets the only report and leaves the item in the queue. No later fsync can know of
it, so the queue calls the item durable, and it is lost. That shows that this test detects losses, and it is a limit of
the queue: **a program that adds an item must remove it if its own fsync fails.** Linux also forgets the report if it
drops the file from its cache between the failed write-back and the next fsync, as it can when memory is short; this is
not tested.

`crash-images failed-writes` runs these scenarios alone.

## Assumptions

1. A write that the disk received before a flush is durable once the flush is done. (A disk need only keep the writes
   that it had completed before the flush; the loop device passes one request at a time, so the two sets are equal
   here.)
2. A disk tears ext4, and the log of XFS, between sectors of 512 bytes, and everything else between blocks of 4096. XFS
   does not mount if a block of a directory was torn between sectors, and btrfs does not if its superblock was.
3. Overlapping writes reach the disk in order.

## Controls

For each of the {jobs} recordings, the image with every write must keep every guarantee, and lost puts must be reported
for the image with no write of the workload; so it was for {controls} of them. Of the images of ext4, {repaired} had a
torn superblock, and were mounted after `e2fsck` had repaired them, as by an operator when a machine does not start.

## Replaying an image

The choices are generated from the seed; the interleaving of the two clients and the times of the kernel's writes are
not. With `--keep DIR` the logs are kept. This command checks one image of a log again, and writes it to a file with
`--image FILE`:

```sh
{REPLAY} DIR/ext4-content-only.log --cut 12 --choice some-0
```

`cargo test --package queue-store-crash-images` runs a short version of this test.
",
        versions = versions.join(", "),
        table = lines(outcomes, presets::ASCII_MARKDOWN),
        jobs = outcomes.len(),
        failed = self::failed_writes(failed_writes),
    )
}
