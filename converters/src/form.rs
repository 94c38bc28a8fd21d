//! The forms a model file comes in, told apart by content alone.

use std::fmt;

/// The form of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A Python pickle.
    Pickle,
    /// XGBoost's legacy binary form as it was up to 1.1, which has no signature.
    Legacy,
    /// XGBoost's legacy binary form after the signature `binf` (1.2 to 3.0).
    LegacySigned,
    /// XGBoost's legacy binary form and its configuration (the inside of pickles from 1.0 to 1.2).
    LegacyConfigured,
    /// XGBoost's JSON.
    Json,
    /// XGBoost's UBJSON.
    Ubjson,
    /// An ONNX model.
    Onnx,
    /// None of these.
    Unknown,
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pickle => "Python pickle",
            Self::Legacy => "XGBoost legacy binary",
            Self::LegacySigned => "XGBoost legacy binary with signature",
            Self::LegacyConfigured => "XGBoost legacy binary with configuration",
            Self::Json => "XGBoost JSON",
            Self::Ubjson => "XGBoost UBJSON",
            Self::Onnx => "ONNX",
            Self::Unknown => "unknown form",
        })
    }
}

/// The signature of [`Form::LegacySigned`].
pub(crate) const LEGACY_SIGNATURE: &[u8] = b"binf";
/// The signature of [`Form::LegacyConfigured`].
pub(crate) const CONFIGURED_SIGNATURE: &[u8] = b"CONFIG-offset:";
/// Where the objective's name stands in [`Form::Legacy`]: behind a length of eight bytes.
const LEGACY_OBJECTIVE_OFFSET: usize = 136;

/// The form of a file with this content.
///
/// A file of the right form can still be malformed: recognising looks at a few bytes only.
#[must_use]
pub fn recognise(bytes: &[u8]) -> Form {
    match bytes {
        _ if bytes.starts_with(CONFIGURED_SIGNATURE) => Form::LegacyConfigured,
        _ if bytes.starts_with(LEGACY_SIGNATURE) => Form::LegacySigned,
        [b'{', b'"' | b'}' | b' ' | b'\t' | b'\r' | b'\n', ..] => Form::Json,
        [b'{', b'i' | b'U' | b'I' | b'l' | b'L' | b'#' | b'$', ..] => Form::Ubjson,
        _ if is_legacy(bytes) => Form::Legacy,
        [0x80, 0..=5, ..] => Form::Pickle,
        _ if is_text_pickle(bytes) => Form::Pickle,
        _ if is_onnx(bytes) => Form::Onnx,
        _ => Form::Unknown,
    }
}

/// Without a signature, the objective's name at its fixed place is what tells the legacy form.
fn is_legacy(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.get(LEGACY_OBJECTIVE_OFFSET..).and_then(<[u8]>::split_first_chunk) else {
        return false;
    };
    let length = u64::from_le_bytes(*length);
    let is_name = |name: &[u8]| name.contains(&b':') && name.iter().all(u8::is_ascii_graphic);
    length <= 64 && usize::try_from(length).is_ok_and(|length| rest.get(..length).is_some_and(is_name))
}

/// Pickles of protocol 0 and 1 have no signature: an object's begins with a class or a mark and ends with a full stop.
fn is_text_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [b'c' | b'(', .., b'.']) && bytes[1..].iter().take(64).any(|&byte| byte == b'\n')
}

/// An ONNX file is a chain of known protocol buffer fields, of which the graph is one.
fn is_onnx(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut has_graph = false;
    while let Some((tag, after)) = varint(rest) {
        rest = match (tag >> 3, tag & 7) {
            (1 | 5, 0) => match varint(after) {
                Some((_, after)) => after,
                None => return false,
            },
            (field @ (2 | 3 | 4 | 6 | 7 | 8 | 14 | 20 | 25 | 26), 2) => {
                let after = varint(after).and_then(|(length, after)| after.get(usize::try_from(length).ok()?..));
                let Some(after) = after else { return false };
                has_graph |= field == 7;
                after
            }
            _ => return false,
        };
    }
    has_graph && rest.is_empty()
}

/// The protocol buffer number at the start of `bytes` and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (place, &byte) in bytes.iter().take(10).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some((number, &bytes[place + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_told_apart() {
        let check = |bytes: &[u8], form| assert_eq!(recognise(bytes), form, "{bytes:?}");
        check(b"CONFIG-offset:\0\0\0\0\0\0\0\0", Form::LegacyConfigured);
        check(b"binf\0\0\0\x3f", Form::LegacySigned);
        check(b"{\"learner\":{}}", Form::Json);
        check(b"{L\0\0\0\0\0\0\0\x07learner", Form::Ubjson);
        check(b"\x80\x04\x95", Form::Pickle);
        check(b"ccopy_reg\n_reconstructor\np0\n.", Form::Pickle);
        check(b"\x08\x08\x3a\x00", Form::Onnx);
        check(b"\x08\x08\x3a\x01", Form::Unknown);
        check(b"", Form::Unknown);
        check(&[0; 400], Form::Unknown);
    }

    #[test]
    fn the_legacy_form_shows_its_objective() {
        let mut bytes = vec![0; LEGACY_OBJECTIVE_OFFSET];
        bytes.extend(10u64.to_le_bytes());
        bytes.extend(b"reg:linear");
        assert_eq!(recognise(&bytes), Form::Legacy);
        assert_eq!(recognise(&bytes[..bytes.len() - 1]), Form::Unknown);
    }
}
