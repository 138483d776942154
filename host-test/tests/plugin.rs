//! Plugins, composed with the component: they can add mail to the queue of their embedder, and nothing else (P13).

use queue_store_host_test::bindings::{ErrorCode, recipient};
use queue_store_host_test::guest;
use queue_store_host_test::instance::{COMPONENT, ENGINE, Preopen, State, state};
use queue_store_host_test::test_queue::TestQueue;
use std::path::Path;
use wasmtime::Store;
use wasmtime::component::{Component, Linker};

/// The imports that a plugin may have. An embedder checks them before composing.
const ALLOWED: [&str; 2] = ["mail:queue/intake@0.1.0", "mail:queue/types@0.1.0"];

/// Returns the imports of a component beyond those that a plugin may have.
fn excess_imports(component: &[u8]) -> Vec<String> {
    let component = Component::new(&ENGINE, component).expect("the plugin is a component");
    let kind = component.component_type();
    let imports = kind.imports(&ENGINE).map(|(name, _)| name.to_string());
    imports.filter(|name| !ALLOWED.contains(&name.as_str())).collect()
}

/// Composes a plugin with the queue.
fn compose(plugin: &[u8]) -> Vec<u8> {
    guest::compose(plugin, &[("mail:queue-store", queue_store_artifact::COMPONENT)])
}

fn instantiate(component: &[u8], state: State) -> (Store<State>, wasmtime::component::Instance) {
    let component = Component::new(&ENGINE, component).expect("the composition is a component");
    let mut linker = Linker::new(&ENGINE);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("an empty linker takes all of WASI");
    let mut store = Store::new(&ENGINE, state);
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = linker.instantiate(&mut store, &component).expect("the linker has every import");
    (store, instance)
}

fn queue_at(path: &Path) -> State {
    state(&[Preopen { path, name: "any name", read_only: false }])
}

type Attempts = (Vec<(String, Result<String, String>)>,);

#[test]
fn composed_plugin_adds_mail_and_nothing_else() {
    let plugin = guest::component("submitter");
    assert_eq!(excess_imports(&plugin), [""; 0]);
    let mut queue = TestQueue::new();
    // The embedder opens one directory, which is the queue's.
    let (mut store, instance) = instantiate(&compose(&plugin), queue_at(queue.path()));
    let attempts = instance.get_typed_func::<(), Attempts>(&mut store, "attempts").expect("the plugin exports it");
    let (attempts,) = attempts.call(&mut store, ()).expect("the plugin does not trap");

    let queued: Vec<(&str, &str)> =
        attempts.iter().filter_map(|(what, result)| Some((what.as_str(), result.as_deref().ok()?))).collect();
    assert_eq!(queued.iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["a mail", "a streamed mail"]);
    assert_eq!(attempts.len(), 7);
    for (what, refused) in &attempts[2..] {
        let refused = refused.as_ref().expect_err("a plugin may not submit it");
        assert!(refused.starts_with("ErrorCode::InvalidArgument"), "{what}: {refused}");
    }
    assert_eq!(queue.names().len(), 2);
    for (_, id) in queued {
        let item = queue.get(id).expect("a submitted mail is an intact item");
        assert_eq!(item.envelope.recipients, [recipient("b@example.com")]);
    }
    assert_eq!(queue.get("owned").expect_err("no item has the id").code, ErrorCode::NotFound);
}

#[test]
fn composition_exports_nothing_of_the_queue() {
    let composed = Component::new(&ENGINE, compose(&guest::component("submitter"))).expect("the composition is valid");
    let kind = composed.component_type();
    let exports: Vec<&str> = kind.exports(&ENGINE).map(|(name, _)| name).collect();
    assert_eq!(exports, ["attempts"]);
    let mut imports: Vec<&str> = kind.imports(&ENGINE).map(|(name, _)| name).collect();
    let alone = COMPONENT.component_type();
    let mut of_the_queue: Vec<&str> = alone.imports(&ENGINE).map(|(name, _)| name).collect();
    imports.sort_unstable();
    of_the_queue.sort_unstable();
    assert_eq!(imports, of_the_queue, "the composition has exactly the imports of the queue");
}

#[test]
fn plugin_with_more_imports_is_recognised() {
    let excess = excess_imports(&guest::build("queue-store-snooper", &[], "queue_store_snooper.wasm", "component"));
    assert!(excess.iter().any(|name| name.starts_with("wasi:filesystem/preopens")), "{excess:?}");
}
