//! The tests of a module, with their requirements.

use libtest_mimic::Trial;
use queue_store_host_test::requirement::{self, Requirement};

/// Lists the tests of a module, each with its requirements after `=>`. A test that is left out is an unused function,
/// which the compiler reports.
macro_rules! trials {
    ($($test:ident $(=> $($requirement:ident)+)?),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            use queue_store_host_test::requirement::Requirement;
            let trial = |name, needs: &[Requirement], test| $crate::trial::trial(module_path!(), name, needs, test);
            vec![$(trial(stringify!($test), &[$($(Requirement::$requirement),+)?], $test as fn())),*]
        }
    };
}
pub(crate) use trials;

/// Returns a test with its requirements.
pub(crate) fn trial(module: &str, name: &str, needs: &[Requirement], test: fn()) -> Trial {
    let module = module.strip_prefix(concat!(env!("CARGO_CRATE_NAME"), "::")).unwrap_or(module);
    requirement::trial(format!("{module}::{name}"), needs.to_vec(), move || {
        test();
        Ok(())
    })
}
