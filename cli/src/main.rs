//! The command `queue-store`: see `queue-store --help` and `README.md`.

mod command;

fn main() -> std::process::ExitCode {
    command::run()
}
