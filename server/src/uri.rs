//! Percent-decoding of paths and queries.

use std::borrow::Cow;

use memchr::memchr;

/// The text that one segment of a path stands for; `None` when it is cut short or not UTF-8.
pub(crate) fn decode(segment: &str) -> Option<Cow<'_, str>> {
    let mut rest = segment.as_bytes();
    let mut decoded = Vec::new();
    while let Some(at) = memchr(b'%', rest) {
        decoded.reserve_exact(rest.len());
        decoded.extend_from_slice(&rest[..at]);
        let [high, low] = *rest.get(at + 1..)?.first_chunk()?;
        decoded.push(digit(high)? << 4 | digit(low)?);
        rest = &rest[at + 3..];
    }
    if rest.len() == segment.len() {
        return Some(Cow::Borrowed(segment));
    }
    decoded.extend_from_slice(rest);
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// The value of the first parameter called `name` in a query, where `+` is a space.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let decoded = |text: &str| decode(&text.replace('+', " ")).map(Cow::into_owned);
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| decoded(key).as_deref() == Some(name)).and_then(|(_, value)| decoded(value))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(decode("a b+c").unwrap(), "a b+c");
        assert_eq!(decode("NY%2Fmodel%2etar%252Fgz%C3%A9").unwrap(), "NY/model.tar%2Fgzé");
    }

    #[test]
    fn broken_escapes_are_refused() {
        for broken in ["%", "%4", "%zz", "a%f", "%ff", "%+1"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    #[test]
    fn parameters_are_found_by_name() {
        let query = "limit=2&model_name=a+b%2Bc&model_name=second&empty=&flag";
        assert_eq!(parameter(query, "model_name").unwrap(), "a b+c");
        assert_eq!(parameter(query, "empty").unwrap(), "");
        assert_eq!(parameter(query, "flag").unwrap(), "");
        assert_eq!(parameter(query, "mode"), None);
        assert_eq!(parameter("", "limit"), None);
    }
}
