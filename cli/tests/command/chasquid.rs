//! The SMTP server whose files these are: it delivers mails of the command, the command reads and changes its items, and
//! each change is compared with what the server then does.

mod exchange;
mod repairs;
mod running;
mod shapes;
mod site;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    [exchange::trials(), repairs::trials(), running::trials(), shapes::trials()].into_iter().flatten().collect()
}
