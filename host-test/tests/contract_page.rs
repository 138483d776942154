//! `docs/contract.md`, the contract as a page. It is generated from `wit/`, and a test fails where the two differ.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};
use wit_parser::{Docs, Function, FunctionKind, Handle, InterfaceId, Package, Resolve, Type, TypeDefKind, TypeId};
use wit_parser::{WorldId, WorldItem};

/// A heading of the page, and the text below it.
struct Section {
    /// `##` or `###`.
    level: &'static str,
    title: String,
    text: String,
}

impl Section {
    fn link(&self) -> String {
        // A heading's anchor is its text without punctuation, and with `-` for spaces.
        format!("[`{}`](#{})", self.title, self.title.replace('.', "").replace(' ', "-"))
    }
}

#[test]
fn contract_page_is_that_of_wit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root.join("wit")).expect("the contract is valid WIT");
    let generated = page(&resolve, &resolve.packages[package]);
    let file = root.join("docs/contract.md");
    if env::var_os("BLESS").is_some() {
        fs::write(&file, generated).expect("the page can be written");
        return;
    }
    let written = fs::read_to_string(&file).expect("the page exists");
    let difference = written.lines().zip(generated.lines()).find(|(written, generated)| written != generated);
    assert!(written == generated, "if docs/contract.md should change, run this with BLESS=1: {difference:?}");
}

fn page(resolve: &Resolve, package: &Package) -> String {
    let mut sections = Vec::new();
    for item in resolve.worlds[package.worlds["queue"]].exports.values() {
        sections.extend(sections_of(resolve, interface(item)));
    }
    let titles: BTreeSet<&String> = sections.iter().map(|section| &section.title).collect();
    assert_eq!(titles.len(), sections.len(), "a title occurs twice, and with it an anchor");

    let mut page = format!("# The contract `{}`\n\n{}\n\n", package.name, markdown(&package.docs));
    page.push_str("This page is generated from `wit/`: `BLESS=1 cargo test --workspace --test contract_page`.\n");
    page.push_str("\n## Contents\n");
    for section in &sections {
        let separator = if section.level == "##" { "\n- " } else { ",\n  " };
        let _ = write!(page, "{separator}{}", section.link());
    }
    page.push_str("\n- [Worlds](#worlds)\n");
    for Section { level, title, text } in &sections {
        let _ = writeln!(page, "\n{level} `{title}`\n\n{text}");
    }
    page.push_str("\n## Worlds\n\n");
    for (name, id) in &package.worlds {
        page.push_str(&bullet(
            &format!("`{name}`, which {}", imports_and_exports(resolve, *id)),
            &resolve.worlds[*id].docs,
        ));
    }
    page
}

/// The sections of an interface: itself, its types, each resource with its functions, and the other functions.
fn sections_of(resolve: &Resolve, id: InterfaceId) -> Vec<Section> {
    let interface = &resolve.interfaces[id];
    let title = name(resolve, id).to_string();
    let mut sections = vec![Section { level: "##", title, text: markdown(&interface.docs) }];
    let functions_of = |resource: Option<TypeId>| {
        let functions = interface.functions.values().filter(move |function| function.kind.resource() == resource);
        functions.map(|function| Section {
            level: "###",
            title: function_title(resolve, function),
            text: format!("```wit\n{}\n```\n\n{}", signature(resolve, function), markdown(&function.docs)),
        })
    };
    for (name, id) in &interface.types {
        let definition = &resolve.types[*id];
        let mut text = markdown(&definition.docs) + "\n\n";
        match &definition.kind {
            TypeDefKind::Record(record) => {
                for field in &record.fields {
                    let field_type = type_name(resolve, field.ty);
                    text.push_str(&bullet(&format!("`{}: {field_type}`", field.name), &field.docs));
                }
            }
            TypeDefKind::Enum(cases) => {
                cases.cases.iter().for_each(|case| text.push_str(&bullet(&format!("`{}`", case.name), &case.docs)));
            }
            TypeDefKind::Resource => {}
            // A type of another interface.
            TypeDefKind::Type(_) => continue,
            kind => panic!("the contract has no {}", kind.as_str()),
        }
        let title = format!("{} {name}", definition.kind.as_str());
        sections.push(Section { level: "###", title, text: text.trim_end().to_string() });
        sections.extend(functions_of(Some(*id)));
    }
    sections.extend(functions_of(None));
    sections
}

fn function_title(resolve: &Resolve, function: &Function) -> String {
    let resource = function.kind.resource().map(|id| type_name(resolve, Type::Id(id)) + ".");
    resource.unwrap_or_default() + function.item_name()
}

/// The function as `wit/` declares it.
fn signature(resolve: &Resolve, function: &Function) -> String {
    let (kind, implicit) = match function.kind {
        FunctionKind::Freestanding => ("func", 0),
        FunctionKind::Static(_) => ("static func", 0),
        // The first parameter is the resource.
        FunctionKind::Method(_) => ("func", 1),
        _ => panic!("the contract has no constructors and no asynchronous functions"),
    };
    let parameters = function.params[implicit..].iter();
    let parameters: Vec<_> =
        parameters.map(|param| format!("{}: {}", param.name, type_name(resolve, param.ty))).collect();
    let result = function.result.map(|result| format!(" -> {}", type_name(resolve, result))).unwrap_or_default();
    format!("{}: {kind}({}){result};", function.item_name(), parameters.join(", "))
}

fn type_name(resolve: &Resolve, ty: Type) -> String {
    let Type::Id(id) = ty else {
        // The names of the primitive types are those of the variants.
        return format!("{ty:?}").to_lowercase();
    };
    let definition = &resolve.types[id];
    if let Some(name) = &definition.name {
        return name.clone();
    }
    let name = |ty: &Type| type_name(resolve, *ty);
    let optional = |ty: &Option<Type>| ty.as_ref().map_or("_".to_string(), name);
    match &definition.kind {
        TypeDefKind::List(element) => format!("list<{}>", name(element)),
        TypeDefKind::Option(some) => format!("option<{}>", name(some)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", optional(&result.ok), optional(&result.err)),
        TypeDefKind::Tuple(tuple) => format!("tuple<{}>", tuple.types.iter().map(name).collect::<Vec<_>>().join(", ")),
        TypeDefKind::Handle(Handle::Own(resource)) => name(&Type::Id(*resource)),
        TypeDefKind::Handle(Handle::Borrow(resource)) => format!("borrow<{}>", name(&Type::Id(*resource))),
        kind => panic!("the contract has no {} without a name", kind.as_str()),
    }
}

/// Tells which interfaces a world imports and exports.
fn imports_and_exports(resolve: &Resolve, world: WorldId) -> String {
    let world = &resolve.worlds[world];
    let parts =
        [("imports", names(resolve, world.imports.values())), ("exports", names(resolve, world.exports.values()))];
    let parts = parts.iter().filter(|(_, names)| !names.is_empty()).map(|(verb, names)| format!("{verb} {names}"));
    parts.collect::<Vec<_>>().join(" and ")
}

fn names<'a>(resolve: &Resolve, items: impl Iterator<Item = &'a WorldItem>) -> String {
    items.map(|item| format!("`{}`", name(resolve, interface(item)))).collect::<Vec<_>>().join(", ")
}

/// The interface that an item of a world is.
fn interface(item: &WorldItem) -> InterfaceId {
    let WorldItem::Interface { id, .. } = item else { panic!("the worlds of the contract have interfaces alone") };
    *id
}

fn name(resolve: &Resolve, interface: InterfaceId) -> &str {
    resolve.interfaces[interface].name.as_deref().expect("the interfaces of a package have names")
}

fn bullet(title: &str, docs: &Docs) -> String {
    format!("- {title}: {}\n", markdown(docs).replace('\n', "\n  "))
}

/// The documentation as it is, but for its headings, which are paragraphs here: they would be those of the page.
fn markdown(docs: &Docs) -> String {
    let lines = docs.contents.as_deref().unwrap_or_default().trim_end().lines();
    let lines = lines.map(|line| line.strip_prefix("# ").map_or(line.to_string(), |heading| format!("**{heading}**")));
    lines.collect::<Vec<_>>().join("\n")
}
