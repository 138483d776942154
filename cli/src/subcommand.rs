//! The subcommands, one in a file.

pub(crate) mod cat;
pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod component;
pub(crate) mod copy;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod headers;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod plugin;
pub(crate) mod put;
pub(crate) mod recover;
pub(crate) mod release;
pub(crate) mod requeue;
pub(crate) mod resolve;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod summary;
pub(crate) mod update;
pub(crate) mod verify;
pub(crate) mod wit;
