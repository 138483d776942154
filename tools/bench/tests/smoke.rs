//! Runs the program with tiny sizes and checks that it writes all of its outputs. Bounds are not checked: the figures
//! of such a run mean nothing.

use std::fs;
use std::process::Command;

#[test]
fn quick_run_writes_table_json_plots_and_page() {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let (json, page) = (directory.path().join("results.json"), directory.path().join("performance.md"));
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    // No benchmark that runs starts the command, and building it takes minutes.
    bench
        .args(["--quick", "--rounds", "1", "--only", "put", "--command", "/bin/true", "--directory"])
        .arg(directory.path());
    bench.arg("--json").arg(&json).arg("--page").arg(&page);
    let output = bench.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let table = String::from_utf8(output.stdout).expect("the table is UTF-8");
    assert!(table.contains("| durable put of 2 KB "), "{table}");
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(json).expect("the results are written")).expect("the results are JSON");
    let rows = json["rows"].as_array().expect("the results have rows");
    assert!(rows.iter().any(|row| row["holds"].is_boolean()) && rows.iter().any(|row| row["ratio"].is_object()));
    let page = fs::read_to_string(page).expect("the page is written");
    assert!(page.contains("### Durable put\n"), "{page}");
    let plots: Vec<_> = page.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(')')).collect();
    assert_eq!(plots.len(), 3, "{plots:?}");
    for plot in plots {
        let svg = fs::read_to_string(directory.path().join(plot)).expect("the plot is beside the page");
        assert!(svg.starts_with("<svg ") && svg.contains("<polyline "), "{plot} has no line");
    }
}
