//! Python's numbers: what `float()` and `int()` make of a text that numpy hands them, as AWS's container does with every
//! cell.

use std::borrow::Cow;

mod digits;

/// The double that a text is the decimal of, NaN and infinities included.
///
/// White space around it, underscores between digits and the decimal digits of every script are allowed.
pub(crate) fn float(text: &str) -> Option<f64> {
    without_underscores(trimmed(&in_ascii(text)?))?.parse().ok()
}

/// The integer that a text is the decimal of, where 64 bits hold it; otherwise as [`float`].
pub(crate) fn integer(text: &str) -> Option<i64> {
    without_underscores(trimmed(&in_ascii(text)?))?.parse().ok()
}

/// The text in ASCII, where every digit and every space of another script has its like; NULs at the end are lost, as they
/// are in an array of numpy.
fn in_ascii(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_end_matches('\0');
    if text.is_ascii() {
        return Some(Cow::Borrowed(text));
    }
    let alike = |character: char| match character {
        _ if character.is_ascii() => Some(character),
        _ if character.is_whitespace() => Some(' '),
        _ => digits::in_ascii(character),
    };
    text.chars().map(alike).collect::<Option<String>>().map(Cow::Owned)
}

/// The text without what C counts as white space.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| matches!(character, ' ' | '\t'..='\r'))
}

/// The text without its underscores, when each of them stands between digits.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut underscores = (0..bytes.len()).filter(|&at| bytes[at] == b'_');
    let well_placed = underscores.all(|at| at > 0 && digit(at - 1) && digit(at + 1));
    well_placed.then(|| Cow::Owned(text.replace('_', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("1_000.5_0e1_0", 1000.5e10),
            (" \t\u{b}1.\r", 1.0),
            ("+.5", 0.5),
            ("-Infinity", f64::NEG_INFINITY),
            ("\u{a0}\u{ff11}\u{0662}\u{3000}", 12.0),
            ("\u{1d7d9}\u{1fbf3}", 13.0),
            ("1\0\0", 1.0),
        ] {
            assert_eq!(float(text), Some(expected), "{text:?}");
        }
        assert!(float("-nan").unwrap().is_nan());
        for text in
            ["", " ", "\0", "1\u{0}1", "\u{1c}1", "1__0", "_1", "1_", "1_.5", "1e_5", "0x10", "½", "\u{feff}1", "1 1"]
        {
            assert_eq!(float(text), None, "{text:?}");
        }
    }

    #[test]
    fn integers_are_read_as_python_reads_them() {
        for (text, expected) in [("+7", 7), (" 007\t", 7), ("-0", 0), ("1_0", 10), ("\u{ff15}", 5), ("-3", -3)] {
            assert_eq!(integer(text), Some(expected), "{text:?}");
        }
        for text in ["", "1.0", "1e3", "nan", "9223372036854775808", "+ 1", "--1"] {
            assert_eq!(integer(text), None, "{text:?}");
        }
    }
}
