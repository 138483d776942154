//! Performs the calls of a scenario on the component.

use super::action::{Action, Call, Slot, Stamp};
use super::content::{body, envelope, recorded_attempts};
use super::promise::{Answer, Identity, Promises};
use crate::bindings::{
    Durability, Envelope, EnvelopeChange, ErrorCode, Format, IdentifiedMail, Item, Mail, Outcome, Recovery, State,
    WriteOptions, no_change, options,
};
use crate::instance::Result;
use crate::simulator::host::Simulated;
use crate::simulator::world::World;

/// The result of a call of a scenario.
pub(super) enum Performed {
    /// The answer about each item of an action.
    Items(Vec<Answer>),
    /// The report of a recovery.
    Recovery(Result<Recovery>),
    /// A restart makes no call.
    Restart,
}

/// A call of a scenario, with its number.
pub(super) struct Numbered<'a> {
    /// The call.
    pub(super) call: &'a Call,
    /// Its number, from 1.
    pub(super) stamp: Stamp,
    /// The durability with which it writes.
    pub(super) durability: Durability,
}

/// The generated id, if any, and the code of the error, if any, for one item.
type ItemResult = (Option<String>, Option<ErrorCode>);

/// Performs a call.
pub(super) fn perform(system: &mut Simulated, promises: &Promises, numbered: &Numbered<'_>) -> Performed {
    match numbered.call {
        Call::Recover => Performed::Recovery(system.recover(0)),
        Call::Restart => Performed::Restart,
        Call::To(action, slots) => {
            let target = |slot: &Slot| promises.target(*action, *slot, numbered.stamp);
            let targets: Vec<Identity> = slots.iter().map(target).collect();
            let ids: Vec<String> = targets.iter().map(|target| promises.id(target).unwrap_or_default()).collect();
            let results = match slots.as_slice() {
                [slot] => vec![to_one(system, promises, numbered, *action, *slot, &ids[0])],
                _ => to_several(system, numbered, *action, slots, &ids),
            };
            let answer = |(item, (generated_id, code))| Answer { item, generated_id, code };
            Performed::Items(targets.into_iter().zip(results).map(answer).collect())
        }
    }
}

fn to_one(
    system: &mut Simulated,
    promises: &Promises,
    numbered: &Numbered<'_>,
    action: Action,
    slot: Slot,
    id: &str,
) -> ItemResult {
    let Numbered { stamp, durability, .. } = *numbered;
    let options = WriteOptions {
        durability: Some(durability),
        format: (action == Action::PutBinary).then_some(Format::Binary),
        ..options()
    };
    let mail = || Mail { envelope: envelope(stamp, None), body: body(stamp, slot) };
    match action {
        Action::Put | Action::PutBinary => without_id(system.put(Some(id), &mail(), Some(options))),
        Action::PutGenerated => match system.put(None, &mail(), Some(options)) {
            Ok(generated) => (Some(generated), None),
            Err(error) => (None, Some(error.code)),
        },
        Action::Draft => without_id(draft(system, id, &mail(), options)),
        Action::Chasquid | Action::OldChasquid => {
            // chasquid generates its ids, so none belongs to an item that exists or that a crash may bring back.
            let done = promises.is_free(&promises.target(action, slot, stamp))
                && chasquid(system, id, &mail(), stamp, action == Action::Chasquid);
            (None, (!done).then_some(ErrorCode::Other))
        }
        Action::Update => {
            let Envelope { reverse_path, recipients, .. } = envelope(stamp, Some(stamp));
            let change =
                EnvelopeChange { reverse_path: Some(reverse_path), recipients: Some(recipients), ..no_change() };
            without_id(system.update(id, &change, Some(durability)))
        }
        Action::RecordAttempts => {
            without_id(system.record_attempts(id, &recorded_attempts(stamp), None, Some(durability)))
        }
        Action::Remove | Action::Hold | Action::Release | Action::Quarantine | Action::Discard | Action::Seal => {
            let outcomes = batch(system, action, &[id.to_string()], durability);
            (None, outcomes.map_or_else(|error| Some(error.code), |outcomes| outcomes[0].code()))
        }
    }
}

fn to_several(
    system: &mut Simulated,
    numbered: &Numbered<'_>,
    action: Action,
    slots: &[Slot],
    ids: &[String],
) -> Vec<ItemResult> {
    let Numbered { stamp, durability, .. } = *numbered;
    let generated = action == Action::PutGenerated;
    let outcomes = if action.is_put() {
        let options = WriteOptions { durability: Some(durability), ..options() };
        let mail = |(id, slot): (&String, &Slot)| IdentifiedMail {
            id: (!generated).then(|| id.clone()),
            mail: Mail { envelope: envelope(stamp, None), body: body(stamp, *slot) },
        };
        let mails: Vec<IdentifiedMail> = ids.iter().zip(slots).map(mail).collect();
        system.put_many(&mails, Some(options))
    } else {
        batch(system, action, ids, durability)
    };
    match outcomes {
        Ok(outcomes) => outcomes
            .into_iter()
            .map(|outcome| {
                let code = outcome.code();
                (outcome.id.filter(|_| generated && code.is_none()), code)
            })
            .collect(),
        Err(error) => vec![(None, Some(error.code)); ids.len()],
    }
}

fn batch(system: &mut Simulated, action: Action, ids: &[String], durability: Durability) -> Result<Vec<Outcome>> {
    match action {
        Action::Remove => system.remove(ids, &[], Some(durability)),
        Action::Discard => system.remove(ids, &[State::Quarantined], Some(durability)),
        Action::Hold => system.set_state(ids, State::Held),
        Action::Release => system.set_state(ids, State::Ready),
        Action::Quarantine => system.set_state(ids, State::Quarantined),
        Action::Seal => system.seal(ids),
        _ => unreachable!("the contract has no batch of {action:?}"),
    }
}

fn without_id<T>(result: Result<T>) -> ItemResult {
    (None, result.err().map(|error| error.code))
}

fn draft(system: &mut Simulated, id: &str, mail: &Mail, options: WriteOptions) -> Result<String> {
    let draft = system.begin(Some(id), &mail.envelope, Some(options))?;
    for chunk in mail.body.chunks(400) {
        if let Err(error) = system.draft_write(draft, chunk) {
            system.drop_resource(draft);
            return Err(error);
        }
    }
    system.draft_commit(draft)
}

/// Puts an item as chasquid does: writes a temporary file, fsyncs it since its commit 08273ea, and renames it. Returns
/// whether that succeeded.
fn chasquid(system: &mut Simulated, id: &str, mail: &Mail, stamp: Stamp, syncs: bool) -> bool {
    let item = Item { id: id.to_string(), envelope: mail.envelope.clone(), body: mail.body.clone() };
    let bytes = system.encode(&item, Format::Text).expect("the item is within the limits of the format");
    let temporary = format!(".m:{id}{stamp}");
    let put = |world: &mut World| {
        let inode = world.create(&temporary)?;
        world.write(inode, 0, &bytes)?;
        if syncs {
            world.sync_file(inode)?;
        }
        world.rename(&temporary, &format!("m:{id}"))
    };
    put(&mut system.world()).is_ok()
}
