//! The imports of plugins.

use wasmtime::component::Component;

/// The interfaces that only an operator's plugin gets.
const INTERFACES: [&str; 4] =
    ["mail:queue/queue-store", "mail:queue/item-codec", "mail:queue/durable-file", "mail:queue/introspection"];

/// Returns the names of a component's imports, such as `mail:queue/intake@0.1.0`.
pub(super) fn imports(component: &Component) -> impl Iterator<Item = String> {
    let kind = component.component_type();
    let names: Vec<String> = kind.imports(component.engine()).map(|(name, _)| name.to_string()).collect();
    names.into_iter()
}

/// Returns the names of a component's imports that only an operator's plugin gets.
pub(super) fn operator_imports(component: &Component) -> Vec<String> {
    imports(component).filter(|name| INTERFACES.contains(&interface(name))).collect()
}

/// Returns the name of an interface without its version.
pub(super) fn interface(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}
