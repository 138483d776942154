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
    assert_eq!(accept_from_plugin("", &["ñandú@ñoño.org".to_string()]), Ok(()));
    for address in ["", "b", "@", "b@", "@d", "| sh@x", "|sh@x", "-f@x", "a b@x", "a\n@x", "a\u{85}@x", "a\t@x"] {
        let to = [address.to_string()];
        assert_eq!(accept_from_plugin("<>", &to), Err(InvalidMail::NotPlain), "{address:?}");
        if !address.is_empty() {
            assert_eq!(accept_from_plugin(address, &[]), Err(InvalidMail::NotPlain), "{address:?}");
        }
    }
}
