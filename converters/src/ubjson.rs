//! Reads UBJSON (draft 12) as XGBoost writes it: big-endian, with typed and counted arrays.

use std::borrow::Cow;

use crate::cursor::Cursor;
use crate::error::Result;
use crate::value::{DEPTH_MAX, Elements, Kind, Packed, Value, narrowed};

/// The one value that the bytes hold.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value<'_>> {
    let mut reader = Reader(Cursor::new(bytes));
    let value = reader.marked_value(0)?;
    match reader.0.remaining() {
        0 => Ok(value),
        rest => Err(reader.0.complaint(format_args!("expected the end of the file, {rest} bytes follow"))),
    }
}

struct Reader<'a>(Cursor<'a>);

impl<'a> Reader<'a> {
    fn marked_value(&mut self, depth: usize) -> Result<Value<'a>> {
        let marker = self.0.u8()?;
        self.value(marker, depth)
    }

    fn value(&mut self, marker: u8, depth: usize) -> Result<Value<'a>> {
        if depth > DEPTH_MAX {
            return Err(self.0.complaint(format_args!("nested deeper than {DEPTH_MAX}")));
        }
        match marker {
            b'Z' => Ok(Value::Null),
            b'T' => Ok(Value::Bool(true)),
            b'F' => Ok(Value::Bool(false)),
            b'd' | b'D' => self.float(marker).map(Value::Float),
            b'S' => self.text().map(Value::Text),
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            _ => self.integer(marker).map(Value::Integer),
        }
    }

    fn integer(&mut self, marker: u8) -> Result<i64> {
        match marker {
            b'i' => self.0.array().map(|bytes| i8::from_be_bytes(bytes).into()),
            b'U' => self.0.u8().map(Into::into),
            b'I' => self.0.array().map(|bytes| i16::from_be_bytes(bytes).into()),
            b'l' => self.0.array().map(|bytes| i32::from_be_bytes(bytes).into()),
            b'L' => self.0.array().map(i64::from_be_bytes),
            _ => Err(self.0.complaint(format_args!("marker {marker:#04x} starts no known value"))),
        }
    }

    fn float(&mut self, marker: u8) -> Result<f32> {
        match marker {
            b'd' => self.0.array().map(f32::from_be_bytes),
            _ => self.0.array().map(f64::from_be_bytes).map(narrowed),
        }
    }

    fn count(&mut self) -> Result<u64> {
        let marker = self.0.u8()?;
        let count = self.integer(marker)?;
        u64::try_from(count).map_err(|_| self.0.complaint(format_args!("a count of {count}")))
    }

    fn text(&mut self) -> Result<Cow<'a, str>> {
        let length = self.count()?;
        let start = self.0.clone();
        let text = self.0.take_counted(length)?;
        let refused = |cause| start.complaint("expected text in UTF-8").caused_by(cause);
        std::str::from_utf8(text).map(Cow::Borrowed).map_err(refused)
    }

    /// Reads past `byte` if it comes next.
    fn accept(&mut self, byte: u8) -> bool {
        self.0.peek() == Some(byte) && self.0.u8().is_ok()
    }

    /// Whether a container whose count may be given has no more elements; reads past `end` where it is not counted.
    fn is_over(&mut self, count: Option<u64>, seen: u64, end: u8) -> bool {
        count.map_or_else(|| self.accept(end), |count| seen >= count)
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>> {
        let count = if self.accept(b'#') { Some(self.count()?) } else { None };
        let mut members = Vec::new();
        while !self.is_over(count, members.len() as u64, b'}') {
            let name = self.text()?;
            members.push((name, self.marked_value(depth + 1)?));
        }
        Ok(Value::object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>> {
        if self.accept(b'$') {
            return self.typed_array();
        }
        let count = if self.accept(b'#') { Some(self.count()?) } else { None };
        let mut elements = Elements::new();
        let mut seen = 0;
        while !self.is_over(count, seen, b']') {
            elements.push(self.marked_value(depth + 1)?);
            seen += 1;
        }
        Ok(elements.finish())
    }

    /// Only types whose elements take bytes are accepted, so that a count never asks for more memory than there is file.
    fn typed_array(&mut self) -> Result<Value<'a>> {
        let marker = self.0.u8()?;
        let Some(kind) = Kind::of(marker) else {
            return Err(self.0.complaint(format_args!("arrays of type {marker:#04x} are not known")));
        };
        if !self.accept(b'#') {
            return Err(self.0.complaint("expected '#' and the count of a typed array"));
        }
        let count = self.count()?;
        let bytes = self.0.take_counted(count.saturating_mul(kind.bytes()))?;
        Ok(Value::Packed(Packed { kind, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let bytes = b"{U\x01a[$l#U\x02\0\0\0\x05\xff\xff\xff\xffU\x01b[$d#i\x01\x3f\x80\0\0U\x01c[TSU\x01x]U\x01d[#U\x01ZU\x01eI\x01\0}";
        let value = parse(bytes).unwrap();
        assert_eq!(*value.member("a").unwrap().integers().unwrap(), [5, -1]);
        assert_eq!(*value.member("b").unwrap().floats().unwrap(), [1.0]);
        assert_eq!(value.find("c"), Some(&Value::Array(vec![Value::Bool(true), Value::Text("x".into())])));
        assert_eq!(value.find("d"), Some(&Value::Array(vec![Value::Null])));
        assert_eq!(value.find("e"), Some(&Value::Integer(256)));
    }

    #[test]
    fn typed_arrays_hold_what_their_elements_would_one_by_one() {
        for (marker, width) in [(b'i', 1), (b'U', 1), (b'I', 2), (b'l', 4), (b'L', 8), (b'd', 4), (b'D', 8)] {
            let bytes: Vec<u8> = (0..=255).rev().chain(0..=255).collect();
            let count = i16::try_from(bytes.len() / width).unwrap().to_be_bytes();
            let typed = [b"[$", &[marker][..], b"#I", &count, &bytes].concat();
            let marked = bytes.chunks(width).flat_map(|element| [&[marker], element].concat());
            let marked = [b"[".to_vec(), marked.collect(), b"]".to_vec()].concat();
            let (typed, marked) = (parse(&typed).unwrap(), parse(&marked).unwrap());
            let bits =
                |value: &Value<'_>| value.floats().unwrap().iter().map(|float| float.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&typed), bits(&marked), "{marker}");
            assert_eq!(typed.integers().ok(), marked.integers().ok(), "{marker}");
            assert_eq!(typed.integers().is_ok(), !matches!(marker, b'd' | b'D'));
        }
    }

    #[test]
    fn the_first_of_several_members_counts() {
        assert_eq!(parse(b"{U\x01aU\x01U\x01aU\x02}").unwrap().find("a"), Some(&Value::Integer(1)));
    }

    #[test]
    fn what_is_not_ubjson_is_refused_at_its_offset() {
        let check = |bytes: &[u8], place: &str| assert_eq!(parse(bytes).unwrap_err().place(), place, "{bytes:?}");
        check(b"", "offset 0");
        check(b"[$T#L\x7f\xff\xff\xff\xff\xff\xff\xff", "offset 3");
        check(b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff", "offset 13");
        check(b"[#i\xff", "offset 4");
        check(b"SU\x02\xff\xff", "offset 3");
        check(b"ZZ", "offset 1");
        check(&[b'['; 1000], "offset 66");
    }
}
