//! The names of what the cache holds.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{pack::format, reading::Reading};

/// Raised when a conversion of the same artifact comes out differently.
const CONVERSION: u32 = 3;

/// The name of a conversion: one state of one artifact, converted by this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// The key of `version` of the artifact `name` of the source at `location`, as `reading` has it.
    pub(crate) fn new(location: &str, name: &str, version: &str, reading: Reading) -> Self {
        let mut digest = Sha256::new();
        for part in [location, name, version] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        digest.update(reading.code());
        digest.update(CONVERSION.to_le_bytes());
        digest.update(format::VERSION.to_le_bytes());
        Self(digest.finalize().into())
    }

    /// The key of what was used last of the artifact `name`, whatever its version.
    pub(crate) fn of_latest(location: &str, name: &str, reading: Reading) -> Self {
        // No source has such a version.
        Self::new(location, name, "\0latest", reading)
    }

    /// The key of what is noted of the source at `location`.
    pub(super) fn of_source(location: &str) -> Self {
        Self(Sha256::digest(location).into())
    }

    /// The key that is written so.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut key = [0; 32];
        if digits.len() != 2 * key.len() {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
            *byte = u8::try_from(high? << 4 | low?).ok()?;
        }
        Some(Self(key))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
        let text: String = self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use thicket_converters::BestIteration;

    use super::*;

    #[test]
    fn keys_differ_when_any_part_does() {
        let keys = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("a", "b", "d")];
        let readings = [true, false].map(|ensemble| {
            [BestIteration::AsToday, BestIteration::Legacy].map(|best_iteration| Reading { ensemble, best_iteration })
        });
        let keys =
            keys.iter().flat_map(|(l, n, v)| readings.as_flattened().iter().map(|reading| Key::new(l, n, v, *reading)));
        assert_eq!(keys.collect::<HashSet<_>>().len(), 16);
    }

    #[test]
    fn what_is_written_is_read() {
        let key = Key::new("s3://bucket", "a", "1", Reading::default());
        let text = key.to_string();
        assert_eq!((text.len(), Key::parse(&text)), (64, Some(key)));
        for text in ["", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "x"), &"é".repeat(32)] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }
}
