//! The answers of `plugin run` to the imports of a plugin.

use queue_store_composition::{Import, Treatment};

/// The answer of `plugin run` to an import of a plugin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Provision {
    Queue,
    Operator,
    NoFiles,
    Command,
    NoDirectories,
    NoNetwork,
    Nothing,
}

impl Provision {
    pub(super) fn of(import: &Import) -> Provision {
        let (interface, version) = import.name.split_once('@').unwrap_or((&import.name, ""));
        let package = interface.split('/').next().unwrap_or(interface);
        match (import.treatment, package) {
            (Treatment::Queue, _) => Provision::Queue,
            (Treatment::Emptied, _) => Provision::NoDirectories,
            (Treatment::Forbidden, "mail:queue") if version.starts_with("0.1.") => Provision::of_operator(interface),
            (Treatment::Forbidden, _) => Provision::Nothing,
            (_, "wasi:sockets") if version.starts_with("0.2.") => Provision::NoNetwork,
            (_, "wasi:cli" | "wasi:clocks" | "wasi:io" | "wasi:random") if version.starts_with("0.2.") => {
                Provision::Command
            }
            _ => Provision::Nothing,
        }
    }

    /// The answer to an interface of the contract that is not for every plugin.
    fn of_operator(interface: &str) -> Provision {
        match interface {
            "mail:queue/queue-store" | "mail:queue/item-codec" | "mail:queue/introspection" => Provision::Operator,
            "mail:queue/durable-file" => Provision::NoFiles,
            _ => Provision::Nothing,
        }
    }

    /// Returns the name for programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Provision::Queue => "queue",
            Provision::Operator => "operator",
            Provision::NoFiles => "no-files",
            Provision::Command => "harmless",
            Provision::NoDirectories => "emptied",
            Provision::NoNetwork => "no-network",
            Provision::Nothing => "refused",
        }
    }

    /// Describes what a plugin gets.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Provision::Queue => "the queue, to submit mail",
            Provision::Operator => "an operator's rights, with --operator",
            Provision::NoFiles => "no files, with --operator",
            Provision::Command => "that of the command",
            Provision::NoDirectories => "an empty file system",
            Provision::NoNetwork => "no network",
            Provision::Nothing => "nothing: not run",
        }
    }
}
