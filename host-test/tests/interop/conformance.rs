//! Google's conformance suite of protocol buffers judges the text format: its cases that use only types of an item.

use libtest_mimic::{Failed, Trial};
use queue_store_host_test::requirement::{Requirement, conformance_runner, trial};
use std::fs;
use std::process::Command;

/// The cases in which the component follows Go and not the suite: a high surrogate, as a short or a long escape, that a
/// low one as a short escape follows. The suite wants both refused, since neither is a character; Go's `prototext` reads
/// the pair as the character that it encodes in UTF-16, and has these cases in its own list of expected failures,
/// `internal/conformance/failing_tests_text_format.txt` of the Go module.
const GO_ACCEPTS: [&str; 4] = [
    "Recommended.Proto3.TextFormatInput.StringLiteralShortUnicodeEscapeSurrogatePairBytes",
    "Recommended.Proto3.TextFormatInput.StringLiteralShortUnicodeEscapeSurrogatePairString",
    "Recommended.Proto3.TextFormatInput.StringLiteralUnicodeEscapeSurrogatePairLongShortBytes",
    "Recommended.Proto3.TextFormatInput.StringLiteralUnicodeEscapeSurrogatePairLongShortString",
];

/// Texts of the suite that use only types of an item and that the suite wants accepted. Each is a case for the output in
/// wire format and a second one for the output as text.
const TO_ACCEPT: usize = 41;

/// Texts of the suite that use only types of an item and that the suite wants refused.
const TO_REFUSE: usize = 48;

/// Cases of the text format in version 33.2 of the suite, of any type.
const TEXT_CASES: usize = 883;

pub(crate) fn trials() -> Vec<Trial> {
    let name = "protobuf_conformance::text_cases_have_the_verdict_of_go".to_string();
    vec![trial(name, vec![Requirement::ConformanceRunner], text_cases_have_the_verdict_of_go)]
}

/// The runner fails where a case has another result than the suite wants, and where a case of the list of expected
/// failures does not fail.
fn text_cases_have_the_verdict_of_go() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let expected_failures = directory.path().join("expected_failures.txt");
    fs::write(&expected_failures, GO_ACCEPTS.map(|case| format!("{case} # {SHOULD_HAVE_FAILED}\n")).concat())?;
    let output = Command::new(conformance_runner())
        .args(["--enforce_recommended", "--maximum_edition", "2023", "--text_format_failure_list"])
        .arg(&expected_failures)
        .arg("--output_dir")
        .arg(directory.path())
        .arg(env!("CARGO_BIN_EXE_conformance-testee"))
        .output()?;
    let report = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let judged = 2 * TO_ACCEPT + TO_REFUSE;
    let summary = format!(
        "CONFORMANCE SUITE PASSED: {} successes, {} skipped, {} expected failures, 0 unexpected failures.",
        judged - GO_ACCEPTS.len(),
        TEXT_CASES - judged,
        GO_ACCEPTS.len(),
    );
    if !output.status.success() || !report.contains(&summary) {
        return Err(format!("expected: {summary}\nthe runner ended with {}:\n{report}", output.status).into());
    }
    Ok(())
}

/// The runner's message for a text that was accepted and should not have been.
const SHOULD_HAVE_FAILED: &str = "Should have failed to parse, but didn't.";
