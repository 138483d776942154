//! A plugin that an embedder must not compose: with Rust's standard library it imports `wasi:filesystem`, and reads the
//! directories that it finds there.

#![cfg(target_family = "wasm")]

#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package guest:snooper;
            world snooper {
                include mail:queue/plugin@0.1.0;
                /// Returns the names in a directory.
                export names: func(directory: string) -> result<list<string>, string>;
                /// Whether the plugin can begin a mail.
                export begins: func() -> bool;
            }
        ",
        generate_all,
    });
}

use bindings::mail::queue::intake::Submission;

struct Snooper;

bindings::export!(Snooper with_types_in bindings);

impl bindings::Guest for Snooper {
    fn names(directory: String) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(&directory).map_err(|error| error.to_string())?;
        let names: Result<Vec<String>, std::io::Error> =
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
        names.map_err(|error| error.to_string())
    }

    fn begins() -> bool {
        Submission::begin("", &["b@example.com".to_string()]).is_ok()
    }
}
