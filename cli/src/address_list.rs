//! The address lists of header fields (RFC 5322 section 3.4). A list that could be read in two ways is refused: a parser that
//! guesses would queue a mail for an address that its author did not write.

/// The reason why a field is not an address list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MalformedList {
    #[error("a quoted string, a comment or a bracket in it does not end")]
    Unterminated,
    #[error("an address in it has other text after its `>`, as where a comma is missing")]
    AfterAngle,
    #[error("the name before `<` in it has an `@`, as where a comma is missing")]
    AddressInName,
    #[error("a `{0}` in it is out of place")]
    Misplaced(char),
}

/// A part of a list, from byte `start` to byte `end`. White space and comments are between the parts.
struct Token {
    /// One of `,:;<>`, or none: an atom, a quoted string, a domain literal.
    special: Option<char>,
    start: usize,
    end: usize,
}

/// Returns the addresses of a list as they are written, also those within groups. Each one is still to be checked.
pub(crate) fn parse(list: &str) -> Result<Vec<&str>, MalformedList> {
    let (mut addresses, mut element, mut in_group) = (Vec::new(), Vec::new(), false);
    let mut in_angle = false;
    for token in tokens(list)? {
        match token.special {
            Some('<') if !in_angle => in_angle = true,
            Some('>') if in_angle => in_angle = false,
            Some(',') if !in_angle => {
                addresses.extend(address(list, &element)?);
                element.clear();
                continue;
            }
            // The element before is the group's name.
            Some(':') if !in_angle && !in_group => {
                in_group = true;
                element.clear();
                continue;
            }
            Some(';') if in_group && !in_angle => {
                in_group = false;
                addresses.extend(address(list, &element)?);
                element.clear();
                continue;
            }
            // A route in an obsolete address.
            Some(',' | ':') if in_angle => {}
            Some(special) => return Err(MalformedList::Misplaced(special)),
            None => {}
        }
        element.push(token);
    }
    if in_angle || in_group {
        return Err(MalformedList::Unterminated);
    }
    addresses.extend(address(list, &element)?);
    Ok(addresses)
}

/// Returns the address of an element: all of it, or its part in angle brackets. An element may be empty.
fn address<'a>(list: &'a str, element: &[Token]) -> Result<Option<&'a str>, MalformedList> {
    let text = |tokens: &[Token]| match tokens {
        [first, .., last] => &list[first.start..last.end],
        [only] => &list[only.start..only.end],
        [] => "",
    };
    let at = |special| element.iter().position(|token| token.special == Some(special));
    let (Some(open), Some(close)) = (at('<'), at('>')) else {
        return Ok(Some(text(element)).filter(|address| !address.is_empty()));
    };
    if close + 1 < element.len() {
        return Err(MalformedList::AfterAngle);
    }
    let (name, address) = (&element[..open], text(&element[open + 1..close]));
    let is_quoted = |token: &Token| list[token.start..].starts_with('"');
    let has_at = name.iter().any(|token| !is_quoted(token) && list[token.start..token.end].contains('@'));
    if has_at && text(name) != address {
        return Err(MalformedList::AddressInName);
    }
    Ok(Some(address))
}

fn tokens(list: &str) -> Result<Vec<Token>, MalformedList> {
    let mut tokens = Vec::new();
    let mut characters = list.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        let mut end = start + character.len_utf8();
        let mut special = None;
        match character {
            ' ' | '\t' | '\r' | '\n' => continue,
            '(' => {
                skip(&mut characters, '(', ')')?;
                continue;
            }
            '"' => end = skip(&mut characters, '"', '"')?,
            '[' => end = skip(&mut characters, '[', ']')?,
            ',' | ':' | ';' | '<' | '>' => special = Some(character),
            _ => {
                let is_atom = |character: char| !" \t\r\n()\"[,:;<>".contains(character);
                while let Some((at, next)) = characters.next_if(|(_, next)| is_atom(*next)) {
                    end = at + next.len_utf8();
                }
            }
        }
        tokens.push(Token { special, start, end });
    }
    Ok(tokens)
}

/// Skips to after the character that ends what `open` began, and returns its end. Only comments nest.
fn skip(characters: &mut impl Iterator<Item = (usize, char)>, open: char, close: char) -> Result<usize, MalformedList> {
    let mut depth = 1;
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            _ if character == close => depth -= 1,
            '(' if open == '(' => depth += 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(at + 1);
        }
    }
    Err(MalformedList::Unterminated)
}

#[cfg(test)]
mod tests {
    use super::{MalformedList, parse};

    #[test]
    fn lists_have_their_addresses() {
        for (list, addresses) in [
            ("", &[][..]),
            (" , ,", &[]),
            ("undisclosed-recipients:;", &[]),
            ("b@example.com", &["b@example.com"]),
            ("Bob <b@example.com>,\r\n \"C, D\" <c@example.com>", &["b@example.com", "c@example.com"]),
            ("b@example.com (Bob (the \\) builder)), (x) <c@example.com> (y)", &["b@example.com", "c@example.com"]),
            (
                "a: b@example.com, C <c@example.com>;, d@example.com",
                &["b@example.com", "c@example.com", "d@example.com"],
            ),
            ("b@example.com <b@example.com>", &["b@example.com"]),
            ("\"c@example.com\" <b@example.com>", &["b@example.com"]),
            ("J. R. \u{f6} <b@[192.0.2.1]>", &["b@[192.0.2.1]"]),
            ("\"\\\"b\" <b@example.com>", &["b@example.com"]),
            // These have no address; the check of addresses refuses them.
            ("\"bob builder\"@example.com", &["\"bob builder\"@example.com"]),
            ("bob", &["bob"]),
            ("Bob Builder", &["Bob Builder"]),
            ("b @example.com", &["b @example.com"]),
            ("b(x)@example.com", &["b(x)@example.com"]),
            ("<>", &[""]),
            ("<@a,@b:c@example.com>", &["@a,@b:c@example.com"]),
        ] {
            assert_eq!(parse(list).as_deref(), Ok(addresses), "{list}");
        }
    }

    #[test]
    fn lists_without_one_meaning_are_refused() {
        use MalformedList::{AddressInName, AfterAngle, Misplaced, Unterminated};
        for (list, problem) in [
            ("Bob <b@example.com> Carol <c@example.com>", AfterAngle),
            ("Bob <b@example.com> c@example.com", AfterAngle),
            ("b@example.com <c@example.com>", AddressInName),
            ("b@example.com Carol <c@example.com>", AddressInName),
            ("b@example.com; c@example.com", Misplaced(';')),
            ("a: b: c@example.com;", Misplaced(':')),
            ("a: b@example.com", Unterminated),
            ("\"Bob <b@example.com>", Unterminated),
            ("b@example.com (Bob", Unterminated),
            ("<b@example.com", Unterminated),
            ("b@[192.0.2.1", Unterminated),
            ("b@example.com>", Misplaced('>')),
            ("<<b@example.com>", Misplaced('<')),
        ] {
            assert_eq!(parse(list), Err(problem), "{list}");
        }
    }
}
