//! The differences of other readers of the text format from the component, which follows Go's `prototext`: each known difference
//! has a name, and any other one is a finding.

mod component;
pub mod prost_reflect;
pub mod python;
pub mod tally;
