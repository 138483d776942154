//! Defines and runs the subcommands.

use clap::{Args, Parser, Subcommand};
use queue_store_cluster_faults::Error;
use queue_store_cluster_faults::disk;
use queue_store_cluster_faults::fault::Fault;
use queue_store_cluster_faults::nodes::Nodes;
use queue_store_cluster_faults::report::Report;
use queue_store_cluster_faults::round::{Outcome, Search, Settings};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The exit code for a broken guarantee.
const BROKEN: u8 = 1;

/// The exit code for a failure of the rig.
const FAILED: u8 = 70;

/// Broken guarantees of a round that are described.
const DESCRIBED: usize = 20;

/// Breaks a PostgreSQL cluster of three nodes under writers, and searches for lost mail.
#[derive(Parser)]
#[command(name = "cluster-faults", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Run rounds, each with a fault, and print the results
    Run(Run),
    /// Print the faults
    List,
}

#[derive(Args)]
struct Run {
    /// The number of rounds
    #[arg(long, value_name = "N", default_value_t = 100)]
    rounds: u64,
    /// The number of threads that write, of which every fourth has a handle of its own
    #[arg(long, value_name = "N", default_value_t = 16)]
    writers: usize,
    /// The seed of the faults and of the calls; the interleaving depends on the machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The longest time of a fault, in seconds
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    seconds_per_round: f64,
    /// The timeout of a call, in seconds
    #[arg(long, value_name = "S", default_value_t = 10)]
    timeout: u64,
    /// Only faults whose name contains this text; by default, all
    #[arg(long, value_name = "TEXT")]
    fault: Vec<String>,
}

/// Runs the command with the arguments of the process.
pub(crate) fn run() -> ExitCode {
    match Arguments::parse().action {
        Action::Run(run) => run_rounds(&run).unwrap_or_else(|error| {
            eprintln!("cluster-faults: {error}");
            ExitCode::from(FAILED)
        }),
        Action::List => {
            Fault::ALL.iter().for_each(|fault| print(&format!("{fault}\n")));
            ExitCode::SUCCESS
        }
    }
}

/// Prints a text, and ignores errors such as a closed pipe.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
}

fn run_rounds(run: &Run) -> Result<ExitCode, Error> {
    let is_chosen =
        |fault: &Fault| run.fault.is_empty() || run.fault.iter().any(|text| fault.title().contains(text.as_str()));
    let faults: Vec<Fault> = Fault::ALL.into_iter().filter(is_chosen).collect();
    // A failure is reported where a disk is mounted.
    let _ = disk::enter_namespace();
    let interrupted = catch_signals()?;
    let settings = Settings {
        writers: run.writers,
        seed: run.seed,
        hold: Duration::from_secs_f64(run.seconds_per_round),
        timeout: Duration::from_secs(run.timeout),
        durability: "replicated",
    };
    let began = Instant::now();
    let nodes = Arc::new(Nodes::start()?);
    let search = Search::new(nodes.clone(), settings, &faults)?;
    if let Some(reason) = nodes.missing_disks() {
        print(&format!("full disks are left out: {reason}\n"));
    }
    let mut report = Report::default();
    let mut result = Ok(());
    for number in 1..=run.rounds {
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        match search.round(number) {
            Ok(outcome) => {
                print_round(&outcome, began);
                report.add(&outcome);
            }
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    print(&format!("\n{}", report.table()));
    result?;
    Ok(if report.violations() == 0 { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

/// Records SIGHUP, SIGINT and SIGTERM, so that the round is finished and the nodes are ended.
fn catch_signals() -> Result<Arc<AtomicBool>, Error> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let registered = signal_hook::flag::register(signal, interrupted.clone());
        registered.map_err(|source| Error::System { operation: "catching signals".to_string(), source })?;
    }
    Ok(interrupted)
}

fn print_round(outcome: &Outcome, began: Instant) {
    let Outcome { number, fault, tally, violations } = outcome;
    let refused: u64 = tally.refused.values().sum();
    print(&format!(
        "{number} after {} s: {fault}: {} puts, {} removals, {} changes, {} indeterminate, {refused} refused, longest \
         call {:.1} s\n",
        began.elapsed().as_secs(),
        tally.puts,
        tally.removals,
        tally.changes,
        tally.indeterminate,
        tally.longest.as_secs_f64()
    ));
    violations.iter().take(DESCRIBED).for_each(|violation| print(&format!("    {violation}\n")));
    if violations.len() > DESCRIBED {
        print(&format!("    and {} more\n", violations.len() - DESCRIBED));
    }
}
