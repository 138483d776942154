//! The known differences between other parsers of the text format and the component, which follows Go's `prototext`.
//! Any other difference is a finding.

mod component;
pub mod prost_reflect;
pub mod python;
pub mod tally;
