//! The commands of `README.md` and `plugins/README.md` run as they are written.

use crate::process::{queue_store, run};
use crate::queue::Queue;
use crate::trial::trials;
use queue_store_host_test::guest;
use std::fs;
use std::path::Path;
use std::process::Command;

trials![commands_of_readme_run, commands_for_plugins_run];

const README: &str = include_str!("../../../README.md");
const PLUGINS: &str = include_str!("../../../plugins/README.md");

/// Returns the lines of the blocks of shell commands that begin with one of these programs.
fn commands(text: &str, programs: &[&str]) -> Vec<String> {
    let blocks = text.split("\n```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    let is_chosen = |line: &&str| programs.iter().any(|program| line.starts_with(program));
    blocks.flat_map(str::lines).filter(is_chosen).map(str::to_string).collect()
}

/// Runs a line in a shell, in the directory of a queue `Q` whose item is `ID`.
fn shell(queue: &Queue, line: &str, id: &str) -> String {
    let line = line.replace("cargo run --release --", "queue-store").replace(" ID", &format!(" {id}"));
    let bin = Path::new(env!("CARGO_BIN_EXE_queue-store")).parent().expect("a program is in a directory");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-euc", &line]).current_dir(queue.beside("")).env("PATH", path).env("HOME", queue.beside(""));
    command.env("QUEUE_STORE_DIR", "Q");
    let output = run(&mut command, b"");
    assert_eq!(output.code, 0, "{line}: {}", output.stderr);
    output.text().to_string()
}

fn commands_of_readme_run() {
    let queue = Queue::new();
    let mail = "From a@example.com Sat Nov 28 21:00:00 2026\nTo: b@example.com\nSubject: hello\n\nhello\n";
    queue.file("mail.eml", "Subject: hello\r\n\r\nhello\r\n");
    fs::create_dir(queue.beside("Mail")).expect("it is new");
    queue.file("Mail/inbox.mbox", mail);
    let plugin = guest::build("queue-store-plugin-command", &[], "queue-store-plugin-command.wasm", "component");
    queue.file("plugin.wasm", plugin);

    let lines = commands(README, &["cargo run", "queue-store "]);
    assert!(lines.len() >= 12, "{lines:?}");
    let (put, lines) = lines.split_first().expect("there are lines");
    let id = shell(&queue, put, "");
    for line in lines {
        shell(&queue, line, id.trim_end());
    }
    let listed = run(queue_store(&["list", "--ids", "--queue"]).arg(queue.beside("Q")), b"").done();
    assert_eq!(listed.lines().count(), 2, "the imported mail, and that of the plugin: {listed}");
    assert_eq!(&fs::read(queue.beside("out.wasm")).expect("it is composed")[..4], b"\0asm");
}

fn commands_for_plugins_run() {
    let queue = Queue::new();
    queue.file("mail.eml", "Subject: hello\r\n\r\nhello\r\n");
    let plugin = guest::build("queue-store-plugin-command", &[], "queue-store-plugin-command.wasm", "component");
    queue.file("plugin.wasm", plugin);
    let lines = commands(PLUGINS, &["mkdir", "queue-store "]);
    assert!(lines.len() >= 4, "{lines:?}");
    for line in lines {
        shell(&queue, &line, "");
    }
    assert!(queue.beside("wit/deps/mail-queue.wit").exists() && queue.beside("composed.wasm").exists());
}
