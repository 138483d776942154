//! The plugins in `plugins/`, in each of the two ways in which a plugin is safe: in a store of its own, whose intake is the
//! library's; and composed with the queue and an empty `wasi:filesystem/preopens`.

use libtest_mimic::{Arguments, Trial};
use queue_store_host::plugin::{Plugin, PluginLimits};
use queue_store_host::types::Mail;
use queue_store_host::{COMPONENT, Host, Intake, IntakeLimits, Queue};
use queue_store_host_test::guest;
use queue_store_host_test::requirement::{self, Requirement, interop, node_modules, trial};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{LazyLock, Mutex};
use std::{env, fs};
use tempfile::TempDir;
use wasmtime::component::Val;
use wasmtime_wasi::{FsPerms, WasiCtx};

/// The languages of the plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Language {
    Rust,
    Python,
    JavaScript,
}

/// The ways to run a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In a store of its own.
    OwnStore,
    /// Composed with the queue and an empty file system.
    Composed,
    /// Composed with the queue alone, which is not safe.
    ComposedNaively,
}

/// Returns the directory of the plugins.
fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins")
}

/// Builds the plugin or the snooper of a language, once.
fn build(language: Language, world: &'static str) -> &'static [u8] {
    static BUILT: Mutex<BTreeMap<(Language, &str), &[u8]>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().expect("no build panics");
    built.entry((language, world)).or_insert_with(|| {
        let snooper = if world == "snooper" { "snooper/" } else { "" };
        let source = |directory: &str| plugins().join(format!("{snooper}{directory}"));
        let made = requirement::target_directory().join(format!("plugins/{world}-{language:?}.wasm"));
        fs::create_dir_all(made.parent().expect("it has one")).expect("the target directory is writable");
        let mut command = match language {
            Language::Rust => {
                let package = if world == "snooper" { "queue-store-snooper" } else { "queue-store-plugin-rust" };
                return guest::build(package, &[], &format!("{}.wasm", package.replace('-', "_")), "component").leak();
            }
            Language::Python => {
                let mut command = Command::new(interop().join("python/bin/componentize-py"));
                command.arg("--wit-path").arg(plugins().join("wit")).args(["--world", world, "componentize"]);
                command.arg("--python-path").arg(source("python")).arg(world);
                command
            }
            Language::JavaScript => {
                let mut command = Command::new(node_modules().join(".bin/componentize-qjs"));
                command.args(["--sync", "--world", world]).arg("--wit").arg(plugins().join("wit"));
                command.arg("--js").arg(source(&format!("javascript/{world}.js")));
                command
            }
        };
        run(command.arg("--output").arg(&made));
        fs::read(made).expect("the tool made it").leak()
    })
}

/// Composes a plugin with the queue, and with an empty file system unless that is left out.
fn compose(plugin: &[u8], language: Language, way: Way) -> Vec<u8> {
    if way == Way::ComposedNaively {
        return guest::compose(plugin, &[("mail:queue-store", COMPONENT)]);
    }
    // The runtime of Python imports sockets in every plugin. This host grants no network.
    let allowed = if language == Language::JavaScript { vec![] } else { vec!["wasi:sockets".to_string()] };
    queue_store_composition::compose(plugin, COMPONENT, &allowed).expect("it imports nothing else that is refused")
}

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("this machine runs the component"));

/// A plugin, and the queue that it has.
struct Running {
    directory: TempDir,
    queue: Queue,
    intake: Intake,
    way: Way,
    plugin: Plugin,
}

impl Running {
    fn new(language: Language, world: &'static str, way: Way, limits: IntakeLimits) -> Running {
        Running::of(build(language, world), language, way, limits)
    }

    fn of(component: &[u8], language: Language, way: Way, limits: IntakeLimits) -> Running {
        let directory = tempfile::tempdir().expect("a test can create a temporary directory");
        let queue = HOST.open(directory.path()).expect("the directory exists");
        let component = if way == Way::OwnStore { component } else { &compose(component, language, way) };
        let plugin = Plugin::new(component, PluginLimits::default()).expect("it is a plugin");
        Running { directory, intake: Intake::new(&queue, limits), queue, way, plugin }
    }

    /// Calls a function of an interface, or of the plugin itself.
    fn call(&self, interface: Option<&str>, function: &str, arguments: &[Val]) -> Val {
        let mut wasi = WasiCtx::builder();
        if self.way != Way::OwnStore {
            wasi.preopened_dir(self.directory.path(), "queue", FsPerms::ReadWrite).expect("the directory exists");
        }
        if self.way == Way::ComposedNaively {
            wasi.inherit_network().allow_tcp(true);
        }
        let called = self.plugin.call(&self.intake, wasi.build(), async |store, instance| {
            let mut index = |within: Option<&_>, name: &str| {
                instance.get_export_index(&mut *store, within, name).expect("the plugin exports it")
            };
            let interface = interface.map(|name| index(None, name));
            let index = index(interface.as_ref(), function);
            let function = instance.get_func(&mut *store, index).expect("it is a function");
            let mut results = [Val::Bool(false)];
            function.call_async(store, arguments, &mut results).await?;
            let [result] = results;
            Ok(result)
        });
        called.expect("the plugin does not trap")
    }

    /// Has the plugin receive a mail.
    fn receive(&self, to: &[&str], message: &[u8]) -> Result<String, String> {
        let string = |text: &str| Val::String(text.into());
        let session = [("helo", "client.example"), ("ip", "192.0.2.1")];
        let session = session.iter().map(|(name, value)| ((*name).to_string(), string(value))).collect();
        let arguments = [
            Val::Record(session),
            string("a@example.com"),
            Val::List(to.iter().map(|address| string(address)).collect()),
            Val::List(message.iter().map(|byte| Val::U8(*byte)).collect()),
        ];
        let text = |value: Option<Box<Val>>| match value.as_deref() {
            Some(Val::String(text)) => text.clone(),
            value => panic!("it is a string: {value:?}"),
        };
        match self.call(Some("example:filter/filter@0.1.0"), "receive", &arguments) {
            Val::Result(Ok(id)) => Ok(text(id)),
            Val::Result(Err(reply)) => Err(text(reply)),
            value => panic!("it is a result: {value:?}"),
        }
    }

    /// Has a snooper look, with an item in the queue and a port of this machine that listens.
    fn finds_nothing(&self) {
        let put = self.queue.put_with(Some("x"), &Mail::new("", ["b@example.com"], "secret"), &Default::default());
        put.expect("the queue is new");
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has ports");
        let port = listener.local_addr().expect("it is bound").port();
        assert_eq!(self.snoop(port), [""; 0]);
        let names: Vec<_> = fs::read_dir(self.directory.path())
            .expect("it exists")
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(self.queue.get("x").expect("it is untouched").body, b"secret");
    }

    /// Has a snooper look, and returns what it did.
    fn snoop(&self, port: u16) -> Vec<String> {
        let directories = ["queue", "/queue", "/", ".", "..", "/tmp"];
        let directories = directories.iter().map(|name| Val::String((*name).into())).collect();
        match self.call(None, "snoop", &[Val::List(directories), Val::U16(port)]) {
            Val::List(done) => done.iter().map(|done| format!("{done:?}")).collect(),
            value => panic!("it is a list: {value:?}"),
        }
    }
}

fn plugin_queues_mail(language: Language, way: Way) {
    let plugin = Running::new(language, "plugin", way, IntakeLimits::default());
    let message = b"From: a@example.com\r\nSubject: hello\r\n\r\nhello \xff\r\n";
    let id = plugin.receive(&["b@example.com"], message).expect("it is a mail");
    let item = plugin.queue.get(&id).expect("it is queued");
    let end = item.body.len() - message.len();
    assert_eq!(&item.body[end..], message);
    let received = String::from_utf8_lossy(&item.body[..end]).into_owned();
    assert!(received.starts_with("Received: from client.example ([192.0.2.1])\r\n\tby mx.example.com; "), "{received}");
    assert!(received.ends_with("0000\r\n") && received.matches("\r\n").count() == 2, "{received}");
    assert_eq!(item.envelope.reverse_path, "a@example.com");
    let recipients: Vec<&str> = item.envelope.recipients.iter().map(|recipient| recipient.address.as_str()).collect();
    assert_eq!(recipients, ["b@example.com"]);
    for (to, message, reply) in [
        (&[][..], &message[..], "554 no valid recipients"),
        (&["b@example.com"], b"no header", "554 no header"),
        (&["b@example.com"], b"Subject: hello\r\n\r\n", "554 no From field"),
        (&["-rf@local"], message, "451 "),
        (&["b@a/b"], message, "451 "),
    ] {
        let refused = plugin.receive(to, message).expect_err("it may not be queued");
        assert!(refused.starts_with(reply), "{refused}");
        let path = plugin.directory.path().to_str().expect("its name is ASCII");
        assert!(!refused.contains(path), "a plugin is told no path of the host: {refused}");
    }
    assert_eq!(plugin.queue.count().expect("the directory can be read").ready, 1);
}

/// Runtimes that know nothing of this project.
#[derive(Clone, Copy, Debug)]
enum Runtime {
    WasmtimePython,
    JcoNode,
}

impl Runtime {
    fn requirement(self) -> Requirement {
        match self {
            Runtime::WasmtimePython => Requirement::Python,
            Runtime::JcoNode => Requirement::Node,
        }
    }

    /// Has the snooper of a language look, in a composition whose only directory has an item. Returns what it did.
    fn snoop(self, language: Language, way: Way) -> String {
        // Node.js looks for packages in the directories above a script.
        let work = tempfile::Builder::new().prefix("snoop-").tempdir_in(requirement::interop());
        let work = work.expect("the target directory is writable");
        let work = work.path().canonicalize().expect("it exists");
        let queue = work.join("queue");
        let mail = Mail::new("", ["b@example.com"], "secret");
        HOST.create(&queue).and_then(|queue| queue.put_with(Some("x"), &mail, &Default::default())).expect("a put");
        let composition = work.join("composition.wasm");
        fs::write(&composition, compose(build(language, "snooper"), language, way)).expect("it can be written");

        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-test/interop");
        let mut command = match self {
            Runtime::WasmtimePython => {
                let mut python = Command::new(requirement::python());
                python.arg(scripts.join("python/snoop.py")).arg(&composition);
                python
            }
            Runtime::JcoNode => {
                let transpiled = work.join("transpiled");
                let mut jco = Command::new(node_modules().join(".bin/jco"));
                jco.arg("transpile").arg(&composition).args(["--instantiation", "sync", "--quiet", "-o"]);
                run(jco.arg(&transpiled));
                fs::write(work.join("package.json"), r#"{ "type": "module" }"#).expect("it can be written");
                fs::copy(scripts.join("node/snoop.js"), work.join("snoop.js")).expect("it can be copied");
                let mut node = Command::new("node");
                node.arg(work.join("snoop.js")).arg(transpiled);
                node
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has ports");
        let port = listener.local_addr().expect("it is bound").port();
        run(command.arg(&queue).arg(port.to_string()))
    }
}

/// Runs a command and returns its output.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("the requirement was checked");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

/// Why the safe ways are needed, and that the snoopers would find something.
fn naive_composition_gives_the_queue_away(language: Language) {
    let snooper = Running::new(language, "snooper", Way::ComposedNaively, IntakeLimits::default());
    snooper.queue.put_with(Some("x"), &Mail::new("", ["b@example.com"], "secret"), &Default::default()).expect("a put");
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has ports");
    let done = snooper.snoop(listener.local_addr().expect("it is bound").port());
    // The runtime of Python connects to nothing, even where its host grants a network.
    let connect = (language == Language::Rust).then_some("connect");
    for what in ["list queue", "read queue", "link queue", "make queue", "remove queue"].into_iter().chain(connect) {
        assert!(done.iter().any(|done| done.contains(what)), "{what}: {done:?}");
    }
}

/// Plugins import each version of WASI 0.2, and the queue store one of them.
fn every_version_of_wasi_is_emptied() {
    let text = include_str!("preopens.wat");
    for patch in 0..=12 {
        let counter = wat::parse_str(text.replace("@0.2.12", &format!("@0.2.{patch}"))).expect("it is well-formed");
        for (way, preopens) in [(Way::Composed, 0), (Way::ComposedNaively, 1)] {
            let counter = Running::of(&counter, Language::Rust, way, IntakeLimits::default());
            assert_eq!(counter.call(None, "count", &[]), Val::U32(preopens), "0.2.{patch}, {way:?}");
        }
    }
}

fn intake_of_a_plugin_is_limited() {
    let mut limits = IntakeLimits::default();
    (limits.mails, limits.bytes) = (3, 1000);
    let plugin = Running::new(Language::Rust, "plugin", Way::OwnStore, limits);
    let mail = |length: usize| [&b"From: a@example.com\r\n\r\n"[..], &vec![b'x'; length]].concat();
    plugin.receive(&["b@example.com"], &mail(10)).expect("it is within the limits");
    let refused = plugin.receive(&["b@example.com"], &mail(1000)).expect_err("it has too many bytes");
    assert!(refused.contains("QueueFull"), "{refused}");
    plugin.receive(&["b@example.com"], &mail(10)).expect("the refused one did not count");
    plugin.receive(&["b@example.com"], &mail(1)).expect("it is the third");
    plugin.receive(&["b@example.com"], &mail(1)).expect_err("it is one too many");
}

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("intake_of_a_plugin_is_limited", || {
            intake_of_a_plugin_is_limited();
            Ok(())
        }),
        Trial::test("every_version_of_wasi_is_emptied", || {
            every_version_of_wasi_is_emptied();
            Ok(())
        }),
    ];
    for (language, needs) in [
        (Language::Rust, vec![]),
        (Language::Python, vec![Requirement::Python]),
        (Language::JavaScript, vec![Requirement::Node]),
    ] {
        for way in [Way::OwnStore, Way::Composed] {
            trials.push(trial(format!("plugin_queues_mail::{language:?}::{way:?}"), needs.clone(), move || {
                plugin_queues_mail(language, way);
                Ok(())
            }));
            trials.push(trial(format!("snooper_finds_nothing::{language:?}::{way:?}"), needs.clone(), move || {
                Running::new(language, "snooper", way, IntakeLimits::default()).finds_nothing();
                Ok(())
            }));
        }
        // The runtime of JavaScript imports no file system.
        if language != Language::JavaScript {
            trials.push(trial(format!("naive_composition_gives_the_queue_away::{language:?}"), needs, move || {
                naive_composition_gives_the_queue_away(language);
                Ok(())
            }));
        }
    }
    for runtime in [Runtime::WasmtimePython, Runtime::JcoNode] {
        for (language, need) in [
            (Language::Rust, None),
            (Language::Python, Some(Requirement::Python)),
            (Language::JavaScript, Some(Requirement::Node)),
        ] {
            // The engines of Python and JavaScript have constant expressions that Node.js 20 does not take.
            if matches!((runtime, language), (Runtime::JcoNode, Language::Python | Language::JavaScript)) {
                continue;
            }
            let needs = need.into_iter().chain([runtime.requirement()]).collect();
            let name = format!("snooper_finds_nothing::{language:?}::Composed::{runtime:?}");
            trials.push(trial(name, needs, move || {
                assert_eq!(runtime.snoop(language, Way::Composed), "");
                Ok(())
            }));
        }
        let name = format!("naive_composition_gives_the_queue_away::Rust::{runtime:?}");
        trials.push(trial(name, vec![runtime.requirement()], move || {
            let done = runtime.snoop(Language::Rust, Way::ComposedNaively);
            assert!(done.contains("read queue"), "{done}");
            Ok(())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
