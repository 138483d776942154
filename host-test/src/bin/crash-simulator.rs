//! Searches for a crash that breaks a promise of the queue, by simulation: scenarios of calls and of what goes wrong in them,
//! the power cut at every operation of the system, and what recovery makes of everything that may be left.

use clap::{Args, Parser, ValueEnum};
use comfy_table::Table;
use indicatif::{ProgressBar, ProgressStyle};
use queue_store_host_test::bindings::Durability;
use queue_store_host_test::crash::call::alphabet;
use queue_store_host_test::crash::explore::{Explorer, Search, Tally};
use queue_store_host_test::crash::mutants::{self, MUTANTS};
use queue_store_host_test::crash::scenario::Scenario;
use queue_store_host_test::instance::COMPONENT;
use queue_store_host_test::simulator::host::Subject;
use queue_store_host_test::simulator::power::Profile;
use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

/// Searches for a crash that breaks a promise of the queue, by simulation.
///
/// Prints what was searched and what was found; each violation with the calls, the crash in words, and the command that
/// replays it. The exit code is 1 if a promise was broken that should hold.
#[derive(Parser)]
#[command(name = "crash-simulator")]
struct Arguments {
    /// Search for as long as it takes instead of a minute: every scenario of three calls with one mishap, and more drawn ones.
    #[arg(long)]
    long: bool,
    /// Where the scenarios begin that are drawn.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the table of states of an item, which is in docs/durability.md, and do nothing else.
    #[arg(long)]
    states: bool,
    /// Only remove one safeguard of the component after the other, and see that each absence is noticed.
    #[arg(long)]
    mutants: bool,
    #[command(flatten)]
    replay: Replay,
}

#[derive(Args)]
struct Replay {
    /// Run this scenario instead, such as "put 1; hold 1 !8 fails io; recover".
    #[arg(long, value_name = "SCENARIO")]
    replay: Option<Scenario>,
    /// What the disk promises, with --replay.
    #[arg(long, value_enum, default_value_t = Medium::Posix, requires = "replay")]
    profile: Medium,
    /// With what durability the calls write, with --replay.
    #[arg(long, value_enum, default_value_t = Durable::Full, requires = "replay")]
    durability: Durable,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Medium {
    Posix,
    Linux,
    Hostile,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Durable {
    Full,
    File,
    None,
}

impl From<Medium> for Profile {
    fn from(medium: Medium) -> Profile {
        match medium {
            Medium::Posix => Profile::Posix,
            Medium::Linux => Profile::Linux,
            Medium::Hostile => Profile::Hostile,
        }
    }
}

impl From<Durable> for Durability {
    fn from(durable: Durable) -> Durability {
        match durable {
            Durable::Full => Durability::Full,
            Durable::File => Durability::File,
            Durable::None => Durability::None,
        }
    }
}

/// The name that a value has on the command line.
fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
}

/// What is searched in one go.
#[derive(Clone)]
enum Area {
    /// Every scenario of so many calls, with and without a mishap.
    Every { calls: usize, mishaps: bool },
    /// So many scenarios that are drawn.
    Drawn { scenarios: usize },
    /// One scenario.
    One(Scenario),
}

impl Area {
    fn in_words(&self) -> String {
        match self {
            Area::Every { calls, mishaps: true } => format!("all of up to {calls} calls, one of which goes wrong"),
            Area::Every { calls, mishaps: false } => format!("all of up to {calls} calls"),
            Area::Drawn { scenarios } => format!("{scenarios} drawn, of up to 10 calls, two of which go wrong"),
            Area::One(scenario) => scenario.to_string(),
        }
    }
}

/// More violations than these end a search.
const ENOUGH: usize = 10;

/// Searches, and prints the violations. What was searched, and the states that were seen.
fn search(area: &Area, medium: Medium, durable: Durable, seed: u64, enough: usize) -> (Tally, HashSet<u128>) {
    let component = Subject::of(&COMPONENT);
    let (mishaps, choices) = match area {
        Area::Every { mishaps, .. } => (*mishaps, 4096),
        Area::Drawn { .. } | Area::One(_) => (false, 8),
    };
    let search = Search { profile: medium.into(), durability: durable.into(), mishaps, choices };
    let explorer = Explorer::new(&component, search, enough);
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(Duration::from_millis(200));
    let progress = |tally: Tally| {
        bar.set_message(format!(
            "{}: {} scenarios, {} crash states",
            area.in_words(),
            tally.scenarios,
            tally.crash_states
        ));
        true
    };
    match area {
        Area::Every { calls, .. } => explorer.exhaust(*calls, &alphabet(2), &progress),
        Area::Drawn { scenarios } => explorer.wander(seed, *scenarios, 3, &progress),
        Area::One(scenario) => explorer.replay(std::slice::from_ref(scenario), &progress),
    }
    bar.finish_and_clear();
    let Tally { scenarios, crash_states, violations } = explorer.tally();
    eprintln!(
        "{}, {}: {scenarios} scenarios, {crash_states} crash states, {violations} violations",
        name(medium),
        area.in_words()
    );
    // One of them is enough to look at, if it is made as short as it can be.
    if let Some(violation) = explorer.violations().first().map(|violation| explorer.shortest(violation)) {
        println!("{violation}");
        println!(
            "  replay: cargo run --release -p queue-store-host-test --bin crash-simulator -- --profile {} --durability {} \
             --replay '{}'\n",
            name(medium),
            name(durable),
            violation.scenario
        );
    }
    explorer.violations().iter().skip(1).for_each(|violation| println!("also: {}", violation.scenario));
    (explorer.tally(), explorer.seen())
}

/// Removes one safeguard after the other. Whether each absence was noticed.
fn remove_safeguards() -> bool {
    let subject = mutants::subject();
    let (mut table, mut missed) = (Table::new(), 0);
    table.set_header(["without", "is noticed by", "as"]);
    for &(safeguard, judge) in MUTANTS {
        let control = mutants::judge(&subject, judge);
        let noticed = match (mutants::judge(&subject.without(safeguard), judge), control) {
            (Some(wrong), None) => wrong.chars().take(100).collect(),
            (None, _) => "**nothing**".to_string(),
            (_, Some(wrong)) => format!("**the component with all safeguards: {wrong}**"),
        };
        missed += u32::from(noticed.starts_with("**"));
        table.add_row([safeguard.to_string(), judge.to_string(), noticed]);
    }
    println!("{table}");
    println!("mutants: {} killed of {} built", MUTANTS.len() as u32 - missed, MUTANTS.len());
    missed == 0
}

fn main() -> ExitCode {
    let Arguments { long, seed, states, mutants, replay } = Arguments::parse();
    if mutants {
        return if remove_safeguards() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if states {
        print!("{}", queue_store_host_test::crash::states::table(&Subject::of(&COMPONENT)));
        return ExitCode::SUCCESS;
    }
    let mut table = Table::new();
    table.set_header(["disk", "durability", "scenarios", "run", "distinct crash states", "violations"]);
    let mut row = |area: &Area, medium, durable, tally: Tally| {
        let Tally { scenarios, crash_states, violations } = tally;
        let numbers = [scenarios, crash_states, violations].map(|number| number.to_string());
        table.add_row([[name(medium), name(durable), area.in_words()], numbers].concat());
    };
    if let Replay { replay: Some(scenario), profile, durability } = replay {
        let area = Area::One(scenario);
        let (tally, _) = search(&area, profile, durability, seed, ENOUGH);
        row(&area, profile, durability, tally);
        println!("{table}");
        return if tally.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    println!("The history of the protocol: the shortest scenarios that lose mail without the syncs.\n");
    let shortest = Area::Every { calls: 1, mishaps: false };
    let mut found_history = true;
    for durable in [Durable::None, Durable::File] {
        let (tally, _) = search(&shortest, Medium::Posix, durable, seed, 1);
        found_history &= tally.violations > 0;
        row(&shortest, Medium::Posix, durable, tally);
    }
    let areas: &[(Area, Medium)] = if long {
        &[
            (Area::Every { calls: 3, mishaps: true }, Medium::Posix),
            (Area::Every { calls: 2, mishaps: true }, Medium::Linux),
            (Area::Every { calls: 3, mishaps: false }, Medium::Linux),
            (Area::Every { calls: 2, mishaps: true }, Medium::Hostile),
            (Area::Every { calls: 3, mishaps: false }, Medium::Hostile),
            (Area::Drawn { scenarios: 20_000 }, Medium::Posix),
            (Area::Drawn { scenarios: 5000 }, Medium::Hostile),
        ]
    } else {
        &[
            (Area::Every { calls: 2, mishaps: true }, Medium::Posix),
            (Area::Every { calls: 3, mishaps: false }, Medium::Posix),
            (Area::Every { calls: 2, mishaps: true }, Medium::Linux),
            (Area::Every { calls: 2, mishaps: true }, Medium::Hostile),
            (Area::Drawn { scenarios: 1000 }, Medium::Posix),
        ]
    };
    let (mut distinct, mut scenarios, mut violations) = (HashSet::new(), 0, 0);
    for (area, medium) in areas {
        let (tally, seen) = search(area, *medium, Durable::Full, seed, ENOUGH);
        row(area, *medium, Durable::Full, tally);
        distinct.extend(seen);
        scenarios += tally.scenarios;
        violations += tally.violations;
    }
    println!("{table}");
    println!(
        "durability full: {scenarios} scenarios, {} distinct crash states, {violations} violations",
        distinct.len()
    );
    if !found_history {
        println!("the losses that the weaker durabilities are known for were not found: the simulator is broken");
    }
    let all_killed = remove_safeguards();
    if violations == 0 && found_history && all_killed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
