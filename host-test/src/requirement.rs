//! What a test needs beyond cargo. A test whose requirements are not met is shown as ignored, with what it lacks; with
//! `QUEUE_STORE_REQUIRE_ALL=1` it fails.

use libtest_mimic::{Completion, Failed, Trial};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Something that a machine has or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The effective user is root.
    Root,
    /// `strace` runs, and may trace.
    Strace,
    /// A process may have mounts of its own.
    Mounts,
    /// Python 3 with the packages of `interop/requirements.txt`.
    Python,
    /// Node.js with the packages of `interop/package-lock.json`.
    Node,
    /// The SMTP server chasquid, and `openssl` for its certificate.
    Chasquid,
    /// The conformance runner of protobuf.
    ConformanceRunner,
    /// The command `wasmtime`. It takes ten minutes to build, and what it shows is shown by other hosts as well, so it is
    /// never required.
    WasmtimeCli,
}

impl Requirement {
    /// What is missing, if it is. It is looked for once.
    pub fn missing(self) -> Option<&'static str> {
        static MISSING: [OnceLock<Option<&str>>; 8] = [const { OnceLock::new() }; 8];
        *MISSING[self as usize].get_or_init(|| self.look())
    }

    fn look(self) -> Option<&'static str> {
        let (there, missing) = match self {
            Requirement::Root => (nix::unistd::geteuid().is_root(), "root"),
            Requirement::Strace => (runs(Command::new("strace").args(["-f", "true"])), "strace"),
            Requirement::Mounts => (
                runs(with_mounts().args(["mount", "-t", "tmpfs", "tmpfs", "/tmp"])),
                "unshare of util-linux, and the permission to mount",
            ),
            Requirement::Python => (
                is_installed(&interop().join("python"), include_str!("../interop/requirements.txt"))
                    && runs(Command::new(python()).args(["-c", "import wasmtime, google.protobuf"])),
                "Python with the pinned wasmtime and protobuf (host-test/interop/install)",
            ),
            Requirement::Node => (
                is_installed(&node_modules(), include_str!("../interop/package-lock.json"))
                    && runs(Command::new("node").arg("--version")),
                "Node.js with the pinned jco (host-test/interop/install)",
            ),
            Requirement::Chasquid => (
                runs(Command::new(chasquid()).arg("-version")) && runs(Command::new("openssl").arg("version")),
                "chasquid (host-test/interop/install) and openssl",
            ),
            // Installed only where it starts.
            Requirement::ConformanceRunner => {
                (conformance_runner().exists(), "the conformance runner of protobuf (host-test/interop/install)")
            }
            Requirement::WasmtimeCli => (
                runs(Command::new(wasmtime_cli()).arg("--version")),
                "the command wasmtime (host-test/interop/install --with-wasmtime-cli)",
            ),
        };
        (!there).then_some(missing)
    }
}

/// A test that needs something.
pub fn trial<F>(name: String, needs: Vec<Requirement>, test: F) -> Trial
where
    F: FnOnce() -> Result<(), Failed> + Send + 'static,
{
    Trial::ignorable_test(name, move || {
        let missing: Vec<&str> = needs.iter().filter_map(|requirement| requirement.missing()).collect();
        if missing.is_empty() {
            return test().map(|()| Completion::Completed);
        }
        let missing = format!("missing: {}", missing.join(", "));
        if require_all() && !needs.contains(&Requirement::WasmtimeCli) {
            Err(missing.into())
        } else {
            Ok(Completion::ignored_with(missing))
        }
    })
}

/// Whether a test that lacks something fails.
fn require_all() -> bool {
    env::var_os("QUEUE_STORE_REQUIRE_ALL").is_some_and(|value| value == "1")
}

/// What a command is to follow that shall have mounts of its own. For another user than root they come with a user
/// namespace.
pub fn with_mounts() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation=private"]);
    if !nix::unistd::geteuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare
}

/// Where cargo builds, when it is run in the root of the workspace.
pub fn target_directory() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    workspace.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Where `interop/install` puts what it installs.
pub fn interop() -> PathBuf {
    target_directory().join("interop")
}

/// The Python that has the packages.
pub fn python() -> PathBuf {
    interop().join("python/bin/python3")
}

/// Where the Node.js packages are.
pub fn node_modules() -> PathBuf {
    interop().join("node_modules")
}

/// The server chasquid: the one that was unpacked for the tests, or else the one of the system.
pub fn chasquid() -> PathBuf {
    let unpacked = interop().join("chasquid/usr/bin/chasquid");
    if unpacked.exists() { unpacked } else { PathBuf::from("chasquid") }
}

/// The conformance runner of protobuf.
pub fn conformance_runner() -> PathBuf {
    interop().join("bin/conformance_test_runner")
}

/// The command `wasmtime`: the one that was installed for the tests, or else the one of the system.
pub fn wasmtime_cli() -> PathBuf {
    let installed = interop().join("bin/wasmtime");
    if installed.exists() { installed } else { PathBuf::from("wasmtime") }
}

/// Whether `interop/install` put there what these pins say. Another version would test something else.
fn is_installed(directory: &Path, pins: &str) -> bool {
    fs::read_to_string(directory.join("installed")).is_ok_and(|installed| installed == pins)
}

fn runs(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
