//! The envelopes that a put accepts, and the addresses that a plugin may use.

use queue_store::item::envelope::{Envelope, Recipient};
use queue_store::item::validation::*;

#[test]
fn accepted_envelope_is_completed() {
    let mut envelope = Envelope { to: vec!["b@example.com".to_string()], ..Envelope::default() };
    accept(&mut envelope).expect("one recipient is enough");
    assert_eq!(envelope.reverse_path, "<>");
    let [recipient] = envelope.recipients.as_slice() else {
        panic!("one delivery for one address: {envelope:?}");
    };
    assert_eq!((recipient.address.as_str(), recipient.kind, recipient.status), ("b@example.com", 0, 0));
    assert_eq!(recipient.original_address, "b@example.com");
}

#[test]
fn recipients_are_kept_where_there_are_any() {
    let recipient = Recipient { address: "c@example.com".to_string(), kind: 2, ..Recipient::default() };
    let to = vec!["b@example.com".to_string()];
    let mut envelope = Envelope { to, recipients: vec![recipient], ..Envelope::default() };
    accept(&mut envelope).expect("one recipient is enough");
    let addresses: Vec<(&str, i32)> =
        envelope.recipients.iter().map(|recipient| (recipient.address.as_str(), recipient.kind)).collect();
    assert_eq!(addresses, [("c@example.com", 2)]);
}

#[test]
fn plugin_addresses_cannot_be_commands() {
    use mail_address::Address;

    assert_eq!(accept_from_plugin("", &["ñandú@ñoño.org".to_string()]), Ok(()));
    for address in ["", "b", "@", "b@", "@d", "| sh@x", "|sh@x", "-f@x", "a b@x", "a\n@x", "a\u{85}@x", "a\t@x"] {
        let to = [address.to_string()];
        let reason = Address::parse(address).expect_err("the address is not on the allow-list");
        let part = "an address of `to`";
        assert_eq!(accept_from_plugin("<>", &to), Err(InvalidMail::NotAllowed { part, reason }), "{address:?}");
        if !address.is_empty() {
            let part = "the reverse-path";
            assert_eq!(accept_from_plugin(address, &[]), Err(InvalidMail::NotAllowed { part, reason }), "{address:?}");
        }
    }
}

#[test]
fn slash_in_a_domain_is_refused_for_every_caller() {
    let envelope = || Envelope { to: vec!["b@example.com".to_string()], ..Envelope::default() };
    let slash = "x@a/b".to_string();
    let recipient = |address: &String, original_address: &str| Recipient {
        address: address.clone(),
        original_address: original_address.to_string(),
        ..Recipient::default()
    };
    for (part, mut refused) in [
        ("the reverse-path", Envelope { reverse_path: slash.clone(), ..envelope() }),
        ("an address of `to`", Envelope { to: vec![slash.clone()], ..envelope() }),
        ("the address of a recipient", Envelope { recipients: vec![recipient(&slash, "")], ..envelope() }),
        (
            "the original address of a recipient",
            Envelope { recipients: vec![recipient(&"b".to_string(), &slash)], ..envelope() },
        ),
    ] {
        assert_eq!(accept(&mut refused), Err(InvalidMail::SlashInDomain(part)));
    }
    let command = "/usr/bin/filter --for=x@a/b".to_string();
    let pipe = Recipient { kind: 1, ..recipient(&command, "x@example.com") };
    accept(&mut Envelope { recipients: vec![pipe], ..envelope() }).expect("the address of a pipe is a command");
    let local = recipient(&"a/b@example.com".to_string(), "");
    accept(&mut Envelope { recipients: vec![local], ..envelope() }).expect("a local part may have a slash");
}
