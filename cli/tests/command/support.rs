//! What the tests of the command share.

use libtest_mimic::Trial;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use queue_store_host_test::requirement::{self, Requirement};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{fs, panic, thread};
use tempfile::TempDir;

/// Makes a test of each function of a module, with what it needs after `=>`. One that is left out is an unused function.
macro_rules! trials {
    ($($test:ident $(=> $($requirement:ident)+)?),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            use queue_store_host_test::requirement::Requirement;
            let trial = |name, needs: &[Requirement], test| $crate::support::trial(module_path!(), name, needs, test);
            vec![$(trial(stringify!($test), &[$($(Requirement::$requirement),+)?], $test as fn())),*]
        }
    };
}
pub(crate) use trials;

/// A test with what it needs.
pub(crate) fn trial(module: &str, name: &str, needs: &[Requirement], test: fn()) -> Trial {
    let name = format!("{}::{name}", module.rsplit("::").next().unwrap_or(module));
    requirement::trial(name, needs.to_vec(), move || {
        test();
        Ok(())
    })
}

/// A directory for a test, and in it a queue, which is created by whoever puts first.
pub(crate) struct Queue {
    directory: TempDir,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue { directory: tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory") }
    }

    /// A queue that exists.
    pub(crate) fn existing() -> Queue {
        let queue = Queue::new();
        fs::create_dir(queue.path()).expect("a directory");
        queue
    }

    /// The directory of the queue.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("queue")
    }

    /// A path beside the queue.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file beside the queue.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.beside(name);
        fs::write(&path, content).expect("a file of the test");
        path
    }

    /// The command with these arguments, for this queue, and with nothing to read.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = queue_store(arguments);
        command.env("QUEUE_STORE_DIR", self.path());
        command
    }

    /// Runs the command with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        run(&mut self.command(arguments), b"")
    }

    /// The command that puts a mail from `a@example.com` to `b@example.com`.
    pub(crate) fn put_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["put", "--from", "a@example.com", "--to", "b@example.com"]);
        command.args(arguments);
        command
    }

    /// Puts a mail, and returns what came of it.
    pub(crate) fn try_put(&self, arguments: &[&str], body: &[u8]) -> Output {
        run(&mut self.put_command(arguments), body)
    }

    /// Puts a mail, and returns its id.
    pub(crate) fn put(&self, arguments: &[&str], body: &[u8]) -> String {
        self.try_put(arguments, body).done().trim_end().to_string()
    }

    /// The body of an item.
    pub(crate) fn cat(&self, id: &str) -> Vec<u8> {
        let output = self.run(&["cat", "--", id]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        output.stdout
    }

    /// The names in the directory of the queue.
    pub(crate) fn names(&self) -> Vec<String> {
        queue_store_host_test::instance::names(&self.path())
    }

    /// Runs a command that must fail with this code, and change nothing. Returns what it says, with `DIR` for the directory
    /// of the test and `*` for what is random in a temporary name.
    #[track_caller]
    pub(crate) fn refused(&self, command: &mut Command, input: &[u8], code: i32) -> String {
        let before = self.content();
        let line = run(command, input).failed(code);
        assert!(self.content() == before, "it left {:?}", self.content().keys());
        let mut line = line.replace(self.directory.path().to_str().expect("text"), "DIR");
        if let Some(at) = line.find("/.m:") {
            line.replace_range(at + 4..at + 15, "*");
        }
        line
    }

    /// Everything in the directory of the test but the modification times.
    pub(crate) fn content(&self) -> BTreeMap<PathBuf, Entry> {
        let mut content = BTreeMap::new();
        add_content(self.directory.path(), &mut content);
        content
    }
}

/// What a test compares of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    mode: u32,
    owner: u32,
    links: u64,
    content: Vec<u8>,
}

fn add_content(path: &Path, content: &mut BTreeMap<PathBuf, Entry>) {
    let found = path.symlink_metadata().expect("a file of the test");
    let kind = found.file_type();
    let bytes = if kind.is_symlink() {
        fs::read_link(path).expect("a link").as_os_str().as_bytes().to_vec()
    } else if kind.is_file() {
        fs::read(path).expect("a file of the test")
    } else {
        assert!(kind.is_dir() || kind.is_fifo(), "a test makes no such file: {}", path.display());
        Vec::new()
    };
    let links = if kind.is_dir() { 0 } else { found.nlink() };
    content.insert(path.to_path_buf(), Entry { mode: found.mode(), owner: found.uid(), links, content: bytes });
    if kind.is_dir() {
        for entry in fs::read_dir(path).expect("a directory of the test") {
            add_content(&entry.expect("an entry").path(), content);
        }
    }
}

/// The command with these arguments and with nothing to read, in an environment that has no queue.
pub(crate) fn queue_store(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queue-store"));
    command.args(arguments).env_remove("QUEUE_STORE_DIR").stdin(Stdio::null());
    command
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit code, or minus the signal that ended it.
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Output {
    /// What the command printed, which did what it should and had nothing to complain about.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""));
        String::from_utf8(self.stdout).expect("text")
    }

    /// The one line on standard error of a command that failed with this code and printed nothing else.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert_eq!(String::from_utf8_lossy(&self.stdout), "");
        let line = self.stderr.strip_suffix('\n').expect("a whole line");
        assert!(!line.contains(char::is_control), "one line: {line:?}");
        line.strip_prefix("queue-store: ").expect("it says who speaks").to_string()
    }
}

/// Runs a command to its end, with something to read.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    wait(start(command, input))
}

/// Starts a command with something to read. What it does not read is thrown away.
pub(crate) fn start(command: &mut Command, input: &[u8]) -> Child {
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    let mut child =
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        thread::spawn(move || stdin.write_all(&input));
    }
    child
}

/// How long a command may take, on a machine with other things to do.
const LONGEST: Duration = Duration::from_secs(120);

/// Waits for the end of a command.
pub(crate) fn wait(child: Child) -> Output {
    let id = Pid::from_raw(child.id().try_into().expect("an id of a process"));
    let (ended, end) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let hangs = end.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout);
        if hangs {
            kill(id, Signal::SIGKILL).expect("it was not waited for");
        }
        hangs
    });
    let output = child.wait_with_output().expect("the command ends");
    drop(ended);
    assert!(!watchdog.join().expect("it does not fail"), "the command did not end");
    let code = output.status.code().or(output.status.signal().map(|signal| -signal)).expect("it ended somehow");
    Output { code, stdout: output.stdout, stderr: String::from_utf8(output.stderr).expect("text") }
}

/// Runs a test that mounts. Its mounts are its own, and end with it, however that ends.
pub(crate) fn with_mounts(test: impl FnOnce() + Send) {
    let in_thread = || {
        unshare(CloneFlags::CLONE_NEWNS).expect("root may have its own mounts");
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("they become private");
        test();
    };
    if let Err(panicked) = thread::scope(|scope| scope.spawn(in_thread).join()) {
        panic::resume_unwind(panicked);
    }
}

/// Mounts a file system in memory.
pub(crate) fn mount_tmpfs(path: &Path, options: &str) {
    fs::create_dir_all(path).expect("a directory to mount on");
    mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), Some(options)).expect("root may mount");
}

/// Makes a mounted file system read-only.
pub(crate) fn remount_read_only(path: &Path) {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(None::<&str>, path, None::<&str>, flags, None::<&str>).expect("root may remount");
}
