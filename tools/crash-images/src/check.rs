//! What a mounted image has, against what was promised.

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

/// What is broken.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// An acknowledged item is gone.
    LostPut,
    /// An item is older than an acknowledged update, or not where an acknowledged move took it.
    LostChange,
    /// An item that was acknowledged as removed is back.
    Returned,
    /// An item cannot be read, which may not be.
    Damaged,
    /// An item is returned as valid, and is not what was put; or nobody put it.
    Wrong,
    /// Something that the queue has nothing to do with was changed.
    Foreign,
    /// A temporary file is left after the recovery.
    Litter,
    /// A second recovery did something, or a second power cut changed what the first recovery had reported.
    Unstable,
    /// The file system does not mount, or the queue does not recover.
    Unusable,
}

impl Kind {
    /// Every kind, in the order of the report.
    pub const ALL: [Kind; 9] = [
        Kind::LostPut,
        Kind::LostChange,
        Kind::Returned,
        Kind::Damaged,
        Kind::Wrong,
        Kind::Foreign,
        Kind::Litter,
        Kind::Unstable,
        Kind::Unusable,
    ];

    /// What it is called in the report.
    pub fn title(self) -> &'static str {
        match self {
            Kind::LostPut => "lost put",
            Kind::LostChange => "lost update",
            Kind::Returned => "removed item back",
            Kind::Damaged => "damaged item",
            Kind::Wrong => "wrong item",
            Kind::Foreign => "other file changed",
            Kind::Litter => "litter",
            Kind::Unstable => "not settled",
            Kind::Unusable => "unusable",
        }
    }
}

/// A broken promise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// What is broken.
    pub kind: Kind,
    /// Which item or file, and how.
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

/// The directory of the queue in a mounted file system.
pub fn queue_directory(mounted: &Path) -> PathBuf {
    mounted.join("queue")
}

/// Files in the directory of the queue that are not the queue's, and their content. They must never change.
pub(crate) const FOREIGN_FILES: [(&str, &[u8]); 3] =
    [(".DS_Store", b"\0\0\0\x01Bud1"), ("m-backup~", b"an editor's"), ("old/m:AAAAAAAAAAA", b"a subdirectory's")];

/// What a directory has: the path of each file, and its content.
pub type Snapshot = BTreeMap<PathBuf, Vec<u8>>;

/// What is checked against.
pub struct Expectation<'a> {
    /// What was done.
    pub workload: &'a Workload,
    /// What was promised.
    pub history: &'a History,
    /// Position in the log before which the crash cannot have happened.
    pub earliest: usize,
    /// Position before which it must have happened.
    pub latest: usize,
}

/// What was found in a queue after a crash.
pub struct Findings {
    /// What is broken.
    pub violations: Vec<Violation>,
    /// What the queue had after it was recovered; none if it was not.
    pub recovered: Option<Snapshot>,
}

impl Findings {
    /// What is found where the file system does not mount, or fails.
    pub(crate) fn unusable(error: &Error) -> Findings {
        Findings { violations: vec![Violation::new(Kind::Unusable, error.to_string())], recovered: None }
    }
}

/// What recovers and reads queues.
pub struct Checker<'a> {
    /// The shipping command, which recovers.
    pub command: &'a Path,
    /// The library that the command is made of, which reads, and recovers once more.
    pub host: &'a Host,
}

/// What `recover --json` prints, as far as it is needed.
#[derive(Deserialize)]
struct Recovery {
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    path: String,
    detail: String,
}

impl Checker<'_> {
    /// Recovers the queue in a mounted file system with the command, and checks all that was promised. `recovered` is called when
    /// the command is done.
    ///
    /// # Errors
    ///
    /// If the rig itself fails.
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
        // 65 says that an item is damaged, which is judged below.
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

    /// Recovers the queue in a mounted file system once more, which must change nothing.
    ///
    /// # Errors
    ///
    /// If the rig itself fails.
    pub fn recover_again(&self, mounted: &Path, before: &Snapshot) -> Result<Vec<Violation>, Error> {
        let directory = queue_directory(mounted);
        let mut violations = Vec::new();
        let again = self.host.open(&directory)?.recover(Duration::ZERO)?;
        if again.temporary_removed + again.rewritten + again.temporary_kept > 0 {
            violations.push(Violation::new(Kind::Unstable, format!("a second recovery does something: {again:?}")));
        }
        if snapshot(&directory)? != *before {
            violations.push(Violation::new(Kind::Unstable, "a second recovery changes the directory"));
        }
        Ok(violations)
    }

    /// Checks a queue that was not recovered.
    ///
    /// # Errors
    ///
    /// If the rig itself fails.
    pub fn check(&self, mounted: &Path, expectation: &Expectation<'_>) -> Result<Vec<Violation>, Error> {
        let mut violations = Vec::new();
        check_items(&self.host.open(queue_directory(mounted))?, expectation, &mut violations)?;
        Ok(violations)
    }
}

/// Checks what survived another power cut, after a recovery had reported: everything, but for litter.
pub(crate) fn check_survived(before: &Snapshot, mounted: &Path) -> Result<Vec<Violation>, Error> {
    let mut after = snapshot(&queue_directory(mounted))?;
    after.retain(|path, _| !is_temporary(path));
    let mut differences = Vec::new();
    for (path, content) in before {
        if after.remove(path).as_ref() != Some(content) {
            differences.push(format!("{} is not what it was after the recovery", path.display()));
        }
    }
    differences.extend(after.into_keys().map(|path| format!("{} was not there after the recovery", path.display())));
    Ok(differences.into_iter().map(|detail| Violation::new(Kind::Unstable, detail)).collect())
}

/// All files of a directory and of those below it.
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

/// Checks the files that are no items.
fn check_files(snapshot: &Snapshot, violations: &mut Vec<Violation>) {
    for path in snapshot.keys().filter(|path| is_temporary(path)) {
        violations.push(Violation::new(Kind::Litter, path.display().to_string()));
    }
    for (name, content) in FOREIGN_FILES {
        if snapshot.get(Path::new(name)).map(Vec::as_slice) != Some(content) {
            violations.push(Violation::new(Kind::Foreign, name));
        }
    }
}

/// Checks every item, and returns the ids of those that are damaged, whether they may be or not.
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
    let mut whole = BTreeMap::new();
    for (id, place) in &seen {
        match queue.get(id) {
            Ok(item) => whole.extend([(id.as_str(), (*place, item))]),
            Err(error) if matches!(error.code(), Some(ErrorCode::Corrupt | ErrorCode::ChecksumMismatch)) => {
                damaged.insert(id.clone());
            }
            Err(error) => violations.push(Violation::new(Kind::Damaged, format!("{id}: {error}"))),
        }
    }
    for id in seen.keys().filter(|id| !history.by_id.contains_key(*id)) {
        let number = whole.get(id.as_str()).and_then(|(_, item)| Mail::number_in(&item.body));
        let number = number.map_or_else(|| "nobody knows which".to_string(), |number| format!("{number} by its body"));
        violations.push(Violation::new(Kind::Wrong, format!("{id}: nobody put this item, {number}")));
    }
    for (number, item) in history.items.iter().enumerate() {
        let id = item.id.as_deref().or(workload.mails[number].id.as_deref());
        let found = match id {
            Some(id) if damaged.contains(id) => Found::Damaged,
            Some(id) => whole.remove(id).map_or(Found::Nothing, |(place, item)| Found::Whole(place, Box::new(item))),
            None => Found::Nothing,
        };
        let name = format!("item {number} ({})", id.unwrap_or("it got no id"));
        if let Some((kind, detail)) = check_item(&workload.mails[number], item, expectation, found) {
            violations.push(Violation::new(kind, format!("{name}: {detail}")));
        }
    }
    Ok(damaged)
}

/// What was found of an item.
enum Found {
    Nothing,
    Damaged,
    Whole(Place, Box<Item>),
}

/// Checks an item, and says what is wrong with it.
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
        Found::Nothing if allowed.clone().any(|changes| history.state(changes).is_none()) => None,
        Found::Nothing if least > most && history.state(least).is_none() => None,
        Found::Nothing => Some((Kind::LostPut, format!("gone, and the last promise was {promised}"))),
        Found::Damaged => {
            // Before anything is promised of an item that was not synced, it may be anything.
            let may_be =
                |changes: usize| changes > least && history.change(changes).is_some_and(|change| change.unsynced);
            if allowed.clone().any(may_be) {
                return None;
            }
            Some((Kind::Damaged, format!("cannot be read, and the last promise was {promised}")))
        }
        Found::Whole(place, item) => {
            if let Some(what) = differs(mail, history, &item) {
                return Some((Kind::Wrong, format!("its {what} is not what was put")));
            }
            let deliveries = item.envelope.recipients.iter();
            let deliveries = deliveries.map(|rcpt| (rcpt.status, rcpt.last_failure_message.clone())).collect();
            let state = State { place, deliveries };
            let is = |changes: &usize| history.state(*changes) == Some(&state);
            if allowed.clone().any(|changes| is(&changes)) {
                return None;
            }
            // The same state can come twice: the newest one that had begun is the one to judge by, and else the next.
            let begun = (0..=most).rev().find(is);
            match begun.or_else(|| (most..=history.transitions.len()).find(is)) {
                Some(changes) if changes < least => {
                    let kind = match last.map(|last| last.change) {
                        Some(Change::Remove) => Kind::Returned,
                        _ => Kind::LostChange,
                    };
                    Some((kind, format!("as after {changes} changes, and {least} were promised, the last: {promised}")))
                }
                // Nothing was written between the call and its promise, and yet it is kept, as the state was the same before.
                Some(changes) if changes == least => None,
                Some(changes) => {
                    Some((Kind::Wrong, format!("as after {changes} changes, of which only {most} had begun")))
                }
                None => Some((Kind::Wrong, format!("{state:?} was never its state"))),
            }
        }
    }
}

/// What of an item that never changes is not what it should be.
fn differs(mail: &Mail, history: &ItemHistory, item: &Item) -> Option<&'static str> {
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
    checks.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Event, Log};
    use crate::file_system::FileSystem;
    use crate::history::Mark;
    use crate::workload::{Action, Call, Durability, Settings};
    use queue_store_host::types::{Envelope, Recipient, Timestamp};

    /// A put of item 0, its update and its removal; between all marks something is written.
    struct Story {
        workload: Workload,
        history: History,
    }

    /// Positions in the log of a story.
    const PUT_CALLED: usize = 1;
    const PUT_DONE: usize = 3;
    const UPDATE_CALLED: usize = 5;
    const UPDATE_DONE: usize = 7;
    const REMOVE_CALLED: usize = 9;
    const REMOVE_DONE: usize = 11;

    impl Story {
        fn new(durability: Durability) -> Story {
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
            let history = History::new(&workload, &log).expect("the marks fit the calls");
            Story { workload, history }
        }

        /// What a crash between two positions is found to break.
        fn finds(&self, earliest: usize, latest: usize, found: Found) -> Option<Kind> {
            let Story { workload, history } = self;
            let expectation = Expectation { workload, history, earliest, latest };
            check_item(&workload.mails[0], &history.items[0], &expectation, found).map(|(kind, _)| kind)
        }

        fn whole(&self, status: i32) -> Found {
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
            Found::Whole(Place::Ready, Box::new(Item { id: "id".to_string(), envelope, body: mail.body.clone() }))
        }
    }

    #[test]
    fn an_item_is_lost_from_its_acknowledgement_until_its_removal_is_called() {
        let story = Story::new(Durability::Full);
        let finds = |moment| story.finds(moment, moment, Found::Nothing);
        assert_eq!([0, PUT_CALLED, PUT_DONE - 1].map(finds), [None; 3]);
        assert_eq!([PUT_DONE, UPDATE_DONE, REMOVE_CALLED - 1].map(finds), [Some(Kind::LostPut); 3]);
        assert_eq!([REMOVE_CALLED, REMOVE_DONE].map(finds), [None; 2]);
        assert_eq!(story.finds(PUT_CALLED, PUT_DONE, Found::Nothing), Some(Kind::LostPut), "one moment is enough");
    }

    #[test]
    fn an_item_is_old_from_the_acknowledgement_of_its_update_and_back_from_that_of_its_removal() {
        let story = Story::new(Durability::Full);
        let finds = |moment| story.finds(moment, moment, story.whole(0));
        assert_eq!([PUT_CALLED, UPDATE_CALLED, UPDATE_DONE - 1].map(finds), [None; 3]);
        assert_eq!([UPDATE_DONE, REMOVE_CALLED].map(finds), [Some(Kind::LostChange); 2]);
        assert_eq!(finds(REMOVE_DONE), Some(Kind::Returned));
        assert_eq!(story.finds(REMOVE_DONE, REMOVE_DONE, story.whole(1)), Some(Kind::Returned));
        assert_eq!(story.finds(UPDATE_CALLED, UPDATE_CALLED, story.whole(1)), None);
        assert_eq!(story.finds(PUT_DONE, PUT_DONE, story.whole(1)), Some(Kind::Wrong), "nobody had asked for that");
        assert_eq!(story.finds(UPDATE_DONE, UPDATE_DONE, story.whole(2)), Some(Kind::Wrong), "it never was that");
    }

    #[test]
    fn an_item_whose_state_comes_twice_is_judged_by_the_one_that_had_begun() {
        let mut story = Story::new(Durability::Full);
        // The update is undone by another one, which is called and promised where the removal was.
        let first = story.history.items[0].transitions[0].state.clone();
        let last = &mut story.history.items[0].transitions[2];
        (last.change, last.state) = (Change::Update, first);
        let finds = |moment| story.finds(moment, moment, story.whole(0));
        assert_eq!(finds(UPDATE_DONE), Some(Kind::LostChange));
        assert_eq!([UPDATE_CALLED, REMOVE_CALLED, REMOVE_DONE].map(finds), [None; 3]);
    }

    #[test]
    fn an_item_that_is_not_what_was_put_is_wrong_at_any_time() {
        let story = Story::new(Durability::Full);
        let spoils: [fn(&mut Item); 6] = [
            |item| item.body.truncate(1),
            |item| item.envelope.reverse_path.clear(),
            |item| item.envelope.to.clear(),
            |item| item.envelope.recipients[0].address.push('x'),
            |item| item.envelope.recipients[0].kind = 1,
            |item| item.envelope.created_at = None,
        ];
        for spoil in spoils {
            let Found::Whole(place, mut item) = story.whole(0) else {
                unreachable!("it is whole");
            };
            spoil(&mut item);
            assert_eq!(story.finds(PUT_DONE, PUT_DONE, Found::Whole(place, item)), Some(Kind::Wrong));
        }
    }

    #[test]
    fn only_what_nobody_synced_and_nobody_promised_may_be_damaged() {
        let moments = [PUT_CALLED, PUT_DONE, UPDATE_CALLED, UPDATE_DONE];
        let finds = |durability| {
            let story = Story::new(durability);
            moments.map(|moment| story.finds(moment, moment, Found::Damaged))
        };
        assert_eq!(finds(Durability::Full), [Some(Kind::Damaged); 4]);
        assert_eq!(finds(Durability::ContentOnly), [Some(Kind::Damaged); 4]);
        assert_eq!(finds(Durability::None), [None, Some(Kind::Damaged), None, Some(Kind::Damaged)]);
    }

    #[test]
    fn what_did_not_survive_a_second_power_cut_is_found_but_for_litter() {
        let mounted = tempfile::tempdir().expect("a temporary directory");
        let queue = queue_directory(mounted.path());
        fs::create_dir_all(queue.join("old")).expect("a directory");
        let write = |name: &str, content: &str| fs::write(queue.join(name), content).expect("a file");
        write("m:a", "a");
        write("m:b", "b");
        write("old/m:c", "c");
        let before = snapshot(&queue).expect("it can be read");
        assert_eq!(before.len(), 3);
        write(".m:AAAAAAAAAAA", "a temporary file that is back");
        assert_eq!(check_survived(&before, mounted.path()).expect("it can be read"), []);
        write("m:a", "another");
        fs::remove_file(queue.join("old/m:c")).expect("it is there");
        write("h:b", "b");
        let found = check_survived(&before, mounted.path()).expect("it can be read");
        assert!(found.iter().all(|violation| violation.kind == Kind::Unstable));
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
