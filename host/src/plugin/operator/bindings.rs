//! The imports of the world `operator-plugin`, as wasmtime generates them from `wit/`.

#![allow(missing_docs, missing_debug_implementations, reason = "documented in `wit/`")]

wasmtime::component::bindgen!({
    path: "wit",
    // Not the world: the linker would get the interface `types`, which has no functions.
    interfaces: "
        import mail:queue/queue-store@0.1.0;
        import mail:queue/item-codec@0.1.0;
        import mail:queue/durable-file@0.1.0;
        import mail:queue/introspection@0.1.0;
    ",
    imports: { default: trappable },
    with: {
        "mail:queue/types": crate::bindings::exports::mail::queue::types,
        "mail:queue/queue-store.queue": super::resources::OpenQueue,
        "mail:queue/queue-store.draft": super::resources::OpenDraft,
        "mail:queue/queue-store.body-reader": super::resources::OpenBodyReader,
        "mail:queue/queue-store.listing": super::resources::OpenListing,
    },
});
