//! Ids, and the names of files that are made of them.

mod id {
    use queue_store::item::id::*;

    #[test]
    fn base64url_matches_rfc_4648() {
        assert_eq!(base64url(0), "AAAAAAAAAAA");
        assert_eq!(base64url(u64::MAX), "__________8");
        // printf 'test-id1' | basenc --base64url
        assert_eq!(base64url(u64::from_be_bytes(*b"test-id1")), "dGVzdC1pZDE");
    }

    #[test]
    fn ids_for_puts_and_callers_never_collide() {
        for random in [0, 1, 1 << 63, u64::MAX] {
            let put = ItemId::generate(random, GeneratedFor::Put);
            let caller = ItemId::generate(random, GeneratedFor::Caller);
            assert_ne!(put, caller);
            assert!(matches!(put.as_bytes()[0], b'A'..=b'Z' | b'a'..=b'f'));
            assert!(!matches!(caller.as_bytes()[0], b'A'..=b'Z' | b'a'..=b'f'));
            assert_eq!(ItemId::for_new_item(&put), Ok(put));
        }
    }

    #[test]
    fn ids_that_leave_the_directory_are_refused() {
        for (id, refused) in [
            ("", InvalidId::Empty),
            (".", InvalidId::Dots),
            ("..", InvalidId::Dots),
            ("../x", InvalidId::Separator),
            ("a/b", InvalidId::Separator),
            ("a\\b", InvalidId::Separator),
            ("a\0b", InvalidId::Separator),
        ] {
            assert_eq!(ItemId::parse(id), Err(refused), "{id:?}");
        }
        assert!(ItemId::parse("....").is_ok());
    }

    #[test]
    fn found_ids_may_be_longer_than_new_ones() {
        let id = |length| "x".repeat(length);
        assert!(ItemId::for_new_item(&id(241)).is_ok());
        assert_eq!(ItemId::for_new_item(&id(242)), Err(InvalidId::TooLong));
        assert!(ItemId::parse(&id(253)).is_ok());
        assert_eq!(ItemId::parse(&id(254)), Err(InvalidId::TooLong));
    }
}

mod file_name {
    use queue_store::item::Format;
    use queue_store::limits::MAX_ID_BYTES;
    use queue_store::storage::file_name::*;

    #[test]
    fn item_names_are_parsed_back() {
        for format in FORMATS {
            for id in ["x", "dGVzdC1pZDE", ":", "=", "a:b", "ñ", "d:AAAAAAAAAAA:x"] {
                for state in STATES {
                    let name = item(id, state, format);
                    assert_eq!(parse(&name), Meaning::Item(ItemName { id, state, format }), "{name:?}");
                }
                let name = quarantined_again(id, format, 0);
                let expected = ItemName { id, state: State::Quarantined, format };
                assert_eq!(parse(&name), Meaning::Item(expected), "{name:?}");
            }
        }
    }

    #[test]
    fn other_names_are_temporary_or_foreign() {
        assert_eq!(parse(&temporary(0)), Meaning::Temporary);
        assert_eq!(parse(".m:dGVzdC1pZDE123456"), Meaning::Temporary);
        for name in ["", "m", "m-x", "M:x", ".DS_Store", ".m", "x:y", "d:short", "d:AAAAAAAAAAAx", "ñ:x", "mñ"] {
            assert_eq!(parse(name), Meaning::Foreign, "{name:?}");
        }
        let nameless = ItemName { id: "", state: State::Ready, format: Format::Text };
        assert_eq!(parse("m:"), Meaning::Item(nameless));
    }

    #[test]
    fn every_derived_name_fits_the_file_system() {
        let id = "x".repeat(MAX_ID_BYTES);
        assert_eq!(quarantined_again(&id, Format::Binary, u64::MAX).len(), MAX_NAME_BYTES);
    }
}
