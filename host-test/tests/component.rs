//! What the component is, whatever it does: its imports, its exports, and the documentation of its contract.

use queue_store_artifact::COMPONENT;
use std::collections::BTreeSet;
use std::path::Path;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Docs, Function, FunctionKind, Resolve, Stability, TypeDefKind, WorldId, WorldItem};

/// What the built component is.
fn built() -> (Resolve, WorldId) {
    match decode(COMPONENT).expect("a component") {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => panic!("a component, and no package of interfaces"),
    }
}

/// What the contract says.
fn contract() -> (Resolve, wit_parser::PackageId) {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(wit).expect("the contract is valid, and its dependencies are beside it");
    (resolve, package)
}

/// Bytes that the component may have. The aim is 96 KiB; the loops that are compiled for speed took 4 of what is above.
const MAX_COMPONENT_BYTES: usize = 118 << 10;

#[test]
fn the_component_is_small() {
    println!("the component has {} bytes", COMPONENT.len());
    assert!(COMPONENT.len() < MAX_COMPONENT_BYTES, "{} bytes", COMPONENT.len());
}

#[test]
fn the_component_imports_four_interfaces_and_nothing_else() {
    let (resolve, world) = built();
    let imports: BTreeSet<String> =
        resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key)).collect();
    let expected = [
        "wasi:clocks/wall-clock@0.2.12",
        "wasi:filesystem/preopens@0.2.12",
        "wasi:filesystem/types@0.2.12",
        "wasi:random/random@0.2.12",
    ];
    assert_eq!(imports, expected.map(String::from).into());
}

#[test]
fn the_component_exports_what_the_world_says() {
    let (resolve, world) = built();
    let exports: BTreeSet<String> =
        resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key)).collect();
    let (contract, package) = contract();
    let world = contract.packages[package].worlds["queue"];
    let expected: BTreeSet<String> =
        contract.worlds[world].exports.keys().map(|key| contract.name_world_key(key)).collect();
    assert_eq!(exports, expected);
    assert_eq!(expected.len(), 6);
}

/// Every documented thing of the package, with its documentation and since when it is there.
fn documented() -> Vec<(String, Docs, Stability)> {
    let (resolve, package) = contract();
    let package = &resolve.packages[package];
    let mut all = vec![("the package".to_string(), package.docs.clone(), Stability::Unknown)];
    for (name, interface) in &package.interfaces {
        let interface = &resolve.interfaces[*interface];
        all.push((name.clone(), interface.docs.clone(), interface.stability.clone()));
        for (function, Function { docs, stability, .. }) in &interface.functions {
            all.push((format!("{name}.{function}"), docs.clone(), stability.clone()));
        }
        for (type_name, id) in &interface.types {
            let definition = &resolve.types[*id];
            let name = format!("{name}.{type_name}");
            if let TypeDefKind::Type(_) = definition.kind {
                // A type of another interface, which documents it.
                continue;
            }
            if !matches!(definition.kind, TypeDefKind::Resource) || definition.docs.contents.is_some() {
                all.push((name.clone(), definition.docs.clone(), definition.stability.clone()));
            }
            let members: Vec<(&String, &Docs)> = match &definition.kind {
                TypeDefKind::Record(record) => record.fields.iter().map(|field| (&field.name, &field.docs)).collect(),
                TypeDefKind::Enum(cases) => cases.cases.iter().map(|case| (&case.name, &case.docs)).collect(),
                _ => Vec::new(),
            };
            for (member, docs) in members {
                all.push((format!("{name}.{member}"), docs.clone(), definition.stability.clone()));
            }
        }
    }
    for (name, world) in &package.worlds {
        let world = &resolve.worlds[*world];
        all.push((name.clone(), world.docs.clone(), world.stability.clone()));
        for item in world.imports.values().chain(world.exports.values()) {
            if let WorldItem::Interface { stability, .. } = item {
                all.push((format!("an interface of {name}"), world.docs.clone(), stability.clone()));
            }
        }
    }
    all
}

#[test]
fn everything_in_the_contract_is_documented_and_says_since_when() {
    let all = documented();
    assert!(all.len() > 150, "the contract was read");
    for (name, docs, stability) in all {
        let text = docs.contents.unwrap_or_default();
        assert!(text.trim().len() >= 8, "{name} is not documented");
        match stability {
            Stability::Stable { since, .. } => assert_eq!(since.to_string(), "0.1.0", "{name}"),
            Stability::Unknown if name == "the package" => {}
            _ => panic!("{name} does not say since when it is there"),
        }
    }
}

#[test]
fn functions_can_be_called_by_wasmtime_run_invoke() {
    // Its `--invoke` finds a function by its name alone, and takes no keyword of WIT.
    let (resolve, package) = contract();
    let mut seen = BTreeSet::new();
    for interface in resolve.packages[package].interfaces.values() {
        for (name, function) in &resolve.interfaces[*interface].functions {
            if matches!(function.kind, FunctionKind::Freestanding) {
                assert!(seen.insert(name.clone()), "{name} is in two interfaces");
                let keywords = ["list", "option", "result", "record", "enum", "flags", "type", "use", "func", "string"];
                assert!(!keywords.contains(&name.as_str()), "{name} is a keyword");
            }
        }
    }
    assert!(seen.contains("put") && seen.contains("write-file"));
}

#[test]
fn functions_that_can_fail_say_how() {
    let (resolve, package) = contract();
    for (interface, id) in &resolve.packages[package].interfaces {
        for (name, function) in &resolve.interfaces[*id].functions {
            let fails = function.result.is_some_and(|result| {
                matches!(result, wit_parser::Type::Id(id) if matches!(resolve.types[id].kind, TypeDefKind::Result(_)))
            });
            let docs = function.docs.contents.as_deref().unwrap_or_default();
            let says = docs.contains("# Typical errors") || docs.contains("errors as");
            assert!(!fails || says, "{interface}.{name} does not say how it fails");
        }
    }
}
