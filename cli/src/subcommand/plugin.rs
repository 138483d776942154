//! `plugin`: checks, composes and runs plugins.

mod provision;

use crate::change_log;
use crate::columns::Columns;
use crate::escape::escape;
use crate::failure::{Cause, Failure, note};
use crate::location::Location;
use crate::open_queue;
use crate::output::{print_json, print_line, print_lines};
use crate::output_file;
use clap::Args;
use provision::Provision;
use queue_store_composition::{CompositionError, Import, Treatment};
use queue_store_host::plugin::{OperatorPlugin, Plugin, PluginError, PluginLimits, wasmtime_wasi::WasiCtx};
use queue_store_host::{COMPONENT, Intake, IntakeLimits, Queue};
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, io, process, thread};
use sysexits::ExitCode as Sysexit;

#[derive(clap::Subcommand)]
pub(crate) enum Subcommand {
    /// List the imports of a plugin, and what it gets for each, composed and run. Fails if `compose` would
    Check(Check),
    /// Compose a plugin with the queue and an empty file system, for any host
    Compose(Compose),
    /// Run a plugin that is a command, with the mail on standard input
    Run(Run),
}

#[derive(Args)]
pub(crate) struct PluginFile {
    /// The plugin: a component that imports `mail:queue/intake`
    #[arg(value_name = "PLUGIN")]
    pub(crate) path: PathBuf,
    /// An interface or a package that the plugin may import although it would be refused, such as `wasi:sockets`. It gets
    /// what the host grants
    #[arg(long, value_name = "NAME")]
    pub(crate) allow: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) plugin: PluginFile,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Compose {
    #[command(flatten)]
    pub(crate) plugin: PluginFile,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
#[command(override_usage = "queue-store plugin run [OPTIONS] --queue <DIR> <PLUGIN> [ARGUMENT]... < MAIL")]
pub(crate) struct Run {
    /// Give the plugin an operator's rights: it may list, read, change and remove every mail of the queue, and queue a
    /// command line that a mail server executes
    #[arg(long)]
    pub(crate) operator: bool,
    /// Give it those although a chasquid uses the queue, which may undo a change or deliver a mail twice
    #[arg(long, requires = "operator")]
    pub(crate) while_running: bool,
    /// How many mails it may submit
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) max_mails: u64,
    /// How many bytes its mails may have in all
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub(crate) max_bytes: u64,
    /// How much memory it may have
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub(crate) max_memory: usize,
    /// How long it may take, its compilation included
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_seconds: u64,
    /// The plugin, a component that imports `mail:queue/intake` (with `--operator`: `mail:queue/queue-store`) and exports `wasi:cli/run`, and its arguments. Options
    /// of `run` go before it
    #[arg(value_names = ["PLUGIN", "ARGUMENT"], required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

/// Lists the imports of a plugin, and fails if it cannot be composed.
pub(crate) fn check(arguments: &Check) -> Result<Sysexit, Failure> {
    let path = &arguments.plugin.path;
    let failure = |error| composition_failure(error, path);
    let component = read(path)?;
    let imports = imports(&component, &arguments.plugin.allow).map_err(failure)?;
    let is_command = queue_store_composition::is_command(&component).map_err(failure)?;
    if arguments.json {
        let import = |import: &Import| {
            let name = &import.name;
            json!({ "name": name, "treatment": import.treatment.name(), "run": Provision::of(import).name() })
        };
        let imports: Vec<_> = imports.iter().map(import).collect();
        print_json(&json!({ "command": is_command, "imports": imports }))?;
    } else {
        let rows: Vec<_> = imports
            .iter()
            .map(|import| {
                let (composed, run) = (meaning(import.treatment), Provision::of(import).meaning());
                [escape(&import.name), composed.to_string(), run.to_string()]
            })
            .collect();
        let is_operators = imports.iter().any(|import| Provision::of(import) == Provision::Operator);
        let is_run = if is_command && is_operators {
            "It is an operator's command: `plugin run --operator` runs it if it gets every import, and it may then read, \
             change and remove every mail."
        } else if is_command {
            "It is a command: `plugin run` runs it if it gets every import."
        } else {
            "It is no command, since it exports no `wasi:cli/run`: compose it, or call it from a host in Rust."
        };
        let columns = Columns::fitting(["IMPORT", "COMPOSED, IT GETS", "RUN, IT GETS"], &rows);
        print_lines([columns.header()].into_iter().chain(rows.into_iter().map(|row| columns.row(row))).map(Ok))?;
        print_line(&format!("\n{is_run}"))?;
    }
    let refused = |error| Failure::from(Cause::NotComposable(error)).at(&path.to_string_lossy());
    queue_store_composition::check(&imports).map_err(refused)?;
    // A plugin can disagree with the queue about the type of an import too.
    queue_store_composition::compose(&component, COMPONENT, &arguments.plugin.allow).map_err(failure)?;
    Ok(Sysexit::Ok)
}

/// Lists the imports of a plugin, and fails if it has none of an allowed name.
fn imports(component: &[u8], allowed: &[String]) -> Result<Vec<Import>, CompositionError> {
    let imports = queue_store_composition::imports(component, allowed)?;
    queue_store_composition::check_allowed(&imports, allowed)?;
    Ok(imports)
}

/// Describes what a plugin gets in a composition.
fn meaning(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::Queue => "the queue, to submit mail",
        Treatment::Harmless => "that of its host",
        Treatment::Emptied => "an empty file system",
        Treatment::Allowed => "that of its host, by --allow",
        Treatment::Refused => "nothing: refused",
        Treatment::Forbidden => "nothing: forbidden",
    }
}

/// Composes a plugin with the queue and an empty file system.
pub(crate) fn compose(arguments: &Compose) -> Result<Sysexit, Failure> {
    let path = &arguments.plugin.path;
    let (component, allowed) = (read(path)?, &arguments.plugin.allow);
    let composed = imports(&component, allowed)
        .and_then(|_| queue_store_composition::compose(&component, COMPONENT, allowed))
        .map_err(|error| composition_failure(error, path))?;
    output_file::write(arguments.output.as_deref(), &composed)?;
    Ok(Sysexit::Ok)
}

fn composition_failure(error: CompositionError, path: &Path) -> Failure {
    Failure::from(Cause::Composition(error)).at(&path.to_string_lossy())
}

/// Runs a plugin that is a command.
pub(crate) fn run(queue: &Location, arguments: &Run) -> Result<Sysexit, Failure> {
    let Run { operator, while_running, max_mails, max_bytes, max_memory, max_seconds, command } = arguments;
    let (place, _) = command.split_first().expect("the parser requires a plugin");
    let mut limits = PluginLimits::default();
    (limits.memory_bytes, limits.time) = (*max_memory, Duration::from_secs(*max_seconds));
    (limits.intake.mails, limits.intake.bytes) = (*max_mails, *max_bytes);
    let component = read(Path::new(place))?;
    queue_store_composition::check_form(&component).map_err(|error| composition_failure(error, Path::new(place)))?;
    end_after(limits.time.saturating_add(GRACE), failure(PluginError::OutOfTime(limits.time), place))
        .map_err(|error| failure(PluginError::System(error), place))?;

    let mut wasi = WasiCtx::builder();
    wasi.inherit_stdio().args(command);
    let wasi = wasi.build();
    // Opened before the plugin is compiled: as root, the process becomes the owner of the queue.
    if *operator {
        let queue = open_queue::open_for_change(queue, *while_running)?;
        return run_operator(&queue, &component, limits, wasi, place);
    }
    let created = open_queue::create(queue)?;
    let plugin = Plugin::new(&component, limits).map_err(|error| failure(error, place))?;
    if !plugin.imports_intake() {
        return Err(Failure::from(Cause::NoIntake).at(place));
    }
    let ran = plugin.run(&Intake::new(&created.queue, IntakeLimits::default()), wasi);
    logged(ended(ran, place))?;
    created.keep();
    Ok(Sysexit::Ok)
}

/// Runs a plugin with an operator's rights on a queue.
fn run_operator(
    queue: &Queue,
    component: &[u8],
    limits: PluginLimits,
    wasi: WasiCtx,
    place: &str,
) -> Result<Sysexit, Failure> {
    let plugin = OperatorPlugin::new(component, limits).map_err(|error| failure(error, place))?;
    if !plugin.imports_queue() {
        return Err(Failure::from(Cause::NoIntake).at(place));
    }
    logged(ended(plugin.run(queue, wasi), place))?;
    Ok(Sysexit::Ok)
}

/// Whether the run has its line in the log of changes.
static LOGGED: AtomicBool = AtomicBool::new(false);

/// Adds the outcome of the run to the log of changes, and returns it.
fn logged(outcome: Result<(), Failure>) -> Result<(), Failure> {
    if LOGGED.swap(true, Ordering::Relaxed) { outcome } else { change_log::logged("", outcome) }
}

/// Returns whether a plugin succeeded.
fn ended(ran: Result<i32, PluginError>, place: &str) -> Result<(), Failure> {
    match ran {
        Ok(0) => Ok(()),
        Ok(_) => Err(Failure::from(Cause::PluginFailed).at(place).with_note(note::SUBMITTED_STAY)),
        Err(error) => Err(failure(error, place)),
    }
}

/// Time after the limit of a plugin, in which it ends in good order.
const GRACE: Duration = Duration::from_secs(1);

/// Ends the process with a failure after some time: its compilation, and a write to a full pipe, cannot be interrupted.
fn end_after(time: Duration, failure: Failure) -> io::Result<()> {
    let code = failure.code() as i32;
    let end = move || {
        thread::sleep(time);
        // Standard error can be a full pipe too.
        let _ = thread::Builder::new().spawn(move || {
            thread::sleep(GRACE);
            process::exit(code);
        });
        if let Err(failure) = logged(Err(failure)) {
            failure.print();
        }
        process::exit(code);
    };
    thread::Builder::new().spawn(end).map(|_| ())
}

fn failure(error: PluginError, place: &str) -> Failure {
    let advice = match error {
        PluginError::Component(_) => Some(note::SEE_IMPORTS),
        PluginError::Failed(_) | PluginError::OutOfMemory(_) | PluginError::OutOfTime(_) => Some(note::SUBMITTED_STAY),
        _ => None,
    };
    let failure = Failure::from(Cause::Plugin(error)).at(place);
    match advice {
        Some(advice) => failure.with_note(advice),
        None => failure,
    }
}

/// Reads a component.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::file(path, error, Sysexit::NoInput))
}
