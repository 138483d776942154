//! The search for a crash that breaks a promise: scenarios of calls and faults on the simulated system, a power cut at every
//! operation, and a recovery from every state that may be left; where an item has two names, every call before it too.
//!
//! The vocabulary comes first: actions, contents, promises, scenarios. Calls are performed and their answers are checked; a
//! run cuts the power in a scenario; a search runs many of them. Detectors use the search to show that every safeguard of
//! the component is needed.

pub mod action;
mod answer;
mod cases;
mod content;
pub mod detector;
mod interleaving;
mod item_files;
pub mod mutants;
mod observation;
mod perform;
mod power_cut;
mod processes;
mod promise;
mod run;
pub mod safeguards;
pub mod scenario;
pub mod search;
pub mod settings;
pub mod state_table;
mod unrecovered;
mod violation;

pub use violation::Violation;
