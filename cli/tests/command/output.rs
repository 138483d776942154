//! The output of the command: aligned and harmless for people, of one documented shape for programs.

mod items;
mod json;
mod screens;
mod terminal;
mod text;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    [json::trials(), screens::trials(), terminal::trials(), text::trials()].into_iter().flatten().collect()
}
