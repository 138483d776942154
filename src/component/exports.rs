//! The export of the contract.

/// The implementation of the contract: one `impl Guest` for each interface.
pub(super) struct Component;

queue_store_contract::export!(Component with_types_in queue_store_contract);
