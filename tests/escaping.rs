//! The inside of a text literal is escaped as Go writes it and unescaped as Go reads it, in blocks and chunks of any size.

mod escape {
    use queue_store::item::text::escape::*;

    fn escaped(input: &[u8]) -> String {
        let mut output = vec![0; input.len() * GROWTH + MARGIN];
        let progress = escape(input, &mut output, true);
        assert_eq!(progress.consumed, input.len());
        output.truncate(progress.produced);
        String::from_utf8(output).expect("an escaped text is UTF-8")
    }

    #[test]
    fn every_ascii_character_is_written_as_go_writes_it() {
        // The fields `last_failure_message` of the reference item `failure_messages`.
        let all: Vec<u8> = (0..0x80).collect();
        assert_eq!(
            escaped(&all),
            concat!(
                r#"\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"#,
                r##"\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"##,
                r#"[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f"#
            )
        );
        assert_eq!(escaped("\u{80}\u{85}\u{9f}\u{a0}".as_bytes()), "\\u0080\\u0085\\u009f\u{a0}");
    }

    #[test]
    fn bytes_that_are_not_utf8_become_hexadecimal_one_at_a_time() {
        assert_eq!(escaped(b"a\xffb"), r"a\xffb");
        assert_eq!(escaped(b"\xe2\x82"), r"\xe2\x82");
        assert_eq!(escaped(b"\xe2\x82x"), r"\xe2\x82x");
        assert_eq!(escaped(b"\xed\xa0\x80"), r"\xed\xa0\x80");
        assert_eq!(escaped("ñ😀 \u{10ffff}".as_bytes()), "ñ😀 \u{10ffff}");
    }

    #[test]
    fn what_is_escaped_depends_neither_on_the_place_nor_on_the_chunks() {
        let mut text = Vec::new();
        for byte in 0..=u8::MAX {
            text.extend_from_slice(&[b'a', byte, 0xc2, byte, 0xe2, 0x82, byte]);
            text.extend_from_slice("Received: from ñandú\r\n".as_bytes());
        }
        let whole = escaped(&text);
        for size in [1, 2, 3, 5, 16, 17, 63, 64, 65, 127, 128, 129, 1000] {
            let mut output = vec![0; MARGIN];
            let mut all = Vec::new();
            let mut pending: Vec<u8> = Vec::new();
            let mut chunks = text.chunks(size).peekable();
            while let Some(chunk) = chunks.next() {
                pending.extend_from_slice(chunk);
                loop {
                    let progress = escape(&pending, &mut output, chunks.peek().is_none());
                    all.extend_from_slice(&output[..progress.produced]);
                    pending.drain(..progress.consumed);
                    if progress.consumed == 0 {
                        break;
                    }
                }
            }
            assert_eq!(pending, [], "chunks of {size}");
            assert_eq!(String::from_utf8(all).expect("UTF-8"), whole, "chunks of {size}");
        }
    }

    #[test]
    fn output_never_grows_beyond_its_bound() {
        let input = vec![0xff; 1000];
        assert_eq!(escaped(&input), r"\xff".repeat(1000));
    }
}

mod unescape {
    use queue_store::item::text::escape;
    use queue_store::item::text::syntax::LiteralError;
    use queue_store::item::text::unescape::*;

    /// Unescapes the input in chunks, into little room and into much.
    fn unescaped(input: &[u8], chunk: usize) -> Result<Vec<u8>, LiteralError> {
        let all = unescaped_into(input, chunk, MARGIN + 3);
        for room in [MARGIN, MARGIN + 1, 1000] {
            assert!(unescaped_into(input, chunk, room) == all, "room for {room}");
        }
        all
    }

    fn unescaped_into(input: &[u8], chunk: usize, room: usize) -> Result<Vec<u8>, LiteralError> {
        let mut output = vec![0; room];
        let mut all = Vec::new();
        let (mut start, mut end) = (0, chunk.min(input.len()));
        loop {
            let progress = unescape(&input[start..end], &mut output, b'"', end == input.len());
            all.extend_from_slice(&output[..progress.produced]);
            start += progress.consumed;
            match progress.stop {
                Stop::Quote => return Ok(all),
                Stop::Output => {}
                Stop::Input => {
                    assert!(end < input.len() && end - start < LOOKAHEAD);
                    end = (end + chunk).min(input.len());
                }
                Stop::Invalid(invalid) => return Err(invalid),
            }
        }
    }

    #[test]
    fn unescaping_does_not_depend_on_chunks() {
        let text = r#"plain text of some length, \"quoted\"\r\n\x41\101\1\\\u00e9\U0001f600\ud83d\ude00ñ😀\xff\0"#;
        let whole = unescaped(format!("{text}\"").as_bytes(), 1000);
        let expected = b"plain text of some length, \"quoted\"\r\nAA\x01\\\xc3\xa9\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xc3\xb1\xf0\x9f\x98\x80\xff\0";
        assert_eq!(whole.as_deref(), Ok(&expected[..]));
        for chunk in 1..40 {
            assert_eq!(unescaped(format!("{text}\"").as_bytes(), chunk), whole, "chunks of {chunk}");
        }
    }

    #[test]
    fn every_byte_pair_round_trips() {
        for first in 0..=u8::MAX {
            let input: Vec<u8> = (0..=u8::MAX).flat_map(|second| [first, second]).collect();
            let mut output = vec![0; input.len() * escape::GROWTH + escape::MARGIN];
            let progress = escape::escape(&input, &mut output, true);
            output.truncate(progress.produced);
            output.push(b'"');
            assert_eq!(unescaped(&output, 1 << 20).as_deref(), Ok(&input[..]));
            assert_eq!(unescaped(&output, 7).as_deref(), Ok(&input[..]));
        }
    }

    #[test]
    fn text_like_escapes_round_trips() {
        let alphabet = *b"\\\\xx2a\"\n\xff\xfe\xfd\xc2\x80\xe2\x82\0";
        let mut state = 1_u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            alphabet[(state >> 28) as usize]
        };
        for length in 0..1000 {
            let input: Vec<u8> = (0..length).map(|_| draw()).collect();
            let mut output = vec![0; length * escape::GROWTH + escape::MARGIN];
            let progress = escape::escape(&input, &mut output, true);
            output.truncate(progress.produced);
            output.push(b'"');
            assert_eq!(unescaped(&output, 1 << 20).as_deref(), Ok(&input[..]), "{}", input.escape_ascii());
        }
    }

    #[test]
    fn invalid_literals_are_refused() {
        use LiteralError::{Escape, LineFeed, NotUtf8, Nul, Unterminated};
        for (text, invalid) in [
            (&b"a"[..], Unterminated),
            (b"a\\", Unterminated),
            (b"a\\u12", Unterminated),
            (b"a\0\"", Nul),
            (b"a\n\"", LineFeed),
            (b"a\\\n\"", Escape),
            (b"a\xff\"", NotUtf8),
            (b"a\xe2\x82", NotUtf8),
            (b"\\e\"", Escape),
            (b"\\X41\"", Escape),
            (b"\\x\"", Escape),
            (b"\\777\"", Escape),
            (b"\\400\"", Escape),
            (b"\\u12\"     ", Escape),
            (b"\\ude00\\ud83d\"", Escape),
            (b"\\ud83dabcdef\"", Escape),
            (b"\\U00110000\"", Escape),
            (b"\\U0000d83d\\U0000de00\"", Escape),
            (b"\\u+123\"", Escape),
        ] {
            assert_eq!(unescaped(text, 1000), Err(invalid), "{}", text.escape_ascii());
            assert_eq!(unescaped(text, 1), Err(invalid), "{}", text.escape_ascii());
        }
    }
}

mod utf8 {
    use queue_store::item::text::utf8::*;

    #[test]
    fn sequences_are_those_of_the_standard_library() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                for rest in [[0x80, 0x80], [0xbf, 0xbf], [0x80, 0x20], [0x41, 0x80]] {
                    let bytes = [first, second, rest[0], rest[1]];
                    let expected = (1..=4).find(|&length| str::from_utf8(&bytes[..length]).is_ok());
                    match sequence(&bytes) {
                        Sequence::Valid(length) => assert_eq!(Some(length), expected, "{bytes:x?}"),
                        Sequence::Invalid => assert_eq!(None, expected, "{bytes:x?}"),
                        Sequence::Incomplete => panic!("{bytes:x?} is complete"),
                    }
                }
            }
        }
        assert_eq!(sequence(&[0xe2, 0x82]), Sequence::Incomplete);
        assert_eq!(sequence(&[0xe2, 0x20]), Sequence::Invalid);
        assert_eq!(sequence(&[0xf4, 0x90]), Sequence::Invalid);
    }
}

mod block {
    use queue_store::item::text::block::*;
    use queue_store::item::text::utf8::{Sequence, sequence};

    const PLAIN: Window = [b'a'; 2 * BLOCK];

    #[test]
    fn every_byte_is_classified_in_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut window = PLAIN;
                window[place] = byte;
                let escape = !matches!(byte, 0x20..0x7f) || matches!(byte, b'"' | b'\\');
                assert_eq!(needs_escape(&window), u64::from(escape) << place, "{byte:#x}");
                for quote in [b'"', b'\''] {
                    let ends = byte >= 0x80 || byte == quote || matches!(byte, b'\\' | 0 | b'\n');
                    assert_eq!(ends_run(&window, quote), u64::from(ends) << place, "{byte:#x}");
                }
                for next in [b'a', b'x'] {
                    window[place + 1] = next;
                    let hexadecimal = byte == b'\\' && next == b'x' && place + 1 < BLOCK;
                    assert_eq!(begins_hexadecimal(&window), u64::from(hexadecimal) << place, "{byte:#x} {next:#x}");
                }
            }
        }
    }

    #[test]
    fn sequences_are_found_in_every_place() {
        for first in 0xc0..=u8::MAX {
            for second in 0x7f..=0xc0 {
                for rest in [[0x80, 0x80], [0xbf, 0xbf], [0xbf, 0xc0], [0x80, b'a'], [b'a', 0x80]] {
                    let bytes = [first, second, rest[0], rest[1]];
                    for place in [0, 1, 15, 16, 30, 59, 60, 61, 62, 63] {
                        let mut window = PLAIN;
                        window[place..place + bytes.len()].copy_from_slice(&bytes);
                        let length = match sequence(&bytes) {
                            Sequence::Valid(length) => length,
                            Sequence::Invalid => 0,
                            Sequence::Incomplete => unreachable!("{bytes:x?} is complete"),
                        };
                        let control = first == 0xc2 && length == 2 && second < 0xa0;
                        let found = sequences(&window);
                        let beyond = place + length > BLOCK;
                        assert_eq!(found.end, if beyond { place } else { BLOCK }, "{bytes:x?} at {place}");
                        let within = u64::MAX >> (BLOCK - found.end);
                        let whole = ((1_u64 << length) - 1) << place;
                        assert_eq!(found.whole & within, whole & within, "{bytes:x?} at {place}");
                        assert_eq!(
                            found.controls & within,
                            u64::from(control) << place & within,
                            "{bytes:x?} at {place}"
                        );
                    }
                }
            }
        }
    }
}
