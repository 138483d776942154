//! A plugin that is a command: reads a mail from standard input, adds a field, and queues it. Its arguments are the
//! reverse-path and the recipients.

#[cfg(target_family = "wasm")]
#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });
}

#[cfg(target_family = "wasm")]
fn main() -> Result<(), String> {
    use bindings::mail::queue::intake::Submission;
    use std::io::{self, Read};

    let mut arguments = std::env::args().skip(1);
    let reverse_path = arguments.next().ok_or("give the reverse-path and the recipients as arguments")?;
    let to: Vec<String> = arguments.collect();
    let submission = Submission::begin(&reverse_path, &to).map_err(|error| error.detail)?;
    submission.write(b"X-Checked: yes\r\n").map_err(|error| error.detail)?;
    let mut chunk = vec![0; 64 << 10];
    loop {
        match io::stdin().read(&mut chunk).map_err(|error| error.to_string())? {
            0 => break,
            length => submission.write(&chunk[..length]).map_err(|error| error.detail)?,
        }
    }
    println!("{}", Submission::commit(submission).map_err(|error| error.detail)?);
    Ok(())
}

#[cfg(not(target_family = "wasm"))]
fn main() {}
