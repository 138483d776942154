//! `plugin` and `wit`: plugins are checked, composed and run.

use crate::process::{queue_store, run, spawn, wait};
use crate::queue::Queue;
use crate::trial::trials;
use queue_store_host_test::{guest, requirement};
use serde_json::json;
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use wit_parser::Resolve;

trials![
    run_submits_mail_of_standard_input,
    run_takes_plugins_in_python => Python,
    run_takes_plugins_in_javascript => Node,
    run_passes_arguments_and_reports_exit_code,
    run_ends_plugin_at_its_limits,
    run_ends_plugin_that_waits_for_input_or_output,
    run_keeps_mail_of_plugin_that_traps,
    run_refuses_plugin_that_is_no_command,
    run_refuses_composed_plugin,
    core_modules_are_named_alike,
    allow_of_nothing_is_refused,
    check_tells_whether_plugin_is_a_command,
    check_lists_what_a_plugin_gets,
    check_refuses_operators_interfaces,
    compose_makes_component_for_any_host,
    compose_replaces_file_whole_and_writes_to_devices,
    compose_refuses_imports_unless_allowed,
    run_refuses_imports_that_it_lacks,
    malformed_plugins_exit_65,
    wit_prints_contract_and_worlds,
];

const MAIL: &[u8] = b"Subject: hello\r\n\r\nhello\r\n";

/// The command in `plugins/`.
static PLUGIN: LazyLock<Vec<u8>> = LazyLock::new(|| built("queue-store-plugin-command"));

/// A command that does what its argument names.
static COMMAND: LazyLock<Vec<u8>> = LazyLock::new(|| built("queue-store-guest-command"));

fn built(package: &str) -> Vec<u8> {
    guest::build(package, &[], &format!("{package}.wasm"), "component")
}

/// Writes a component beside the queue.
fn file(queue: &Queue, component: &[u8]) -> PathBuf {
    queue.file("plugin.wasm", component)
}

/// Returns the text of a component that imports interfaces without functions.
fn importing(names: &[&str]) -> Vec<u8> {
    let imports: String = names.iter().map(|name| format!("(import {name:?} (instance))")).collect();
    wat::parse_str(format!("(component {imports})")).expect("it is well-formed")
}

fn run_submits_mail_of_standard_input() {
    let queue = Queue::existing();
    let path = file(&queue, &PLUGIN);
    let mut command = queue.command(&["plugin", "run"]);
    let id = run(command.arg(&path).args(["a@example.com", "b@example.com"]), MAIL).done();
    let body = queue.run(&["cat", id.trim_end()]).done();
    assert_eq!(body.as_bytes(), [b"X-Checked: yes\r\n", MAIL].concat());
}

/// Builds the command in `plugins/command` with a tool, and runs it.
fn run_takes_plugin(tool: &mut Command) {
    let queue = Queue::existing();
    let path = queue.beside("plugin.wasm");
    let built = run(tool.arg("--output").arg(&path), b"");
    assert_eq!(built.code, 0, "{}", built.stderr);
    let plugin = |to| run(queue.command(&["plugin", "run"]).arg(&path).args(["a@example.com", to]), MAIL);
    let id = plugin("b@example.com").done();
    assert_eq!(queue.run(&["cat", id.trim_end()]).stdout, [b"X-Checked: yes\r\n", MAIL].concat());
    let refused = plugin("-b@example.com");
    assert_eq!((refused.code, refused.text()), (65, ""));
    assert!(refused.stderr.contains("a plugin may not use an address of `to`"), "{}", refused.stderr);
    assert_eq!(queue.names().len(), 1, "nothing half-done is left");
}

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/command")
}

fn run_takes_plugins_in_python() {
    let mut tool = Command::new(requirement::interop().join("python/bin/componentize-py"));
    tool.arg("--wit-path").arg(plugins().join("wit")).args(["--world", "command", "componentize"]);
    tool.arg("--python-path").arg(plugins()).arg("command").env("PYTHONDONTWRITEBYTECODE", "1");
    run_takes_plugin(&mut tool);
}

fn run_takes_plugins_in_javascript() {
    let mut tool = Command::new(requirement::node_modules().join(".bin/componentize-qjs"));
    tool.args(["--sync", "--world", "command"]).arg("--wit").arg(plugins().join("wit"));
    tool.arg("--js").arg(plugins().join("command.js"));
    run_takes_plugin(&mut tool);
}

fn run_passes_arguments_and_reports_exit_code() {
    let queue = Queue::existing();
    let path = file(&queue, &COMMAND);
    let place = path.to_str().expect("it is ASCII");
    assert_eq!(queue.run(&["plugin", "run", place, "environment"]).done(), "0 variables, 0 files");
    assert_eq!(queue.run(&["plugin", "run", place, "exit", "0"]).done(), "");
    for code in ["1", "3"] {
        let line = queue.run(&["plugin", "run", place, "exit", code]).failed(65);
        let cause = "the plugin reported failure; the mails that it submitted before stay queued";
        assert_eq!(line, format!("{place}: {cause}"));
    }
}

fn run_ends_plugin_at_its_limits() {
    let queue = Queue::existing();
    let path = file(&queue, &COMMAND);
    let path = path.to_str().expect("it is ASCII");
    for (limit, argument, code, cause) in [
        ("--max-seconds=1", "compute", 75, "the plugin took longer than the 1s that it may; --max-seconds raises it"),
        ("--max-seconds=1", "sleep", 75, "the plugin took longer than the 1s that it may; --max-seconds raises it"),
        (
            "--max-memory=16777216",
            "allocate",
            70,
            "the plugin needs more than the 16777216 bytes of memory that it may have; --max-memory raises it",
        ),
    ] {
        let output = queue.run(&["plugin", "run", limit, path, argument]);
        assert_eq!(output.code, code, "{}", output.stderr);
        // The standard library of the plugin may print first that it is out of memory.
        let line = output.stderr.lines().last().expect("a failure has a line");
        assert_eq!(line, format!("queue-store: {path}: {cause}; the mails that it submitted before stay queued"));
    }
    let path = file(&queue, &PLUGIN);
    let mut command = queue.command(&["plugin", "run", "--max-bytes=20"]);
    let output = run(command.arg(path).args(["a@example.com", "b@example.com"]), MAIL);
    assert_eq!((output.code, output.text()), (65, ""));
    assert!(output.stderr.starts_with("Error: \"the limit of the plugin leaves 4 bytes\"\n"), "{}", output.stderr);
    assert_eq!(fs::read_dir(queue.path()).map_or(0, Iterator::count), 0, "nothing half-done is left");
}

fn run_ends_plugin_that_waits_for_input_or_output() {
    let queue = Queue::existing();
    let path = file(&queue, &COMMAND);
    for argument in ["read", "flood"] {
        let mut command = queue.command(&["plugin", "run", "--max-seconds=1"]);
        let mut child = spawn(command.arg(&path).arg(argument).stdin(Stdio::piped()));
        // Neither is closed before the command ends.
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let output = wait(child);
        drop((stdin, stdout));
        assert_eq!(output.code, 75, "{}", output.stderr);
        assert!(output.stderr.contains("the plugin took longer than the 1s that it may"), "{}", output.stderr);
    }
    let mut command = queue.command(&["plugin", "run", "--max-seconds=1"]);
    let log = queue.beside("log");
    let mut child = spawn(command.arg(&path).arg("flood-errors").env("QUEUE_STORE_LOG", &log));
    let stderr = child.stderr.take();
    assert_eq!(wait(child).code, 75);
    drop(stderr);
    let logged = fs::read_to_string(log).expect("the log is created");
    assert!(logged.lines().count() == 1 && logged.contains("the plugin took longer than the 1s"), "{logged}");
}

fn run_keeps_mail_of_plugin_that_traps() {
    let queue = Queue::existing();
    let path = file(&queue, &COMMAND);
    let output = queue.run(&["plugin", "run", path.to_str().expect("it is ASCII"), "submit-and-trap"]);
    assert_eq!(output.code, 70, "{}", output.stderr);
    let line = output.stderr.lines().last().expect("a failure has a line");
    assert!(line.contains("the plugin failed: ") && line.ends_with("submitted before stay queued"), "{line}");
    assert_eq!(queue.json(&["list", "--json"]).as_array().map(Vec::len), Some(1));
}

fn run_refuses_plugin_that_is_no_command() {
    let queue = Queue::new();
    let path = file(&queue, &importing(&["mail:queue/intake@0.1.0"]));
    let line = run(queue.command(&["plugin", "run"]).arg(&path), MAIL).failed(65);
    let cause = "it exports no `wasi:cli/run`, so it is no command; compose it, or call it from a host in Rust";
    assert_eq!(line, format!("{}: {cause}", path.display()));
    assert!(!queue.path().exists(), "no directory is created for it");
}

fn run_refuses_composed_plugin() {
    let queue = Queue::new();
    let path = file(&queue, &PLUGIN);
    let composed = queue.beside("composed.wasm");
    run(queue_store(&["plugin", "compose"]).arg(&path).arg("--output").arg(&composed), b"").done();
    let line = run(queue.command(&["plugin", "run"]).arg(&composed), MAIL).failed(65);
    let cause = "it does not import mail:queue/intake: was it composed? run the plugin itself";
    assert_eq!(line, format!("{}: {cause}", composed.display()));
    assert!(!queue.path().exists(), "no directory is created for it");
}

fn core_modules_are_named_alike() {
    let queue = Queue::existing();
    let path = file(&queue, b"\0asm\x01\0\0\0");
    for action in ["check", "compose", "run"] {
        let line = run(queue.command(&["plugin", action]).arg(&path), b"").failed(65);
        let cause = "it is a core module, not a component: build it for wasm32-wasip2, or make it a component with \
                     `wasm-tools component new`";
        assert_eq!(line, format!("{}: {cause}", path.display()), "{action}");
    }
}

fn allow_of_nothing_is_refused() {
    let queue = Queue::existing();
    let path = file(&queue, &importing(&["mail:queue/intake@0.1.0", "wasi:sockets/tcp@0.2.9"]));
    let path = path.to_str().expect("it is ASCII");
    for action in ["check", "compose"] {
        for name in ["wasi:http", "wasi:sockets/tcp@0.2.9"] {
            let line = queue.run(&["plugin", action, path, "--allow", "wasi:sockets", "--allow", name]).failed(64);
            let cause =
                format!("it imports no {name}: name an interface or a package of its imports, without a version");
            assert_eq!(line, format!("{path}: {cause}"));
        }
    }
}

fn check_tells_whether_plugin_is_a_command() {
    let queue = Queue::existing();
    let path = file(&queue, &PLUGIN);
    let checked = run(queue_store(&["plugin", "check"]).arg(&path), b"").done();
    assert!(checked.ends_with("\n\nIt is a command: `plugin run` runs it if it gets every import.\n"), "{checked}");
    let json = queue.json(&["plugin", "check", "--json", path.to_str().expect("it is ASCII")]);
    assert_eq!(json["command"], true);
}

fn check_lists_what_a_plugin_gets() {
    let queue = Queue::existing();
    let names = [
        "mail:queue/intake@0.1.0",
        "wasi:clocks/wall-clock@0.2.0",
        "wasi:filesystem/types@0.2.9",
        "wasi:sockets/tcp@0.2.9",
    ];
    let path = file(&queue, &importing(&names));
    let path = path.to_str().expect("it is ASCII");
    let table = |width: usize, last: &str| {
        let rows = [
            ["IMPORT", "COMPOSED, IT GETS", "RUN, IT GETS"],
            [names[0], "the queue, to submit mail", "the queue, to submit mail"],
            [names[1], "that of its host", "that of the command"],
            [names[2], "an empty file system", "an empty file system"],
            [names[3], last, "no network"],
        ];
        let rows = rows.map(|[name, composed, run]| format!("{name:<28}  {composed:<width$}  {run}\n")).concat();
        let no_command =
            "It is no command, since it exports no `wasi:cli/run`: compose it, or call it from a host in Rust.";
        format!("{rows}\n{no_command}\n")
    };
    let output = queue.run(&["plugin", "check", path]);
    assert_eq!((output.code, output.text()), (65, table(25, "nothing: refused").as_str()));
    let cause = "`plugin compose` refuses it: it imports wasi:sockets, which a plugin does not get; --allow wasi:sockets \
                 gives it what the host grants";
    assert_eq!(output.stderr, format!("queue-store: {path}: {cause}\n"));
    let checked = queue.run(&["plugin", "check", path, "--allow", "wasi:sockets"]);
    assert_eq!(checked.done(), table(28, "that of its host, by --allow"));
    let json = queue.json(&["plugin", "check", path, "--allow", "wasi:sockets/tcp", "--json"]);
    let treatments = [("queue", "queue"), ("harmless", "harmless"), ("emptied", "emptied"), ("allowed", "no-network")];
    let imports = names.iter().zip(treatments);
    let imports = imports.map(|(name, (composed, run))| json!({ "name": name, "treatment": composed, "run": run }));
    assert_eq!(json, json!({ "command": false, "imports": imports.collect::<Vec<_>>() }));
}

fn check_refuses_operators_interfaces() {
    let queue = Queue::existing();
    for name in ["mail:queue/queue-store@0.1.0", "mail:queue/durable-file@0.1.0", "wasi:filesystem/preopens@0.3.0", "x"]
    {
        let path = file(&queue, &importing(&["mail:queue/intake@0.1.0", name]));
        let output = queue.run(&["plugin", "check", path.to_str().expect("it is ASCII")]);
        assert_eq!(output.code, 65, "{name}: {}", output.text());
    }
    let path = file(&queue, &importing(&["mail:queue/intake@0.1.0", "wasi:filesystem/preopens@0.3.0"]));
    let path = path.to_str().expect("it is ASCII");
    let line = queue.run(&["plugin", "compose", path, "--allow", "wasi:filesystem"]).failed(65);
    assert_eq!(line, format!("{path}: it imports wasi:filesystem/preopens@0.3.0, which no plugin gets"));
    let path = file(&queue, &importing(&["wasi:clocks/wall-clock@0.2.0"]));
    let output = queue.run(&["plugin", "check", path.to_str().expect("it is ASCII")]);
    assert!(output.stderr.contains("it does not import mail:queue/intake"), "{}", output.stderr);
}

fn compose_makes_component_for_any_host() {
    use queue_store_host::plugin::wasmtime_wasi::{
        FsPerms, WasiCtx, p2::pipe::MemoryInputPipe, p2::pipe::MemoryOutputPipe,
    };
    use queue_store_host::plugin::{Plugin, PluginLimits};
    use queue_store_host::{Host, Intake, IntakeLimits};

    let queue = Queue::existing();
    let path = file(&queue, &PLUGIN);
    let composed = queue.beside("composed.wasm");
    let mut command = queue_store(&["plugin", "compose"]);
    run(command.arg(&path).arg("--output").arg(&composed), b"").done();
    let component = fs::read(&composed).expect("it is written");
    assert_eq!(run(queue_store(&["plugin", "compose"]).arg(&path), b"").stdout, component, "without --output");

    // Its own intake is not that of this host, which has another queue.
    let other = Queue::existing();
    let other = Host::new().and_then(|host| host.open(other.path())).expect("the directory exists");
    let (input, output) = (MemoryInputPipe::new(MAIL), MemoryOutputPipe::new(1 << 10));
    let mut wasi = WasiCtx::builder();
    wasi.preopened_dir(queue.path(), "queue", FsPerms::ReadWrite).expect("the directory exists");
    wasi.args(&["plugin", "a@example.com", "b@example.com"]).stdin(input).stdout(output.clone());
    let plugin = Plugin::new(&component, PluginLimits::default()).expect("it is a component");
    let code = plugin.run(&Intake::new(&other, IntakeLimits::default()), wasi.build()).expect("it runs");
    assert_eq!(code, 0);
    let id = String::from_utf8(output.contents().to_vec()).expect("an id is text");
    assert_eq!(queue.run(&["cat", id.trim_end()]).stdout, [b"X-Checked: yes\r\n", MAIL].concat());
    assert_eq!(other.count().expect("the directory can be read").ready, 0);
}

fn compose_replaces_file_whole_and_writes_to_devices() {
    let queue = Queue::existing();
    let path = file(&queue, &PLUGIN);
    let existing = queue.file("existing.wasm", "old");
    for arguments in [&["component"][..], &["plugin", "compose", path.to_str().expect("it is ASCII")]] {
        let to = |output: &str| run(queue_store(arguments).args(["--output", output]), b"");
        to(existing.to_str().expect("it is ASCII")).done();
        assert_eq!(&fs::read(&existing).expect("it exists")[..4], b"\0asm");
        let link = queue.beside("link.wasm");
        let _ = fs::remove_file(&link);
        symlink(&existing, &link).expect("the name is free");
        to(link.to_str().expect("it is ASCII")).done();
        assert!(fs::symlink_metadata(&link).expect("it exists").is_symlink(), "a link stays");
        to("/dev/null").done();
        assert!(fs::metadata("/dev/null").expect("it exists").file_type().is_char_device(), "it is not replaced");
        let line = to("/nonexistent/x.wasm").failed(73);
        assert!(line.starts_with("/nonexistent/x.wasm: "), "{line}");
        let line = to("/dev/full").failed(75);
        assert_eq!(line, "/dev/full: No space left on device; make room, then try again");
    }
}

fn compose_refuses_imports_unless_allowed() {
    let queue = Queue::existing();
    let path = file(
        &queue,
        &importing(&["mail:queue/intake@0.1.0", "wasi:http/types@0.2.0", "wasi:http/outgoing-handler@0.2.0"]),
    );
    let path = path.to_str().expect("it is ASCII");
    let line = queue.run(&["plugin", "compose", path]).failed(65);
    let cause = "it imports wasi:http, which a plugin does not get; --allow wasi:http gives it what the host grants";
    assert_eq!(line, format!("{path}: {cause}"));
    let composed = queue.run(&["plugin", "compose", path, "--allow", "wasi:http"]);
    assert_eq!(composed.code, 0, "{}", composed.stderr);
}

fn run_refuses_imports_that_it_lacks() {
    let queue = Queue::existing();
    let component = r#"(component (import "wasi:http/types@0.2.0" (instance (export "f" (func)))))"#;
    let path = file(&queue, &wat::parse_str(component).expect("it is well-formed"));
    let line = run(queue.command(&["plugin", "run"]).arg(&path), MAIL).failed(65);
    assert!(line.starts_with(&format!("{}: it is no plugin: ", path.display())), "{line}");
    assert!(line.ends_with("; queue-store plugin check lists its imports, and what it gets for each"), "{line}");
}

fn malformed_plugins_exit_65() {
    let queue = Queue::existing();
    let truncated = &PLUGIN[..PLUGIN.len() / 2];
    for (component, cause) in [
        (&b"garbage"[..], "it does not have the binary form of one"),
        (b"", "it does not have the binary form of one"),
        (truncated, "it is no valid component: "),
    ] {
        let path = file(&queue, component);
        for action in ["check", "compose"] {
            let line = run(queue.command(&["plugin", action]).arg(&path), b"").failed(65);
            assert!(line.starts_with(&format!("{}: it is no valid component: ", path.display())), "{line}");
            assert!(line.contains(cause), "{line}");
        }
        let line = run(queue.command(&["plugin", "run"]).arg(&path), MAIL).failed(65);
        let begin = if component == truncated { "it is no plugin: " } else { "it is no valid component: " };
        assert!(line.starts_with(&format!("{}: {begin}", path.display())), "{line}");
    }
    for (import, cause) in [
        (r#"(core module (type $s (struct (field i32))) (export "m" (func (type 0))))"#, "it is no valid component: "),
        (r#"(instance (export "c" (component)))"#, "which no plugin gets"),
        (r#"(instance (export "m" (core module)))"#, "which no plugin gets"),
        ("(func)", "which no plugin gets"),
    ] {
        let text = format!(
            r#"(component (import "mail:queue/intake@0.1.0" (instance)) (import "wasi:cli/x@0.2.0" {import}))"#
        );
        let path = file(&queue, &wat::parse_str(text).expect("it is well-formed"));
        let line = run(queue.command(&["plugin", "compose"]).arg(&path), b"").failed(65);
        assert!(line.contains(cause), "{import}: {line}");
    }
    let mistyped = r#"(component (import "mail:queue/intake@0.1.0" (instance (export "list" (func)))))"#;
    let path = file(&queue, &wat::parse_str(mistyped).expect("it is well-formed"));
    for action in ["check", "compose"] {
        let output = run(queue.command(&["plugin", action]).arg(&path), b"");
        assert_eq!(output.code, 65, "{action}: {}", output.stderr);
        assert!(output.stderr.contains("it cannot be composed: "), "{action}: {}", output.stderr);
    }
    let line = queue.run(&["plugin", "check", "/nonexistent.wasm"]).failed(66);
    assert_eq!(line, "/nonexistent.wasm: No such file or directory; check the path");
    let line = queue.run(&["plugin"]).failed(64);
    assert!(line.contains("requires a subcommand"), "{line}");
    let line = queue.run(&["plugin", "run", "--max-mails", "x"]).failed(64);
    assert!(line.ends_with("(see queue-store plugin run --help)"), "{line}");
}

fn wit_prints_contract_and_worlds() {
    let contract = run(&mut queue_store(&["wit"]), b"").done();
    let world = run(&mut queue_store(&["wit", "--world", "plugin"]), b"").done();
    let parse = |text: &str| {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("x.wit", text).expect("it is valid WIT");
        let package = &resolve.packages[package];
        let names = package.interfaces.keys().chain(package.worlds.keys());
        names.cloned().collect::<Vec<String>>()
    };
    assert_eq!(parse(&world), ["types", "intake", "plugin"]);
    assert_eq!(parse(&contract).len(), 9);
    assert!(world.contains("/// Queues a mail and returns its id."), "it is documented");
    let line = run(&mut queue_store(&["wit", "--world", "plugins"]), b"").failed(64);
    assert_eq!(line, "the contract has no world \"plugins\"; it has queue, plugin, operator-plugin");
}
