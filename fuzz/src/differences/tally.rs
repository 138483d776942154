//! Counts how often a fuzzer met each known difference and prints the counts when it exits.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};

static MET: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

fn met() -> MutexGuard<'static, BTreeMap<String, u64>> {
    MET.lock().unwrap_or_else(PoisonError::into_inner)
}

extern "C" fn print() {
    for (difference, times) in &*met() {
        eprintln!("difference: {times:>12} {difference}");
    }
}

/// Sets the counts of all known differences to zero, so that those never met are printed as well, and registers the
/// printing.
pub fn begin(known: impl IntoIterator<Item = impl Debug>) {
    met().extend(known.into_iter().map(|difference| (format!("{difference:?}"), 0)));
    // SAFETY: `atexit` requires a function that is valid until the process exits and does not unwind. `print` is
    // static, and `extern "C"` aborts on a panic.
    assert_eq!(unsafe { atexit(print) }, 0);
}

/// Adds one to the count of each of these differences.
pub fn count(differences: impl IntoIterator<Item = impl Debug>) {
    for difference in differences {
        *met().entry(format!("{difference:?}")).or_default() += 1;
    }
}
