//! The imports of a plugin, and what each of them gives it.

use crate::error::CompositionError;
use wac_graph::types::{ItemKind, Package, Types};
use wasmparser::{Parser, Validator, WasmFeatures};

/// An import of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Import {
    /// The name, such as `wasi:clocks/wall-clock@0.2.3`.
    pub name: String,
    /// The answer of a composition to it.
    pub treatment: Treatment,
}

/// The answer of a composition to an import of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The plugin gets the queue, by the intake.
    Queue,
    /// The plugin gets the host's: clocks, randomness, and standard streams, arguments, environment and exit as the host
    /// configures them.
    Harmless,
    /// The plugin gets a file system without directories.
    Emptied,
    /// The plugin gets the host's, because the embedder allows it.
    Allowed,
    /// The plugin is refused, unless the embedder allows the import.
    Refused,
    /// The plugin is refused: the import would give it the directory of the queue, or an operator's rights.
    Forbidden,
}

impl Treatment {
    /// Returns the name for programs, such as `refused`.
    pub fn name(self) -> &'static str {
        match self {
            Treatment::Queue => "queue",
            Treatment::Harmless => "harmless",
            Treatment::Emptied => "emptied",
            Treatment::Allowed => "allowed",
            Treatment::Refused => "refused",
            Treatment::Forbidden => "forbidden",
        }
    }
}

impl Import {
    /// Returns the name without the version.
    pub fn interface(&self) -> &str {
        split(&self.name).0
    }

    /// Returns the name that allows the import: the package of a WASI interface, or else the interface.
    fn allowed_by(&self) -> &str {
        let interface = self.interface();
        if interface.starts_with("wasi:") { package(interface) } else { interface }
    }
}

/// Lists the imports of a component, in its order. `allowed` names interfaces or packages, such as `wasi:http/types` or
/// `wasi:sockets`, that a plugin gets from the host although they would be refused.
///
/// # Errors
///
/// [`CompositionError::NotAComponent`] or [`CompositionError::CoreModule`].
pub fn imports(plugin: &[u8], allowed: &[String]) -> Result<Vec<Import>, CompositionError> {
    check_form(plugin)?;
    // The composer panics on types of proposals that it does not know.
    Validator::new_with_features(FEATURES)
        .validate_all(plugin)
        .map_err(|error| CompositionError::NotAComponent(error.to_string()))?;
    let mut types = Types::new();
    let package = Package::from_bytes("plugin", None, plugin, &mut types)
        .map_err(|error| CompositionError::NotAComponent(format!("{error:#}")))?;
    let import = |(name, kind): (&String, &ItemKind)| {
        let treatment = if is_interface(&types, *kind) { treatment(name, allowed) } else { Treatment::Forbidden };
        Import { name: name.clone(), treatment }
    };
    Ok(types[package.ty()].imports.iter().map(import).collect())
}

/// Checks that bytes begin as a component does.
///
/// # Errors
///
/// [`CompositionError::NotAComponent`] or [`CompositionError::CoreModule`].
pub fn check_form(plugin: &[u8]) -> Result<(), CompositionError> {
    match plugin {
        _ if Parser::is_component(plugin) => Ok(()),
        _ if Parser::is_core_wasm(plugin) => Err(CompositionError::CoreModule),
        _ => Err(CompositionError::NotAComponent("it does not have the binary form of one".to_string())),
    }
}

/// Checks that each of the names `allowed` is that of an import, or of its package.
///
/// # Errors
///
/// [`CompositionError::NothingToAllow`].
pub fn check_allowed(imports: &[Import], allowed: &[String]) -> Result<(), CompositionError> {
    let is_imported = |name: &str| {
        imports.iter().map(Import::interface).any(|interface| name == interface || name == package(interface))
    };
    let unmatched: Vec<String> = allowed.iter().filter(|name| !is_imported(name)).cloned().collect();
    if unmatched.is_empty() { Ok(()) } else { Err(CompositionError::NothingToAllow(unmatched)) }
}

/// Returns whether a component is a command, which exports `wasi:cli/run`.
///
/// # Errors
///
/// [`CompositionError::NotAComponent`].
pub fn is_command(plugin: &[u8]) -> Result<bool, CompositionError> {
    let mut types = Types::new();
    let package = Package::from_bytes("plugin", None, plugin, &mut types)
        .map_err(|error| CompositionError::NotAComponent(format!("{error:#}")))?;
    Ok(types[package.ty()].exports.keys().any(|name| name.starts_with("wasi:cli/run@0.2.")))
}

/// Proposals of WebAssembly that plugins may use.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::TAIL_CALL);

/// Whether an import is an instance of functions and types, and has no component or module.
fn is_interface(types: &Types, kind: ItemKind) -> bool {
    let ItemKind::Instance(interface) = kind else { return false };
    types[interface].exports.values().all(|export| matches!(export, ItemKind::Func(_) | ItemKind::Type(_)))
}

/// Checks that a plugin with these imports can be composed.
///
/// # Errors
///
/// [`CompositionError::NoIntake`], [`CompositionError::Forbidden`] or [`CompositionError::Refused`].
pub fn check(imports: &[Import]) -> Result<(), CompositionError> {
    let forbidden = names(imports, Treatment::Forbidden, |import| &import.name);
    if !forbidden.is_empty() {
        return Err(CompositionError::Forbidden(forbidden));
    }
    if !imports.iter().any(|import| import.interface() == "mail:queue/intake") {
        return Err(CompositionError::NoIntake);
    }
    let refused = names(imports, Treatment::Refused, Import::allowed_by);
    if refused.is_empty() { Ok(()) } else { Err(CompositionError::Refused(refused)) }
}

/// Returns the different names of the imports with a treatment.
fn names(imports: &[Import], treatment: Treatment, name: impl Fn(&Import) -> &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for import in imports.iter().filter(|import| import.treatment == treatment) {
        if !names.iter().any(|known| known == name(import)) {
            names.push(name(import).to_string());
        }
    }
    names
}

/// Decides on an import by its name. Versions that are compatible with the known ones are treated alike.
fn treatment(name: &str, allowed: &[String]) -> Treatment {
    let (interface, version) = split(name);
    let package = package(interface);
    let is_wasi_0_2 = version.starts_with("0.2.");
    match interface {
        "mail:queue/intake" | "mail:queue/types" if version.starts_with("0.1.") => Treatment::Queue,
        "wasi:filesystem/types" | "wasi:filesystem/preopens" if is_wasi_0_2 => Treatment::Emptied,
        _ if matches!(package, "wasi:filesystem" | "mail:queue") => Treatment::Forbidden,
        _ if allowed.iter().any(|allowed| allowed == interface || allowed == package) => Treatment::Allowed,
        _ if is_wasi_0_2 && matches!(package, "wasi:cli" | "wasi:clocks" | "wasi:io" | "wasi:random") => {
            Treatment::Harmless
        }
        _ => Treatment::Refused,
    }
}

/// Returns the package of an interface.
fn package(interface: &str) -> &str {
    interface.split_once('/').map_or(interface, |(package, _)| package)
}

/// Splits a name into the interface and its version, which may be empty. Names that pin a component have no version.
fn split(name: &str) -> (&str, &str) {
    if name.contains('=') { (name, "") } else { name.split_once('@').unwrap_or((name, "")) }
}
