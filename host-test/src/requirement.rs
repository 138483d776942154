//! Requirements of tests beyond cargo. A test whose requirements are not met is shown as ignored, with the missing
//! ones; with `QUEUE_STORE_REQUIRE_ALL=1` it fails.

use libtest_mimic::{Completion, Failed, Trial};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// A requirement of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// The command `wasmtime`.
    WasmtimeCli,
    /// The command `curl`.
    Curl,
    /// The command `man`.
    Man,
    /// The shell `bash`.
    Bash,
    /// The terminal multiplexer `tmux`.
    Tmux,
    /// Python 3, and the mails of the tests of its package email.
    PythonEmailTests,
    /// The programs that `postgres/cluster` runs.
    Postgres,
}

impl Requirement {
    /// Returns the name of the missing requirement, or none where it is met. Each is checked once.
    pub fn missing(self) -> Option<&'static str> {
        static CHECKED: Mutex<BTreeMap<Requirement, Option<&str>>> = Mutex::new(BTreeMap::new());
        *CHECKED.lock().expect("no check panics").entry(self).or_insert_with(|| self.check())
    }

    fn check(self) -> Option<&'static str> {
        let (is_met, name) = match self {
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
                "the command wasmtime (host-test/interop/install)",
            ),
            Requirement::Curl => (runs(Command::new("curl").arg("--version")), "curl"),
            Requirement::Man => (runs(Command::new("man").arg("--version")), "man"),
            Requirement::Bash => (runs(Command::new("bash").args(["-c", "true"])), "bash"),
            Requirement::Tmux => (runs(Command::new("tmux").arg("-V")), "tmux"),
            Requirement::PythonEmailTests => (
                python_email_tests().is_some() && runs(Command::new("python3").arg("--version")),
                "python3, and the tests of its package email (host-test/interop/install)",
            ),
            Requirement::Postgres => (
                fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| versions.count() > 0)
                    && runs(Command::new("socat").arg("-V")),
                "postgresql and socat",
            ),
        };
        (!is_met).then_some(name)
    }
}

/// Creates a test that has requirements.
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
        if require_all() { Err(missing.into()) } else { Ok(Completion::ignored_with(missing)) }
    })
}

/// Whether a test with a missing requirement fails.
fn require_all() -> bool {
    env::var_os("QUEUE_STORE_REQUIRE_ALL").is_some_and(|value| value == "1")
}

/// Returns the beginning of a command line: the command that is appended gets mounts of its own. For another user than
/// root they come with a user namespace.
pub fn with_mounts() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation=private"]);
    if !nix::unistd::geteuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare
}

/// Returns the target directory of cargo in the root of the workspace.
pub fn target_directory() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    workspace.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Returns the directory into which `interop/install` installs.
pub fn interop() -> PathBuf {
    target_directory().join("interop")
}

/// Returns the Python that has the packages.
pub fn python() -> PathBuf {
    interop().join("python/bin/python3")
}

/// Returns the directory of the Node.js packages.
pub fn node_modules() -> PathBuf {
    interop().join("node_modules")
}

/// Returns the server chasquid: the one that was unpacked for the tests, or else the one of the system.
pub fn chasquid() -> PathBuf {
    let unpacked = interop().join("chasquid/usr/bin/chasquid");
    if unpacked.exists() { unpacked } else { PathBuf::from("chasquid") }
}

/// Returns the directory of the mails that the tests of Python's package email use.
pub fn python_email_tests() -> Option<PathBuf> {
    let versions = fs::read_dir(interop().join("python-tests/usr/lib")).ok()?.flatten();
    versions.map(|version| version.path().join("test/test_email/data")).find(|data| data.is_dir())
}

/// Returns the conformance runner of protobuf.
pub fn conformance_runner() -> PathBuf {
    interop().join("bin/conformance_test_runner")
}

/// Returns the command `wasmtime`: the one that was installed for the tests, or else the one of the system.
pub fn wasmtime_cli() -> PathBuf {
    let installed = interop().join("python/bin/wasmtime");
    if installed.exists() { installed } else { PathBuf::from("wasmtime") }
}

/// Whether `interop/install` installed the packages of these pins into a directory.
fn is_installed(directory: &Path, pins: &str) -> bool {
    fs::read_to_string(directory.join("installed")).is_ok_and(|installed| installed == pins)
}

fn runs(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
