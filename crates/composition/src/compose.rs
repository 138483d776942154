//! The composition of a plugin with the queue store and an empty file system.

use crate::error::CompositionError;
use crate::import::{Treatment, check, imports};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

/// The text of the component that exports a `wasi:filesystem/preopens` without directories.
pub const NO_DIRECTORIES: &str = include_str!("no_directories.wat");

/// Composes a plugin with the queue store.
///
/// The result exports what the plugin exports. It imports what the queue store imports, and the imports of the plugin that
/// are harmless or `allowed` (see [`imports`]). Its host opens one directory for it, the queue's, which the plugin cannot see.
///
/// # Errors
///
/// If the plugin is no component, does not import `mail:queue/intake`, has an import that is refused, or disagrees with the
/// queue store on a type.
pub fn compose(plugin: &[u8], queue_store: &[u8], allowed: &[String]) -> Result<Vec<u8>, CompositionError> {
    let imports = imports(plugin, allowed)?;
    check(&imports)?;

    let mut composition = Composition(CompositionGraph::new());
    let no_directories = wat::parse_str(NO_DIRECTORIES).expect("the text is well-formed");
    let no_directories = composition.instantiate("queue-store:no-directories", &no_directories)?;
    let queue_store = composition.instantiate("mail:queue-store", queue_store)?;
    let plugin = composition.instantiate("queue-store:plugin", plugin)?;
    for import in &imports {
        match (import.treatment, import.interface()) {
            (Treatment::Queue, interface) => composition.connect(queue_store, interface, plugin, &import.name)?,
            (Treatment::Emptied, interface @ "wasi:filesystem/preopens") => {
                composition.connect(no_directories, interface, plugin, &import.name)?;
            }
            // These stay imports of the composition. Types of files give access to none without a directory.
            (Treatment::Emptied | Treatment::Harmless | Treatment::Allowed, _) => {}
            (Treatment::Refused | Treatment::Forbidden, _) => unreachable!("`check` fails for these imports"),
        }
    }
    composition.export_all(plugin)?;
    composition.0.encode(EncodeOptions::default()).map_err(|error| CompositionError::mismatch(&error))
}

/// A composition of instances.
struct Composition(CompositionGraph);

impl Composition {
    /// Adds an instance of a component.
    fn instantiate(&mut self, name: &str, component: &[u8]) -> Result<NodeId, CompositionError> {
        let package = Package::from_bytes(name, None, component, self.0.types_mut())
            .map_err(|error| CompositionError::NotAComponent(format!("{error:#}")))?;
        let package = self.0.register_package(package).expect("each name is used once");
        Ok(self.0.instantiate(package))
    }

    /// Returns the names of an instance's exports.
    fn exports(&self, instance: NodeId) -> Vec<String> {
        let package = self.0[instance].package().expect("an instance is of a package");
        self.0.types()[self.0[package].ty()].exports.keys().cloned().collect()
    }

    /// Passes the `interface` that `provider` exports, in any version, to `plugin` as its import `name`.
    fn connect(
        &mut self,
        provider: NodeId,
        interface: &str,
        plugin: NodeId,
        name: &str,
    ) -> Result<(), CompositionError> {
        let mut exports = self.exports(provider).into_iter();
        let export = exports.find(|export| export.split('@').next() == Some(interface));
        let export = export.ok_or_else(|| CompositionError::Mismatch(format!("nothing exports {interface}")))?;
        let export =
            self.0.alias_instance_export(provider, &export).map_err(|error| CompositionError::mismatch(&error))?;
        let connected = self.0.set_instantiation_argument(plugin, name, export);
        connected.map_err(|error| CompositionError::mismatch(&error))
    }

    /// Exports the exports of an instance.
    fn export_all(&mut self, instance: NodeId) -> Result<(), CompositionError> {
        for name in self.exports(instance) {
            let export = self.0.alias_instance_export(instance, &name);
            let export = export.map_err(|error| CompositionError::mismatch(&error))?;
            self.0.export(export, &name).map_err(|error| CompositionError::mismatch(&error))?;
        }
        Ok(())
    }
}
