//! The calls on a mail with their answers, and what follows from them.

use crate::violation::{Kind, Violation};
use queue_store_host::Result;
use queue_store_host::types::{ErrorCode, ItemInfo, State};
use std::fmt;

/// A call on a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `put`, in one piece or as a draft.
    Put,
    /// `record-attempts` with a message of this number.
    Attempt(u32),
    /// `set-state`.
    SetState(State),
    /// `remove`.
    Remove,
    /// `get` or `info`, which change nothing.
    Read,
}

/// The answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took effect for good.
    Acknowledged,
    /// The mail existed already, for good.
    Exists,
    /// The mail does not exist, for good.
    NotFound,
    /// It took effect or not, whole in either case.
    Indeterminate,
    /// It had no effect.
    Refused(ErrorCode),
}

impl Answer {
    /// Returns the answer that a result is.
    pub fn of<T>(result: &Result<T>) -> Answer {
        match result.as_ref().map_err(|error| error.code().unwrap_or(ErrorCode::Other)) {
            Ok(_) => Answer::Acknowledged,
            Err(ErrorCode::Exists) => Answer::Exists,
            Err(ErrorCode::NotFound) => Answer::NotFound,
            Err(ErrorCode::Indeterminate) => Answer::Indeterminate,
            Err(code) => Answer::Refused(code),
        }
    }
}

/// A mail, and what a reader may find of it.
#[derive(Clone, Debug)]
pub struct Item {
    /// The name, from which its bytes follow.
    pub name: String,
    /// The id: the name, or one that the queue generated; none as long as no call told that one.
    pub id: Option<String>,
    /// Bytes of the body.
    pub length: usize,
    may_exist: bool,
    may_be_absent: bool,
    /// The numbers of the last attempt that may be recorded; 0 for none.
    attempts: Vec<u32>,
    states: Vec<State>,
    log: Vec<(Call, Answer)>,
}

impl Item {
    /// A mail that was not put yet, whose id is its name.
    pub fn new(name: String, length: usize) -> Item {
        Item::with_id(name.clone(), Some(name), length)
    }

    /// A mail whose put was not noted yet, for which the queue generated an id, if it told one.
    pub fn with_id(name: String, id: Option<String>, length: usize) -> Item {
        let (attempts, states) = (vec![0], vec![State::Ready]);
        Item { name, id, length, may_exist: false, may_be_absent: true, attempts, states, log: Vec::new() }
    }

    /// Whether it exists for sure.
    pub fn exists(&self) -> bool {
        !self.may_be_absent
    }

    /// Whether it may exist.
    pub fn may_exist(&self) -> bool {
        self.may_exist
    }

    /// Whether it is not known if it exists.
    pub fn is_in_doubt(&self) -> bool {
        self.may_exist && self.may_be_absent
    }

    /// Notes the answer to a call, and returns the guarantee that the answer itself breaks.
    pub fn note(&mut self, call: Call, answer: Answer) -> Option<Violation> {
        let (existed, may_have_existed) = (self.exists(), self.may_exist);
        self.log.push((call, answer));
        match (call, answer) {
            (_, Answer::Refused(_)) => {}
            (Call::Put, Answer::Acknowledged | Answer::Exists) | (Call::Read, Answer::Acknowledged) => {
                (self.may_exist, self.may_be_absent) = (true, false);
            }
            (Call::Put, Answer::Indeterminate) => self.may_exist = true,
            (Call::Remove, Answer::Indeterminate) => self.may_be_absent = true,
            (Call::Remove, Answer::Acknowledged) | (_, Answer::NotFound) => {
                (self.may_exist, self.may_be_absent) = (false, true);
            }
            (Call::Attempt(number), Answer::Acknowledged) => {
                (self.may_exist, self.may_be_absent) = (true, false);
                self.attempts = vec![number];
            }
            (Call::Attempt(number), _) => self.attempts.push(number),
            (Call::SetState(state), Answer::Acknowledged) => {
                (self.may_exist, self.may_be_absent) = (true, false);
                self.states = vec![state];
            }
            (Call::SetState(state), _) => self.states.push(state),
            (Call::Read | Call::Remove, Answer::Indeterminate | Answer::Exists) => {}
        }
        let is_absent = answer == Answer::NotFound && existed;
        let has_appeared = call != Call::Put && self.exists() && !may_have_existed;
        if is_absent {
            Some(self.violation(Kind::Lost, "an acknowledged mail is not found"))
        } else if has_appeared {
            Some(self.violation(self.kind_of_appearance(), "a mail is found that must not exist"))
        } else {
            None
        }
    }

    /// Compares what a reader found of the mail, or found nothing, with the answers.
    pub fn judge(&self, found: Option<&ItemInfo>) -> Option<Violation> {
        let Some(info) = found else {
            return self.exists().then(|| self.violation(Kind::Lost, "an acknowledged mail does not exist"));
        };
        if !self.may_exist {
            return Some(self.violation(self.kind_of_appearance(), "a mail exists that must not"));
        }
        if self.id.as_ref().is_some_and(|id| *id != info.id) {
            return Some(self.violation(Kind::Listing, &format!("it has the id {}", info.id)));
        }
        if !self.states.contains(&info.state) {
            return Some(self.violation(Kind::Change, &format!("it is {:?}", info.state)));
        }
        let message = info.envelope.recipients.first().map_or("", |recipient| &recipient.last_failure_message);
        if !self.attempts.iter().any(|number| attempt_message(*number) == message) {
            return Some(self.violation(Kind::Change, &format!("its last attempt is `{message}`")));
        }
        None
    }

    /// Describes a broken guarantee of this mail.
    pub fn violation(&self, kind: Kind, text: &str) -> Violation {
        Violation::new(kind, format!("{text}: {self}"))
    }

    fn kind_of_appearance(&self) -> Kind {
        let was_removed = self.log.contains(&(Call::Remove, Answer::Acknowledged))
            || self.log.contains(&(Call::Remove, Answer::NotFound));
        if was_removed { Kind::Resurrected } else { Kind::Refused }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {} bytes", self.name, self.length)?;
        match &self.id {
            Some(id) if *id == self.name => write!(formatter, ":")?,
            Some(id) => write!(formatter, ", as {id}:")?,
            None => write!(formatter, ", as an unknown id:")?,
        }
        self.log.iter().try_for_each(|(call, answer)| write!(formatter, " {call:?} {answer:?};"))
    }
}

/// Returns the message that an attempt of this number records.
pub fn attempt_message(number: u32) -> String {
    if number == 0 { String::new() } else { format!("attempt {number}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(log: &[(Call, Answer)]) -> Item {
        let mut item = Item::new("id".to_string(), 1);
        for (call, answer) in log {
            assert!(item.note(*call, *answer).is_none(), "{item}");
        }
        item
    }

    fn kind_where_absent(log: &[(Call, Answer)]) -> Option<Kind> {
        item(log).judge(None).map(|violation| violation.kind)
    }

    #[test]
    fn acknowledged_put_must_exist() {
        assert_eq!(kind_where_absent(&[(Call::Put, Answer::Acknowledged)]), Some(Kind::Lost));
        assert_eq!(kind_where_absent(&[(Call::Put, Answer::Exists)]), Some(Kind::Lost));
    }

    #[test]
    fn indeterminate_put_may_be_absent_until_a_retry_is_acknowledged() {
        assert_eq!(kind_where_absent(&[(Call::Put, Answer::Indeterminate)]), None);
        let retried = [(Call::Put, Answer::Indeterminate), (Call::Put, Answer::Acknowledged)];
        assert_eq!(kind_where_absent(&retried), Some(Kind::Lost));
    }

    #[test]
    fn refused_removal_changes_nothing() {
        let log = [(Call::Put, Answer::Acknowledged), (Call::Remove, Answer::Refused(ErrorCode::Io))];
        assert_eq!(kind_where_absent(&log), Some(Kind::Lost));
    }

    #[test]
    fn not_found_of_an_acknowledged_mail_is_a_loss() {
        let mut item = item(&[(Call::Put, Answer::Acknowledged)]);
        let violation = item.note(Call::Remove, Answer::NotFound).expect("the answer is wrong");
        assert_eq!(violation.kind, Kind::Lost);
    }

    #[test]
    fn read_of_a_removed_mail_is_a_resurrection() {
        let mut item = item(&[(Call::Put, Answer::Acknowledged), (Call::Remove, Answer::Acknowledged)]);
        let violation = item.note(Call::Read, Answer::Acknowledged).expect("the answer is wrong");
        assert_eq!(violation.kind, Kind::Resurrected);
    }
}
