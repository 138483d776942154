//! What a scenario does: calls of the contract on two items.

use super::promise::{Identity, Outcome, Promises, Stamp};
use crate::bindings::{
    Durability, Envelope, EnvelopeChange, ErrorCode, Format, Mail, Recovery, WriteOptions, mail, no_change, options,
    recipient,
};
use crate::instance::Result;
use crate::simulator::host::Simulated;
use crate::simulator::world::World;
use std::fmt::{self, Display};
use std::str::FromStr;

/// What is done to items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// A put under the id of the item; of both items: `put-many`.
    Put,
    /// A put under an id that the component draws.
    PutDrawn,
    /// A put in the binary format.
    PutBinary,
    /// A put by a draft, in chunks.
    Draft,
    /// What chasquid does: the file is synced, the directory is not.
    Chasquid,
    /// What chasquid did before its commit 08273ea: nothing is synced.
    OldChasquid,
    /// An update of the envelope.
    Update,
    /// A removal.
    Remove,
    /// A hold.
    Hold,
    /// A release.
    Release,
    /// A quarantine.
    Quarantine,
    /// A restoration.
    Restore,
    /// A removal of a quarantined item.
    Discard,
    /// New checksums.
    Seal,
}

/// Every action, by its name.
const ACTIONS: [(&str, Action); 14] = [
    ("put", Action::Put),
    ("put-drawn", Action::PutDrawn),
    ("put-binary", Action::PutBinary),
    ("draft", Action::Draft),
    ("chasquid", Action::Chasquid),
    ("old-chasquid", Action::OldChasquid),
    ("update", Action::Update),
    ("remove", Action::Remove),
    ("hold", Action::Hold),
    ("release", Action::Release),
    ("quarantine", Action::Quarantine),
    ("restore", Action::Restore),
    ("discard", Action::Discard),
    ("seal", Action::Seal),
];

impl Action {
    /// Whether it makes an item.
    pub fn is_put(self) -> bool {
        let drafts = matches!(self, Action::Put | Action::PutDrawn | Action::PutBinary | Action::Draft);
        drafts || self.is_chasquid()
    }

    /// Whether chasquid does it, and not the component.
    pub fn is_chasquid(self) -> bool {
        matches!(self, Action::Chasquid | Action::OldChasquid)
    }

    /// Whether the contract has it for several items.
    fn takes_several(self) -> bool {
        !matches!(self, Action::PutBinary | Action::Draft | Action::Update) && !self.is_chasquid()
    }
}

/// One of the items.
pub type Slot = u8;

/// A step of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Something is done to these items.
    To(Action, Vec<Slot>),
    /// The queue is recovered.
    Recover,
    /// The process ends, and another one begins.
    Restart,
}

/// Every call on `slots` items.
pub fn alphabet(slots: Slot) -> Vec<Call> {
    let mut calls = vec![Call::Recover, Call::Restart];
    for (_, action) in ACTIONS {
        calls.extend((1..=slots).map(|slot| Call::To(action, vec![slot])));
        if action.takes_several() && slots > 1 {
            calls.push(Call::To(action, (1..=slots).collect()));
        }
    }
    calls
}

impl Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Recover => formatter.write_str("recover"),
            Call::Restart => formatter.write_str("restart"),
            Call::To(action, slots) => {
                let name = ACTIONS.iter().find(|(_, known)| known == action).map_or("?", |(name, _)| name);
                let slots: Vec<String> = slots.iter().map(Slot::to_string).collect();
                write!(formatter, "{name} {}", slots.join("+"))
            }
        }
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Call, String> {
        let wrong = || format!("`{text}` is no call: try `put 1`, `remove 1+2`, `recover` or `restart`");
        match text {
            "recover" => return Ok(Call::Recover),
            "restart" => return Ok(Call::Restart),
            _ => {}
        }
        let (name, slots) = text.split_once(' ').ok_or_else(wrong)?;
        let (_, action) = ACTIONS.iter().find(|(known, _)| *known == name).ok_or_else(wrong)?;
        let slots: std::result::Result<Vec<Slot>, _> = slots.split('+').map(str::parse).collect();
        Ok(Call::To(*action, slots.map_err(|_| wrong())?))
    }
}

/// The id that an item has, if it is not drawn.
pub fn given_id(slot: Slot) -> String {
    format!("item-{slot}")
}

/// The body that a put writes. Those of even calls are longer than a sector, and of every fourth one longer than a page.
pub fn body(stamp: Stamp, slot: Slot) -> Vec<u8> {
    let lines = match stamp % 4 {
        0 => 200,
        2 => 20,
        _ => 1,
    };
    format!("{stamp} {slot}\r\n{}", "A line of the mail, with \"quotes\".\r\n".repeat(lines)).into_bytes()
}

/// The call and the item that a body says it is of.
pub fn stamped(body: &[u8]) -> Option<(Stamp, Slot)> {
    let line = std::str::from_utf8(body.split(|byte| *byte == b'\r').next()?).ok()?;
    let (stamp, slot) = line.split_once(' ')?;
    Some((stamp.parse().ok()?, slot.parse().ok()?))
}

/// The envelope that a put or an update writes.
pub fn envelope(stamp: Stamp, updated: bool) -> Envelope {
    let mut envelope = mail(b"").envelope;
    envelope.reverse_path = format!("{stamp}@example.com");
    envelope.recipients = vec![recipient("b@example.com"), recipient("c@example.com")];
    if updated {
        envelope.recipients[0].status = 1;
        envelope.recipients[1].last_failure_message = format!("451 try again after call {stamp}");
    }
    envelope
}

/// The call that wrote an envelope, as that says.
pub fn envelope_stamp(envelope: &Envelope) -> Option<Stamp> {
    envelope.reverse_path.strip_suffix("@example.com")?.parse().ok()
}

fn outcome<T>(result: Result<T>) -> Outcome {
    result.err().map(|error| error.code)
}

/// Makes a call. Returns what became of each item; of a recovery, its report instead.
pub fn perform(
    system: &mut Simulated,
    promises: &mut Promises,
    call: &Call,
    stamp: Stamp,
    durability: Durability,
) -> (Vec<(Identity, Outcome)>, Option<Result<Recovery>>) {
    let Call::To(action, slots) = call else {
        return (Vec::new(), (*call == Call::Recover).then(|| system.recover(0)));
    };
    let mut targets: Vec<Identity> = slots.iter().map(|slot| promises.target(*action, *slot, stamp)).collect();
    let ids: Vec<String> = targets.iter().map(|target| promises.id(target).unwrap_or_default()).collect();
    let options = WriteOptions {
        durability: Some(durability),
        format: (*action == Action::PutBinary).then_some(Format::Binary),
        ..options()
    };
    let new = |slot: Slot| Mail { envelope: envelope(stamp, false), body: body(stamp, slot) };
    let drawn = *action == Action::PutDrawn;
    let outcomes: Vec<Outcome> = match (action, slots.as_slice()) {
        (Action::Put | Action::PutDrawn, [_, _, ..]) => {
            let mails: Vec<(Option<String>, Mail)> =
                ids.iter().zip(slots).map(|(id, slot)| ((!drawn).then(|| id.clone()), new(*slot))).collect();
            match system.put_many(&mails, Some(&options)) {
                Ok(outcomes) => {
                    for (outcome, target) in outcomes.iter().zip(&targets) {
                        if outcome.problem.is_none() {
                            promises.names(target, &outcome.id);
                        }
                    }
                    outcomes.iter().map(crate::bindings::Outcome::code).collect()
                }
                Err(error) => vec![Some(error.code); targets.len()],
            }
        }
        (Action::Put | Action::PutDrawn | Action::PutBinary, [slot, ..]) => {
            let put = system.put((!drawn).then_some(ids[0].as_str()), &new(*slot), Some(&options));
            if let Ok(id) = &put {
                promises.names(&targets[0], id);
            }
            vec![outcome(put)]
        }
        (Action::Draft, [slot, ..]) => vec![outcome(draft(system, &ids[0], stamp, *slot, &options))],
        (Action::Chasquid | Action::OldChasquid, [slot, ..]) => {
            let syncs = *action == Action::Chasquid;
            // chasquid draws its ids, so it never has one that is there, or that a crash may bring back.
            let put = promises.is_free(&targets[0]).then(|| chasquid(system, &ids[0], stamp, *slot, syncs));
            vec![if put == Some(Ok(())) { None } else { Some(ErrorCode::Other) }]
        }
        (Action::Update, _) => {
            let Envelope { reverse_path, recipients, .. } = envelope(stamp, true);
            let change =
                EnvelopeChange { reverse_path: Some(reverse_path), recipients: Some(recipients), ..no_change() };
            vec![outcome(system.update(&ids[0], &change, Some(&WriteOptions { format: None, ..options })))]
        }
        (action, _) => {
            let outcomes = match action {
                Action::Remove => system.remove(&ids, Some(durability)),
                Action::Discard => system.discard(&ids, Some(durability)),
                Action::Hold => system.hold(&ids),
                Action::Release => system.release(&ids),
                Action::Quarantine => system.quarantine(&ids),
                Action::Restore => system.restore(&ids),
                _ => system.seal(&ids),
            };
            match outcomes {
                Ok(outcomes) => outcomes.iter().map(crate::bindings::Outcome::code).collect(),
                Err(error) => vec![Some(error.code); targets.len()],
            }
        }
    };
    (targets.drain(..).zip(outcomes).collect(), None)
}

fn draft(system: &mut Simulated, id: &str, stamp: Stamp, slot: Slot, options: &WriteOptions) -> Result<()> {
    let draft = system.draft_begin(Some(id), &envelope(stamp, false), Some(options))?;
    for chunk in body(stamp, slot).chunks(400) {
        if let Err(error) = system.draft_write(draft, chunk) {
            system.drop_resource(draft);
            return Err(error);
        }
    }
    system.draft_commit(draft).map(|_| ())
}

/// Puts an item as chasquid does: it writes a temporary file, syncs that since its commit 08273ea, and renames it.
fn chasquid(system: &mut Simulated, id: &str, stamp: Stamp, slot: Slot, syncs: bool) -> std::result::Result<(), ()> {
    let item = crate::bindings::Item { id: id.to_string(), envelope: envelope(stamp, false), body: body(stamp, slot) };
    let bytes = system.encode(&item, Format::Text).expect("an item is encoded");
    let mut world = system.world();
    let name = format!("m:{id}");
    let put = |world: &mut World| {
        let temporary = format!(".m:{id}{stamp}");
        let inode = world.create(&temporary)?;
        world.write(inode, 0, &bytes)?;
        if syncs {
            world.sync_file(inode)?;
        }
        world.rename(&temporary, &name)
    };
    put(&mut world).map_err(|_| ())
}
