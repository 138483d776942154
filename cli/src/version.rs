//! The versions of everything that the command consists of.

use crate::failure::Failure;
use crate::output::print;
use queue_store_host::{COMPONENT_SHA256, Host};
use std::path::Path;

/// The commit that the command is built from; empty where the sources were no repository.
const COMMIT: &str = env!("QUEUE_STORE_COMMIT");

/// Prints the versions, one in a line.
pub(crate) fn print_versions() -> Result<(), Failure> {
    // The component describes itself, whichever directory it opened.
    let about = Host::new()?.open(Path::new("/"))?.about()?;
    let of_component = |name: &str| about.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let commit = Some(COMMIT).filter(|commit| !commit.is_empty());
    print(|output| {
        writeln!(output, "queue-store {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(output, "commit: {}", commit.unwrap_or("unknown"))?;
        writeln!(output, "contract: {}", of_component("contract").expect("the component names its contract"))?;
        writeln!(output, "format: {}", of_component("format-version").expect("the component names its format"))?;
        writeln!(output, "component: sha256 {COMPONENT_SHA256}")
    })?;
    Ok(())
}
