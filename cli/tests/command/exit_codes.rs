//! Exit codes (sysexits.h): every failure has its code and one line that tells the place, the cause and the remedy, and
//! leaves the queue as it was.

mod damage;
mod files;
mod limits;
mod states;
mod system;
mod usage;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    [damage::trials(), files::trials(), limits::trials(), states::trials(), system::trials(), usage::trials()]
        .into_iter()
        .flatten()
        .collect()
}
