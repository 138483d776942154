//! Checks that the machine can test a file system. A file system that it cannot test is skipped with a message; with
//! `QUEUE_STORE_REQUIRE_ALL=1` that is a failure.

use crate::file_system::FileSystem;
use nix::unistd::geteuid;
use std::env;
use std::path::Path;

/// Returns a list of the missing requirements for tests of a file system, or `None` if the machine meets all.
pub fn missing(file_system: FileSystem) -> Option<String> {
    if !geteuid().is_root() {
        return Some("root".to_string());
    }
    let devices = ["/dev/fuse", "/dev/loop-control"].into_iter().filter(|device| !Path::new(device).exists());
    let mut missing: Vec<String> = devices.map(str::to_string).collect();
    missing.extend(file_system.programs().into_iter().filter(|program| !is_installed(program)));
    if !file_system.is_in_kernel() {
        missing.push(format!("a kernel with {}", file_system.title()));
    }
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// Returns whether a missing requirement is a failure.
pub fn require_all() -> bool {
    env::var_os("QUEUE_STORE_REQUIRE_ALL").is_some_and(|value| value == "1")
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
