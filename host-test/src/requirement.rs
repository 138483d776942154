//! What a test needs beyond cargo. A test whose requirements are not met is shown as ignored, with what it lacks; with
//! `QUEUE_STORE_REQUIRE_ALL=1` it fails.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Something that a machine has or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The effective user is root.
    Root,
    /// `strace` runs, and may trace.
    Strace,
    /// Python 3 with the packages `wasmtime` and `protobuf`.
    Python,
    /// Node.js with `@bytecodealliance/jco` and `@bytecodealliance/preview2-shim`.
    Node,
}

impl Requirement {
    /// What is missing, if it is.
    pub fn missing(self) -> Option<&'static str> {
        let (there, missing) = match self {
            Requirement::Root => (nix::unistd::geteuid().is_root(), "root"),
            Requirement::Strace => (runs(Command::new("strace").args(["-f", "true"])), "strace"),
            Requirement::Python => (
                runs(Command::new(python()).args(["-c", "import wasmtime, google.protobuf"])),
                "Python with wasmtime and protobuf (host-test/interop/install)",
            ),
            Requirement::Node => (
                node_modules().join("@bytecodealliance/jco").is_dir() && runs(Command::new("node").arg("--version")),
                "Node.js with jco (host-test/interop/install)",
            ),
        };
        (!there).then_some(missing)
    }
}

/// Whether a test that lacks something fails.
pub fn require_all() -> bool {
    env::var_os("QUEUE_STORE_REQUIRE_ALL").is_some_and(|value| value == "1")
}

/// What is missing of several requirements, in words.
pub fn missing(requirements: &[Requirement]) -> Option<String> {
    let missing: Vec<&str> = requirements.iter().filter_map(|requirement| requirement.missing()).collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// Where cargo builds.
pub fn target_directory() -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target");
    env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from)
}

/// Where `interop/install` puts what it installs.
pub fn interop() -> PathBuf {
    target_directory().join("interop")
}

/// The Python that has the packages, or else the one of the system.
pub fn python() -> PathBuf {
    let installed = interop().join("python/bin/python3");
    if installed.exists() { installed } else { PathBuf::from("python3") }
}

/// Where the Node.js packages are.
pub fn node_modules() -> PathBuf {
    interop().join("node_modules")
}

fn runs(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
