//! The annotations of the component, which registries show, are those of the manifest of its package.

use queue_store_artifact::COMPONENT;
use wasm_metadata::Payload;

#[test]
fn component_is_annotated_as_its_manifest_says() {
    let payload = Payload::from_binary(COMPONENT).expect("the artifact is valid");
    let metadata = payload.metadata();
    assert_eq!(metadata.name.as_deref(), Some("queue-store"));
    // The packages of the workspace have one version and one license.
    assert_eq!(metadata.version.as_ref().map(ToString::to_string).as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(metadata.licenses.as_ref().map(ToString::to_string).as_deref(), Some(env!("CARGO_PKG_LICENSE")));
    let description = metadata.description.as_ref().expect("the component has a description");
    assert!(
        include_str!("../../Cargo.toml").contains(&format!("\ndescription = \"{description}\"\n")),
        "{description}"
    );
}
