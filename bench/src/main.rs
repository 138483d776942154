//! Runs the benchmarks: each one compares the component with something else, in turns on one machine, and prints the ratio.

mod codec;
mod measure;
mod native;
mod put;
mod read;

use clap::Parser;
use comfy_table::{Table, presets};
use measure::Comparison;
use serde::Serialize;
use std::path::PathBuf;
use std::{fs, io};

/// Runs the benchmarks.
///
/// Each compares two sides, in turns, and prints the median of the ratio and its quartiles. Run it on a quiet machine.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Run only the benchmarks whose names contain this.
    filter: Option<String>,
    /// Where to make queues: on the file system that is to be measured.
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// A file system in memory, where syncs cost nothing.
    #[arg(long, default_value = "/dev/shm")]
    memory: PathBuf,
    /// Rounds of each benchmark.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Write the results to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What every benchmark is told.
pub(crate) struct Settings {
    directory: PathBuf,
    memory: PathBuf,
    rounds: usize,
}

/// A benchmark.
pub(crate) struct Benchmark {
    /// What is measured.
    name: &'static str,
    /// Against what.
    against: &'static str,
    /// What the ratio is at most (or, where more is better, at least), if that is promised.
    bound: Option<Bound>,
    run: fn(&Settings) -> Comparison,
}

#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// Left takes at most this many times what right takes.
    Most(f64),
    /// Left is at least this many times as fast as right.
    Speed(f64),
}

/// What came of a benchmark.
#[derive(Serialize)]
struct Outcome {
    name: &'static str,
    against: &'static str,
    bound: Option<String>,
    holds: Option<bool>,
    #[serde(flatten)]
    comparison: Comparison,
}

fn main() -> io::Result<()> {
    let Arguments { filter, directory, memory, rounds, json } = Arguments::parse();
    let settings = Settings { directory, memory, rounds };
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["what", "against", "µs", "µs there", "ratio", "quartiles", "bound"]);
    let mut outcomes = Vec::new();
    let all = [put::BENCHMARKS, codec::BENCHMARKS, read::BENCHMARKS].concat();
    let wanted = |benchmark: &&Benchmark| filter.as_ref().is_none_or(|filter| benchmark.name.contains(filter.as_str()));
    for Benchmark { name, against, bound, run } in all.into_iter().filter(wanted) {
        eprintln!("{name} ...");
        let comparison = run(&settings);
        let (words, holds) = match *bound {
            None => (None, None),
            Some(Bound::Most(most)) => (Some(format!("at most {most}")), Some(comparison.ratio <= most)),
            Some(Bound::Speed(least)) => {
                (Some(format!("{least} times the speed")), Some(1.0 / comparison.ratio >= least))
            }
        };
        table.add_row([
            name.to_string(),
            (*against).to_string(),
            format!("{:.1}", comparison.left_microseconds),
            format!("{:.1}", comparison.right_microseconds),
            format!("{:.2}", comparison.ratio),
            format!("{:.2} to {:.2}", comparison.spread[0], comparison.spread[1]),
            match (&words, holds) {
                (Some(words), Some(true)) => words.clone(),
                (Some(words), _) => format!("**missed**: {words}"),
                (None, _) => String::new(),
            },
        ]);
        outcomes.push(Outcome { name, against, bound: words, holds, comparison });
    }
    println!("{table}");
    if let Some(json) = json {
        fs::write(json, serde_json::to_string_pretty(&outcomes)?)?;
    }
    Ok(())
}
