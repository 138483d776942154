//! `wit`: prints the contract that the component carries.

use crate::failure::{Cause, Failure};
use crate::output::print;
use clap::Args;
use queue_store_host::COMPONENT;
use std::collections::HashSet;
use sysexits::ExitCode as Sysexit;
use wasmparser::{Parser, Payload};
use wit_component::WitPrinter;
use wit_parser::{InterfaceId, PackageId, Resolve, WorldId, WorldItem};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Print this world alone, and the interfaces that it needs: `plugin` for a plugin
    #[arg(long, value_name = "NAME")]
    pub(crate) world: Option<String>,
}

/// The custom section of the component that has the contract.
const SECTION: &str = "wit";

/// Prints the contract, or the part of it that a world needs.
pub(crate) fn run(arguments: &Arguments) -> Result<Sysexit, Failure> {
    let contract = contract();
    let text = match &arguments.world {
        None => contract.to_string(),
        Some(world) => part(contract, world)?,
    };
    print(|output| output.write_all(text.as_bytes()))?;
    Ok(Sysexit::Ok)
}

/// Returns the contract from the component.
fn contract() -> &'static str {
    let section = |payload| match payload {
        Payload::CustomSection(section) if section.name() == SECTION => Some(section.data()),
        _ => None,
    };
    let payloads = Parser::new(0).parse_all(COMPONENT).map(|payload| payload.expect("the component is valid"));
    let text = payloads.filter_map(section).last().expect("the build adds the contract to the component");
    str::from_utf8(text).expect("the contract is text")
}

/// Returns a world of the contract, and the interfaces that it needs, as one file.
fn part(contract: &str, world: &str) -> Result<String, Cause> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("mail-queue.wit", contract).expect("the contract is valid");
    let worlds = &resolve.packages[package].worlds;
    let Some(&id) = worlds.get(world) else {
        return Err(Cause::NoSuchWorld { world: world.to_string(), worlds: worlds.keys().cloned().collect() });
    };
    keep(&mut resolve, package, id);
    let mut printer = WitPrinter::default();
    printer.print(&resolve, package, &[]).expect("what was parsed can be printed");
    Ok(printer.output.to_string())
}

/// Removes everything from a package but a world and the interfaces that it needs.
fn keep(resolve: &mut Resolve, package: PackageId, world: WorldId) {
    let items = resolve.worlds[world].imports.values().chain(resolve.worlds[world].exports.values());
    let mut pending: Vec<InterfaceId> = items
        .filter_map(|item| match item {
            WorldItem::Interface { id, .. } => Some(*id),
            WorldItem::Function(_) | WorldItem::Type { .. } => None,
        })
        .collect();
    let mut needed = HashSet::new();
    while let Some(interface) = pending.pop() {
        if needed.insert(interface) {
            pending.extend(resolve.interface_direct_deps(interface));
        }
    }
    let package = &mut resolve.packages[package];
    package.worlds.retain(|_, id| *id == world);
    package.interfaces.retain(|_, id| needed.contains(id));
}
