//! Runs the table of `hosts/conformance`, whose README.md describes it, with queues of the Rust library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Failed;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use queue_store_host::types::{
    Attempt, Detail, Durability, Envelope, EnvelopeChange, Format, IdentifiedMail, Mail, Outcome, Recipient, State,
    Timestamp, WriteOptions,
};
use queue_store_host::{Draft, Error, Queue, UnknownName};
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;
use std::{env, fs, process, thread};

/// A kind of queue that the table is run with.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name in the table.
    pub name: &'static str,
    /// Opens a queue: the directory of the row, and the arguments of the step.
    pub open: fn(&Path, &Value) -> Result<Queue, Error>,
    /// Whether items are files. Otherwise a look at files is left out, and a change of files fails.
    pub has_files: bool,
}

/// Runs all rows, writes their results, and fails with the names of those that failed.
pub fn run_table(kind: Kind) -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace has the package");
    let (table, results) = match env::var_os("QUEUE_STORE_CONFORMANCE").map(PathBuf::from) {
        Some(directory) => (directory.join("table.json"), directory),
        None => {
            let target = env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
            (root.join("hosts/conformance/table.json"), root.join(target).join("conformance"))
        }
    };
    let table: Value = serde_json::from_slice(&fs::read(table)?)?;
    let run = |row: &Value| (text(&row["name"]), run_row(kind, &table, row));
    let rows: Map<_, _> = array(&table["rows"]).iter().map(run).collect();
    fs::create_dir_all(&results)?;
    let report = json!({ "version": env!("CARGO_PKG_VERSION"), "rows": rows });
    fs::write(results.join(format!("{}.json", kind.name)), serde_json::to_string_pretty(&report)? + "\n")?;
    let requires_all = env::var("QUEUE_STORE_REQUIRE_ALL").is_ok_and(|value| value == "1");
    let is_bad = |result: &Value| result == "failed" || (requires_all && result == "missing");
    let bad: Vec<_> = rows.iter().filter(|(_, result)| is_bad(result)).map(|(name, _)| name.as_str()).collect();
    if bad.is_empty() { Ok(()) } else { Err(bad.join(", ").into()) }
}

/// Runs a row: "passed", "skipped", "missing" (a requirement) or "failed". Prints the reason.
///
/// A row that the table skips runs too, and fails if it passes.
fn run_row(kind: Kind, table: &Value, row: &Value) -> Value {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let skip = row["skip"][kind.name].as_str();
    let requires = &row["requires"];
    let (result, reason) = if requires.is_object() && shell(directory.path(), &text(&requires["script"])).is_none() {
        ("missing", text(&requires["reason"]))
    } else {
        let answer = Session::new(kind, table, directory.path()).run(&row["steps"]);
        if row["cleanup"].is_string() {
            shell(directory.path(), &text(&row["cleanup"])).expect("the row is cleaned up");
        }
        match (answer, skip) {
            (Ok(()), None) => ("passed", String::new()),
            (Ok(()), Some(_)) => ("failed", "it passes, and the table skips it".into()),
            (Err(_), Some(skip)) => ("skipped", skip.into()),
            (Err(failure), None) => ("failed", failure),
        }
    };
    if result != "passed" {
        println!("{}: {result}: {}: {reason}", kind.name, text(&row["name"]));
    }
    result.into()
}

/// Runs a script in a directory, and returns its standard output, if it succeeds.
fn shell(directory: &Path, script: &str) -> Option<String> {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(directory).stderr(Stdio::null());
    let output = command.output().expect("there is a shell");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("scripts of the table print text"))
}

/// The code of an error.
struct Code(&'static str);

impl From<Error> for Code {
    fn from(error: Error) -> Code {
        Code(match (&error, error.code()) {
            (_, Some(code)) => code.name(),
            (Error::Directory { .. }, None) => "directory",
            (Error::OutOfMemory(_) | Error::OutOfTime(_) | Error::Component(_), None) => "component",
            (Error::Forked, None) => "forked",
            (_, None) => panic!("{error}"),
        })
    }
}

impl From<UnknownName> for Code {
    fn from(_: UnknownName) -> Code {
        Code("invalid-argument")
    }
}

/// The state that the steps of a row share.
struct Session<'a> {
    kind: Kind,
    directory: &'a Path,
    /// The fields that a put leaves out.
    mail: &'a Value,
    /// The values of earlier steps, by name.
    values: Map<String, Value>,
    queue: Option<Queue>,
    draft: Option<Draft>,
}

impl<'a> Session<'a> {
    fn new(kind: Kind, table: &'a Value, directory: &'a Path) -> Session<'a> {
        let mut values = table["values"].as_object().expect("the table has values").clone();
        values.insert("host".into(), kind.name.into());
        Session { kind, directory, mail: &table["mail"], values, queue: None, draft: None }
    }

    /// Runs steps. The first with another answer than the table's is the error.
    fn run(&mut self, steps: &Value) -> Result<(), String> {
        for step in array(steps) {
            let (result, code) = match self.call(step)? {
                Ok(result) => (result, None),
                Err(Code(code)) => (Value::Null, Some(code)),
            };
            if code != step["error"].as_str() {
                return Err(format!("{step}: the error is {code:?}"));
            }
            if step.get("result").is_some_and(|expected| !contains(&result, &self.resolve(expected))) {
                return Err(format!("{step}: the result is {:.1000}", result.to_string()));
            }
            if let Some(name) = step["as"].as_str() {
                self.values.insert(name.into(), result);
            }
        }
        Ok(())
    }

    /// Replaces names of values, and repetitions.
    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::String(string) if string.starts_with('$') => self.resolve(&self.values[&string[1..]]),
            Value::Array(values) => values.iter().map(|value| self.resolve(value)).collect(),
            Value::Object(fields) => match fields.get("repeat") {
                Some(unit) => text(&self.resolve(unit)).repeat(number(&value["times"])).into(),
                None => fields.iter().map(|(name, field)| (name.clone(), self.resolve(field))).collect(),
            },
            _ => value.clone(),
        }
    }

    /// Makes the mail of a put, with its id and its options. Missing fields are those of the table's mail.
    fn mail(&self, fields: &Value) -> Result<(IdentifiedMail, WriteOptions), Code> {
        let defaults = self.resolve(self.mail);
        let field = |name: &str| if fields[name].is_null() { &defaults[name] } else { &fields[name] };
        let envelope = Envelope {
            reverse_path: text(field("sender")),
            to: texts(field("to")),
            recipients: recipients(&fields["recipients"]),
            created_at: timestamp(&fields["created-at"]),
        };
        let options = WriteOptions {
            durability: parse(&fields["durability"])?,
            format: parse::<Format>(&fields["format"])?,
            max_items: fields["max-items"].as_u64(),
            max_body_bytes: fields["max-body-bytes"].as_u64(),
        };
        let id = fields["id"].as_str().map(str::to_string);
        Ok((IdentifiedMail { id, mail: Mail { envelope, body: decode(field("body")) } }, options))
    }

    /// Makes the call of a step. An error of a step within the step is the outer one.
    fn call(&mut self, step: &Value) -> Result<Result<Value, Code>, String> {
        match step["call"].as_str() {
            Some("at-once") => self.at_once(number(&step["times"]), &step["steps"]).map(Ok),
            Some("fork") => self.fork(&step["steps"]).map(Ok),
            Some("shell") if !self.kind.has_files && step.get("result").is_some() => {
                Ok(Ok(self.resolve(&step["result"])))
            }
            Some("shell") => {
                let output = shell(self.directory, &text(&step["script"]));
                output.map(|output| Ok(output.into())).ok_or_else(|| format!("{step}: the script failed"))
            }
            Some(call) => Ok(self.call_queue(call, &self.resolve(step))),
            None => panic!("{step} has no call"),
        }
    }

    fn call_queue(&mut self, call: &str, arguments: &Value) -> Result<Value, Code> {
        if call == "open" {
            let queue = (self.kind.open)(self.directory, arguments)?;
            queue.recover(Duration::from_hours(36))?;
            self.queue = Some(queue);
            return Ok(Value::Null);
        }
        let queue = self.queue.as_ref().expect("a row opens its queue");
        let id = || text(&arguments["id"]);
        let ids = || texts(&arguments["ids"]);
        Ok(match call {
            "put" => {
                let (IdentifiedMail { id, mail }, options) = self.mail(arguments)?;
                queue.put_with(id.as_deref(), &mail, &options)?.into()
            }
            "put-many" => {
                let mails = array(&arguments["mails"]).iter().map(|mail| Ok(self.mail(mail)?.0));
                outcomes(queue.put_many(&mails.collect::<Result<Vec<_>, Code>>()?, &WriteOptions::default())?)
            }
            "submit" => {
                let Mail { envelope, body } = self.mail(arguments)?.0.mail;
                queue.submit(&envelope.reverse_path, &envelope.to, &body)?.into()
            }
            "new-id" => queue.new_id()?.into(),
            "begin" => {
                let (IdentifiedMail { id, mail }, options) = self.mail(arguments)?;
                self.draft = Some(queue.draft(id.as_deref(), &mail.envelope, &options)?);
                Value::Null
            }
            "write" => {
                self.draft.as_mut().expect("the row began a draft").append(&decode(&arguments["bytes"]))?;
                Value::Null
            }
            "commit" => self.draft.take().expect("the row began a draft").commit()?.into(),
            "abandon" => {
                drop(self.draft.take());
                Value::Null
            }
            "read" => {
                let mut body = Vec::new();
                let read = queue.read(id(), arguments["offset"].as_u64().unwrap_or(0))?.read_to_end(&mut body);
                read.map_err(|error| error.downcast::<Error>().expect("it is an error of the queue"))?;
                STANDARD.encode(body).into()
            }
            "get" => {
                let item = queue.get(id())?;
                let mut fields = envelope(item.envelope);
                fields["id"] = item.id.into();
                fields["body"] = STANDARD.encode(item.body).into();
                fields
            }
            "info" => {
                let info = queue.info(id())?;
                let mut fields = envelope(info.envelope);
                fields["id"] = info.id.into();
                fields["state"] = info.state.name().into();
                fields["format"] = info.format.name().into();
                fields["integrity"] = info.integrity.name().into();
                fields["body-size"] = info.body_size.into();
                fields["recorded-id"] = info.recorded_id.into();
                fields
            }
            "revision" => queue.info(id())?.revision.into(),
            "list" => {
                let states = array(&arguments["states"]).iter().map(|state| text(state).parse());
                let states = states.collect::<Result<Vec<State>, _>>()?;
                let detail = parse(&arguments["detail"])?.unwrap_or(Detail::Envelope);
                let mut entries = queue.items(&states, detail)?.collect::<Result<Vec<_>, _>>()?;
                entries.sort_by(|one, other| one.id.cmp(&other.id));
                let fields = entries.into_iter().map(|entry| {
                    let mut fields = entry.info.map_or(json!({}), |info| envelope(info.envelope));
                    fields["id"] = entry.id.into();
                    fields["state"] = entry.state.name().into();
                    fields["problem"] = entry.problem.map(|problem| problem.code.name()).into();
                    fields
                });
                fields.collect()
            }
            "count" => {
                let counts = queue.count()?;
                json!({
                    "ready": counts.ready,
                    "held": counts.held,
                    "quarantined": counts.quarantined,
                    "temporary": counts.temporary,
                    "foreign": counts.foreign,
                })
            }
            "verify" => outcomes(queue.verify(&ids())?),
            "update" => {
                let change = EnvelopeChange {
                    reverse_path: arguments["sender"].as_str().map(str::to_string),
                    to: arguments["to"].is_array().then(|| texts(&arguments["to"])),
                    recipients: arguments["recipients"].is_array().then(|| recipients(&arguments["recipients"])),
                    created_at: timestamp(&arguments["created-at"]),
                    if_revision: arguments["if-revision"].as_str().map(str::to_string),
                };
                queue.update(id(), &change, Durability::Full)?.into()
            }
            "record-attempts" => {
                let attempts: Vec<_> = array(&arguments["attempts"]).iter().map(attempt).collect();
                let if_revision = arguments["if-revision"].as_str();
                queue.record_attempts(id(), &attempts, if_revision, Durability::Full)?.into()
            }
            "set-state" => single(queue.set_state(&[id()], text(&arguments["state"]).parse()?)?)?,
            "set-state-many" => outcomes(queue.set_state(&ids(), text(&arguments["state"]).parse()?)?),
            "remove" => single(queue.remove(&[id()], &[], Durability::Full)?)?,
            "remove-many" => {
                let states = array(&arguments["states"]).iter().map(|state| text(state).parse());
                outcomes(queue.remove(&ids(), &states.collect::<Result<Vec<_>, _>>()?, Durability::Full)?)
            }
            "seal" => outcomes(queue.seal(&ids())?),
            "recover" => {
                let grace = Duration::from_secs(arguments["grace"].as_u64().expect("the grace is a number"));
                let recovery = queue.recover(grace)?;
                json!({
                    "durable-items": recovery.durable_items,
                    "damaged-items": recovery.damaged_items,
                    "temporary-removed": recovery.temporary_removed,
                    "temporary-kept": recovery.temporary_kept,
                    "rewritten": recovery.rewritten,
                    "problems": recovery.problems.len(),
                })
            }
            "needs-recovery" => queue.needs_recovery().into(),
            _ => panic!("the call {call} is unknown"),
        })
    }

    /// Runs steps in several threads at once, each with values of its own.
    fn at_once(&self, times: usize, steps: &Value) -> Result<Value, String> {
        let session = |_| Session { values: self.values.clone(), queue: self.queue.clone(), draft: None, ..*self };
        let sessions: Vec<_> = (0..times).map(session).collect();
        thread::scope(|scope| {
            let run = |mut session: Session<'a>| scope.spawn(move || session.run(steps));
            let threads: Vec<_> = sessions.into_iter().map(run).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("a failure is no panic"))
        })?;
        Ok(Value::Null)
    }

    fn fork(&mut self, steps: &Value) -> Result<Value, String> {
        // SAFETY: the other threads of the test wait, and hold no lock that the child takes.
        match unsafe { fork() }.expect("the process can be forked") {
            ForkResult::Child => {
                let answer = self.run(steps);
                if let Err(failure) = &answer {
                    eprintln!("in the child: {failure}");
                }
                process::exit(i32::from(answer.is_err()))
            }
            ForkResult::Parent { child } => match waitpid(child, None) {
                Ok(WaitStatus::Exited(_, 0)) => Ok(Value::Null),
                status => Err(format!("the child: {status:?}")),
            },
        }
    }
}

/// Returns whether a result has every field that is expected.
fn contains(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            expected.iter().all(|(name, field)| actual.get(name).is_some_and(|actual| contains(actual, field)))
        }
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len() && actual.iter().zip(expected).all(|(actual, value)| contains(actual, value))
        }
        _ => actual == expected,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is a string")).to_string()
}

fn texts(value: &Value) -> Vec<String> {
    array(value).iter().map(text).collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| number.try_into().ok()).unwrap_or_else(|| panic!("{value} is a number"))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn decode(value: &Value) -> Vec<u8> {
    STANDARD.decode(text(value)).expect("bytes are in base64")
}

fn parse<T: FromStr>(value: &Value) -> Result<Option<T>, T::Err> {
    value.as_str().map(str::parse).transpose()
}

fn integer(value: &Value) -> i32 {
    value.as_i64().unwrap_or(0).try_into().expect("numbers of the table fit")
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    value.is_object().then(|| Timestamp {
        seconds: value["seconds"].as_i64().expect("a time has seconds"),
        nanos: integer(&value["nanos"]),
    })
}

fn recipients(value: &Value) -> Vec<Recipient> {
    let optional = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let recipient = |value: &Value| Recipient {
        address: text(&value["address"]),
        kind: integer(&value["kind"]),
        status: integer(&value["status"]),
        last_failure_message: optional(&value["last-failure-message"]),
        original_address: optional(&value["original-address"]),
        via: texts(&value["via"]),
    };
    array(value).iter().map(recipient).collect()
}

fn attempt(value: &Value) -> Attempt {
    Attempt {
        recipient: value["recipient"].as_u64().and_then(|index| index.try_into().ok()).expect("it is an index"),
        status: integer(&value["status"]),
        message: text(&value["message"]),
    }
}

fn envelope(envelope: Envelope) -> Value {
    let recipient = |recipient: Recipient| {
        json!({
            "address": recipient.address,
            "kind": recipient.kind,
            "status": recipient.status,
            "last-failure-message": recipient.last_failure_message,
            "original-address": recipient.original_address,
            "via": recipient.via,
        })
    };
    json!({
        "sender": envelope.reverse_path,
        "to": envelope.to,
        "recipients": envelope.recipients.into_iter().map(recipient).collect::<Vec<_>>(),
        "created-at": envelope.created_at.map(|time| json!({ "seconds": time.seconds, "nanos": time.nanos })),
    })
}

fn outcomes(outcomes: Vec<Outcome>) -> Value {
    let outcome = |outcome: Outcome| {
        let problem = outcome.problem.map(|problem| problem.code.name());
        json!({ "id": outcome.id, "problem": problem })
    };
    outcomes.into_iter().map(outcome).collect()
}

/// Returns the problem of the only outcome as the error of the call.
fn single(outcomes: Vec<Outcome>) -> Result<Value, Code> {
    let problem = outcomes.into_iter().find_map(|outcome| outcome.problem);
    problem.map_or(Ok(Value::Null), |problem| Err(Code(problem.code.name())))
}
