//! Plugins, composed with the component: they can add mail to the one queue of their embedder, and nothing else (P13).

use queue_store_host_test::bindings::{ErrorCode, Recipient};
use queue_store_host_test::guest;
use queue_store_host_test::instance::{COMPONENT, ENGINE, Preopen, State, TestQueue, state};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime::{Engine, Store};

/// What a plugin may import. An embedder checks it before composing.
const ALLOWED: [&str; 2] = ["mail:queue/intake@0.1.0", "mail:queue/types@0.1.0"];

/// What a component imports beyond what a plugin may.
fn excess(component: &[u8]) -> Vec<String> {
    let component = Component::new(&ENGINE, component).expect("a component");
    let kind = component.component_type();
    let imports = kind.imports(&ENGINE).map(|(name, _)| name.to_string());
    imports.filter(|name| !ALLOWED.contains(&name.as_str())).collect()
}

/// What `wac plug PLUGIN --plug queue_store.wasm` makes.
fn compose(plugin: Vec<u8>) -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let queue = queue_store_artifact::COMPONENT.to_vec();
    let mut register = |name: &str, bytes: Vec<u8>| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).expect("a component");
        graph.register_package(package).expect("a component of its own")
    };
    let (queue, plugin) = (register("mail:queue-store", queue), register("guest:plugin", plugin));
    plug(&mut graph, vec![queue], plugin).expect("the plugin imports what the queue exports");
    graph.encode(EncodeOptions::default()).expect("a component")
}

fn instantiate(component: &[u8], state: State) -> (Store<State>, wasmtime::component::Instance) {
    let component = Component::new(&ENGINE, component).expect("a component");
    let mut linker = Linker::new(&ENGINE);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("WASI links");
    let mut store = Store::new(&ENGINE, state);
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = linker.instantiate(&mut store, &component).expect("it has all that it imports");
    (store, instance)
}

type Attempts = (Vec<(String, Result<String, String>)>,);

#[test]
fn a_composed_plugin_can_add_mail_and_nothing_else() {
    let plugin = guest::component("submitter");
    assert_eq!(excess(&plugin), [""; 0]);
    let composed = compose(plugin);
    let mut queue = TestQueue::new();
    // What the embedder links is one directory; what the plugin imported is the queue's by now.
    let preopen = Preopen { path: queue.path(), name: "any name", read_only: false };
    let (mut store, instance) = instantiate(&composed, state(&[preopen]));
    let attempts = instance.get_typed_func::<(), Attempts>(&mut store, "attempts").expect("the plugin exports it");
    let (attempts,) = attempts.call(&mut store, ()).expect("no trap");

    let queued: Vec<(&str, &str)> =
        attempts.iter().filter_map(|(what, result)| Some((what.as_str(), result.as_deref().ok()?))).collect();
    assert_eq!(queued.iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["a mail", "a streamed mail"]);
    for (what, refused) in &attempts[2..] {
        let refused = refused.as_ref().expect_err(what);
        assert!(refused.starts_with("ErrorCode::InvalidArgument"), "{what}: {refused}");
    }
    assert_eq!(queue.names().len(), 2);
    for (_, id) in queued {
        let item = queue.get(id).expect("the item");
        let Recipient { kind, status, via, .. } = &item.envelope.recipients[0];
        assert_eq!((*kind, *status, via.len()), (0, 0, 0));
        assert_eq!(item.envelope.recipients[0].address, "b@example.com");
    }
    assert_eq!(queue.get("owned").expect_err("no such item").code, ErrorCode::NotFound);
}

#[test]
fn a_composition_exports_nothing_of_the_queue() {
    let composed = Component::new(&ENGINE, compose(guest::component("submitter"))).expect("a component");
    let kind = composed.component_type();
    let exports: Vec<&str> = kind.exports(&ENGINE).map(|(name, _)| name).collect();
    assert_eq!(exports, ["attempts"]);
    let mut imports: Vec<&str> = kind.imports(&ENGINE).map(|(name, _)| name).collect();
    let alone = COMPONENT.component_type();
    let mut of_the_queue: Vec<&str> = alone.imports(engine()).map(|(name, _)| name).collect();
    imports.sort_unstable();
    of_the_queue.sort_unstable();
    assert_eq!(imports, of_the_queue, "the composition needs what the queue needs");
}

fn engine() -> &'static Engine {
    &ENGINE
}

#[test]
fn a_plugin_that_imports_more_is_recognised_before_it_is_composed() {
    let plugin = guest::component("snooper");
    let excess = excess(&plugin);
    assert!(excess.iter().any(|name| name.starts_with("wasi:filesystem/preopens")), "{excess:?}");

    // Why that matters: composed all the same, it shares the directory of the queue.
    let queue = TestQueue::new();
    std::fs::write(queue.file("m:x"), b"secret").expect("a file");
    let preopen = Preopen { path: queue.path(), name: "queue", read_only: false };
    let (mut store, instance) = instantiate(&compose(plugin.clone()), state(&[preopen]));
    type Names = (Result<Vec<String>, String>,);
    let names = instance.get_typed_func::<(&str,), Names>(&mut store, "names").expect("the plugin exports it");
    assert_eq!(names.call(&mut store, ("queue",)).expect("no trap").0, Ok(vec!["m:x".to_string()]));

    // Linked apart from the queue, with a WASI of its own, it sees nothing.
    let component = Component::new(&ENGINE, plugin).expect("a component");
    let mut linker = Linker::new(&ENGINE);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("WASI links");
    let mut intake = linker.instance("mail:queue/intake@0.1.0").expect("a name");
    intake.resource("submission", ResourceType::host::<()>(), |_, _| Ok(())).expect("a resource");
    intake.func_new("[static]submission.begin", |_, _, _, _| unreachable!("it is not called")).expect("a function");
    let mut store = Store::new(&ENGINE, state(&[]));
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = linker.instantiate(&mut store, &component).expect("it has all that it imports");
    let names = instance.get_typed_func::<(&str,), Names>(&mut store, "names").expect("the plugin exports it");
    for directory in ["queue", "/", ".", ".."] {
        assert!(names.call(&mut store, (directory,)).expect("no trap").0.is_err(), "{directory}");
    }
}
