//! A plugin in a store of its own: its limits, and what it finds there. The plugin is a command that does what its argument
//! names.

use queue_store_host::plugin::{Plugin, PluginError, PluginLimits};
use queue_store_host::{Host, Intake, IntakeLimits, Queue};
use queue_store_host_test::guest;
use std::net::TcpListener;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

static COMMAND: LazyLock<Vec<u8>> =
    LazyLock::new(|| guest::build("queue-store-guest-command", &[], "queue-store-guest-command.wasm", "component"));

struct Fixture {
    plugin: Plugin,
    intake: Intake,
    queue: Queue,
    _directory: TempDir,
}

impl Fixture {
    fn new(change: impl FnOnce(&mut PluginLimits)) -> Fixture {
        let directory = tempfile::tempdir().expect("a test can create a temporary directory");
        let queue = Host::new().and_then(|host| host.open(directory.path())).expect("the directory exists");
        let mut limits = PluginLimits::default();
        change(&mut limits);
        let plugin = Plugin::new(&COMMAND, limits).expect("it is a plugin");
        Fixture { plugin, intake: Intake::new(&queue, IntakeLimits::default()), queue, _directory: directory }
    }

    /// Runs the command with an argument.
    fn run(&self, argument: &str) -> Result<i32, PluginError> {
        self.plugin.run(&self.intake, WasiCtx::builder().args(&["plugin", argument]).build())
    }

    /// Runs the command with an argument, and returns its output.
    fn output(&self, argument: &str) -> String {
        let output = MemoryOutputPipe::new(1 << 10);
        let wasi = WasiCtx::builder().args(&["plugin", argument]).stdout(output.clone()).build();
        assert_eq!(self.plugin.run(&self.intake, wasi).expect("it ends"), 0);
        String::from_utf8(output.contents().to_vec()).expect("it prints text")
    }
}

#[test]
fn plugin_that_computes_or_sleeps_runs_out_of_time() {
    let fixture = Fixture::new(|limits| limits.time = Duration::from_millis(200));
    for argument in ["compute", "sleep"] {
        let begun = Instant::now();
        let error = fixture.run(argument).expect_err("it does not end by itself");
        assert!(matches!(error, PluginError::OutOfTime(limit) if limit.as_millis() == 200), "{argument}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{argument} was stopped after {:?}", begun.elapsed());
    }
}

/// A function that writes 60 MiB to standard output 200 times, which takes seconds, without a loop: wasmtime interrupts none.
const FLOOD: &str = r#"(component
    (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
    (alias export $errors "error" (type $error))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $stream (sub resource)))
        (alias outer 1 $error (type $error))
        (export "error" (type $io-error (eq $error)))
        (type $failure (variant (case "last-operation-failed" (own $io-error)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $failure)))
        (export "[method]output-stream.write"
            (func (param "self" (borrow $stream)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
    (alias export $streams "output-stream" (type $stream))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer 1 $stream (type $stream))
        (export "output-stream" (type $output (eq $stream)))
        (export "get-stdout" (func (result (own $output))))))
    (core module $memory (memory (export "memory") 1024))
    (core instance $memory (instantiate $memory))
    (core func $get (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.write") (memory (core memory $memory "memory"))))
    (core module $main
        (import "host" "get" (func $get (result i32)))
        (import "host" "write" (func $write (param i32 i32 i32 i32)))
        (func (export "f") (local $stream i32)
            (local.set $stream (call $get))
            WRITES))
    (core instance $main (instantiate $main
        (with "host" (instance (export "get" (func $get)) (export "write" (func $write))))))
    (func (export "f") (canon lift (core func $main "f"))))"#;

#[test]
fn plugin_that_calls_the_host_without_end_runs_out_of_time() {
    let fixture = Fixture::new(|_| ());
    for stream in ["(local.get $stream)", "(call $get)"] {
        let write = format!("(call $write {stream} (i32.const 0) (i32.const 62914560) (i32.const 67108800))");
        let component = wat::parse_str(FLOOD.replace("WRITES", &write.repeat(200))).expect("it is well-formed");
        let mut limits = PluginLimits::default();
        limits.time = Duration::from_millis(200);
        let plugin = Plugin::new(&component, limits).expect("it compiles");
        let called = plugin.call(&fixture.intake, WasiCtx::builder().build(), async |store, instance| {
            instance.get_typed_func::<(), ()>(&mut *store, "f")?.call_async(store, ()).await
        });
        assert!(
            matches!(called, Err(PluginError::OutOfTime(limit)) if limit.as_millis() == 200),
            "{stream}: {called:?}"
        );
    }
}

#[test]
fn growth_beyond_the_bound_of_a_memory_itself_takes_nothing() {
    let fixture = Fixture::new(|_| ());
    let component = r#"(component
        (core module $m (memory 1 1024) (func (export "f") (result i32)
            (drop (memory.grow (i32.const 2040)))
            (drop (memory.grow (i32.const 2040)))
            (memory.grow (i32.const 16))))
        (core instance $i (instantiate $m))
        (func (export "f") (result s32) (canon lift (core func $i "f"))))"#;
    let plugin = Plugin::new(&wat::parse_str(component).expect("it is well-formed"), PluginLimits::default());
    let pages =
        plugin.expect("it compiles").call(&fixture.intake, WasiCtx::builder().build(), async |store, instance| {
            let (pages,) = instance.get_typed_func::<(), (i32,)>(&mut *store, "f")?.call_async(store, ()).await?;
            Ok(pages)
        });
    assert_eq!(pages.expect("it ends"), 1);
}

#[test]
fn plugin_that_allocates_runs_out_of_memory() {
    let fixture = Fixture::new(|limits| limits.memory_bytes = 16 << 20);
    let error = fixture.run("allocate").expect_err("it wants 1 TiB");
    assert!(matches!(error, PluginError::OutOfMemory(limit) if limit == 16 << 20), "{error}");
}

#[test]
fn plugin_that_takes_less_after_a_refusal_succeeds() {
    let fixture = Fixture::new(|limits| limits.memory_bytes = 16 << 20);
    assert_eq!(fixture.run("allocate-less").expect("it has enough"), 0);
}

/// Asserts that a plugin may have so many instances of a module, and no more.
fn assert_instances_at_most(most: usize, fields: &str) {
    let fixture = Fixture::new(|_| ());
    let instantiate = |count: usize| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        let component = wat::parse_str(format!("(component (core module $m {fields}) {instances})"));
        let plugin = Plugin::new(&component.expect("it is well-formed"), PluginLimits::default());
        plugin.expect("it compiles").call(&fixture.intake, WasiCtx::builder().build(), async |_, _| Ok(()))
    };
    instantiate(most).expect("it is within the bound");
    let error = instantiate(most + 1).expect_err("it is one too many");
    assert!(matches!(error, PluginError::Failed(_)), "{error}");
}

#[test]
fn instances_within_a_plugin_are_bounded() {
    assert_instances_at_most(500, "");
}

#[test]
fn host_memory_of_instances_is_bounded() {
    assert_instances_at_most(41, &format!("(elem funcref {})", "(ref.null func)".repeat(100_000)));
}

#[test]
fn error_of_the_embedder_is_no_want_of_memory() {
    let fixture = Fixture::new(|_| ());
    let component = r#"(component
        (core module $m (memory 1) (func (export "f") (drop (memory.grow (i32.const 60000)))))
        (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    let plugin = Plugin::new(&wat::parse_str(component).expect("it is well-formed"), PluginLimits::default());
    let result: Result<(), PluginError> =
        plugin.expect("it compiles").call(&fixture.intake, WasiCtx::builder().build(), async |store, instance| {
            let f = instance.get_typed_func::<(), ()>(&mut *store, "f")?;
            f.call_async(&mut *store, ()).await?;
            Err(wasmtime::Error::msg("554 no"))
        });
    let error = result.expect_err("the embedder refuses");
    assert!(matches!(&error, PluginError::Failed(cause) if cause.to_string() == "554 no"), "{error}");
}

#[test]
fn mails_are_bounded_in_a_call_and_in_all() {
    let fixture = Fixture::new(|_| ());
    let limits = |mails| {
        let mut limits = IntakeLimits::default();
        limits.mails = mails;
        limits
    };
    let all = Intake::new(&fixture.queue, limits(3));
    for (submissions, accepted) in [(3, 2), (3, 1)] {
        let call = all.bounded(limits(2));
        let submit = || call.submit("", &["b@example.com"], b"").is_ok();
        assert_eq!((0..submissions).filter(|_| submit()).count(), accepted);
    }
    assert_eq!(all.remaining().mails, 0);
}

#[test]
fn plugin_gets_the_network_that_its_embedder_grants() {
    let fixture = Fixture::new(|_| ());
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has ports");
    let address = listener.local_addr().expect("it is bound").to_string();
    let mut granted = WasiCtx::builder();
    granted.args(&["plugin", "connect", &address]).inherit_network().allow_tcp(true);
    assert_eq!(fixture.plugin.run(&fixture.intake, granted.build()).expect("it connects"), 0);
    let mut refused = WasiCtx::builder();
    refused.args(&["plugin", "connect", &address]);
    fixture.plugin.run(&fixture.intake, refused.build()).expect_err("it has no network, and panics");
}

#[test]
fn plugin_is_not_called_within_a_call() {
    let fixture = Fixture::new(|_| ());
    let nested = fixture.plugin.call(&fixture.intake, WasiCtx::builder().build(), async |_, _| {
        assert!(matches!(fixture.run("count"), Err(PluginError::Nested)));
        Ok(fixture.run("count"))
    });
    let nested = nested.expect("the outer call succeeds");
    assert!(matches!(nested, Err(PluginError::Nested)), "{nested:?}");
    assert_eq!(fixture.run("count").expect("the outer call is over"), 0);
}

#[test]
fn trap_of_plugin_is_an_error_and_keeps_its_mail() {
    let fixture = Fixture::new(|_| ());
    let error = fixture.run("submit-and-trap").expect_err("it traps");
    assert!(matches!(error, PluginError::Failed(_)), "{error}");
    assert_eq!(fixture.queue.count().expect("the queue can be read").ready, 1);
    assert_eq!(fixture.output("count"), "0", "the plugin runs again");
}

#[test]
fn every_call_has_an_instance_of_its_own() {
    let fixture = Fixture::new(|_| ());
    assert_eq!(fixture.output("count"), "0");
    assert_eq!(fixture.output("count"), "0");
}

#[test]
fn plugin_finds_no_environment_and_no_files() {
    let fixture = Fixture::new(|_| ());
    assert_eq!(fixture.output("environment"), "0 variables, 0 files");
    assert_eq!(fixture.run("read").expect("standard input is empty"), 0);
}

#[test]
fn exit_code_of_command_is_returned() {
    let fixture = Fixture::new(|_| ());
    let run =
        |code: &str| fixture.plugin.run(&fixture.intake, WasiCtx::builder().args(&["plugin", "exit", code]).build());
    assert_eq!(run("0").expect("it exits"), 0);
    assert_eq!(run("3").expect("it exits"), 1, "Rust's standard library tells WASI 0.2 success or failure alone");
}

#[test]
fn threads_share_a_plugin() {
    let fixture = Fixture::new(|_| ());
    thread::scope(|scope| {
        let outputs: Vec<_> = (0..8).map(|_| scope.spawn(|| fixture.output("count"))).collect();
        for output in outputs {
            assert_eq!(output.join().expect("no call panics"), "0");
        }
    });
}

#[test]
fn async_task_may_not_call_a_plugin() {
    let fixture = Fixture::new(|_| ());
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    let refused = runtime.block_on(async { fixture.run("count") });
    assert!(matches!(refused, Err(PluginError::InAsyncRuntime)), "{refused:?}");
    let called = runtime.block_on(async { tokio::task::block_in_place(|| fixture.run("count")) });
    assert_eq!(called.expect("the thread may block"), 0);
}

#[test]
fn other_imports_and_other_bytes_are_refused() {
    let importer = r#"(component (import "wasi:http/types@0.2.0" (instance)) (import "example:x/y" (instance (export "f" (func)))))"#;
    for (bytes, cause) in
        [(&b"not wasm"[..], "magic"), (&wat::parse_str(importer).expect("it is well-formed"), "example:x/y")]
    {
        let error = Plugin::new(bytes, PluginLimits::default()).expect_err("it is no plugin");
        assert!(matches!(error, PluginError::Component(_)) && error.to_string().contains(cause), "{error}");
    }
}
