//! A plugin that looks for what it must not have. Rust's standard library imports `wasi:filesystem` and `wasi:sockets`.

#![cfg(target_family = "wasm")]

#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "snooper", generate_all });
}

use bindings::mail::queue::intake;
use std::net::TcpStream;
use std::path::Path;
use std::{fs, io};

struct Snooper;

bindings::export!(Snooper with_types_in bindings);

impl bindings::Guest for Snooper {
    fn snoop(directories: Vec<String>, port: u16) -> Vec<String> {
        let mut succeeded = Vec::new();
        let mut note = |what: String, result: io::Result<()>| succeeded.extend(result.ok().map(|()| what));
        for directory in directories {
            let (path, file) = (Path::new(&directory), Path::new(&directory).join("m:x"));
            note(format!("list {directory}"), fs::read_dir(path).map(drop));
            note(format!("read {directory}"), fs::read(&file).map(drop));
            note(format!("link {directory}"), fs::hard_link(&file, path.join("stolen")));
            note(format!("make {directory}"), fs::write(path.join("made"), ""));
            note(format!("remove {directory}"), fs::remove_file(&file));
        }
        // A plugin that has no use for the intake would not be composed with the queue.
        let without_recipients = intake::submit("", &[], b"").map(drop).map_err(|_| io::ErrorKind::InvalidInput.into());
        note("submit without recipients".to_string(), without_recipients);
        note("connect".to_string(), TcpStream::connect(("127.0.0.1", port)).map(drop));
        succeeded
    }
}
