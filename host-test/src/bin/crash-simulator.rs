//! Searches for a crash that breaks a promise of the queue, by simulation: scenarios of calls and faults, a power cut at
//! every operation of the system, and a recovery from every state that may be left.

use clap::{Args, Parser, ValueEnum};
use comfy_table::Table;
use indicatif::{ProgressBar, ProgressStyle};
use queue_store_host_test::bindings::Durability;
use queue_store_host_test::crash::action::{Slot, alphabet};
use queue_store_host_test::crash::mutants::{Copy, patched_safeguards};
use queue_store_host_test::crash::safeguards::{Removal, SAFEGUARDS, Safeguard, Verdict};
use queue_store_host_test::crash::scenario::Scenario;
use queue_store_host_test::crash::search::{Faults, Search, Tally};
use queue_store_host_test::crash::settings::Settings;
use queue_store_host_test::crash::state_table;
use queue_store_host_test::simulator::host::SHIPPED;
use queue_store_host_test::simulator::power::Profile;
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Searches for a crash that breaks a promise of the queue, by simulation.
///
/// Prints the size of each search and its violations; each violation with the calls, the crash in words, and the command that
/// replays it. The exit code is 1 if a promise is broken that must hold.
#[derive(Parser)]
#[command(name = "crash-simulator")]
struct Arguments {
    /// Search for hours instead of minutes: every scenario of three calls with one fault, and more random ones.
    #[arg(long)]
    long: bool,
    /// The seed of the random scenarios.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only print the table of states of an item, which is in docs/durability.md.
    #[arg(long, conflicts_with_all = ["long", "mutants", "replay"])]
    states: bool,
    /// Only remove one safeguard of the component after the other, by lies of the system and by patches, and check that each
    /// absence breaks a promise.
    #[arg(long, conflicts_with_all = ["long", "replay"])]
    mutants: bool,
    #[command(flatten)]
    replay: Replay,
}

#[derive(Args)]
struct Replay {
    /// Run this scenario instead, such as "put 1; hold 1 !8 fails io; recover".
    #[arg(long, value_name = "SCENARIO")]
    replay: Option<Scenario>,
    /// The guarantees of the disk, with --replay.
    #[arg(long, value_enum, default_value_t = Disk::Posix, requires = "replay")]
    profile: Disk,
    /// The durability with which the calls write, with --replay.
    #[arg(long, value_enum, default_value_t = Durable::Full, requires = "replay")]
    durability: Durable,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Disk {
    Posix,
    Linux,
    Hostile,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Durable {
    Full,
    ContentOnly,
    None,
}

impl From<Disk> for Profile {
    fn from(disk: Disk) -> Profile {
        match disk {
            Disk::Posix => Profile::Posix,
            Disk::Linux => Profile::Linux,
            Disk::Hostile => Profile::Hostile,
        }
    }
}

impl From<Durable> for Durability {
    fn from(durable: Durable) -> Durability {
        match durable {
            Durable::Full => Durability::Full,
            Durable::ContentOnly => Durability::ContentOnly,
            Durable::None => Durability::None,
        }
    }
}

/// Returns the name of a value on the command line.
fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
}

/// The scenarios of a search.
#[derive(Clone)]
enum Area {
    /// Every scenario of these lengths on so many items.
    Every { calls: RangeInclusive<usize>, items: Slot, faults: Faults },
    /// So many random scenarios.
    Random { scenarios: usize },
    /// One scenario.
    One(Scenario),
}

impl Area {
    fn in_words(&self) -> String {
        match self {
            Area::Every { calls, items, faults } => {
                let (from, to) = (calls.start(), calls.end());
                let lengths = if from == to { to.to_string() } else { format!("{from} to {to}") };
                let faults = match faults {
                    Faults::None => "no fault",
                    Faults::One => "one fault",
                };
                format!("all of {lengths} calls on {items} items, {faults}")
            }
            Area::Random { scenarios } => format!("{scenarios} random, 3 to 10 calls, up to two faults"),
            Area::One(scenario) => scenario.to_string(),
        }
    }
}

/// The number of violations that ends a search.
const ENOUGH: usize = 10;

/// The results of all searches so far.
struct Report {
    seed: u64,
    table: Table,
}

impl Report {
    fn new(seed: u64) -> Report {
        let mut table = Table::new();
        table.set_header(["disk", "durability", "scenarios", "run", "distinct crash states", "violations", "seconds"]);
        Report { seed, table }
    }

    /// Searches, prints the violations, and adds a row to the table. Returns the size of the search, and its crash states.
    fn search(&mut self, area: &Area, disk: Disk, durable: Durable, enough: usize) -> (Tally, HashSet<u128>) {
        let begin = Instant::now();
        let mut settings = Settings::new(disk.into(), durable.into());
        if !matches!(area, Area::Every { .. }) {
            settings.choices = 8;
        }
        let search = Search::new(&SHIPPED, settings, enough);
        let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
        bar.enable_steady_tick(Duration::from_millis(200));
        let progress = |tally: Tally| {
            let Tally { scenarios, crash_states, .. } = tally;
            bar.set_message(format!("{}: {scenarios} scenarios, {crash_states} crash states", area.in_words()));
            true
        };
        match area {
            Area::Every { calls, items, faults } => {
                search.exhaustive_search(calls.clone(), &alphabet(*items), *faults, &progress);
            }
            Area::Random { scenarios } => search.random_search(self.seed, *scenarios, 3, &progress),
            Area::One(scenario) => search.replay(std::slice::from_ref(scenario), &progress),
        }
        bar.finish_and_clear();
        let tally = search.tally();
        let Tally { scenarios, crash_states, violations } = tally;
        let seconds = begin.elapsed().as_secs_f64();
        eprintln!(
            "{}, {}: {scenarios} scenarios, {crash_states} crash states, {violations} violations, {seconds:.1} s",
            name(disk),
            area.in_words()
        );
        // One violation, made as short as possible, is enough to read.
        if let Some(violation) = search.violations().first().map(|violation| search.shortest(violation)) {
            println!("{violation}");
            println!(
                "  replay: cargo run -p queue-store-host-test --bin crash-simulator -- --profile {} --durability {} \
                 --replay '{}'\n",
                name(disk),
                name(durable),
                violation.scenario
            );
        }
        search.violations().iter().skip(1).for_each(|violation| println!("also: {}", violation.scenario));
        let numbers = [scenarios, crash_states, violations].map(|number| number.to_string());
        let row = [[name(disk), name(durable), area.in_words()], numbers].concat();
        self.table.add_row(row.into_iter().chain([format!("{seconds:.1}")]));
        (tally, search.seen())
    }
}

/// Removes one safeguard after the other. Returns whether each absence breaks a promise.
fn remove_safeguards() -> Result<bool, String> {
    let mut table = Table::new();
    table.set_header(["without", "by", "promise", "detector", "violation", "seconds"]);
    let mut killed = 0;
    let mut row = |safeguard: &Safeguard, begin: Instant, verdict: Verdict| {
        let by = match safeguard.removal {
            Removal::Lie(..) => "lie",
            Removal::Patch => "patch",
        };
        let violation: String = match verdict {
            Verdict::Killed(wrong) => {
                killed += 1;
                wrong.chars().take(100).collect()
            }
            Verdict::Survived => "**none**".to_string(),
            Verdict::Broken(wrong) => format!("**with all safeguards: {wrong}**"),
        };
        let detector = safeguard.detector.to_string();
        let seconds = format!("{:.1}", begin.elapsed().as_secs_f64());
        eprintln!("{}: {violation}, {seconds} s", safeguard.name);
        table.add_row([safeguard.name, by, safeguard.promise, &detector, &violation, &seconds]);
    };
    for safeguard in SAFEGUARDS {
        let begin = Instant::now();
        if let Some(verdict) = safeguard.judge_lie(&SHIPPED) {
            row(safeguard, begin, verdict);
        }
    }
    let begin = Instant::now();
    let copy = Copy::new()?;
    let control = copy.build()?;
    eprintln!("the component without a patch was built in {:.1} s", begin.elapsed().as_secs_f64());
    for safeguard in patched_safeguards() {
        let begin = Instant::now();
        let verdict = copy.judge(safeguard, &control).map_err(|error| format!("{}: {error}", safeguard.name))?;
        row(safeguard, begin, verdict);
    }
    println!("{table}");
    println!("safeguards: {killed} killed of {}", SAFEGUARDS.len());
    Ok(killed == SAFEGUARDS.len())
}

/// Returns the searches of the short form, which leaves out those of `cargo test`, or of the long form. In the short form, the
/// faults on the disks linux and hostile befall one item: each state of linux is one of posix too.
fn searches(long: bool) -> Vec<(Area, Disk)> {
    let every = |calls, items, faults, disk| (Area::Every { calls, items, faults }, disk);
    let random = |scenarios, disk| (Area::Random { scenarios }, disk);
    if long {
        vec![
            every(1..=3, 2, Faults::One, Disk::Posix),
            every(1..=3, 2, Faults::None, Disk::Posix),
            every(1..=2, 2, Faults::One, Disk::Linux),
            every(1..=3, 2, Faults::None, Disk::Linux),
            every(1..=2, 2, Faults::One, Disk::Hostile),
            every(1..=3, 2, Faults::None, Disk::Hostile),
            random(20_000, Disk::Posix),
            random(5000, Disk::Hostile),
        ]
    } else {
        vec![
            every(2..=2, 2, Faults::One, Disk::Posix),
            every(3..=3, 2, Faults::None, Disk::Posix),
            every(1..=2, 1, Faults::One, Disk::Linux),
            every(1..=2, 1, Faults::One, Disk::Hostile),
            random(1000, Disk::Posix),
        ]
    }
}

fn main() -> ExitCode {
    let begin = Instant::now();
    let Arguments { long, seed, states, mutants, replay } = Arguments::parse();
    if states {
        print!("{}", state_table::table(&SHIPPED));
        return ExitCode::SUCCESS;
    }
    if mutants {
        return match remove_safeguards() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("crash-simulator: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let mut report = Report::new(seed);
    if let Replay { replay: Some(scenario), profile, durability } = replay {
        let (tally, _) = report.search(&Area::One(scenario), profile, durability, ENOUGH);
        println!("{}", report.table);
        return if tally.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    println!("The shortest scenarios that lose mail with the weaker durabilities:\n");
    let shortest = Area::Every { calls: 1..=1, items: 2, faults: Faults::None };
    let lossy = [Durable::None, Durable::ContentOnly];
    let lossy = lossy.map(|durable| report.search(&shortest, Disk::Posix, durable, 1).0.violations > 0);
    let (mut distinct, mut scenarios, mut violations) = (HashSet::new(), 0, 0);
    for (area, disk) in searches(long) {
        let (tally, seen) = report.search(&area, disk, Durable::Full, ENOUGH);
        distinct.extend(seen);
        scenarios += tally.scenarios;
        violations += tally.violations;
    }
    println!("{}", report.table);
    println!(
        "durability full: {scenarios} scenarios, {} distinct crash states, {violations} violations, {:.0} s",
        distinct.len(),
        begin.elapsed().as_secs_f64()
    );
    if lossy.contains(&false) {
        println!("the losses of the weaker durabilities were not found: the simulator is broken");
        return ExitCode::FAILURE;
    }
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
