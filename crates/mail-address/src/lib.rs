//! The mail addresses that may come from a plugin or from a header of a mail: an allow-list of those that every mail server
//! takes for an address, and none for a command, an option, a path or two addresses.
//!
//! The grammar is the part of RFC 5321 section 4.1.2 and of RFC 6531 that mail systems use:
//!
//! - The local part is a dot-string. It begins with a letter, a digit or `_`, and goes on with those, with `.` between atoms,
//!   and with ``! # ' + - = ? ^ _ ~``. Of the `atext` of RFC 5322, ``$ % & * / ` { | }`` are left out: delivery agents and
//!   the shells behind them give them a meaning, and chasquid deletes them on the way there. There is no quoted form.
//! - The domain has labels of letters, digits and inner `-`; or it is an address literal of IPv4 or IPv6 in brackets.
//! - A letter is one of ASCII, or any other alphabetic character, with the marks that scripts spell letters with.
//! - There is one `@`, and no white space, control or format character.
#![no_std]
#![forbid(unsafe_code)]

use core::net::{Ipv4Addr, Ipv6Addr};
use thiserror::Error;

/// Bytes of an address, at most: a local part of 64, an `@` and a domain of 255 (RFC 5321 section 4.5.3.1).
pub const MAX_ADDRESS_BYTES: usize = 320;

/// An address that is on the allow-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    local: &'a str,
    domain: &'a str,
}

/// The reason why an address is not on the allow-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidAddress {
    /// It is longer than [`MAX_ADDRESS_BYTES`].
    #[error("it has more than {MAX_ADDRESS_BYTES} bytes")]
    TooLong,
    /// It has no `@`, or several.
    #[error("it needs one `@` between a local part and a domain")]
    At,
    /// Its local part has no character, or an empty atom.
    #[error("its local part is empty, or has a `.` without a character before and after it")]
    EmptyAtom,
    /// Its local part begins with a character that could make it an option or a command.
    #[error("its local part begins with the character U+{:04X}, and not with a letter, a digit or `_`", u32::from(*.0))]
    FirstCharacter(char),
    /// Its local part has another character.
    #[error("its local part has the character U+{:04X}, which is none of letters, digits and !#'+-=?^_~", u32::from(*.0))]
    LocalCharacter(char),
    /// Its domain has an empty label, or one that begins or ends with `-`.
    #[error("its domain has a label that is empty, or begins or ends with `-`")]
    Label,
    /// Its domain has another character.
    #[error("its domain has the character U+{:04X}, which is none of letters, digits, `-` and `.`", u32::from(*.0))]
    DomainCharacter(char),
    /// Its domain begins with a bracket and is no address literal.
    #[error("its domain is not an address literal such as `[192.0.2.1]` or `[IPv6:2001:db8::1]`")]
    Literal,
}

impl<'a> Address<'a> {
    /// Checks an address.
    ///
    /// # Errors
    ///
    /// It is not on the allow-list.
    pub fn parse(address: &'a str) -> Result<Address<'a>, InvalidAddress> {
        if address.len() > MAX_ADDRESS_BYTES {
            return Err(InvalidAddress::TooLong);
        }
        let (local, domain) = address.split_once('@').ok_or(InvalidAddress::At)?;
        if domain.contains('@') {
            return Err(InvalidAddress::At);
        }
        check_local(local)?;
        check_domain(domain)?;
        Ok(Address { local, domain })
    }

    /// Returns the local part.
    pub fn local(&self) -> &'a str {
        self.local
    }

    /// Returns the domain.
    pub fn domain(&self) -> &'a str {
        self.domain
    }
}

fn check_local(local: &str) -> Result<(), InvalidAddress> {
    if local.split('.').any(str::is_empty) {
        return Err(InvalidAddress::EmptyAtom);
    }
    for (place, character) in local.chars().enumerate() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => {}
            other if is_letter(other) => {}
            first if place == 0 => return Err(InvalidAddress::FirstCharacter(first)),
            '.' | '!' | '#' | '\'' | '+' | '-' | '=' | '?' | '^' | '~' => {}
            mark if is_mark(mark) => {}
            other => return Err(InvalidAddress::LocalCharacter(other)),
        }
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<(), InvalidAddress> {
    if let Some(literal) = domain.strip_prefix('[') {
        return check_literal(literal);
    }
    let is_allowed = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '-' | '.')
            || is_letter(character)
            || is_mark(character)
    };
    if let Some(other) = domain.chars().find(|character| !is_allowed(*character)) {
        return Err(InvalidAddress::DomainCharacter(other));
    }
    let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    if domain.split('.').all(is_label) { Ok(()) } else { Err(InvalidAddress::Label) }
}

/// Checks an address literal, whose opening bracket was read.
fn check_literal(literal: &str) -> Result<(), InvalidAddress> {
    let address = literal.strip_suffix(']').ok_or(InvalidAddress::Literal)?;
    let is_valid = match address.split_at_checked(5) {
        Some((tag, v6)) if tag.eq_ignore_ascii_case("IPv6:") => v6.parse::<Ipv6Addr>().is_ok(),
        _ => address.parse::<Ipv4Addr>().is_ok(),
    };
    if is_valid { Ok(()) } else { Err(InvalidAddress::Literal) }
}

/// Whether a character is a letter beyond ASCII. The fillers of Hangul are letters that show nothing.
fn is_letter(character: char) -> bool {
    let is_filler = matches!(character, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    !character.is_ascii() && character.is_alphabetic() && !is_filler
}

/// Whether a character is a mark that spells a letter together with the one before it, and that Unicode does not count as
/// alphabetic: combining diacritical marks, the signs of Indic scripts that join or change consonants, and tone marks.
fn is_mark(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{34e}' | '\u{350}'..='\u{36f}' // not U+034F, which joins
        | '\u{93c}' | '\u{94d}' // Devanagari: nukta, virama
        | '\u{9bc}' | '\u{9cd}' // Bengali
        | '\u{a3c}' | '\u{a4d}' // Gurmukhi
        | '\u{abc}' | '\u{acd}' // Gujarati
        | '\u{b3c}' | '\u{b4d}' // Oriya
        | '\u{bcd}' | '\u{c4d}' // Tamil, Telugu
        | '\u{cbc}' | '\u{ccd}' // Kannada
        | '\u{d3b}' | '\u{d3c}' | '\u{d4d}' // Malayalam
        | '\u{dca}' // Sinhala
        | '\u{e38}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' // Thai
        | '\u{eba}' | '\u{ec8}'..='\u{ecd}' // Lao
        | '\u{f39}' | '\u{f84}' // Tibetan
        | '\u{1037}' | '\u{1039}' | '\u{103a}' // Myanmar
        | '\u{17c9}'..='\u{17d2}' | '\u{17dd}' // Khmer
        | '\u{3099}' | '\u{309a}' // kana
    )
}
