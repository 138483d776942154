//! The page of the figures.

use crate::benchmarks;
use crate::report::Report;
use crate::{plot, table};
use std::path::Path;
use std::{fs, io};

const INTRODUCTION: &str = "# Performance

A durable put waits for the disk; the rest should not be seen beside that. This page is written by

```sh
cargo run --release -p queue-store-bench -- --directory DIR-ON-THE-DISK --page docs/performance.md
```

which takes a quarter of an hour on a quiet machine, and `--json FILE` besides writes all figures. Sides take turns in one run,
each round begins with another one, and the first round is not counted. A figure is the median, with its quartiles; a ratio is
that of the round, so that what slows the machine down slows both of its sides. Queues are in new directories, nothing is
deleted while something is measured, and the disk gets time between benchmarks. \"Native\" is the source of the component,
compiled for this machine, with the same system calls. A bound is what this project promises itself.
";

const STORES: &str = "
## Which store wins where

Medians of this run; how each was measured is said below. What figures do not show: here, in a Maildir and among the plain files an
item is one file, which other programs can read, copy and remove; in the databases all items share files of the database's own.

";

/// Writes the page, and the plots beside it.
pub(crate) fn write(report: &Report, page: &Path) -> io::Result<()> {
    let directory = page.with_extension("");
    fs::create_dir_all(&directory)?;
    let drawn = plot::draw_all(report, &directory)?;
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (bounds, missed) = report.verdict();
    let mut text = INTRODUCTION.to_string();
    text.push_str("\n## The run\n\n| | |\n|---|---|\n");
    for (what, value) in &report.setting {
        text.push_str(&format!("| {what} | {value} |\n"));
    }
    text.push_str(&format!("\n{} of {bounds} bounds hold.\n", bounds - missed.len()));
    if !missed.is_empty() {
        text.push_str("These do not:\n\n");
        text.push_str(&table::markdown(missed));
    }
    for note in &report.notes {
        text.push_str(&format!("\n{note}\n"));
    }
    text.push_str("\n## Plots\n\nBars are quartiles; all axes are logarithmic.\n");
    for drawing in drawn {
        text.push_str(&format!("\n![{}]({name}/{}.svg)\n", drawing.title, drawing.file));
    }
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
