//! The program runs, with tiny sizes, and everything that it is to write comes out. Whether its bounds hold is nothing that a
//! test could say.

use std::fs;
use std::process::Command;

#[test]
fn a_quick_run_writes_a_table_json_plots_and_a_page() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (json, page) = (directory.path().join("results.json"), directory.path().join("performance.md"));
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    // The start of the command is not among what is run, and building it takes minutes.
    bench
        .args(["--quick", "--rounds", "1", "--only", "put", "--command", "/bin/true", "--directory"])
        .arg(directory.path());
    bench.arg("--json").arg(&json).arg("--page").arg(&page);
    let output = bench.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let table = String::from_utf8(output.stdout).expect("text");
    assert!(table.contains("| durable put of 2 KB "), "{table}");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).expect("the results")).expect("JSON");
    let rows = json["rows"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["holds"].is_boolean()) && rows.iter().any(|row| row["ratio"].is_object()));
    let page = fs::read_to_string(page).expect("the page");
    assert!(page.contains("### Durable put\n"), "{page}");
    let plots: Vec<_> = page.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(')')).collect();
    assert_eq!(plots.len(), 3, "{plots:?}");
    for plot in plots {
        let svg = fs::read_to_string(directory.path().join(plot)).expect("the plot is beside the page");
        assert!(svg.starts_with("<svg ") && svg.contains("<polyline "), "{plot} shows nothing");
    }
}
