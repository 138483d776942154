//! Crashes, by simulation: searches that are short enough for every run of the tests. The command `crash-simulator` searches
//! further.

use queue_store_host_test::bindings::Durability;
use queue_store_host_test::crash::Violation;
use queue_store_host_test::crash::action::{Action, Call, alphabet};
use queue_store_host_test::crash::scenario::{Scenario, Step};
use queue_store_host_test::crash::search::{Faults, Search};
use queue_store_host_test::crash::settings::Settings;
use queue_store_host_test::crash::state_table;
use queue_store_host_test::simulator::fault::{FaultAt, FaultKind};
use queue_store_host_test::simulator::host::SHIPPED;
use queue_store_host_test::simulator::power::{PROFILES, Profile};
use std::path::Path;
use std::{env, fs};

/// Returns the first violation of a put.
fn first_violation(durability: Durability) -> Violation {
    let search = Search::new(&SHIPPED, Settings::new(Profile::Posix, durability), 1);
    search.exhaustive_search(1..=1, &[Call::To(Action::Put, vec![1])], Faults::None, &|_| true);
    search.violations().first().cloned().expect("a weaker durability loses mail")
}

fn assert_no_violation(search: &Search<'_>) {
    if let Some(violation) = search.violations().first() {
        panic!("{violation}");
    }
}

#[test]
fn durability_none_leaves_an_empty_file() {
    let violation = first_violation(Durability::None);
    assert_eq!(violation.scenario.to_string(), "put 1");
    assert!(violation.events.iter().any(|event| event.contains("`m:item-1` (empty)")), "{violation}");
}

#[test]
fn durability_content_only_loses_an_acknowledged_put() {
    let violation = first_violation(Durability::ContentOnly);
    assert_eq!(violation.scenario.to_string(), "put 1");
    assert!(violation.events.iter().any(|event| event.starts_with("after call 1")), "it was acknowledged: {violation}");
    assert!(violation.wrong.contains("is absent, and was promised to be Ready"), "{violation}");
}

#[test]
fn no_crash_breaks_a_promise() {
    for profile in PROFILES {
        let search = Search::new(&SHIPPED, Settings::new(profile, Durability::Full), 1);
        search.exhaustive_search(1..=2, &alphabet(2), Faults::None, &|_| true);
        assert_no_violation(&search);
        let tally = search.tally();
        assert!(tally.crash_states > 1000, "{profile:?}: {tally:?}");
    }
}

#[test]
fn no_crash_with_one_fault_breaks_a_promise() {
    let search = Search::new(&SHIPPED, Settings::new(Profile::Posix, Durability::Full), 1);
    search.exhaustive_search(1..=1, &alphabet(2), Faults::One, &|_| true);
    assert_no_violation(&search);
    assert!(search.tally().scenarios > 500, "every fault is tried at every operation: {:?}", search.tally());
}

#[test]
fn no_crash_in_random_scenarios_breaks_a_promise() {
    let settings = Settings { choices: 4, ..Settings::new(Profile::Posix, Durability::Full) };
    let search = Search::new(&SHIPPED, settings, 1);
    search.random_search(1_000_000, 30, 3, &|_| true);
    assert_no_violation(&search);
}

#[test]
fn scenario_is_parsed_from_its_display() {
    let mut scenario = Scenario::of(alphabet(2));
    let kinds = [FaultKind::Killed, FaultKind::WritesHalf, FaultKind::HappensAndFails("io")];
    for (operation, kind) in kinds.into_iter().enumerate() {
        scenario = scenario.with_fault(operation + 2, FaultAt { operation, kind });
    }
    assert_eq!(scenario.to_string().parse(), Ok(scenario.clone()));
    assert!("put 1; fly 2".parse::<Scenario>().is_err_and(|error| error.contains("`fly 2` is not a call")));
    assert!("put 1 !x fails io".parse::<Step>().is_err_and(|error| error.contains("`!x fails io` is not a fault")));
}

/// `BLESS=1` writes the table into the documentation.
#[test]
fn documented_table_of_states_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/durability.md");
    let documentation = fs::read_to_string(&path).expect("the documentation exists");
    let (before, rest) = documentation.split_once("<!-- states -->\n").expect("the documentation marks the table");
    let (documented, after) = rest.split_once("<!-- end -->").expect("the documentation marks the end of the table");
    let found = state_table::table(&SHIPPED);
    if env::var_os("BLESS").is_some() {
        let blessed = format!("{before}<!-- states -->\n{found}<!-- end -->{after}");
        fs::write(&path, blessed).expect("the documentation can be written");
    } else {
        assert_eq!(documented, found, "run this with BLESS=1, and review the difference");
    }
}
