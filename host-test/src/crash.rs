//! The search for a crash that breaks a promise: scenarios of calls and faults on the simulated system, the power cut at every
//! operation, and what recovery makes of what is left.

pub mod call;
mod cases;
pub mod explore;
pub mod mutants;
pub mod promise;
pub mod scenario;
pub mod states;
