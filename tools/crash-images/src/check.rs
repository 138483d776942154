//! Compares the queue in a mounted image with the guarantees that the command had given.

use crate::error::Error;
use crate::history::{Change, History, ItemHistory, State};
use crate::workload::{Mail, Place, Workload};
use queue_store_host::types::{Detail, ErrorCode, Item};
use queue_store_host::{Host, Queue};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A kind of violation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// An item is missing whose put was acknowledged.
    LostPut,
    /// An item lacks an acknowledged update, or is not in the state of its last acknowledged move.
    LostChange,
    /// An item exists whose removal was acknowledged.
    Resurrected,
    /// An item cannot be read, though its content was fsynced or promised.
    Damaged,
    /// An item is returned as valid, but was never put, or has a content or state that it never had.
    Wrong,
    /// A file in the directory that is not the queue's was changed.
    Foreign,
    /// A temporary file is left after the recovery.
    LeftoverTemporary,
    /// A second recovery changed something, or a second power cut undid a result of the first recovery.
    Unstable,
    /// The file system does not mount, or the queue does not recover.
    Unusable,
}

impl Kind {
    /// Every kind, in the order of the report.
    pub const ALL: [Kind; 9] = [
        Kind::LostPut,
        Kind::LostChange,
        Kind::Resurrected,
        Kind::Damaged,
        Kind::Wrong,
        Kind::Foreign,
        Kind::LeftoverTemporary,
        Kind::Unstable,
        Kind::Unusable,
    ];

    /// Returns the name of the kind in the report.
    pub fn title(self) -> &'static str {
        match self {
            Kind::LostPut => "lost put",
            Kind::LostChange => "lost update",
            Kind::Resurrected => "removed item back",
            Kind::Damaged => "damaged item",
            Kind::Wrong => "wrong item",
            Kind::Foreign => "other file changed",
            Kind::LeftoverTemporary => "temporary file left",
            Kind::Unstable => "unstable recovery",
            Kind::Unusable => "unusable",
        }
    }
}

/// A violation of a guarantee of the queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// The kind of the violation.
    pub kind: Kind,
    /// The item or file, and the difference from the expectation.
    pub detail: String,
}

impl Violation {
    fn new(kind: Kind, detail: impl Into<String>) -> Violation {
        Violation { kind, detail: detail.into() }
    }
}

impl Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind.title(), self.detail)
    }
}

/// Returns the directory of the queue in a mounted file system.
pub fn queue_directory(mounted: &Path) -> PathBuf {
    mounted.join("queue")
}

/// Paths and contents of files in the directory of the queue that are not the queue's. They must never change.
pub(crate) const FOREIGN_FILES: [(&str, &[u8]); 3] =
    [(".DS_Store", b"\0\0\0\x01Bud1"), ("m-backup~", b"an editor's"), ("old/m:AAAAAAAAAAA", b"a subdirectory's")];

/// The files of a directory: path and content of each.
pub type Snapshot = BTreeMap<PathBuf, Vec<u8>>;

/// The history that a queue must agree with, and the range of moments of the crash.
pub struct Expectation<'a> {
    /// The calls and their mails.
    pub workload: &'a Workload,
    /// The changes of each item, with the positions of their calls and promises.
    pub history: &'a History,
    /// Position in the log before which the crash cannot have happened.
    pub earliest: usize,
    /// Position in the log before which the crash must have happened.
    pub latest: usize,
}

/// The result of a check of a queue after a crash.
pub struct Findings {
    /// The violations found.
    pub violations: Vec<Violation>,
    /// The files of the queue after its recovery; `None` if the recovery failed.
    pub recovered: Option<Snapshot>,
}

impl Findings {
    /// Reports a file system that does not mount, or on which an operation fails.
    pub(crate) fn unusable(error: &Error) -> Findings {
        Findings { violations: vec![Violation::new(Kind::Unusable, error.to_string())], recovered: None }
    }
}

/// Recovers queues and checks their items.
pub struct Checker<'a> {
    /// The shipping command, for the first recovery.
    pub command: &'a Path,
    /// The host library, on which the command is built, for reads and the second recovery.
    pub host: &'a Host,
}

/// The fields used of the output of `recover --json`.
#[derive(Deserialize)]
pub(crate) struct Recovery {
    pub(crate) durable_items: u64,
    pub(crate) problems: Vec<Problem>,
}

#[derive(Deserialize)]
pub(crate) struct Problem {
    pub(crate) path: String,
    detail: String,
}

impl Checker<'_> {
    /// Recovers the queue in a mounted file system with the command, and checks every guarantee. Calls `recovered` when
    /// the command has ended.
    ///
    /// # Errors
    ///
    /// Fails if the rig fails.
    pub fn recover_and_check(
        &self,
        mounted: &Path,
        expectation: &Expectation<'_>,
        recovered: impl FnOnce(),
    ) -> Result<Findings, Error> {
        let directory = queue_directory(mounted);
        let mut command = Command::new(self.command);
        command.args(["recover", "--grace", "0", "--json", "--queue"]).arg(&directory);
        let output = command.output().map_err(Error::file(self.command))?;
        recovered();
        // Exit code 65 reports damaged items, which `check_items` compares with the expectation.
        let recovery: Option<Recovery> = serde_json::from_slice(&output.stdout).ok();
        let Some(recovery) = recovery.filter(|_| matches!(output.status.code(), Some(0 | 65))) else {
            return Ok(Findings::unusable(&Error::program(&command, &output)));
        };

        let mut violations = Vec::new();
        let damaged = check_items(&self.host.open(&directory)?, expectation, &mut violations)?;
        for problem in recovery.problems {
            if !damaged.iter().any(|id| problem.path.ends_with(id.as_str())) {
                violations.push(Violation::new(Kind::Unusable, format!("{}: {}", problem.path, problem.detail)));
            }
        }
        let snapshot = snapshot(&directory)?;
        check_files(&snapshot, &mut violations);
        Ok(Findings { violations, recovered: Some(snapshot) })
    }

    /// Recovers the queue in a mounted file system a second time, and checks that this changes nothing.
    ///
    /// # Errors
    ///
    /// Fails if the rig fails.
    pub fn recover_again(&self, mounted: &Path, before: &Snapshot) -> Result<Vec<Violation>, Error> {
        let directory = queue_directory(mounted);
        let mut violations = Vec::new();
        let again = self.host.open(&directory)?.recover(Duration::ZERO)?;
        if again.temporary_removed + again.rewritten + again.temporary_kept > 0 {
            violations.push(Violation::new(Kind::Unstable, format!("a second recovery reports work: {again:?}")));
        }
        if snapshot(&directory)? != *before {
            violations.push(Violation::new(Kind::Unstable, "a second recovery changes the directory"));
        }
        Ok(violations)
    }

    /// Checks the items of a queue without recovering it.
    ///
    /// # Errors
    ///
    /// Fails if the rig fails.
    pub fn check(&self, mounted: &Path, expectation: &Expectation<'_>) -> Result<Vec<Violation>, Error> {
        let mut violations = Vec::new();
        check_items(&self.host.open(queue_directory(mounted))?, expectation, &mut violations)?;
        Ok(violations)
    }
}

/// Checks that every file of the snapshot `before`, taken after a recovery, survived the next power cut unchanged, and
/// that no other file appeared except temporary ones.
pub(crate) fn check_survived(before: &Snapshot, mounted: &Path) -> Result<Vec<Violation>, Error> {
    let mut after = snapshot(&queue_directory(mounted))?;
    after.retain(|path, _| !is_temporary(path));
    let mut differences = Vec::new();
    for (path, content) in before {
        if after.remove(path).as_ref() != Some(content) {
            differences.push(format!("{} changed or vanished since the recovery", path.display()));
        }
    }
    differences.extend(after.into_keys().map(|path| format!("{} appeared after the recovery", path.display())));
    Ok(differences.into_iter().map(|detail| Violation::new(Kind::Unstable, detail)).collect())
}

/// Reads all files below a directory. The content of an unreadable file is the error's text.
fn snapshot(directory: &Path) -> Result<Snapshot, Error> {
    let mut snapshot = Snapshot::new();
    let mut directories = vec![PathBuf::new()];
    while let Some(below) = directories.pop() {
        let path = directory.join(&below);
        for entry in fs::read_dir(&path).map_err(Error::file(&path))? {
            let name = below.join(entry.map_err(Error::file(&path))?.file_name());
            let path = directory.join(&name);
            if path.is_dir() {
                directories.push(name);
            } else {
                let content = fs::read(&path).unwrap_or_else(|error| error.to_string().into_bytes());
                snapshot.insert(name, content);
            }
        }
    }
    Ok(snapshot)
}

fn is_temporary(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.starts_with(".m:"))
}

/// Checks that no temporary file is left, and that the files that are not the queue's are unchanged.
fn check_files(snapshot: &Snapshot, violations: &mut Vec<Violation>) {
    for path in snapshot.keys().filter(|path| is_temporary(path)) {
        violations.push(Violation::new(Kind::LeftoverTemporary, path.display().to_string()));
    }
    for (name, content) in FOREIGN_FILES {
        if snapshot.get(Path::new(name)).map(Vec::as_slice) != Some(content) {
            violations.push(Violation::new(Kind::Foreign, name));
        }
    }
}

/// Checks every item, and returns the ids of all damaged items, including those that may be damaged.
fn check_items(
    queue: &Queue,
    expectation: &Expectation<'_>,
    violations: &mut Vec<Violation>,
) -> Result<BTreeSet<String>, Error> {
    let Expectation { workload, history, .. } = expectation;
    let mut damaged = BTreeSet::new();
    let mut seen = BTreeMap::new();
    for entry in queue.items(&[], Detail::Name)? {
        let entry = entry?;
        let place = match entry.state {
            queue_store_host::types::State::Ready => Place::Ready,
            queue_store_host::types::State::Held => Place::Held,
            queue_store_host::types::State::Quarantined => Place::Quarantined,
        };
        if seen.insert(entry.id.clone(), place).is_some() {
            violations.push(Violation::new(Kind::Wrong, format!("{} has several files", entry.id)));
        }
    }
    let mut intact = BTreeMap::new();
    for (id, place) in &seen {
        match queue.get(id) {
            Ok(item) => intact.extend([(id.as_str(), (*place, item))]),
            Err(error) if matches!(error.code(), Some(ErrorCode::Corrupt | ErrorCode::ChecksumMismatch)) => {
                damaged.insert(id.clone());
            }
            Err(error) => violations.push(Violation::new(Kind::Damaged, format!("{id}: {error}"))),
        }
    }
    for id in seen.keys().filter(|id| !history.by_id.contains_key(*id)) {
        let number = intact.get(id.as_str()).and_then(|(_, item)| Mail::number_in(&item.body));
        let body = number.map_or_else(|| "an unknown body".to_string(), |number| format!("the body of item {number}"));
        violations.push(Violation::new(Kind::Wrong, format!("{id}: this item was never put; it has {body}")));
    }
    for (number, item) in history.items.iter().enumerate() {
        let id = item.id.as_deref().or(workload.mails[number].id.as_deref());
        let found = match id {
            Some(id) if damaged.contains(id) => Found::Damaged,
            Some(id) => intact.remove(id).map_or(Found::Missing, |(place, item)| Found::Intact(place, Box::new(item))),
            None => Found::Missing,
        };
        let name = format!("item {number} ({})", id.unwrap_or("no id acknowledged"));
        if let Some((kind, detail)) = check_item(&workload.mails[number], item, expectation, found) {
            violations.push(Violation::new(kind, format!("{name}: {detail}")));
        }
    }
    Ok(damaged)
}

/// The result of a lookup of an item after a crash.
enum Found {
    Missing,
    Damaged,
    Intact(Place, Box<Item>),
}

/// Compares an item with its history, and returns the violation if there is one.
fn check_item(
    mail: &Mail,
    history: &ItemHistory,
    expectation: &Expectation<'_>,
    found: Found,
) -> Option<(Kind, String)> {
    let allowed = history.allowed(expectation.earliest, expectation.latest);
    let (least, most) = (*allowed.start(), *allowed.end());
    let last = history.change(least);
    let promised = last.map_or_else(|| "nothing".to_string(), |last| format!("{:?}", last.change));
    match found {
        Found::Missing if allowed.clone().any(|changes| history.state(changes).is_none()) => None,
        Found::Missing if least > most && history.state(least).is_none() => None,
        Found::Missing => Some((Kind::LostPut, format!("missing, and the last promise was {promised}"))),
        Found::Damaged => {
            // A change without fsync may leave the item damaged until the change is promised.
            let may_be_damaged =
                |changes: usize| changes > least && history.change(changes).is_some_and(|change| change.unsynced);
            if allowed.clone().any(may_be_damaged) {
                return None;
            }
            Some((Kind::Damaged, format!("cannot be read, and the last promise was {promised}")))
        }
        Found::Intact(place, item) => {
            if let Some(field) = differing_field(mail, history, &item) {
                return Some((Kind::Wrong, format!("its {field} differs from the put")));
            }
            let deliveries = item.envelope.recipients.iter();
            let deliveries = deliveries.map(|rcpt| (rcpt.status, rcpt.last_failure_message.clone())).collect();
            let state = State { place, deliveries };
            let is = |changes: &usize| history.state(*changes) == Some(&state);
            if allowed.clone().any(|changes| is(&changes)) {
                return None;
            }
            // The same state can occur twice: takes the last occurrence whose call had begun, or else the first one
            // after those.
            let begun = (0..=most).rev().find(is);
            match begun.or_else(|| (most..=history.transitions.len()).find(is)) {
                Some(changes) if changes < least => {
                    let kind = match last.map(|last| last.change) {
                        Some(Change::Remove) => Kind::Resurrected,
                        _ => Kind::LostChange,
                    };
                    let detail = format!("in the state after {changes} changes, but {least} were promised");
                    Some((kind, format!("{detail}, the last: {promised}")))
                }
                // No write came between the call and its promise, but the promise holds, since the state was the same
                // before.
                Some(changes) if changes == least => None,
                Some(changes) => {
                    Some((Kind::Wrong, format!("in the state after {changes} changes, but only {most} had begun")))
                }
                None => Some((Kind::Wrong, format!("was never in {state:?}"))),
            }
        }
    }
}

/// Compares the immutable fields of an item with its mail, and returns the name of the first one that differs.
fn differing_field(mail: &Mail, history: &ItemHistory, item: &Item) -> Option<&'static str> {
    let envelope = &item.envelope;
    let recipients = envelope.recipients.iter();
    let is_plain =
        recipients.clone().all(|rcpt| rcpt.kind == 0 && rcpt.via.is_empty() && rcpt.original_address == rcpt.address);
    let created_at = envelope.created_at.map(|at| (at.seconds, at.nanos));
    let checks = [
        (item.body == mail.body, "body"),
        (envelope.reverse_path == Mail::FROM, "reverse-path"),
        (envelope.to == mail.to, "list of addresses"),
        (recipients.map(|rcpt| &rcpt.address).eq(&mail.to) && is_plain, "list of recipients"),
        (created_at.is_some() && (history.created_at.is_none() || created_at == history.created_at), "time"),
    ];
    checks.into_iter().find(|(same, _)| !same).map(|(_, field)| field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Event, Log};
    use crate::file_system::FileSystem;
    use crate::history::Mark;
    use crate::workload::{Action, Call, Durability, Settings};
    use queue_store_host::types::{Envelope, Recipient, Timestamp};

    /// A put of item 0, its update and its removal, with a write before each mark.
    struct Scenario {
        workload: Workload,
        history: History,
    }

    /// Positions in the log of a scenario.
    const PUT_CALLED: usize = 1;
    const PUT_DONE: usize = 3;
    const UPDATE_CALLED: usize = 5;
    const UPDATE_DONE: usize = 7;
    const REMOVE_CALLED: usize = 9;
    const REMOVE_DONE: usize = 11;

    impl Scenario {
        fn new(durability: Durability) -> Scenario {
            let settings = Settings { file_system: FileSystem::Ext4, durability, seed: 1, calls: 0, imported: 0 };
            let mut workload = Workload::new(settings);
            let update = Action::Update { item: 0, recipient: 0, status: 1, failure: String::new() };
            let actions = [Action::Put(0), update, Action::Remove(vec![0])];
            let numbered = actions.into_iter().zip(1..);
            workload.clients = vec![numbered.map(|(action, number)| Call { number, action, durability }).collect()];
            let mut log = Log::new();
            for call in 1..=3 {
                let acknowledged = Mark::Acknowledged { call, item: 0, id: (call == 1).then(|| "id".to_string()) };
                for mark in [Mark::Called { call }, acknowledged] {
                    log.push(Event::Write { offset: 0, bytes: Vec::new() });
                    log.push(Event::Mark(mark.text()));
                }
            }
            let history = History::new(&workload, &log).expect("every mark is of a call of the workload");
            Scenario { workload, history }
        }

        /// Checks `found` after a crash between two positions.
        fn check(&self, earliest: usize, latest: usize, found: Found) -> Option<Kind> {
            let Scenario { workload, history } = self;
            let expectation = Expectation { workload, history, earliest, latest };
            check_item(&workload.mails[0], &history.items[0], &expectation, found).map(|(kind, _)| kind)
        }

        fn intact(&self, status: i32) -> Found {
            let mail = &self.workload.mails[0];
            let recipient = |(index, to): (usize, &String)| Recipient {
                address: to.clone(),
                original_address: to.clone(),
                status: if index == 0 { status } else { 0 },
                ..Recipient::default()
            };
            let envelope = Envelope {
                reverse_path: Mail::FROM.to_string(),
                to: mail.to.clone(),
                recipients: mail.to.iter().enumerate().map(recipient).collect(),
                created_at: Some(Timestamp { seconds: 1, nanos: 0 }),
            };
            Found::Intact(Place::Ready, Box::new(Item { id: "id".to_string(), envelope, body: mail.body.clone() }))
        }
    }

    #[test]
    fn missing_item_is_lost_between_acknowledgement_and_removal() {
        let scenario = Scenario::new(Durability::Full);
        let check = |moment| scenario.check(moment, moment, Found::Missing);
        assert_eq!([0, PUT_CALLED, PUT_DONE - 1].map(check), [None; 3]);
        assert_eq!([PUT_DONE, UPDATE_DONE, REMOVE_CALLED - 1].map(check), [Some(Kind::LostPut); 3]);
        assert_eq!([REMOVE_CALLED, REMOVE_DONE].map(check), [None; 2]);
        let possible = scenario.check(PUT_CALLED, PUT_DONE, Found::Missing);
        assert_eq!(possible, Some(Kind::LostPut), "the crash can have happened after the acknowledgement");
    }

    #[test]
    fn old_state_violates_acknowledged_update_and_removal() {
        let scenario = Scenario::new(Durability::Full);
        let check = |moment| scenario.check(moment, moment, scenario.intact(0));
        assert_eq!([PUT_CALLED, UPDATE_CALLED, UPDATE_DONE - 1].map(check), [None; 3]);
        assert_eq!([UPDATE_DONE, REMOVE_CALLED].map(check), [Some(Kind::LostChange); 2]);
        assert_eq!(check(REMOVE_DONE), Some(Kind::Resurrected));
        let check = |moment, status| scenario.check(moment, moment, scenario.intact(status));
        assert_eq!(check(REMOVE_DONE, 1), Some(Kind::Resurrected));
        assert_eq!(check(UPDATE_CALLED, 1), None);
        assert_eq!(check(PUT_DONE, 1), Some(Kind::Wrong), "the update had not been called");
        assert_eq!(check(UPDATE_DONE, 2), Some(Kind::Wrong), "no update set this status");
    }

    #[test]
    fn repeated_state_counts_as_latest_begun_occurrence() {
        let mut scenario = Scenario::new(Durability::Full);
        // A second update, in the place of the removal, restores the state from before the first one.
        let first = scenario.history.items[0].transitions[0].state.clone();
        let last = &mut scenario.history.items[0].transitions[2];
        (last.change, last.state) = (Change::Update, first);
        let check = |moment| scenario.check(moment, moment, scenario.intact(0));
        assert_eq!(check(UPDATE_DONE), Some(Kind::LostChange));
        assert_eq!([UPDATE_CALLED, REMOVE_CALLED, REMOVE_DONE].map(check), [None; 3]);
    }

    #[test]
    fn changed_immutable_field_is_wrong() {
        let scenario = Scenario::new(Durability::Full);
        let corruptions: [fn(&mut Item); 6] = [
            |item| item.body.truncate(1),
            |item| item.envelope.reverse_path.clear(),
            |item| item.envelope.to.clear(),
            |item| item.envelope.recipients[0].address.push('x'),
            |item| item.envelope.recipients[0].kind = 1,
            |item| item.envelope.created_at = None,
        ];
        for corrupt in corruptions {
            let Found::Intact(place, mut item) = scenario.intact(0) else {
                unreachable!("`intact` returns `Found::Intact`");
            };
            corrupt(&mut item);
            assert_eq!(scenario.check(PUT_DONE, PUT_DONE, Found::Intact(place, item)), Some(Kind::Wrong));
        }
    }

    #[test]
    fn only_unsynced_and_unpromised_item_may_be_damaged() {
        let moments = [PUT_CALLED, PUT_DONE, UPDATE_CALLED, UPDATE_DONE];
        let check = |durability| {
            let scenario = Scenario::new(durability);
            moments.map(|moment| scenario.check(moment, moment, Found::Damaged))
        };
        assert_eq!(check(Durability::Full), [Some(Kind::Damaged); 4]);
        assert_eq!(check(Durability::ContentOnly), [Some(Kind::Damaged); 4]);
        assert_eq!(check(Durability::None), [None, Some(Kind::Damaged), None, Some(Kind::Damaged)]);
    }

    #[test]
    fn second_power_cut_may_restore_only_temporary_files() {
        let mounted = tempfile::tempdir().expect("a temporary directory can be created");
        let queue = queue_directory(mounted.path());
        fs::create_dir_all(queue.join("old")).expect("the directories can be created");
        let write = |name: &str, content: &str| fs::write(queue.join(name), content).expect("the file can be written");
        write("m:a", "a");
        write("m:b", "b");
        write("old/m:c", "c");
        let before = snapshot(&queue).expect("the files can be read");
        assert_eq!(before.len(), 3);
        write(".m:AAAAAAAAAAA", "a temporary file that is back");
        assert_eq!(check_survived(&before, mounted.path()).expect("the files can be read"), []);
        write("m:a", "another");
        fs::remove_file(queue.join("old/m:c")).expect("`old/m:c` was written above");
        write("h:b", "b");
        let found = check_survived(&before, mounted.path()).expect("the files can be read");
        assert!(found.iter().all(|violation| violation.kind == Kind::Unstable));
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
