//! Runs the benchmarks: each compares the component with alternatives, in turns on one machine, and checks the bounds
//! that the project sets itself. Prints a table, writes JSON, draws plots and writes `docs/performance.md`.

#![deny(dead_code)]

mod benchmarks;
mod command;
mod mail;
mod measure;
mod native;
mod native_queue;
mod page;
mod peers;
mod plot;
mod report;
mod settings;
mod stores;
mod table;

use clap::{Parser, Subcommand};
use report::Report;
use settings::{Extent, Settings};
use std::path::PathBuf;
use std::time::Instant;
use std::{fs, io};

/// Runs the benchmarks.
///
/// Each measures its alternatives in turns, and prints medians and quartiles. Run it on an idle machine.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    child: Option<Child>,
    /// Run only the benchmarks whose names contain this.
    #[arg(long)]
    only: Option<String>,
    /// Create the queues below this directory, on the file system to measure.
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// A directory on a file system in memory, where fsync costs nothing.
    #[arg(long, default_value = "/dev/shm")]
    memory: PathBuf,
    /// The most rounds of each benchmark.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Measure a hundredth of everything, to check that it works. The figures mean little.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Measure 10,000 items of 1 MB instead of 1,000. They take 10 GB on the disk.
    #[arg(long)]
    full: bool,
    /// The command `queue-store` whose start is measured. Default: cargo builds it.
    #[arg(long)]
    command: Option<PathBuf>,
    /// Write the results to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the results to this page, and the plots to a directory beside the page, of the same name.
    #[arg(long)]
    page: Option<PathBuf>,
    /// Read the results from this JSON file instead of measuring.
    #[arg(long)]
    from: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Child {
    /// Runs the part of a benchmark that needs a process of its own.
    #[command(subcommand, hide = true)]
    Store(stores::child::Child),
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Child::Store(child)) = arguments.child {
        return child.run();
    }
    let report = match &arguments.from {
        Some(from) => serde_json::from_slice(&fs::read(from)?)?,
        None => run(&arguments)?,
    };
    print!("{}", table::text(&report));
    let (held, bounds) = report.bounds_held();
    println!("{held} of {bounds} bounds hold");
    if let Some(json) = arguments.json {
        fs::write(json, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    if let Some(page) = arguments.page {
        page::write(&report, &page)?;
    }
    Ok(())
}

fn run(arguments: &Arguments) -> io::Result<Report> {
    let extent = match (arguments.quick, arguments.full) {
        (true, _) => Extent::Quick,
        (_, true) => Extent::Full,
        _ => Extent::Usual,
    };
    let command = match &arguments.command {
        Some(command) => Some(command.clone()),
        None => command::build(),
    };
    let settings =
        Settings::new(arguments.directory.clone(), arguments.memory.clone(), arguments.rounds.max(1), extent, command);
    let mut report = Report::default();
    let begun = Instant::now();
    let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    for benchmark in benchmarks::all().filter(|benchmark| wanted(benchmark.name)) {
        eprintln!("{} (after {} s)", benchmark.name, begun.elapsed().as_secs());
        report.begin(benchmark.name);
        (benchmark.run)(&settings, &mut report);
        settings.sync_disk();
    }
    let system = rustix::system::uname();
    let processors = std::thread::available_parallelism()?;
    report.setting = vec![
        ("system".into(), format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy())),
        ("processors".into(), processors.to_string()),
        ("rounds".into(), format!("{} at most", settings.rounds)),
        ("extent".into(), format!("{extent:?}").to_lowercase()),
        ("minutes".into(), format!("{:.1}", begun.elapsed().as_secs_f64() / 60.0)),
    ];
    Ok(report)
}
