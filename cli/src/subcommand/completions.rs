//! `completions`: the completions of a shell, from the definitions of the arguments.

use crate::failure::Failure;
use crate::output::print;
use clap::{Args, Command};
use clap_complete::Shell;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Prints the completions of a shell.
pub(crate) fn run(mut command: Command, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "queue-store", &mut script);
    // clap_complete spells the state of bash for a command with a hyphen in two ways: https://github.com/clap-rs/clap/issues/6421
    let script = String::from_utf8(script).expect("names and help are text");
    let script = script.replace("queue__subcmd__store", "queue__store");
    print(|output| output.write_all(script.as_bytes()))?;
    Ok(Sysexit::Ok)
}
