//! The allow-list takes the addresses that are in use, and no address that has another meaning to a program.

use fastrand::Rng;
use mail_address::{Address, InvalidAddress, MAX_ADDRESS_BYTES};

/// Addresses of the shapes that mail systems use, one a line: tags, list managers' bounces, internationalized ones, literals.
const USED: &str = include_str!("used.txt");

#[test]
fn addresses_in_use_are_accepted() {
    for address in USED.lines() {
        let parsed = Address::parse(address).unwrap_or_else(|invalid| panic!("`{address}`: {invalid}"));
        assert_eq!(format!("{}@{}", parsed.local(), parsed.domain()), address);
    }
    assert!(USED.lines().count() >= 200);
}

#[test]
fn other_meanings_are_refused() {
    use InvalidAddress::{At, DomainCharacter, EmptyAtom, FirstCharacter, Label, Literal, LocalCharacter};
    for (address, reason) in [
        ("", At),
        ("user", At),
        ("@", EmptyAtom),
        ("@example.com", EmptyAtom),
        ("user@", Label),
        ("a@b@c", At),
        ("a@@b", At),
        ("\"a@b\"@c", At),
        ("a@b,c@d", At),
        // chasquid makes a file name of the domain, and stops at its start.
        ("x@a/b", DomainCharacter('/')),
        ("x@..", Label),
        ("x@a..b", Label),
        ("x@.a", Label),
        ("x@a.", Label),
        ("x@a\\b", DomainCharacter('\\')),
        // chasquid deletes the first character, and the rest becomes an option of the delivery agent.
        ("\"-rf@local", FirstCharacter('"')),
        ("$-x@local", FirstCharacter('$')),
        (";--delete@local", FirstCharacter(';')),
        ("-rf@local", FirstCharacter('-')),
        ("!-rf@local", FirstCharacter('!')),
        ("'-rf@local", FirstCharacter('\'')),
        ("|sh@local", FirstCharacter('|')),
        ("/etc/passwd@local", FirstCharacter('/')),
        ("~root@local", FirstCharacter('~')),
        ("#x@local", FirstCharacter('#')),
        (".x@local", EmptyAtom),
        ("x.@local", EmptyAtom),
        ("x..y@local", EmptyAtom),
        ("x@-rf", Label),
        ("x@a.-b", Label),
        ("x@a-.b", Label),
        ("a@b>", DomainCharacter('>')),
        ("<a@b>", FirstCharacter('<')),
        ("Name <a@b>", LocalCharacter(' ')),
        ("a b@x", LocalCharacter(' ')),
        ("a\n@x", LocalCharacter('\n')),
        ("a\0b@x", LocalCharacter('\0')),
        ("a\u{85}@x", LocalCharacter('\u{85}')),
        ("a\u{a0}@x", LocalCharacter('\u{a0}')),
        ("a\u{202e}moc@x", LocalCharacter('\u{202e}')),
        ("a\u{200b}b@x", LocalCharacter('\u{200b}')),
        ("a\u{34f}b@x", LocalCharacter('\u{34f}')),
        ("a\u{3164}b@x", LocalCharacter('\u{3164}')),
        ("a@x\u{202e}y", DomainCharacter('\u{202e}')),
        ("a@x\u{feff}", DomainCharacter('\u{feff}')),
        ("a@x\u{2044}y", DomainCharacter('\u{2044}')),
        ("a@x\u{ff0f}y", DomainCharacter('\u{ff0f}')),
        ("a%b@x", LocalCharacter('%')),
        ("a`id`@x", LocalCharacter('`')),
        ("a$(id)@x", LocalCharacter('$')),
        ("a(comment)@x", LocalCharacter('(')),
        ("a:b@x", LocalCharacter(':')),
        ("a@x:25", DomainCharacter(':')),
        ("a@x_y", DomainCharacter('_')),
        ("a@[x]", Literal),
        ("a@[127.0.0.1", Literal),
        ("a@[127.0.0.1].com", Literal),
        ("a@[127.0.0.256]", Literal),
        ("a@[2001:db8::1]", Literal),
        ("a@[IPv6:../x]", Literal),
        ("a@[]", Literal),
        ("a@[IPv6:]", Literal),
    ] {
        assert_eq!(Address::parse(address), Err(reason), "{address:?}");
    }
    let long = format!("{}@{}", "a".repeat(MAX_ADDRESS_BYTES - 3), "bcd");
    assert_eq!(Address::parse(&long), Err(InvalidAddress::TooLong));
}

/// Returns text that is often an address: parts of addresses in use, with characters that have a meaning to some program.
fn generate(random: &mut Rng, used: &[char]) -> String {
    const OTHERS: [char; 24] = [
        '@',
        '.',
        '-',
        '/',
        '"',
        '\'',
        '\\',
        '|',
        ';',
        '$',
        '%',
        '<',
        '>',
        '[',
        ']',
        ':',
        ' ',
        '\n',
        '\0',
        '\u{85}',
        '\u{202e}',
        '\u{200d}',
        '\u{2028}',
        '\u{e0001}',
    ];
    let mut part = |length: usize| -> String {
        let mut character = || match random.u8(..) {
            0..12 => OTHERS[random.usize(..OTHERS.len())],
            12 => random.char(..),
            _ => used[random.usize(..used.len())],
        };
        (0..length).map(|_| character()).collect()
    };
    let (local, domain) = (part(6), part(8));
    format!("{local}@{domain}")
}

#[test]
fn generated_addresses_that_pass_have_one_meaning() {
    let mut random = Rng::with_seed(12);
    let used: Vec<char> = USED.chars().filter(|character| !matches!(character, '\n' | '@' | '[' | ']' | ':')).collect();
    let mut accepted = 0;
    while accepted < 1_000_000 {
        let address = generate(&mut random, &used);
        if Address::parse(&address).is_err() {
            continue;
        }
        accepted += 1;
        let (local, domain) = address.split_once('@').expect("an address has an `@`");
        assert!(!domain.contains('@'), "{address:?}");
        let first = local.chars().next().expect("a local part has a character");
        assert!(first.is_alphanumeric() || first == '_', "{address:?}");
        let forbidden = |character: char| {
            character.is_control()
                || character.is_whitespace()
                || matches!(
                    character,
                    '/' | '\\' | '"' | '|' | ';' | '$' | '%' | '&' | '*' | '`' | '(' | ')' | '{' | '}'
                )
                || matches!(character, '<' | '>' | ',' | ':')
                || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
                || matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
        };
        assert!(!address.contains(forbidden), "{address:?}");
        for label in domain.split('.') {
            assert!(!label.is_empty() && !label.starts_with('-') && !label.ends_with('-'), "{address:?}");
        }
        assert!(!local.starts_with('.') && !local.ends_with('.') && !local.contains(".."), "{address:?}");
    }
}
