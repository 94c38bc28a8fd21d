//! JSON's signs one after another, with the place of what is not as it should be.

use std::ops::Range;

use crate::{
    complaint::{invalid, shown},
    error::{Error, Result},
};

/// How much is shown of what was found in the place of something else.
const FOUND_BYTES_MAX: usize = 16;

/// The bytes that are not read yet.
#[derive(Clone)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Reads `range` of `bytes`.
    pub(super) fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        Self { bytes: &bytes[..range.end], at: range.start }
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Whether `sign` comes next, which is read then.
    pub(super) fn take(&mut self, sign: u8) -> bool {
        let comes = self.peek() == Some(sign);
        self.at += usize::from(comes);
        comes
    }

    /// Reads `sign`, which has to come next.
    pub(super) fn expect(&mut self, sign: u8) -> Result<()> {
        if self.take(sign) { Ok(()) } else { Err(self.complain(&format!("'{}'", char::from(sign)))) }
    }

    /// Reads what follows a member: whether it is a comma and not `end`.
    pub(super) fn goes_on(&mut self, end: u8) -> Result<bool> {
        if self.take(b',') {
            return Ok(true);
        }
        if self.take(end) { Ok(false) } else { Err(self.complain(&format!("',' or '{}'", char::from(end)))) }
    }

    /// Reads a member's name and the colon behind it.
    pub(super) fn name(&mut self) -> Result<String> {
        let name = self.text().ok_or_else(|| self.complain("a name in quotes"))?;
        self.expect(b':')?;
        Ok(name)
    }

    fn text(&mut self) -> Option<String> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let mut end = self.at + 1;
        while *self.bytes.get(end)? != b'"' {
            end += if self.bytes[end] == b'\\' { 2 } else { 1 };
        }
        let text = serde_json::from_slice(&self.bytes[self.at..=end]).ok()?;
        self.at = end + 1;
        Some(text)
    }

    /// What comes next up to a sign or white space; it is not read yet.
    pub(super) fn scalar(&mut self) -> &'a [u8] {
        self.peek();
        let rest = &self.bytes[self.at..];
        let ends =
            |byte: &u8| matches!(byte, b',' | b']' | b'}' | b'[' | b'{' | b':' | b'"') || byte.is_ascii_whitespace();
        &rest[..rest.iter().position(ends).unwrap_or(rest.len())]
    }

    /// Reads what [`scalar`](Self::scalar) gave.
    pub(super) fn pass(&mut self, scalar: &[u8]) {
        self.at += scalar.len();
    }

    /// Sees to it that nothing is left.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { Err(self.complain("nothing more")) }
    }

    /// What was expected where the scanner is, and what is there.
    pub(super) fn complain(&self, expected: &str) -> Error {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let found = match &rest[..rest.len().min(FOUND_BYTES_MAX)] {
            [] => "the end".to_owned(),
            found => format!("'{}'", shown(found)),
        };
        invalid(format!("byte {}: expected {expected}, found {found}", self.at + 1))
    }
}

/// Whether a text is a number by JSON's grammar.
pub(super) fn is_number(text: &[u8]) -> bool {
    let (whole, rest) = digits(text.strip_prefix(b"-").unwrap_or(text));
    let (fraction, rest) = rest.strip_prefix(b".").map_or((None, rest), |rest| {
        let (fraction, rest) = digits(rest);
        (Some(fraction), rest)
    });
    let exponent = match rest {
        [] => None,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => Some(exponent),
        _ => return false,
    };
    let is_plain = whole == b"0" || !whole.is_empty() && whole[0] != b'0';
    let is_whole = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_plain && fraction.is_none_or(is_whole) && exponent.is_none_or(is_whole)
}

/// The digits at the start, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_jsons() {
        for text in ["0", "-0", "10", "0.5", "-1.25e-7", "1E+3", "2e0", "0e1"] {
            assert!(is_number(text.as_bytes()), "{text}");
        }
        for text in ["", "-", "+1", "01", "-01", ".5", "5.", "1e", "1e+", "1.5.5", "1_0", "0x1", "1e5.", "nan", "--1"] {
            assert!(!is_number(text.as_bytes()), "{text}");
        }
    }
}
