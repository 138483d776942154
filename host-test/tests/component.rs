//! The component itself: size, name, imports, exports, and the documentation of its contract.

use queue_store_artifact::COMPONENT;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use wasmparser::{ComponentName, CustomSectionReader, KnownCustom, Parser, Payload};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{
    Docs, Function, FunctionKind, Interface, Package, PackageId, Resolve, Stability, Type, TypeDefKind, WorldId,
};

/// Bytes that the component may have.
const MAX_COMPONENT_BYTES: usize = 400 << 10;

/// Decodes the component's own description of its world.
fn built() -> (Resolve, WorldId) {
    match decode(COMPONENT).expect("the artifact is valid") {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => panic!("the artifact is a component, and no package of interfaces"),
    }
}

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")
}

/// Parses `wit/`.
fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit()).expect("the contract is valid WIT");
    (resolve, package)
}

#[test]
fn component_is_at_most_400_kib() {
    println!("the component has {} bytes", COMPONENT.len());
    assert!(COMPONENT.len() <= MAX_COMPONENT_BYTES, "{} bytes", COMPONENT.len());
}

/// Returns the custom sections of the component itself, and not of the modules and components in it.
fn custom_sections() -> Vec<CustomSectionReader<'static>> {
    let mut sections = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(COMPONENT) {
        match payload.expect("the artifact is valid") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 => sections.push(section),
            _ => {}
        }
    }
    sections
}

#[test]
fn component_contains_its_name() {
    let mut names = Vec::new();
    for section in custom_sections() {
        let KnownCustom::ComponentName(subsections) = section.as_known() else { continue };
        for subsection in subsections {
            if let ComponentName::Component { name, .. } = subsection.expect("the name section is valid") {
                names.push(name);
            }
        }
    }
    assert_eq!(names, ["queue-store"]);
}

#[test]
fn component_imports_exactly_four_interfaces() {
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
fn component_exports_what_the_world_has() {
    let (resolve, world) = built();
    let exports: BTreeSet<String> =
        resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key)).collect();
    let (contract, package) = contract();
    let world = contract.packages[package].worlds["queue"];
    let expected: BTreeSet<String> =
        contract.worlds[world].exports.keys().map(|key| contract.name_world_key(key)).collect();
    assert_eq!(exports, expected);
    let interfaces = ["types", "queue-store", "intake", "item-codec", "durable-file", "introspection"];
    assert_eq!(expected, interfaces.map(|interface| format!("mail:queue/{interface}@0.1.0")).into());
}

#[test]
fn contract_has_no_dependencies() {
    let (resolve, _) = contract();
    let packages: Vec<String> = resolve.packages.iter().map(|(_, package)| package.name.to_string()).collect();
    assert_eq!(packages, ["mail:queue@0.1.0"]);
    for entry in fs::read_dir(wit()).expect("the contract is a directory") {
        let name = entry.expect("the directory can be read").file_name().into_string().expect("the name is UTF-8");
        assert!(name.ends_with(".wit"), "a plugin author needs only the files of the contract, and not {name}");
    }
}

/// Everything in an interface that has documentation, by its name: functions, types, fields and cases.
fn documented(resolve: &Resolve, name: &str, interface: &Interface) -> BTreeMap<String, (Docs, Stability)> {
    let mut all = BTreeMap::new();
    all.insert(name.to_string(), (interface.docs.clone(), interface.stability.clone()));
    for (function, Function { docs, stability, .. }) in &interface.functions {
        all.insert(format!("{name}.{function}"), (docs.clone(), stability.clone()));
    }
    for (type_name, id) in &interface.types {
        let definition = &resolve.types[*id];
        if matches!(definition.kind, TypeDefKind::Type(_)) {
            // A type of another interface, which documents it.
            continue;
        }
        let (name, stability) = (format!("{name}.{type_name}"), &definition.stability);
        all.insert(name.clone(), (definition.docs.clone(), stability.clone()));
        let members: Vec<(&String, &Docs)> = match &definition.kind {
            TypeDefKind::Record(record) => record.fields.iter().map(|field| (&field.name, &field.docs)).collect(),
            TypeDefKind::Enum(cases) => cases.cases.iter().map(|case| (&case.name, &case.docs)).collect(),
            _ => Vec::new(),
        };
        all.extend(
            members.into_iter().map(|(member, docs)| (format!("{name}.{member}"), (docs.clone(), stability.clone()))),
        );
    }
    all
}

/// Everything documented in the interfaces of `mail:queue`.
fn documented_interfaces(resolve: &Resolve, package: &Package) -> BTreeMap<String, (Docs, Stability)> {
    package.interfaces.iter().flat_map(|(name, id)| documented(resolve, name, &resolve.interfaces[*id])).collect()
}

#[test]
fn everything_in_the_contract_is_documented() {
    let (resolve, package) = contract();
    let mut all = documented_interfaces(&resolve, &resolve.packages[package]);
    for (name, world) in &resolve.packages[package].worlds {
        let world = &resolve.worlds[*world];
        all.insert(name.clone(), (world.docs.clone(), world.stability.clone()));
    }
    assert!(all.len() > 150, "the contract has {} documented things", all.len());
    assert!(resolve.packages[package].docs.contents.is_some(), "the package is documented");
    for (name, (docs, stability)) in all {
        assert!(docs.contents.unwrap_or_default().trim().len() >= 8, "{name} is not documented");
        match stability {
            Stability::Stable { since, .. } => assert_eq!(since.to_string(), "0.1.0", "{name}"),
            _ => panic!("{name} has no `@since`"),
        }
    }
}

#[test]
fn component_contains_its_documented_contract() {
    // A component's own types have no documentation, so the contract is a custom section beside them.
    let sections = custom_sections();
    let text = sections.iter().find(|section| section.name() == "wit").expect("the component has the contract").data();
    let mut shipped = Resolve::default();
    let text = std::str::from_utf8(text).expect("the contract is UTF-8");
    let shipped_package = shipped.push_str("queue.wit", text).expect("the contract in the component is valid WIT");
    let (resolve, package) = contract();
    let (package, shipped_package) = (&resolve.packages[package], &shipped.packages[shipped_package]);
    assert_eq!((&shipped_package.name, &shipped_package.docs), (&package.name, &package.docs));
    let worlds = |resolve: &Resolve, package: &Package| -> Vec<(String, Option<String>)> {
        let docs = |world: &WorldId| resolve.worlds[*world].docs.contents.clone();
        package.worlds.iter().map(|(name, world)| (name.clone(), docs(world))).collect()
    };
    assert_eq!(worlds(&shipped, shipped_package), worlds(&resolve, package));
    assert_eq!(documented_interfaces(&shipped, shipped_package), documented_interfaces(&resolve, package));
}

#[test]
fn functions_that_can_fail_document_their_errors() {
    let (resolve, package) = contract();
    for (interface, id) in &resolve.packages[package].interfaces {
        for (name, function) in &resolve.interfaces[*id].functions {
            let fails = function.result.is_some_and(
                |result| matches!(result, Type::Id(id) if matches!(resolve.types[id].kind, TypeDefKind::Result(_))),
            );
            let docs = function.docs.contents.as_deref().unwrap_or_default();
            let documents = docs.contains("# Typical errors") || docs.contains("errors as");
            assert!(!fails || documents, "{interface}.{name} documents no errors");
        }
    }
}

#[test]
fn plain_functions_have_unambiguous_names() {
    // `wasmtime run --invoke` finds a function by its name alone, and takes no keyword of WIT.
    let keywords = ["list", "option", "result", "record", "enum", "flags", "type", "use", "func", "string"];
    let (resolve, package) = contract();
    let mut seen = BTreeSet::new();
    for interface in resolve.packages[package].interfaces.values() {
        for (name, function) in &resolve.interfaces[*interface].functions {
            if matches!(function.kind, FunctionKind::Freestanding) {
                assert!(seen.insert(name.clone()), "{name} is in two interfaces");
                assert!(!keywords.contains(&name.as_str()), "{name} is a keyword");
            }
        }
    }
    assert!(seen.contains("submit") && seen.contains("write-file"));
}
