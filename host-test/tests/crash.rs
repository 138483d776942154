//! Crashes, by simulation: a search that is short enough for every run of the tests. The command `crash-simulator` searches
//! further.

use queue_store_host_test::bindings::Durability;
use queue_store_host_test::crash::call::{Action, Call, alphabet};
use queue_store_host_test::crash::explore::{Explorer, Search, Violation};
use queue_store_host_test::crash::mutants::MUTANTS;
use queue_store_host_test::crash::scenario::{Mishap, Scenario, Step};
use queue_store_host_test::crash::states;
use queue_store_host_test::instance::COMPONENT;
use queue_store_host_test::simulator::host::Subject;
use queue_store_host_test::simulator::power::{PROFILES, Profile};
use queue_store_host_test::simulator::world::Trouble;
use std::path::Path;
use std::sync::LazyLock;
use std::{env, fs};

static SHIPPING: LazyLock<Subject> = LazyLock::new(|| Subject::of(&COMPONENT));

fn search(durability: Durability) -> Search {
    Search { profile: Profile::Posix, durability, mishaps: false, choices: 4096 }
}

/// The first violation of a put.
fn first_violation(durability: Durability) -> Violation {
    let explorer = Explorer::new(&SHIPPING, search(durability), 1);
    explorer.exhaust(1, &[Call::To(Action::Put, vec![1])], &|_| true);
    explorer.violations().first().cloned().expect("a weaker durability loses something")
}

#[test]
fn without_syncs_a_crash_leaves_the_empty_file_of_issue_78() {
    let violation = first_violation(Durability::None);
    assert_eq!(violation.scenario.to_string(), "put 1");
    assert!(violation.events.iter().any(|event| event.contains("`m:item-1` (empty)")), "{violation}");
}

#[test]
fn with_the_file_synced_alone_a_crash_loses_an_acknowledged_put() {
    let violation = first_violation(Durability::File);
    assert_eq!(violation.scenario.to_string(), "put 1");
    assert!(violation.events.iter().any(|event| event.starts_with("after call 1")), "it was acknowledged: {violation}");
    assert!(violation.wrong.contains("is absent, and was promised to be Ready"), "{violation}");
}

#[test]
fn with_full_durability_no_crash_breaks_a_promise() {
    for profile in PROFILES {
        let explorer = Explorer::new(&SHIPPING, Search { profile, ..search(Durability::Full) }, 1);
        explorer.exhaust(2, &alphabet(2), &|_| true);
        if let Some(violation) = explorer.violations().first() {
            panic!("{profile:?}: {violation}");
        }
        let tally = explorer.tally();
        assert!(tally.crash_states > 1000, "{profile:?}: {tally:?}");
    }
}

#[test]
fn with_one_thing_going_wrong_no_crash_breaks_a_promise() {
    let explorer = Explorer::new(&SHIPPING, Search { mishaps: true, ..search(Durability::Full) }, 1);
    explorer.exhaust(1, &alphabet(2), &|_| true);
    if let Some(violation) = explorer.violations().first() {
        panic!("{violation}");
    }
}

#[test]
fn in_scenarios_that_are_drawn_no_crash_breaks_a_promise() {
    let explorer = Explorer::new(&SHIPPING, Search { choices: 4, ..search(Durability::Full) }, 1);
    explorer.wander(1, 30, 3, &|_| true);
    if let Some(violation) = explorer.violations().first() {
        panic!("{violation}");
    }
}

#[test]
fn a_scenario_is_replayed_from_what_it_is_printed_as() {
    let mut scenario = Scenario::of(alphabet(2));
    for (number, trouble) in
        [Trouble::Killed, Trouble::WritesHalf, Trouble::HappensAndFails("io")].into_iter().enumerate()
    {
        scenario = scenario.with(number + 2, Mishap { operation: number, trouble });
    }
    assert_eq!(scenario.to_string().parse(), Ok(scenario.clone()));
    assert!("put 1; fly 2".parse::<Scenario>().is_err_and(|error| error.contains("`fly 2` is no call")));
    assert!("put 1 !x fails io".parse::<Step>().is_err());
}

/// What notices each absence is in `crash::mutants`, and `crash-simulator --mutants` sees that it does.
#[test]
fn every_safeguard_is_one_whose_absence_is_looked_for() {
    let source =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/mutant.rs")).expect("the source");
    let declared = source.lines().filter_map(|line| line.trim().strip_suffix("\",")?.split_once(" = \""));
    let declared: Vec<&str> = declared.map(|(_, name)| name).collect();
    let looked_for: Vec<&str> = MUTANTS.iter().map(|(name, _)| *name).collect();
    assert!(declared.len() > 15);
    assert_eq!(declared, looked_for);
}

/// The documentation has the table that the simulator makes. `BLESS=1` writes it there.
#[test]
fn the_table_of_states_is_what_the_simulator_finds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/durability.md");
    let documentation = fs::read_to_string(&path).expect("the documentation");
    let (before, rest) = documentation.split_once("<!-- states -->\n").expect("where the table begins");
    let (documented, after) = rest.split_once("<!-- end -->").expect("where the table ends");
    let found = states::table(&SHIPPING);
    if env::var_os("BLESS").is_some() {
        let blessed = format!("{before}<!-- states -->\n{found}<!-- end -->{after}");
        fs::write(&path, blessed).expect("the documentation can be written");
    } else {
        assert_eq!(documented, found, "run this with BLESS=1, and look at the difference");
    }
}
