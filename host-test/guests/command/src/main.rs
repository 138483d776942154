//! A command that does what its argument names, to see how the host of a plugin takes it.

#[cfg(target_family = "wasm")]
#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "plugin" });
}

#[cfg(target_family = "wasm")]
fn main() {
    use bindings::mail::queue::intake;
    use std::io::{self, Read};
    use std::net::TcpStream;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;
    use std::{env, fs, hint, iter, process, thread};

    static RUNS: AtomicU32 = AtomicU32::new(0);
    let submit = |body: &[u8]| intake::submit("", &["b@example.com".to_string()], body);
    let arguments: Vec<String> = env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "compute"] => loop {
            hint::spin_loop();
        },
        [_, "sleep"] => thread::sleep(Duration::from_secs(3600)),
        [_, "read"] => drop(io::stdin().read_to_end(&mut Vec::new()).expect("standard input can be read")),
        [_, "allocate"] => drop(iter::repeat_with(|| vec![1_u8; 1 << 20]).take(1 << 20).collect::<Vec<_>>()),
        [_, "allocate-less"] => {
            Vec::<u8>::new().try_reserve(1 << 30).expect_err("there is a limit");
            drop(vec![1_u8; 1 << 20]);
            process::exit(0);
        }
        [_, "flood"] => loop {
            println!("{}", "x".repeat(1 << 10));
        },
        [_, "flood-errors"] => loop {
            eprintln!("{}", "x".repeat(1 << 10));
        },
        [_, "connect", address] => drop(TcpStream::connect(address).expect("the host grants a network")),
        [_, "submit-and-trap"] => {
            submit(b"before the trap").expect("a submission");
            panic!("as it was asked");
        }
        [_, "exit", code] => process::exit(code.parse().expect("a number")),
        [_, "count"] => print!("{}", RUNS.fetch_add(1, Ordering::Relaxed)),
        [_, "environment"] => {
            let files = fs::read_dir("/").map_or(0, Iterator::count);
            print!("{} variables, {files} files", env::vars().count());
        }
        _ => panic!("unknown arguments: {arguments:?}"),
    }
}

#[cfg(not(target_family = "wasm"))]
fn main() {}
