//! A shell in a terminal multiplexer, and its screens.

use crate::process::wait_until;
use crate::queue::Queue;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A shell on a terminal of 80 columns and 50 rows, in the directory of a queue.
pub(super) struct Session {
    socket: PathBuf,
    name: &'static str,
    screens: String,
}

impl Session {
    /// Starts a shell that finds the queue in `QUEUE_STORE_DIR`. `name` is that of the file of its screens.
    pub(super) fn start(queue: &Queue, name: &'static str) -> Session {
        let session = Session { socket: queue.beside("tmux"), name, screens: String::new() };
        let bin = Path::new(env!("CARGO_BIN_EXE_queue-store")).parent().expect("a program is in a directory");
        let path = format!("PATH={}:{}", bin.display(), env::var("PATH").unwrap_or_default());
        let directory = queue.beside("");
        let directory = directory.to_str().expect("the temporary directory is UTF-8");
        session.tmux(
            &["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "50", "-c", directory]
                .into_iter()
                .chain(["env", "-i", &path, "LANG=C.UTF-8", "TERM=screen", "PS1=$ ", "QUEUE_STORE_DIR=queue", "sh"])
                .collect::<Vec<_>>(),
        );
        session.wait_for_clear_screen();
        session
    }

    /// Runs a line, and keeps its screen.
    pub(super) fn run(&mut self, line: &str) {
        self.type_line(line);
        self.wait_for_prompt();
        self.keep();
    }

    /// Runs a line that asks a question, answers it, and keeps the screen.
    pub(super) fn answer(&mut self, line: &str, answer: &str) {
        self.type_line(line);
        wait_until("the command asks", || self.screen().trim_end().ends_with("[y/N]"));
        self.type_line(answer);
        self.wait_for_prompt();
        self.keep();
    }

    /// Interrupts a line by `^C` once its progress has `sign`, and returns the screen as one line.
    pub(super) fn interrupt(&self, line: &str, sign: &str) -> String {
        self.type_line(line);
        wait_until("the progress is shown", || self.screen().contains(sign));
        self.tmux(&["send-keys", "C-c"]);
        self.wait_for_prompt();
        let screen = self.screen().replace('\n', "");
        self.clear();
        screen
    }

    /// Compares the screens with those of the file.
    pub(super) fn finish(self) {
        let file = format!("{}/tests/screens/{}.txt", env!("CARGO_MANIFEST_DIR"), self.name);
        if env::var_os("BLESS").is_some() {
            fs::write(&file, &self.screens).expect("the sources are writable");
        }
        let expected = fs::read_to_string(&file).expect("the screens were written with BLESS=1");
        let differences = self.screens.lines().zip(expected.lines()).find(|(screen, expected)| screen != expected);
        assert!(self.screens == expected, "{file}: if it should change, run this with BLESS=1: {differences:?}");
    }

    fn type_line(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.tmux(&["send-keys", "Enter"]);
    }

    /// Waits until a line has run: its prompt is not the first line of the screen.
    fn wait_for_prompt(&self) {
        wait_until("the shell prompts", || self.screen().trim_end().ends_with("\n$"));
    }

    /// Waits for a screen that has nothing but a prompt.
    fn wait_for_clear_screen(&self) {
        wait_until("the screen has a prompt alone", || self.screen().trim_end() == "$");
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Keeps the screen without its times.
    fn keep(&mut self) {
        let screen = self.screen();
        for line in screen.trim_end().trim_end_matches("\n$").lines() {
            assert!(!line.contains(char::is_control), "{line:?}");
            self.screens.push_str(&without_times(line));
            self.screens.push('\n');
        }
        self.screens.push('\n');
        self.clear();
    }

    fn clear(&self) {
        self.type_line("clear");
        self.wait_for_clear_screen();
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").arg("-S").arg(&self.socket).args(arguments).output();
        let output = output.expect("tmux was found before");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a screen is UTF-8")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Replaces the times of a line (RFC 3339, in UTC), which differ in each run.
fn without_times(line: &str) -> String {
    let is_time = |word: &str| word.len() == 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    line.split(' ').map(|word| if is_time(word) { "YYYY-MM-DDThh:mm:ssZ" } else { word }).collect::<Vec<_>>().join(" ")
}
