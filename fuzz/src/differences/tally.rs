//! How often a fuzzer met each known difference, printed when it ends.

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

/// Counts from zero. What is never met is printed as well.
pub fn begin(known: impl IntoIterator<Item = impl Debug>) {
    met().extend(known.into_iter().map(|difference| (format!("{difference:?}"), 0)));
    // SAFETY: the function may be called at any time.
    assert_eq!(unsafe { atexit(print) }, 0);
}

/// Counts each of these once.
pub fn count(differences: impl IntoIterator<Item = impl Debug>) {
    for difference in differences {
        *met().entry(format!("{difference:?}")).or_default() += 1;
    }
}
