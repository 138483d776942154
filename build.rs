//! Links the component without the names that its tools give to its parts: a tenth of it, which nobody reads.
//!
//! `wasm-component-ld` writes them always and has no option for it. So it is asked for its linking alone, by this program,
//! which runs it once more, for all that it does, and leaves the custom sections out of what comes.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::process::{Command, ExitCode};

/// The linker of the target, which the compiler puts on the path.
const LINKER: &str = "wasm-component-ld";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let done = if arguments.is_empty() { instruct() } else { link(&arguments) };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// As a build script: names this program as what links.
fn instruct() -> Result<ExitCode, Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_FAMILY")? == "wasm" {
        println!("cargo::rustc-link-arg-cdylib=--skip-wit-component");
        println!("cargo::rustc-link-arg-cdylib=--wasm-ld-path={}", env::current_exe()?.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// As what links.
fn link(arguments: &[OsString]) -> Result<ExitCode, Box<dyn Error>> {
    if !Command::new(LINKER).args(arguments).status()?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let mut arguments = arguments.iter().skip_while(|argument| *argument != "-o");
    let output = arguments.nth(1).ok_or("the linker was not told where to write to")?;
    let component = fs::read(output)?;
    fs::write(output, without_custom_sections(&component).ok_or("the linker did not write a component")?)?;
    Ok(ExitCode::SUCCESS)
}

/// The component, and its modules as they are, without its own custom sections.
fn without_custom_sections(component: &[u8]) -> Option<Vec<u8>> {
    let (preamble, mut rest) = component.split_at_checked(8)?;
    let mut kept = preamble.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        let digits = 1 + after.iter().position(|byte| byte & 0x80 == 0)?;
        let length = after.get(..digits)?.iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        let (section, next) = rest.split_at_checked(1 + digits + length)?;
        if id != 0 {
            kept.extend_from_slice(section);
        }
        rest = next;
    }
    Some(kept)
}
