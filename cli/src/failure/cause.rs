//! The causes of failures: their words, and their exit codes (sysexits.h).

use super::system_error::exit_code_of_system;
use crate::address_list::MalformedList;
use crate::display;
use crate::file_size_limit;
use mail_address::InvalidAddress;
use nix::errno::Errno;
use queue_store_composition::CompositionError;
use queue_store_host::Error;
use queue_store_host::plugin::PluginError;
use queue_store_host::types::{ErrorCode, State};
use std::io;
use sysexits::ExitCode as Sysexit;

/// The cause of a failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    /// The arguments do not parse.
    #[error("{message} (see queue-store{subcommand} --help)")]
    Usage { message: String, subcommand: String },
    /// A subcommand that uses files is given a database.
    #[error("a queue in a database has no files: use this for a queue in a directory")]
    NoFiles,
    /// The path of a queue looks like a URL.
    #[error(
        "{0:?} is no database that this command knows: a URL begins with postgres:// or postgresql://, and ./ before a path \
         names a directory"
    )]
    UnknownScheme(String),
    /// The path of a queue is empty, as the value of a variable that is not set.
    #[error("the path or URL of a queue is empty")]
    EmptyPath,
    /// Files would be moved in a queue that refuses changes.
    #[error("an fsync of the queue failed, and it takes no changes: queue-store recover does what is left")]
    RecoverFirst,
    /// An export would replace an older one by less than it was asked for.
    #[error("the older file is kept, since not every mail was exported, or none: name another file")]
    OlderExportKept,
    /// A queue is to be copied into itself.
    #[error("both are the same queue")]
    SameQueue,
    /// A copy meets another mail under the id of one that it copies.
    #[error("{0} has another mail under this id: look at both with show, remove one or the other, then copy again")]
    OtherMailOfId(String),
    /// A subcommand that uses a queue is told none.
    #[error(
        "which queue: give its directory or URL with --queue DIR, or in QUEUE_STORE_DIR (see queue-store{subcommand} --help)"
    )]
    NoQueue { subcommand: String },
    /// A removal of quarantined items is told another state.
    #[error("--quarantined takes quarantined items alone: leave it out, or --state")]
    OtherStateThanQuarantined,
    /// A subcommand that changes items is told none.
    #[error("which items: name their ids, select them by options such as --domain, or all by --all")]
    NothingSelected,
    /// A threshold of a check has no effect.
    #[error("--warn-{0} is above --crit-{0}: it would never warn")]
    WarningAboveCritical(&'static str),
    /// An argument is not an address.
    #[error(
        "{argument} {address:?} is refused: {reason}; give one address as local-part@domain, and the option for each"
    )]
    Address { argument: &'static str, address: String, reason: InvalidAddress },
    /// The JSON of a delivery is malformed.
    #[error("--rcpt {argument}: {problem}: write it as `show --json` prints it")]
    Delivery { argument: String, problem: String },
    /// The component would be written to a terminal.
    #[error("standard output is a terminal, and the component is binary: name a file with --output")]
    BinaryToTerminal,
    /// The contract has no such world.
    #[error("the contract has no world {world:?}; it has {}", .worlds.join(", "))]
    NoSuchWorld { world: String, worlds: Vec<String> },
    /// A plugin cannot be checked or composed.
    #[error("{0}")]
    Composition(CompositionError),
    /// A plugin cannot be run, or failed.
    #[error("{0}")]
    Plugin(PluginError),
    /// A plugin cannot be composed, which a check finds.
    #[error("`plugin compose` refuses it: {0}")]
    NotComposable(CompositionError),
    /// A plugin to be run does not import the queue.
    #[error("it does not import mail:queue/intake: was it composed? run the plugin itself")]
    NoIntake,
    /// A plugin ended by itself, and reported failure.
    #[error("the plugin reported failure")]
    PluginFailed,
    /// The body exceeds `--max-size`.
    #[error("the mail has more than the {0} bytes of --max-size; nothing was queued")]
    BodyTooLarge(u64),
    /// The address of an update is not in the item.
    #[error("the item has no delivery to {0}; show lists those it has")]
    NoSuchDelivery(String),
    /// An address that would be added is in the item.
    #[error("the item has a delivery to {0} already; --replace renews it")]
    DeliveryExists(String),
    /// A copy of an item without deliveries would have some.
    #[error("it has no delivery, and a copy would be delivered to its addresses: add deliveries by edit, or remove it")]
    NoDelivery,
    /// A change would leave an item without a delivery.
    #[error("an item needs a delivery: nothing was changed; --add names one")]
    NoDeliveryLeft,
    /// An item that would be restored also has a live file.
    #[error("an item of this id is ready or held: restore this one when that one is delivered")]
    LiveItemExists,
    /// A damaged item is read that does not exist.
    #[error("there is no item of this id; list shows the items")]
    NoFile,
    /// A damaged item is read whose id has several files.
    #[error("several files have this id: `resolve` shows them")]
    SeveralFiles,
    /// The file of an id that is to stay is none of its live files.
    #[error("{name} is not a ready or held file of this id; it has {}", if .files.is_empty() { "none".to_string() } else { .files.join(", ") })]
    NoSuchFile { name: String, files: Vec<String> },
    /// A damaged item has no beginning of a body.
    #[error("no body can be read")]
    NoBody,
    /// An item that would be restored is ready or held.
    #[error("it is not quarantined: it is {}", .0.name())]
    NotQuarantined(State),
    /// A filter selected an item that the queue does not find, since another one has its id.
    #[error("another item of this id is {}, and would be taken in its place: name the id to take that one", .0.name())]
    OtherItemOfId(State),
    /// The item of a mail that is imported again is in quarantine.
    #[error("this mail is in quarantine: restore it, or leave it there and import the others")]
    QueuedInQuarantine,
    /// A removal of live items is told a quarantined one.
    #[error("it is quarantined: --quarantined removes it")]
    Quarantined,
    /// A quarantined item would be requeued.
    #[error("it is quarantined: restore it first")]
    RestoreFirst,
    /// A filter selected one of several items of an id, and a removal would take all.
    #[error("several items have this id, and a removal takes all: look at them, then name the id")]
    SharedId,
    /// The operator answered a question with no.
    #[error("nothing was changed")]
    Declined,
    /// A verification found damage.
    #[error("damaged: {damaged} of {}: look at them, then seal or quarantine them", display::items(*items))]
    DamagedItems { damaged: u64, items: u64 },
    /// A verification could not read everything. `code` is the exit code of the first item that it could not read.
    #[error("could not be read: {unreadable} of {}: run this as the owner, or look at the system's log", display::items(*items))]
    UnreadableItems { unreadable: u64, items: u64, code: Sysexit },
    /// A filter needs what could not be read of items. `code` is the exit code of the first of them.
    #[error("could not be read, and may match: {}: run this as the owner, or look at the system's log", display::items(*items))]
    UnjudgedItems { items: u64, code: Sysexit },
    /// A recovery found more problems than it reports.
    #[error("there are more problems than these; `queue-store verify` names every damaged item")]
    MoreProblems,
    /// The name of an item's file is not UTF-8.
    #[error("its name is not UTF-8, so that no command can name it, and chasquid delivers it: rename it with mv")]
    InvalidName,
    /// A directory of an import is not a maildir.
    #[error("not a maildir, which has directories `new` and `cur`")]
    NotMaildir,
    /// A file that is given as an mbox file is none.
    #[error("not an mbox file, whose first line has `From `, a sender and a date")]
    NotMbox,
    /// A mail that would be written to an mbox file has no header.
    #[error("it does not begin with a header, as each mail of an mbox file does: --format eml writes it")]
    NoMailOfMbox,
    /// An entry of a maildir has another type than a file.
    #[error("not a file, as each mail of a maildir is")]
    NotFile,
    /// A mail of an import has no header.
    #[error("it does not begin with a header; put queues a file as it is")]
    NoHeader,
    /// The header of a mail has carriage returns that end no line.
    #[error("its header has lines that end with CR alone: convert them to LF")]
    BareCarriageReturn,
    /// The header of a mail is too long to be looked at.
    #[error("its header has more than {bytes} bytes; put queues a file as it is")]
    LongHeader { bytes: usize },
    /// The header of a mail has a line that no field can have.
    #[error("line {line} of its header is neither a field nor the continuation of one: say with --to whom it is for")]
    BrokenHeader { line: usize },
    /// A mail of an import names no recipient.
    #[error("it has no address in `To`, `Cc` and `Bcc`: say with --to whom it is for")]
    NoRecipient,
    /// An address of a mail's header is not on the allow-list.
    #[error("the address {address:?} of {field} is refused: {reason}; give another with {option}")]
    HeaderAddress { field: &'static str, address: String, reason: InvalidAddress, option: &'static str },
    /// A field of a mail's header is not a list of addresses.
    #[error("its {field} is not a list of addresses: {problem}; give the addresses with {option}")]
    AddressList { field: &'static str, problem: MalformedList, option: &'static str },
    /// A field of a mail's header has more than one address.
    #[error("its {field} has several addresses; give one with {option}")]
    SeveralAddresses { field: &'static str, option: &'static str },
    /// Two mails of an mbox file may have been read as one.
    #[error(
        "line {line} may begin the next mail or be part of this one, which is not queued: a line that begins a mail \
         has `From `, a sender and a date, a blank line before it and a header after it; one that does not is written \
         as `>From `"
    )]
    AmbiguousSeparator { line: u64 },
    /// A mail has no byte.
    #[error("the mail is empty: --allow-empty queues it")]
    EmptyMail,
    /// The owner of the queue could not read the item.
    #[error(
        "it belongs to user {owner}, who could not read a mail that user {user} puts there: run this as user {owner}"
    )]
    NotOwner { owner: u32, user: u32 },
    /// A file that would be written exists.
    #[error("it exists already: name another with --output, or replace it with --force")]
    OutputExists,
    /// A file that would be replaced is a symbolic link, a device or a directory.
    #[error("not a file, and --force replaces no other: name another with --output")]
    OutputNotFile,
    /// Mails would be exported to standard output.
    #[error(
        "a mail that turns out to be damaged could not be taken back from standard output: name a file with --output"
    )]
    ExportToStdout,
    /// Mails would be exported into the directory of the queue.
    #[error("--output is in the directory of the queue, which is for items: name another")]
    ExportIntoQueue,
    /// A signal asked the process to end.
    #[error("interrupted")]
    Interrupted,
    /// A chasquid with this process id uses the queue that would be changed.
    #[error(
        "chasquid (process {0}) uses this queue, keeps its items in memory and writes them back: stop it first, or give \
         --while-running"
    )]
    ChasquidRuns(u32),
    /// A change was made or refused, and could not be logged.
    #[error("the change could not be logged: {}", without_number(.0))]
    NotLogged(io::Error),
    /// Signals cannot be caught.
    #[error("signals: {}", without_number(.0))]
    Signals(io::Error),
    /// Root cannot become the owner of the queue.
    #[error("cannot become its owner, user {user}: {}; run this as that user", errno.desc())]
    Owner { user: u32, errno: Errno },
    /// A file cannot be used. `otherwise` is the exit code for errors that have none of their own.
    #[error("{}", without_number(source))]
    File { source: io::Error, otherwise: Sysexit },
    /// The rest of a file cannot be read.
    #[error("{}", without_number(.0))]
    Read(io::Error),
    /// The process began without standard output.
    #[error("standard output is closed: redirect it to a file, or to /dev/null")]
    StdoutClosed,
    /// Standard output cannot be written to.
    #[error("standard output: {}", without_number(.0))]
    Stdout(io::Error),
    /// The queue refused the call, or failed.
    #[error("{0}")]
    Queue(Error),
}

/// Returns the text of a system error without its number.
fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_string()
}

impl Cause {
    /// Returns whether the words of the cause begin with the place that it concerns.
    pub(super) fn names_place(&self) -> bool {
        match self {
            Cause::Signals(_) | Cause::Stdout(_) | Cause::StdoutClosed => true,
            Cause::Queue(error) => error.details().is_some_and(|details| !details.path.is_empty()),
            _ => false,
        }
    }

    /// Returns the exit code.
    pub(super) fn exit_code(&self) -> Sysexit {
        match self {
            Cause::Usage { .. }
            | Cause::NoQueue { .. }
            | Cause::NoFiles
            | Cause::UnknownScheme(_)
            | Cause::EmptyPath
            | Cause::SameQueue
            | Cause::NothingSelected
            | Cause::OtherStateThanQuarantined
            | Cause::WarningAboveCritical(_)
            | Cause::ExportToStdout
            | Cause::ExportIntoQueue
            | Cause::Address { .. }
            | Cause::Delivery { .. }
            | Cause::BinaryToTerminal
            | Cause::NoSuchWorld { .. }
            | Cause::Composition(CompositionError::NothingToAllow(_)) => Sysexit::Usage,
            Cause::BodyTooLarge(_)
            | Cause::NoSuchDelivery(_)
            | Cause::DeliveryExists(_)
            | Cause::NoDeliveryLeft
            | Cause::NoDelivery
            | Cause::DamagedItems { .. }
            | Cause::MoreProblems
            | Cause::InvalidName
            | Cause::NotMaildir
            | Cause::NotMbox
            | Cause::NoMailOfMbox
            | Cause::NotFile
            | Cause::NoHeader
            | Cause::BareCarriageReturn
            | Cause::LongHeader { .. }
            | Cause::BrokenHeader { .. }
            | Cause::NoRecipient
            | Cause::HeaderAddress { .. }
            | Cause::AddressList { .. }
            | Cause::SeveralAddresses { .. }
            | Cause::AmbiguousSeparator { .. }
            | Cause::EmptyMail
            | Cause::NotQuarantined(_)
            | Cause::SeveralFiles
            | Cause::NoBody
            | Cause::Quarantined
            | Cause::QueuedInQuarantine
            | Cause::OtherItemOfId(_)
            | Cause::SharedId
            | Cause::RestoreFirst
            | Cause::Composition(_)
            | Cause::Plugin(
                PluginError::Component(_)
                | PluginError::TooComplex(_)
                | PluginError::OperatorOnly(_)
                | PluginError::NotACommand,
            )
            | Cause::NotComposable(_)
            | Cause::NoIntake
            | Cause::PluginFailed => Sysexit::DataErr,
            Cause::Plugin(PluginError::OutOfTime(_) | PluginError::System(_)) => Sysexit::TempFail,
            Cause::Plugin(_) => Sysexit::Software,
            Cause::UnreadableItems { code, .. } | Cause::UnjudgedItems { code, .. } => *code,
            Cause::OutputExists | Cause::OutputNotFile | Cause::OlderExportKept => Sysexit::CantCreat,
            Cause::LiveItemExists | Cause::OtherMailOfId(_) => exit_code_of(ErrorCode::Exists),
            Cause::NoFile | Cause::NoSuchFile { .. } => exit_code_of(ErrorCode::NotFound),
            Cause::Interrupted | Cause::Declined | Cause::ChasquidRuns(_) | Cause::RecoverFirst => Sysexit::TempFail,
            Cause::Owner { .. } | Cause::NotOwner { .. } => Sysexit::NoPerm,
            Cause::File { source, otherwise } => exit_code_of_system(source).unwrap_or(*otherwise),
            Cause::Signals(source) | Cause::Read(source) => exit_code_of_system(source).unwrap_or(Sysexit::IoErr),
            // A caller that tries again later would make the change twice, even where the disk is full for now.
            Cause::NotLogged(_) => Sysexit::IoErr,
            Cause::Stdout(_) | Cause::StdoutClosed => Sysexit::IoErr,
            Cause::Queue(Error::TooLarge(_)) if file_size_limit::was_exceeded() => Sysexit::TempFail,
            Cause::Queue(error) => error.code().map_or(Sysexit::Software, exit_code_of),
        }
    }
}

fn exit_code_of(code: ErrorCode) -> Sysexit {
    match code {
        ErrorCode::InvalidArgument => Sysexit::Usage,
        ErrorCode::Corrupt
        | ErrorCode::ChecksumMismatch
        | ErrorCode::IdMismatch
        | ErrorCode::Conflict
        | ErrorCode::TooLarge => Sysexit::DataErr,
        ErrorCode::NotFound => Sysexit::NoInput,
        ErrorCode::Unsupported => Sysexit::Unavailable,
        ErrorCode::Aborted => Sysexit::Software,
        ErrorCode::Exists | ErrorCode::ReadOnly => Sysexit::CantCreat,
        ErrorCode::Io | ErrorCode::Indeterminate | ErrorCode::Other => Sysexit::IoErr,
        ErrorCode::QueueFull | ErrorCode::NoSpace | ErrorCode::Quota | ErrorCode::Busy | ErrorCode::NeedsRecovery => {
            Sysexit::TempFail
        }
        ErrorCode::Access => Sysexit::NoPerm,
    }
}
