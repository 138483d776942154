//! `docs/hosts/stock-runtimes.md` is tested: its examples are files that run, and it names each known limit of a host. The commands in
//! `docs/hosts/component-hosts.md` are run, and print the output that it shows.

use crate::http_endpoint;
use crate::scripts::{self, LANGUAGES, Language, Workshop};
use libtest_mimic::{Failed, Trial};
use queue_store_host_test::requirement::trial;
use queue_store_host_test::requirement::{Requirement, wasmtime_cli};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const STOCK_RUNTIMES: &str = include_str!("../../../docs/hosts/stock-runtimes.md");
const COMPONENT_HOSTS: &str = include_str!("../../../docs/hosts/component-hosts.md");

pub(crate) fn trials(workshop: &Arc<Workshop>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for language in LANGUAGES {
        let name = |what| format!("{}::{what}", language.name());
        let of_test = workshop.clone();
        let example = move || example_runs(language, &of_test);
        trials.push(trial(name("example_runs"), vec![language.requirement()], example));
        trials.push(Trial::test(name("example_is_documented"), move || example_is_documented(language)));
        trials.push(Trial::test(name("every_limit_is_documented"), move || every_limit_is_documented(language)));
    }
    let workshop = workshop.clone();
    trials.push(trial(
        "component_hosts::commands_print_their_documented_output".to_string(),
        vec![Requirement::WasmtimeCli, Requirement::Curl],
        move || commands_print_their_documented_output(&workshop),
    ));
    trials
}

/// Returns the text under a heading of the second level.
fn section(heading: &str) -> &'static str {
    let (_, section) =
        STOCK_RUNTIMES.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section `{heading}`"));
    section.split_once("\n## ").map_or(section, |(section, _)| section)
}

/// Returns the blocks of code in a text: a language and the code.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fences = text.split("\n```").skip(1).step_by(2);
    fences.map(|block| block.split_once('\n').unwrap_or((block, ""))).collect()
}

fn heading(language: Language) -> &'static str {
    match language {
        Language::Python => "Python",
        Language::JavaScript => "JavaScript",
    }
}

fn example_runs(language: Language, workshop: &Workshop) -> Result<(), Failed> {
    let directory = scripts::directory()?;
    symlink(workshop.component()?, directory.path().join("queue_store.wasm"))?;
    let printed = workshop.run(language, &[], "example", &[], directory.path())?;
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["from a@example.com: 25 bytes", "from a@example.com: 63017 bytes"]);
    assert_eq!(fs::read_dir(directory.path().join("queue"))?.count(), 0);
    Ok(())
}

fn example_is_documented(language: Language) -> Result<(), Failed> {
    let example = language.source("example");
    let is_there = blocks(section(heading(language))).iter().any(|(_, code)| code.trim_end() == example.trim_end());
    assert!(is_there, "the example in `docs/hosts/stock-runtimes.md` differs from the file");
    Ok(())
}

fn every_limit_is_documented(language: Language) -> Result<(), Failed> {
    let section = section(heading(language));
    for test in language.tests("limits") {
        assert!(section.contains(&format!("`{test}`")), "`docs/hosts/stock-runtimes.md` does not name `{test}`");
    }
    Ok(())
}

fn commands_print_their_documented_output(workshop: &Workshop) -> Result<(), Failed> {
    let directory = scripts::directory()?;
    symlink(workshop.component()?, directory.path().join("queue_store.wasm"))?;
    fs::write(directory.path().join("http.wasm"), http_endpoint::composed())?;
    fs::remove_dir(directory.path().join("queue"))?;
    let path = std::env::var("PATH").unwrap_or_default();
    let path = match wasmtime_cli().parent() {
        Some(parent) if parent != Path::new("") => format!("{}:{path}", std::path::absolute(parent)?.display()),
        _ => path,
    };
    // The port of the page may be taken.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let blocks = blocks(COMPONENT_HOSTS);
    let mut compared = 0;
    for (at, (language, commands)) in blocks.iter().enumerate() {
        if *language != "sh" {
            continue;
        }
        let commands = commands.replace("127.0.0.1:8080", &address);
        let mut shell = Command::new("sh");
        shell.args(["-euc", &commands]).env("PATH", &path).current_dir(directory.path());
        let printed = scripts::output(&mut shell)?;
        if let Some(("text", expected)) = blocks.get(at + 1) {
            assert_eq!(printed.trim_end(), expected.trim_end(), "printed by {commands}");
            compared += 1;
        }
    }
    assert!(compared >= 5, "only {compared} commands are shown with their output");
    Ok(())
}
