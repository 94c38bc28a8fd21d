//! Reads JSON as XGBoost writes it: with bare `NaN` and `Infinity`, which JSON itself does not have.

use std::borrow::Cow;

use crate::cursor::Cursor;
use crate::error::Result;
use crate::value::{DEPTH_MAX, Elements, Value};

/// The one value that the text holds.
pub(crate) fn parse(text: &[u8]) -> Result<Value<'_>> {
    let mut reader = Reader(Cursor::new(text));
    let value = reader.value(0)?;
    match reader.next_token() {
        None => Ok(value),
        Some(_) => Err(reader.0.complaint("expected the end of the file")),
    }
}

struct Reader<'a>(Cursor<'a>);

impl<'a> Reader<'a> {
    /// The first byte that is not white space, unread.
    fn next_token(&mut self) -> Option<u8> {
        self.0.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.0.peek()
    }

    fn expect(&mut self, expected: u8) -> Result<()> {
        match self.next_token() {
            Some(found) if found == expected => self.0.take(1).map(drop),
            _ => Err(self.0.complaint(format_args!("expected '{}'", char::from(expected)))),
        }
    }

    /// Reads past `byte` if it comes next.
    fn accept(&mut self, byte: u8) -> bool {
        self.next_token() == Some(byte) && self.0.take(1).is_ok()
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>> {
        if depth > DEPTH_MAX {
            return Err(self.0.complaint(format_args!("nested deeper than {DEPTH_MAX}")));
        }
        match self.next_token() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.text().map(Value::Text),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>> {
        self.expect(b'{')?;
        let mut members = Vec::new();
        if self.accept(b'}') {
            return Ok(Value::object(members));
        }
        loop {
            self.next_token();
            let name = self.text()?;
            self.expect(b':')?;
            members.push((name, self.value(depth + 1)?));
            if !self.accept(b',') {
                self.expect(b'}')?;
                // XGBoost overwrites a member with a later one of the same name; in UBJSON it keeps the first.
                members.reverse();
                return Ok(Value::object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>> {
        self.expect(b'[')?;
        let mut elements = Elements::new();
        if self.accept(b']') {
            return Ok(elements.finish());
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if !self.accept(b',') {
                self.expect(b']')?;
                return Ok(elements.finish());
            }
        }
    }

    /// Text without escapes is borrowed; `serde_json` undoes the escapes of the rest.
    fn text(&mut self) -> Result<Cow<'a, str>> {
        let start = self.0.clone();
        self.expect(b'"')?;
        let mut has_escapes = false;
        let mut length = 0;
        loop {
            length += 1;
            match self.0.u8()? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.0.u8()?;
                    length += 1;
                }
                _ => {}
            }
        }
        let quoted = start.clone().take(length + 1)?;
        let refused = |cause: Box<dyn std::error::Error + Send + Sync>| {
            start.complaint("expected text in UTF-8 with JSON's escapes").caused_by(cause)
        };
        if has_escapes {
            return serde_json::from_slice(quoted).map(Cow::Owned).map_err(|cause| refused(cause.into()));
        }
        std::str::from_utf8(&quoted[1..length]).map(Cow::Borrowed).map_err(|cause| refused(cause.into()))
    }

    /// A number or one of the bare words.
    fn word(&mut self) -> Result<Value<'a>> {
        let start = self.0.clone();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        match self.0.take_while(is_part) {
            b"null" => Ok(Value::Null),
            b"true" => Ok(Value::Bool(true)),
            b"false" => Ok(Value::Bool(false)),
            word => number(word).ok_or_else(|| start.complaint("expected a value")),
        }
    }
}

/// Rust reads every spelling of a number, NaN and infinity that XGBoost writes, rounding a decimal once.
fn number(word: &[u8]) -> Option<Value<'static>> {
    let word = std::str::from_utf8(word).ok()?;
    let integer = word.parse().ok().map(Value::Integer);
    integer.or_else(|| word.parse().ok().map(Value::Float))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let value =
            parse(br#" {"a": [1, 2], "b": [NaN, -Infinity, 1E-1], "c\u00e9": "x\n", "d": [true, null, {}], "e":-3} "#);
        let value = value.unwrap();
        assert_eq!(value.find("a"), Some(&Value::Integers(vec![1, 2])));
        assert_eq!(value.read("b", Value::floats).unwrap()[1..], [f32::NEG_INFINITY, 0.1]);
        assert!(value.read("b", Value::floats).unwrap()[0].is_nan());
        assert_eq!(value.find("c\u{e9}"), Some(&Value::Text("x\n".into())));
        assert_eq!(value.find("d").unwrap().elements().unwrap().len(), 3);
        assert_eq!(value.find("e"), Some(&Value::Integer(-3)));
    }

    #[test]
    fn the_last_of_several_members_counts() {
        assert_eq!(parse(br#"{"a": 1, "a": 2}"#).unwrap().find("a"), Some(&Value::Integer(2)));
    }

    #[test]
    fn what_is_not_json_is_refused_at_its_offset() {
        let check = |text: &str, place: &str| assert_eq!(parse(text.as_bytes()).unwrap_err().place(), place, "{text}");
        check("", "offset 0");
        check("{\"a\" 1}", "offset 5");
        check("[1, x]", "offset 4");
        check("[1 2]", "offset 3");
        check("\"abc", "offset 4");
        check("{} {}", "offset 3");
        check(&"[".repeat(1000), "offset 65");
    }
}
