//! The command killed (SIGKILL): every id that it printed is there, byte for byte; no item is there in part; and
//! recovery leaves no temporary file.

mod calls;
mod random;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    calls::trials().into_iter().chain(random::trials()).collect()
}
