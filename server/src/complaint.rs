//! What readers say about rows that cannot be read: the place, what was found there and what was expected.

use std::fmt::Display;

use crate::error::{Error, ErrorKind};

/// How much of a text that cannot be read is shown, in characters.
const SHOWN_CHARACTERS_MAX: usize = 32;

/// Rows that cannot be read, for a reason that names its place.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRows, message)
}

/// Rows that can be read and yet not be predicted: they do not fit the model, or are more than is held at once.
pub(crate) fn unfit(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::UnfitRows, message)
}

/// No bytes at all.
pub(crate) fn empty() -> Error {
    Error::new(ErrorKind::EmptyBody, "the body is empty")
}

/// A text that is no number, in the words of Python.
pub(crate) fn no_number(place: impl Display, text: &[u8]) -> Error {
    invalid(format!("{place}: could not convert string to float: '{}'", shown(text)))
}

/// A number that is infinite as a 32-bit float.
pub(crate) fn too_large(place: impl Display, text: &[u8]) -> Error {
    invalid(format!("{place}: '{}' is infinite or too large, expected a 32-bit float", shown(text)))
}

/// Rows that differ in length.
pub(crate) fn ragged(row: usize, columns: usize, expected: usize) -> Error {
    invalid(format!("row {row} has {columns} columns, expected {expected} as in row 1"))
}

/// The start of a text, fit for a message.
pub(crate) fn shown(text: &[u8]) -> String {
    let bytes_max = SHOWN_CHARACTERS_MAX * 4;
    let is_cut = text.len() > bytes_max;
    let text = String::from_utf8_lossy(&text[..text.len().min(bytes_max)]);
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS_MAX).flat_map(char::escape_debug).collect();
    if is_cut || text.chars().nth(SHOWN_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_odd_ones_escaped() {
        assert_eq!(shown(b"a'b\r"), "a\\'b\\r");
        assert_eq!(shown("ß".repeat(33).as_bytes()), format!("{}…", "ß".repeat(32)));
        assert_eq!(shown(&[b'x'; 32]), "x".repeat(32));
        assert_eq!(shown(b"\xff"), "\u{fffd}");
    }
}
