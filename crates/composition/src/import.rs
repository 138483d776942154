//! The imports of a plugin, and what each of them gives it.

use crate::error::CompositionError;
use wac_graph::types::{Package, Types};

/// An import of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Import {
    /// The name, such as `wasi:clocks/wall-clock@0.2.3`.
    pub name: String,
    /// What the plugin gets.
    pub treatment: Treatment,
}

/// What a plugin gets for an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The queue, by the intake.
    Queue,
    /// What the host provides: clocks, randomness, and the standard streams, arguments and environment that it configures.
    Harmless,
    /// A file system without directories.
    Emptied,
    /// What the host provides, because the embedder allows it.
    Allowed,
    /// Nothing: the plugin is refused.
    Refused,
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
/// [`CompositionError::NotAComponent`].
pub fn imports(plugin: &[u8], allowed: &[String]) -> Result<Vec<Import>, CompositionError> {
    let mut types = Types::new();
    let package = Package::from_bytes("plugin", None, plugin, &mut types)
        .map_err(|error| CompositionError::NotAComponent(format!("{error:#}")))?;
    let import = |name: &String| Import { name: name.clone(), treatment: treatment(name, allowed) };
    Ok(types[package.ty()].imports.keys().map(import).collect())
}

/// Checks that a plugin with these imports can be composed.
///
/// # Errors
///
/// [`CompositionError::NoIntake`] or [`CompositionError::Refused`].
pub fn check(imports: &[Import]) -> Result<(), CompositionError> {
    if !imports.iter().any(|import| import.interface() == "mail:queue/intake") {
        return Err(CompositionError::NoIntake);
    }
    let refused = imports.iter().filter(|import| import.treatment == Treatment::Refused);
    let mut refused: Vec<String> = refused.map(|import| import.allowed_by().to_string()).collect();
    refused.dedup();
    if refused.is_empty() { Ok(()) } else { Err(CompositionError::Refused(refused)) }
}

/// Decides on an import by its name. Versions that are compatible with the known ones are treated alike.
fn treatment(name: &str, allowed: &[String]) -> Treatment {
    let (interface, version) = split(name);
    let package = package(interface);
    let is_wasi_0_2 = version.starts_with("0.2.");
    match interface {
        "mail:queue/intake" | "mail:queue/types" if version.starts_with("0.1.") => Treatment::Queue,
        "wasi:filesystem/types" | "wasi:filesystem/preopens" if is_wasi_0_2 => Treatment::Emptied,
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

/// Splits a name into the interface and its version, which may be empty.
fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}
