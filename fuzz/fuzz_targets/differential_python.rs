//! Decodes any bytes as an item with the component and with Python's `text_format`. The results must be equal but for
//! the known differences.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::differences::python::{Difference, compare};
use queue_store_fuzz::differences::tally;
use queue_store_fuzz::python::Python;
use std::sync::{LazyLock, Mutex, PoisonError};

static PYTHON: LazyLock<Mutex<Python>> = LazyLock::new(|| {
    let python = Python::start().expect("Python with protobuf starts");
    eprintln!("compared with {}", python.version());
    Mutex::new(python)
});

fuzz_target!(
    init: tally::begin(Difference::ALL.map(|(difference, _)| difference)),
    |text: &[u8]| {
        let mut python = PYTHON.lock().unwrap_or_else(PoisonError::into_inner);
        match compare(text, &mut python) {
            Ok(differences) => tally::count(differences),
            Err(unknown) => panic!("{unknown}, in \"{}\"", text.escape_ascii()),
        }
    }
);
