//! Compares the queue with the answers of the writers, when all nodes are healthy.

use crate::error::Error;
use crate::history::Item;
use crate::mail::{body, name};
use crate::nodes::Nodes;
use crate::violation::{Kind, Violation};
use queue_store_host::Queue;
use queue_store_host::types::{Detail, Durability, ItemInfo};
use std::collections::{HashMap, HashSet};
use std::thread;
use std::time::Duration;

/// Threads that read bodies.
const READERS: usize = 4;

/// Items that are removed at once.
const BATCH: usize = 500;

/// Counts the chunks of bodies that neither an item nor a draft names.
const LEAKED: &str = "SELECT count(*) FROM queue_store.chunk WHERE NOT EXISTS (\
     SELECT FROM queue_store.item WHERE item.body = chunk.body) AND NOT EXISTS (\
     SELECT FROM queue_store.draft WHERE draft.body = chunk.body)";

/// Recovers the queue, compares every mail with its history, and removes all of them.
pub(crate) fn check(nodes: &Nodes, handles: &[Queue], items: &[Item]) -> Result<Vec<Violation>, Error> {
    let mut violations = Vec::new();
    for handle in handles {
        if let Err(error) = handle.recover(Duration::ZERO) {
            violations.push(Violation::new(Kind::Failed, format!("recover: {error}")));
        }
    }
    let Some(queue) = handles.first() else { return Ok(violations) };
    let found = list(queue, &mut violations);
    violations.extend(compare(items, &found));
    let existing = items.iter().filter_map(|item| Some((item, found.get(&item.name)?.first()?.id.as_str())));
    violations.extend(read(queue, &existing.collect::<Vec<_>>()));
    let ids = found.into_values().flatten().map(|info| info.id);
    remove(queue, &ids.collect::<Vec<_>>(), &mut violations);
    let leaked = nodes.sql(LEAKED)?;
    // The disks are small.
    nodes.sql("VACUUM")?;
    if leaked != "0" {
        violations.push(Violation::new(Kind::Leak, format!("{leaked} chunks")));
    }
    Ok(violations)
}

/// Compares mails with the items that were found, by the names of their mails.
fn compare(items: &[Item], found: &HashMap<String, Vec<ItemInfo>>) -> Vec<Violation> {
    let known: HashSet<&str> = items.iter().map(|item| item.name.as_str()).collect();
    let strange = found.keys().filter(|name| !known.contains(name.as_str()));
    let strange =
        strange.map(|name| Violation::new(Kind::Listing, format!("{name} is listed, and is no mail of this round")));
    let mut violations: Vec<Violation> = strange.collect();
    for item in items {
        let infos = found.get(&item.name).map_or(&[][..], Vec::as_slice);
        violations.extend(item.judge(infos.first()));
        if infos.len() > 1 {
            violations.push(item.violation(Kind::Doubled, &format!("{} items have it", infos.len())));
        }
    }
    violations
}

/// Lists all items, by the names of their mails.
fn list(queue: &Queue, violations: &mut Vec<Violation>) -> HashMap<String, Vec<ItemInfo>> {
    let (mut found, mut ids) = (HashMap::<_, Vec<_>>::new(), HashSet::new());
    let listing = match queue.items(&[], Detail::Envelope) {
        Ok(listing) => listing,
        Err(error) => {
            violations.push(Violation::new(Kind::Failed, format!("items: {error}")));
            return found;
        }
    };
    for entry in listing {
        match entry {
            Err(error) => violations.push(Violation::new(Kind::Failed, format!("items: {error}"))),
            Ok(entry) => match (entry.info, entry.problem) {
                (Some(info), None) => {
                    if !ids.insert(entry.id.clone()) {
                        violations.push(Violation::new(Kind::Listing, format!("{} is listed twice", entry.id)));
                        continue;
                    }
                    found.entry(name(&info.envelope).unwrap_or(&entry.id).to_string()).or_default().push(info);
                }
                (_, problem) => violations.push(Violation::new(Kind::Damaged, format!("{}: {problem:?}", entry.id))),
            },
        }
    }
    found
}

/// Compares the bytes of mails, which have these ids.
fn read(queue: &Queue, items: &[(&Item, &str)]) -> Vec<Violation> {
    let differs = |(item, id): &(&Item, &str)| match queue.get(id) {
        Ok(found) if found.body == body(&item.name, item.length) => None,
        Ok(_) => Some(item.violation(Kind::Damaged, "its bytes are not those of its put")),
        Err(error) => Some(item.violation(Kind::Damaged, &error.to_string())),
    };
    let chunks: Vec<_> = items.chunks(items.len().div_ceil(READERS).max(1)).collect();
    thread::scope(|scope| {
        let read = |items: &[(&Item, &str)]| items.iter().filter_map(differs).collect::<Vec<_>>();
        let threads: Vec<_> = chunks.into_iter().map(|items| scope.spawn(move || read(items))).collect();
        let ends = threads.into_iter().map(|thread| thread.join());
        ends.flat_map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Removes items.
fn remove(queue: &Queue, ids: &[String], violations: &mut Vec<Violation>) {
    for ids in ids.chunks(BATCH) {
        let failed = |error: String| Violation::new(Kind::Failed, format!("remove: {error}"));
        match queue.remove(ids, &[], Durability::Full) {
            Ok(outcomes) => {
                let problems = outcomes.into_iter().filter_map(|outcome| outcome.into_result().err());
                violations.extend(problems.map(|error| failed(error.to_string())));
            }
            Err(error) => violations.push(failed(error.to_string())),
        }
    }
    match queue.count() {
        Ok(counts) if counts.ready + counts.held + counts.quarantined + counts.temporary == 0 => {}
        counts => {
            violations.push(Violation::new(Kind::Listing, format!("all mails were removed, and left: {counts:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Answer, Call};
    use queue_store_host::types::{Envelope, Format, Integrity, State};

    fn info(id: &str) -> ItemInfo {
        ItemInfo {
            id: id.to_string(),
            state: State::Ready,
            format: Format::Text,
            integrity: Integrity::Whole,
            envelope: Envelope::default(),
            file_size: 1,
            body_size: Some(1),
            revision: String::new(),
            recorded_id: None,
        }
    }

    /// The kinds of what is wrong where a put without an id was answered, and items with these ids were found.
    fn kinds(answer: Answer, id: Option<&str>, found: &[&str]) -> Vec<Kind> {
        let mut item = Item::with_id("name".to_string(), id.map(str::to_string), 1);
        assert!(item.note(Call::Put, answer).is_none());
        let found = HashMap::from([("name".to_string(), found.iter().map(|id| info(id)).collect())]);
        compare(&[item], &found).into_iter().map(|violation| violation.kind).collect()
    }

    #[test]
    fn mail_is_there_once_under_the_id_that_was_told() {
        assert_eq!(kinds(Answer::Acknowledged, Some("x"), &["x"]), []);
        assert_eq!(kinds(Answer::Acknowledged, Some("x"), &["y"]), [Kind::Listing]);
        assert_eq!(kinds(Answer::Acknowledged, Some("x"), &[]), [Kind::Lost]);
        assert_eq!(kinds(Answer::Acknowledged, Some("x"), &["x", "y"]), [Kind::Doubled]);
    }

    #[test]
    fn mail_in_doubt_is_there_once_at_most() {
        assert_eq!(kinds(Answer::Indeterminate, None, &[]), []);
        assert_eq!(kinds(Answer::Indeterminate, None, &["x"]), []);
        assert_eq!(kinds(Answer::Indeterminate, None, &["x", "y"]), [Kind::Doubled]);
    }
}
