//! Writes the page of the results.

use crate::benchmarks;
use crate::report::Report;
use crate::{plot, table};
use std::path::Path;
use std::{fs, io};

const INTRODUCTION: &str = "# Performance

Most of the time of a durable put is the disk's. This page compares the component with its own source compiled natively,
with the crates that encode the same format, and with other stores for mail, and ranks the stores. It is written by

```sh
cargo run --release -p queue-store-bench -- --directory DIR-ON-THE-DISK --page docs/performance.md
```

which takes a quarter of an hour on an idle machine; `--json FILE` writes all figures as well.

The alternatives of a comparison run in turns. Each round begins with another one, and the first round is a warm-up
that is not counted. A figure is the median, with its quartiles in parentheses. A ratio is computed within each round,
so that a disturbance of the machine affects both of its sides. Queues are in new directories, no large set of files is
deleted during the run, and the disk is synced between benchmarks. \"Native\" is the source of the component, compiled
for this machine, with the same system calls.
";

const WHERE: &str = "
## Where the time goes

- *Puts.* A put makes 8 system calls where plain code makes 6: wasmtime stats each file that it opens, and the queue checks that
  the name is free.
- *Codec.* A call copies the body into the component and the result out of it, and hashes all of it. `prost` copies once and has
  no checksums, so that the comparison of binary items is one of `memcpy` with a hash. Of the decoding of a binary item of 2 KB,
  47 % of the time is in the component, 42 % in wasmtime's conversions, and 10 % in the allocator and copies of libc (`perf`).
- *Listing.* wasmtime makes 6 system calls for each item, 3 of them stats: of each entry that it reads and each file that it
  opens, and one for the size, which the queue asks for (`strace`).
";

const STORES: &str = "
## Which store wins where

Medians of this run; the methods are described with the figures below. Speed is not the only difference: in
queue-store, in a Maildir and among plain files an item is one file, which other programs can read, copy and remove; in
the databases all items share the database's own files.

";

/// Writes the page, and the plots to the directory beside it.
pub(crate) fn write(report: &Report, page: &Path) -> io::Result<()> {
    let directory = page.with_extension("");
    fs::create_dir_all(&directory)?;
    let drawn = plot::draw_all(report, &directory)?;
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut text = INTRODUCTION.to_string();
    text.push_str("\n## The run\n\n| | |\n|---|---|\n");
    for (what, value) in &report.setting {
        text.push_str(&format!("| {what} | {value} |\n"));
    }
    for note in &report.notes {
        text.push_str(&format!("\n{note}\n"));
    }
    text.push_str("\n## Plots\n\nBars are quartiles; all axes are logarithmic.\n");
    for drawing in drawn {
        text.push_str(&format!("\n![{}]({name}/{}.svg)\n", drawing.title, drawing.file));
    }
    text.push_str(WHERE);
    text.push_str(STORES);
    text.push_str(&table::standings(report));
    text.push_str("\n## The figures\n");
    for benchmark in benchmarks::all() {
        let mut rows = report.rows.iter().filter(|row| row.benchmark == benchmark.name).peekable();
        if rows.peek().is_some() {
            let mut title = benchmark.name.to_string();
            title[..1].make_ascii_uppercase();
            text.push_str(&format!("\n### {title}\n\n{}\n\n{}", benchmark.method, table::markdown(rows)));
        }
    }
    fs::write(page, text)
}
