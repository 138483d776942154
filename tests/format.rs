//! Trailer lines, and the fields of the binary format.

mod trailer {
    use queue_store::item::trailer::*;

    fn trailer() -> Vec<u8> {
        let mut text = b"}\n".to_vec();
        push_text_trailer(2048, &mut text);
        push_text_envelope(0xabc, &mut text);
        push_text_whole(u64::MAX, &mut text);
        text
    }

    #[test]
    fn text_trailer_is_found_as_written() {
        let text = trailer();
        let found = find_text_trailer(&text).expect("a trailer was written");
        assert_eq!(found.trailer, Trailer { body_length: 2048, envelope: 0xabc, whole: u64::MAX });
        assert_eq!(found.from_end, text.len() - 2);
        assert!(text[text.len() - found.envelope_from_end..].starts_with(b"0000000000000abc all="));
        assert!(!found.followed);
        assert!(find_text_trailer(&[&text[..], b"\n \n"].concat()).is_some_and(|found| found.followed));
        assert!(find_text_trailer(text.trim_ascii_end()).is_some_and(|found| found.followed));
    }

    #[test]
    fn flipped_bits_change_or_hide_the_trailer() {
        let text = trailer();
        let before = find_text_trailer(&text).map(|found| found.trailer);
        for place in 2..text.len() - 1 {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[place] ^= 1 << bit;
                let found = find_text_trailer(&flipped).map(|found| found.trailer);
                assert!(found.is_none() || found != before, "bit {bit} of byte {place}");
            }
        }
        for text in [
            "",
            "\n",
            "# queue-store-end body=1",
            "x # queue-store-end body=1",
            "# queue-store-end body=01 envelope=0000000000000abc all=0000000000000abc\n",
            "# queue-store-end body= envelope=0000000000000abc all=0000000000000abc\n",
            "# queue-store-end body=99999999999999999999 envelope=0000000000000abc all=0000000000000abc\n",
        ] {
            assert_eq!(find_text_trailer(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn binary_trailer_is_parsed_as_written() {
        let mut bytes = Vec::new();
        push_binary_trailer(7, &mut bytes);
        bytes.extend(8_u64.to_le_bytes());
        bytes.extend(9_u64.to_le_bytes());
        assert_eq!(bytes.len(), BINARY_TRAILER_BYTES);
        assert_eq!(parse_binary_trailer(&bytes), Some(Trailer { body_length: 7, envelope: 8, whole: 9 }));
        assert_eq!(parse_binary_trailer(&bytes[1..]), None);
        bytes.push(0);
        assert_eq!(parse_binary_trailer(&bytes), None);
    }
}

mod binary {
    use prost::encoding;
    use queue_store::error::Code;
    use queue_store::error::{Error, Operation};
    use queue_store::item::binary::*;
    use queue_store::item::damage::Damage;
    use queue_store::item::envelope::{Envelope, Timestamp};
    use queue_store::limits::MAX_ENVELOPE_ENTRIES;

    #[test]
    fn body_length_has_one_form() {
        for value in [0, 1, 127, 128, 300, 1 << 21, (1 << 31) - 1, (1 << 35) - 1] {
            let bytes = length(value);
            assert_eq!(parse_length(&bytes), Some(value));
            assert_eq!(encoding::decode_varint(&mut &bytes[..]), Ok(value), "any parser reads it");
            for bit in 0..8 * LENGTH_BYTES {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(parse_length(&flipped), Some(value));
            }
        }
    }

    #[test]
    fn repeated_message_is_merged() {
        let fields = b"\x32\x04\x08\x05\x10\x06\x32\x02\x10\x07";
        Scanner::default().item_fields(fields).expect("two times are fields of an item");
        let mut envelope = Envelope::default();
        merge(fields, &mut envelope).expect("two times are merged");
        assert_eq!(envelope.created_at, Some(Timestamp { seconds: 5, nanos: 7 }));
    }

    #[test]
    fn entries_are_counted_before_decoding() {
        let nested = vec![[0x32, 0].as_slice(); MAX_ENVELOPE_ENTRIES].concat();
        let mut bytes = vec![0x22];
        encoding::encode_varint(nested.len() as u64, &mut bytes);
        bytes.extend_from_slice(&nested);
        let error = Scanner::default().item_field(&bytes).expect_err("the recipient itself is one entry more");
        assert_eq!(error.code(), Code::TooLarge);
        let flat = vec![[0x1a, 0].as_slice(); MAX_ENVELOPE_ENTRIES + 1].concat();
        let error = Scanner::default().item_fields(&flat).expect_err("one more than the bound");
        assert_eq!(error.code(), Code::TooLarge);
        assert_eq!(Scanner::default().item_fields(&flat[2..]), Ok(()));
    }

    #[test]
    fn unknown_fields_and_wire_types_are_refused() {
        let layout = || Err(Error::new(Damage::Layout, Operation::Decode, ""));
        for bytes in [&b"\x38\x01"[..], b"\x08\x01", b"\x22\x02\x38\x01", b"\x32\x02\x0a\x00", b"\x00\x00"] {
            assert_eq!(Scanner::default().item_field(bytes), layout(), "{bytes:x?}");
        }
        for bytes in [&b""[..], b"\x0a", b"\x0a\x02a", b"\xff", b"\x0a\x80"] {
            assert_eq!(Scanner::default().item_field(bytes), Ok(Scanned::Incomplete), "{bytes:x?}");
        }
        let too_long = [0xff; 11];
        assert_eq!(Scanner::default().item_field(&too_long), layout());
        assert_eq!(Scanner::default().item_field(b"\x2a"), Ok(Scanned::BodyTag(1)));
    }
}
