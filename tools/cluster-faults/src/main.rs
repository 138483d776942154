//! Runs the command `cluster-faults`: see `cluster-faults --help`.

#[cfg(target_os = "linux")]
mod command;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    command::run()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("cluster-faults: skipped: postgres/cluster requires Linux");
    std::process::ExitCode::from(69)
}
