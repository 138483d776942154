//! The safeguards of the component, removed from outside. Lies of the simulated system are told here; mutants are built and
//! judged by `crash-simulator --mutants`.

use queue_store_host_test::crash::detector::Detector;
use queue_store_host_test::crash::mutants::{check_applies, header, patch_file, patched_safeguards, patches};
use queue_store_host_test::crash::safeguards::{SAFEGUARDS, Safeguard, Verdict};
use queue_store_host_test::crash::settings::LieScope;
use queue_store_host_test::simulator::host::SHIPPED;
use queue_store_host_test::simulator::lie::Lie;
use queue_store_host_test::simulator::power::Profile;
use std::collections::BTreeSet;
use std::fs;

#[test]
fn every_lie_breaks_the_promise_of_its_safeguard() {
    let judge = |safeguard: &'static Safeguard| Some((safeguard.name, safeguard.judge_lie(&SHIPPED)?));
    let verdicts: Vec<(&str, Verdict)> = SAFEGUARDS.iter().filter_map(judge).collect();
    assert_eq!(verdicts.len() + patched_safeguards().count(), SAFEGUARDS.len());
    let others: Vec<_> = verdicts.iter().filter(|(_, verdict)| !matches!(verdict, Verdict::Killed(_))).collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// Asserts that each scenario breaks a promise where the system tells this lie in its last call.
fn assert_each_is_needed(lie: Lie, scenarios: &[&'static str]) {
    for scenario in scenarios {
        let violation = Detector::Crash(Profile::Linux, scenario).detect(&SHIPPED, Some((lie, LieScope::LastCall)));
        assert!(violation.is_some(), "`{scenario}` breaks no promise under {lie:?}");
    }
}

#[test]
fn every_change_needs_the_fsync_of_the_directory() {
    let changes = [
        "put 1",
        "put 1+2",
        "put-generated 1",
        "put-generated 1+2",
        "put-binary 1",
        "draft 1",
        "put 1; update 1",
        "put 1; record-attempts 1",
        "put 1; remove 1",
        "put 1; hold 1",
        "put 1; hold 1; release 1",
        "put 1; quarantine 1",
        "put 1; quarantine 1; release 1",
        "put 1; quarantine 1; discard 1",
    ];
    assert_each_is_needed(Lie::DirectorySync, &changes);
}

#[test]
fn every_write_needs_the_fsync_of_the_file() {
    let writes = [
        "put 1",
        "put 1+2",
        "put-generated 1",
        "put-generated 1+2",
        "put-binary 1",
        "draft 1",
        "put 1; update 1",
        "put 1; record-attempts 1",
        "put 1; seal 1",
    ];
    assert_each_is_needed(Lie::TemporaryFileSync, &writes);
}

#[test]
fn every_safeguard_has_its_own_name() {
    let names: BTreeSet<&str> = SAFEGUARDS.iter().map(|safeguard| safeguard.name).collect();
    assert_eq!(names.len(), SAFEGUARDS.len());
}

#[test]
fn every_patch_belongs_to_a_safeguard_and_every_safeguard_has_its_patch() {
    let files = fs::read_dir(patches()).expect("the directory of the patches exists");
    let files: BTreeSet<_> = files.map(|file| file.expect("the directory can be read").path()).collect();
    let expected: BTreeSet<_> = patched_safeguards().map(patch_file).collect();
    assert_eq!(files, expected);
}

#[test]
fn every_patch_names_its_promise_and_detector() {
    let read = |safeguard: &Safeguard| fs::read_to_string(patch_file(safeguard)).expect("the safeguard has a patch");
    for safeguard in patched_safeguards() {
        let patch = read(safeguard);
        assert!(patch.starts_with(&header(safeguard)), "{} must begin with:\n{}", safeguard.name, header(safeguard));
    }
}

#[test]
fn every_patch_applies_to_the_sources() {
    for safeguard in patched_safeguards() {
        check_applies(&patch_file(safeguard)).expect("a change of the sources brings the patches up to date");
    }
}
