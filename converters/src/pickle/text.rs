//! The text forms of pickle protocol 0: numbers, escaped strings and bytes written as text.

use std::borrow::Cow;

use crate::error::{Error, Result};

/// The number that a line holds; Python 2 put an `L` behind long ones.
pub(super) fn number<T: std::str::FromStr>(line: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(line).ok()?.trim_end_matches(['\r', 'L']);
    text.parse().ok()
}

/// The bytes that each character of `text` stands for.
pub(super) fn latin1(text: &str) -> Result<Vec<u8>> {
    let byte = |(at, character)| {
        u8::try_from(character).map_err(|cause| {
            Error::malformed(
                format_args!("byte {at} of a text that stands for bytes"),
                "expected a character of Latin-1",
            )
            .caused_by(cause)
        })
    };
    text.char_indices().map(byte).collect()
}

/// The bytes of a string in quotes and with Python's escapes.
pub(super) fn quoted(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let ([b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"']) = line else {
        return None;
    };
    if !inner.contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    unescaped(inner).map(Cow::Owned)
}

fn unescaped(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, after @ ..] = rest {
        let (byte, after) = if *first == b'\\' { escape(after)? } else { (*first, after) };
        bytes.push(byte);
        rest = after;
    }
    Some(bytes)
}

/// The byte that an escape stands for, and what follows it.
fn escape(after: &[u8]) -> Option<(u8, &[u8])> {
    let (&kind, after) = after.split_first()?;
    let byte = match kind {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'x' => {
            let (digits, after) = after.split_at_checked(2)?;
            return Some((u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?, after));
        }
        b'\\' | b'\'' | b'"' => kind,
        _ => return None,
    };
    Some((byte, after))
}

/// The text of a line in Python's `raw-unicode-escape`: Latin-1 in which only `\u` and `\U` are escapes.
pub(super) fn raw_unicode(line: &[u8]) -> Option<Cow<'_, str>> {
    if line.is_ascii() && !line.contains(&b'\\') {
        return std::str::from_utf8(line).ok().map(Cow::Borrowed);
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let [first, after @ ..] = rest {
        let digits = match rest {
            [b'\\', b'u', ..] => 4,
            [b'\\', b'U', ..] => 8,
            _ => 0,
        };
        if digits == 0 {
            text.push(char::from(*first));
            rest = after;
        } else {
            let code = std::str::from_utf8(after.get(1..=digits)?).ok()?;
            text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            rest = &after[digits + 1..];
        }
    }
    Some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        assert_eq!(quoted(b"'a\\x00\\n\\''").unwrap(), &b"a\0\n'"[..]);
        assert_eq!(quoted(b"'a"), None);
        assert_eq!(quoted(b"'\\x4'"), None);
        assert_eq!(raw_unicode(b"a\\u0041\xe9\\\\").unwrap(), "aA\u{e9}\\\\");
        assert_eq!(raw_unicode(b"\\ud800"), None);
        assert_eq!(raw_unicode(b"\\u00"), None);
    }

    #[test]
    fn numbers_and_bytes_are_read() {
        assert_eq!(number(b"12L"), Some(12));
        assert_eq!(number::<i64>(b"x"), None);
        assert_eq!(latin1("a\u{ff}").unwrap(), [b'a', 0xff]);
        assert!(latin1("\u{100}").is_err());
    }
}
