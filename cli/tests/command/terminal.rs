//! Commands on a terminal of 80 columns.

use nix::pty::{OpenptyResult, Winsize, openpty};
use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;

/// Runs a command whose input, output and errors are those of a terminal, on which `typed` was typed. Returns the exit
/// code and the screen, with what was typed.
pub(crate) fn run(command: &mut Command, typed: &str) -> (i32, String) {
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let OpenptyResult { master, slave } = openpty(&size, None).expect("the system has terminals left");
    let side = || slave.try_clone().expect("descriptors are left");
    let mut child = command.stdin(side()).stdout(side()).stderr(side()).spawn().expect("the command can be started");
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    drop(slave);
    let mut terminal = File::from(master);
    terminal.write_all(typed.as_bytes()).expect("a terminal takes a line");
    let mut screen = Vec::new();
    // The read fails once no process has the terminal open.
    let _ = terminal.read_to_end(&mut screen);
    let status = child.wait().expect("a child can be waited for");
    let screen = String::from_utf8(screen).expect("the command prints UTF-8").replace("\r\n", "\n");
    (status.code().expect("it ended by an exit"), screen)
}
