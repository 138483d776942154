//! Runs the command `crash-images`: see `crash-images --help` and `docs/crash-images.md`.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod run;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    run::run()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("crash-images: skipped: loop devices and mount namespaces exist only on Linux");
    std::process::ExitCode::from(69)
}
