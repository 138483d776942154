//! Processes of the command: started, fed, and waited for.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The time after which a process counts as hanging, on a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(120);

/// The output of a process that ended.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit code, or minus the signal that ended it.
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Output {
    /// Asserts success without a word on standard error, and returns standard output.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""));
        self.text().to_string()
    }

    /// Asserts failure with this code, one line on standard error and nothing on standard output. Returns the line
    /// without the name of the command.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert_eq!(String::from_utf8_lossy(&self.stdout), "");
        let line = self.stderr.strip_suffix('\n').expect("an error is a whole line");
        assert!(!line.contains(char::is_control), "an error is one line: {line:?}");
        line.strip_prefix("queue-store: ").expect("an error begins with the name of the command").to_string()
    }

    /// Returns standard output.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.stdout).expect("the command prints UTF-8")
    }
}

/// Returns the command with these arguments, without input, in an environment that names no queue.
pub(crate) fn queue_store(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queue-store"));
    command.args(arguments).env_remove("QUEUE_STORE_DIR").env_remove("QUEUE_STORE_LOG").stdin(Stdio::null());
    command
}

/// Returns a command that has `launcher` execute `command`, with its arguments and its environment.
pub(crate) fn launched_by(launcher: &[&str], command: &Command) -> Command {
    let mut launched = Command::new(launcher[0]);
    launched.args(&launcher[1..]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => launched.env(name, value),
            None => launched.env_remove(name),
        };
    }
    launched
}

/// Runs a process to its end, with input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    wait(start(command, input))
}

/// Starts a process with input. Input that it does not read is dropped.
pub(crate) fn start(command: &mut Command, input: &[u8]) -> Child {
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    let mut child = spawn(command.stdin(stdin));
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        thread::spawn(move || stdin.write_all(&input));
    }
    child
}

/// Starts a process whose standard output and error are read by [`wait`].
pub(crate) fn spawn(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program exists and can be started")
}

/// Waits for the end of a process, and kills it at the deadline.
pub(crate) fn wait(child: Child) -> Output {
    let id = pid(&child);
    let (ended, end) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let hangs = end.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout);
        if hangs {
            kill(id, Signal::SIGKILL).expect("a child that was not waited for can be killed");
        }
        hangs
    });
    let output = child.wait_with_output().expect("a child can be waited for");
    drop(ended);
    assert!(!watchdog.join().expect("the watchdog does not panic"), "the process hung");
    let status = output.status;
    let code = status.code().or(status.signal().map(|signal| -signal)).expect("it ended by an exit or by a signal");
    let stderr = String::from_utf8(output.stderr).expect("the command prints UTF-8");
    Output { code, stdout: output.stdout, stderr }
}

/// Sends a signal to a process.
pub(crate) fn send(signal: Signal, child: &Child) {
    kill(pid(child), signal).expect("a child that was not waited for takes signals");
}

/// Returns the id of a process.
pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().expect("an id of a process fits pid_t"))
}

/// Polls `condition` until it holds or the deadline passes.
#[track_caller]
pub(crate) fn wait_until(condition: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "never held: {condition}");
        thread::sleep(Duration::from_millis(1));
    }
}
