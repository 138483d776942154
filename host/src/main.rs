//! The command `queue-store`: see `queue-store --help` and `README.md`.

#[cfg(not(target_family = "wasm"))]
mod command;

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    command::run()
}

#[cfg(target_family = "wasm")]
fn main() -> std::process::ExitCode {
    eprintln!("queue-store: this is not the component, which is queue_store.wasm, but an empty shell of the command");
    std::process::ExitCode::from(69)
}
