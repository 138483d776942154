//! The commands of `README.md` and `plugins/README.md` run as they are written.

use crate::database;
use crate::process::{queue_store, run};
use crate::queue::Queue;
use crate::trial::trials;
use queue_store_host_test::{guest, operator_plugin, requirement};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

trials![
    commands_of_readme_run,
    commands_for_operators_are_understood,
    commands_for_databases_run => Postgres,
    commands_for_plugins_run,
    composed_plugin_runs_as_documented => WasmtimeCli,
    rust_example_for_plugins_runs,
    python_example_for_plugins_runs => Python,
    javascript_example_for_plugins_runs => Node,
];

const README: &str = include_str!("../../../README.md");
const PLUGINS: &str = include_str!("../../../plugins/README.md");
const SCALING: &str = include_str!("../../../docs/scaling.md");
const OPERATING: &str = include_str!("../../../docs/operating.md");

/// Returns the lines of the blocks of shell commands that begin with one of these programs.
fn commands(text: &str, programs: &[&str]) -> Vec<String> {
    let blocks = text.split("\n```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    let is_chosen = |line: &&str| programs.iter().any(|program| line.starts_with(program));
    blocks.flat_map(str::lines).filter(is_chosen).map(str::to_string).collect()
}

/// Runs a line in a shell, in the directory of a queue `Q` whose item is `ID`.
fn shell(queue: &Queue, line: &str, id: &str) -> String {
    let line = line.replace("cargo run --release --", "queue-store").replace(" ID", &format!(" {id}"));
    let output = run(&mut shell_command(queue, Path::new("Q"), &line), b"");
    assert_eq!(output.code, 0, "{line}: {}", output.stderr);
    output.text().to_string()
}

/// Returns a shell that executes a line beside the queue, with this directory as the default of the command.
fn shell_command(queue: &Queue, directory: &Path, line: &str) -> Command {
    let bin = Path::new(env!("CARGO_BIN_EXE_queue-store")).parent().expect("a program is in a directory");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-euc", line]).current_dir(queue.beside("")).env("PATH", path).env("HOME", queue.beside(""));
    command.env("QUEUE_STORE_DIR", directory).env_remove("QUEUE_STORE_LOG");
    command
}

fn commands_of_readme_run() {
    let queue = Queue::new();
    let mail = "From a@example.com Sat Nov 28 21:00:00 2026\nTo: b@example.com\nSubject: hello\n\nhello\n";
    fs::create_dir(queue.beside("Mail")).expect("it is new");
    queue.file("Mail/inbox.mbox", mail);
    let plugin = guest::build("queue-store-plugin-command", &[], "queue-store-plugin-command.wasm", "component");
    queue.file("plugin.wasm", plugin);

    let lines = commands(README, &["printf", "queue-store "]);
    assert!(lines.len() >= 12, "{lines:?}");
    let (put, lines) = lines.split_first().expect("there are lines");
    let id = shell(&queue, put, "");
    queue.file("mail.eml", "Subject: hello\r\n\r\nhello\r\n");
    for line in lines.iter().filter(|line| !line.contains("postgres://")) {
        shell(&queue, line, id.trim_end());
    }
    let listed = run(queue_store(&["list", "--ids", "--queue"]).arg(queue.beside("Q")), b"").done();
    assert_eq!(listed.lines().count(), 2, "the imported mail, and that of the plugin: {listed}");
    assert_eq!(&fs::read(queue.beside("out.wasm")).expect("it is composed")[..4], b"\0asm");
}

fn commands_for_databases_run() {
    let queue = Queue::new();
    fs::create_dir(queue.beside("Q")).expect("it is new");
    run(queue.put_command(&["--queue", "Q"]).current_dir(queue.beside("")), b"Subject: hello\r\n\r\n").done();
    let url = database::url("readme");
    let documented = "postgres://queue@db1,db2,db3/mail?queue=outgoing";
    let all = [commands(README, &["queue-store "]), commands(SCALING, &["queue-store "])].concat();
    let lines: Vec<&String> = all.iter().filter(|line| line.contains(documented)).collect();
    assert!(lines.len() >= 4, "{lines:?}");
    for line in lines {
        shell(&queue, &line.replace(documented, &url).replace("/var/lib/chasquid/queue", "Q"), "");
    }
    let listed = run(&mut queue_store(&["list", "--ids", "--queue", &url]), b"").done();
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

fn commands_for_plugins_run() {
    let queue = Queue::new();
    queue.file("mail.eml", "Subject: hello\r\n\r\nhello\r\n");
    let plugin = guest::build("queue-store-plugin-command", &[], "queue-store-plugin-command.wasm", "component");
    queue.file("plugin.wasm", plugin);
    queue.file("cleaner.wasm", &*operator_plugin::COMPONENT);
    let lines = commands(PLUGINS, &["mkdir", "queue-store "]);
    assert!(lines.len() >= 4, "{lines:?}");
    for line in lines {
        shell(&queue, &line, "");
    }
    assert!(queue.beside("wit/deps/mail-queue.wit").exists() && queue.beside("composed.wasm").exists());
}

fn commands_for_operators_are_understood() {
    let queue = Queue::existing();
    let id = queue.put(&[], b"Subject: hello\r\n\r\nhello\r\n");
    let lines = commands(OPERATING, &["queue-store "]);
    assert!(lines.len() >= 30, "{lines:?}");
    for line in lines.iter().filter(|line| !line.contains("/var") && !line.contains("/usr")) {
        // The rest of a gate is not of this project.
        let line = line.split(" && systemctl").next().expect("a line has a beginning").replace("ID", &id);
        let output = run(&mut shell_command(&queue, &queue.path(), &line), b"");
        assert_ne!(output.code, 64, "{line}: {}", output.stderr);
        assert!((0..=78).contains(&output.code), "{line}: {}", output.stderr);
    }
}

fn composed_plugin_runs_as_documented() {
    let queue = Queue::new();
    queue.file("mail.eml", "Subject: hello\r\n\r\nhello\r\n");
    let plugin = guest::build("queue-store-plugin-command", &[], "queue-store-plugin-command.wasm", "component");
    queue.file("plugin.wasm", plugin);
    fs::create_dir(queue.beside("Q")).expect("it is new");
    shell(&queue, "queue-store plugin compose plugin.wasm --output composed.wasm", "");
    let lines = commands(PLUGINS, &["wasmtime run"]);
    let [line] = lines.as_slice() else { panic!("one command runs it: {lines:?}") };
    let wasmtime = requirement::wasmtime_cli();
    let id = shell(&queue, &line.replacen("wasmtime", &wasmtime.display().to_string(), 1), "");
    let mail = shell(&queue, "queue-store cat ID", id.trim_end());
    assert_eq!(mail, "X-Checked: yes\r\nSubject: hello\r\n\r\nhello\r\n");
}

/// Returns the block of code in a language in `plugins/README.md`.
fn example(language: &str) -> &'static str {
    let blocks = PLUGINS.split("\n```").skip(1).step_by(2);
    let mut blocks = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    blocks.next().expect("the page has an example in the language")
}

/// Writes the files of an example, builds it in their directory, and runs it.
fn run_example(files: &[(&str, &str)], build: impl FnOnce(&Path)) {
    let queue = Queue::existing();
    for (name, text) in files {
        let path = queue.beside(name);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("the temporary directory is writable");
        fs::write(path, text).expect("the temporary directory is writable");
    }
    fs::create_dir_all(queue.beside("wit/deps")).expect("the temporary directory is writable");
    shell(&queue, "queue-store wit --world plugin > wit/deps/mail-queue.wit", "");
    build(&queue.beside(""));
    queue.file("mail.eml", "Subject: hello\r\n\r\nhello\r\n");
    let id = shell(&queue, "queue-store plugin run plugin.wasm < mail.eml", "");
    assert_eq!(shell(&queue, "queue-store cat ID", id.trim_end()), "Subject: hello\r\n\r\nhello\r\n");
}

/// Runs a tool in a directory.
fn run_tool(tool: PathBuf, arguments: &[&str], directory: &Path) {
    let tool = std::path::absolute(tool).expect("it has a path");
    build(Command::new(tool).args(arguments).current_dir(directory));
}

/// Runs a build to its end, which a busy machine takes minutes for.
fn build(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the tool can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn rust_example_for_plugins_runs() {
    let dependency = PLUGINS.split('`').find(|code| code.starts_with("wit-bindgen = ")).expect("the page has the line");
    let package = "[package]\nname = \"plugin\"\nedition = \"2024\"\n\n[workspace]\n";
    let manifest = format!("{package}\n[dependencies]\n{dependency}\n");
    // The versions of this workspace are there already.
    let versions = include_str!("../../../Cargo.lock");
    let files = [("Cargo.toml", manifest.as_str()), ("Cargo.lock", versions), ("src/main.rs", example("rust"))];
    run_example(&files, |directory| {
        let target = std::path::absolute(requirement::target_directory().join("plugins")).expect("it has a path");
        let cargo = env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
        let mut command = Command::new(cargo);
        command
            .args(["build", "--release", "--quiet", "--offline", "--target", "wasm32-wasip2", "--target-dir"])
            .arg(&target);
        command.current_dir(directory).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        build(&mut command);
        fs::copy(target.join("wasm32-wasip2/release/plugin.wasm"), directory.join("plugin.wasm"))
            .expect("it was built");
    });
}

fn python_example_for_plugins_runs() {
    let files = [("command.py", example("python")), ("wit/command.wit", example("wit"))];
    run_example(&files, |directory| {
        let options = ["--wit-path", "wit", "--world", "command", "componentize", "--python-path", "."];
        let arguments = [options.as_slice(), &["command", "--output", "plugin.wasm"]].concat();
        run_tool(requirement::interop().join("python/bin/componentize-py"), &arguments, directory);
    });
}

fn javascript_example_for_plugins_runs() {
    let world = include_str!("../../../plugins/command/wit/command.wit");
    let files = [("command.js", example("javascript")), ("wit/command.wit", world)];
    run_example(&files, |directory| {
        let arguments =
            ["--sync", "--world", "command", "--wit", "wit", "--js", "command.js", "--output", "plugin.wasm"];
        run_tool(requirement::node_modules().join(".bin/componentize-qjs"), &arguments, directory);
    });
}
