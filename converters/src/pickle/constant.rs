//! Pickle's constants: instructions that make one object of the bytes that follow them.

use std::borrow::Cow;

use super::heap::Object;
use super::text;
use crate::cursor::Cursor;
use crate::error::{Error, Result};

/// A complaint about the instruction just read.
pub(super) fn complaint(cursor: &Cursor<'_>, message: impl std::fmt::Display) -> Error {
    cursor.complaint(format_args!("{message} (in the pickle's instruction before this)"))
}

/// What `read` makes of the next line.
pub(super) fn line<'a, T>(cursor: &mut Cursor<'a>, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Result<T> {
    let line = cursor.take_until(b'\n')?;
    read(line).ok_or_else(|| complaint(cursor, "a line that cannot be read"))
}

/// The object that the constant of this instruction is.
pub(super) fn read<'a>(cursor: &mut Cursor<'a>, opcode: u8) -> Result<Object<'a>> {
    match opcode {
        b'N' => Ok(Object::None),
        0x88 | 0x89 => Ok(Object::Bool),
        b'F' => line(cursor, |line| text::number::<f64>(line).map(|_| Object::Float)),
        b'G' => cursor.take(8).map(|_| Object::Float),
        b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b => integer(cursor, opcode),
        b'V' | b'X' | 0x8c | 0x8d => unicode(cursor, opcode).map(Object::Text),
        b'S' | b'T' | b'U' | b'B' | b'C' | 0x8e | 0x96 => bytes(cursor, opcode).map(Object::Bytes),
        _ => Err(complaint(cursor, format_args!("a pickled booster does not need instruction {opcode:#04x}"))),
    }
}

/// Whole numbers; one that does not fit into 64 bits is kept as an object without a value.
fn integer<'a>(cursor: &mut Cursor<'a>, opcode: u8) -> Result<Object<'a>> {
    let integer = match opcode {
        b'I' | b'L' => return line(cursor, |line| Some(text::number(line).map_or(Object::None, Object::Integer))),
        b'J' => cursor.i32_little()?.into(),
        b'K' => cursor.u8()?.into(),
        b'M' => cursor.u16_little()?.into(),
        _ => {
            let length = if opcode == 0x8a { cursor.u8()?.into() } else { cursor.u32_little()? };
            return Ok(signed(cursor.take_counted(length.into())?).map_or(Object::None, Object::Integer));
        }
    };
    Ok(Object::Integer(integer))
}

/// A little-endian number in two's complement of up to eight bytes.
fn signed(bytes: &[u8]) -> Option<i64> {
    let fill = if bytes.last().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
    let mut whole = [fill; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

fn unicode<'a>(cursor: &mut Cursor<'a>, opcode: u8) -> Result<Cow<'a, str>> {
    let bytes = match opcode {
        b'V' => return line(cursor, text::raw_unicode),
        0x8c => counted_by_byte(cursor)?,
        b'X' => counted_by_word(cursor)?,
        _ => counted_by_long(cursor)?,
    };
    let text = std::str::from_utf8(bytes).map(Cow::Borrowed);
    text.map_err(|cause| complaint(cursor, "expected text in UTF-8").caused_by(cause))
}

fn bytes<'a>(cursor: &mut Cursor<'a>, opcode: u8) -> Result<Cow<'a, [u8]>> {
    match opcode {
        b'S' => line(cursor, text::quoted),
        b'U' | b'C' => counted_by_byte(cursor).map(Cow::Borrowed),
        b'T' | b'B' => counted_by_word(cursor).map(Cow::Borrowed),
        _ => counted_by_long(cursor).map(Cow::Borrowed),
    }
}

fn counted_by_byte<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let count = cursor.u8()?;
    cursor.take_counted(count.into())
}

fn counted_by_word<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let count = cursor.u32_little()?;
    cursor.take_counted(count.into())
}

fn counted_by_long<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let count = cursor.u64_little()?;
    cursor.take_counted(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer_of(opcode: u8, bytes: &[u8]) -> Option<i64> {
        match read(&mut Cursor::new(bytes), opcode).unwrap() {
            Object::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    #[test]
    fn whole_numbers_of_every_kind_are_read() {
        assert_eq!(integer_of(b'I', b"12\n"), Some(12));
        assert_eq!(integer_of(b'L', b"-3L\n"), Some(-3));
        assert_eq!(integer_of(b'J', b"\xff\xff\xff\xff"), Some(-1));
        assert_eq!(integer_of(b'M', b"\x00\x01"), Some(256));
        assert_eq!(integer_of(0x8a, b"\x02\x00\x80"), Some(-32768));
        assert_eq!(integer_of(0x8a, b"\x00"), Some(0));
        assert_eq!(integer_of(0x8a, b"\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01"), None);
    }

    #[test]
    fn a_length_beyond_the_file_is_refused() {
        for opcode in *b"TUBCX\x8a\x8b\x8c\x8d\x8e\x96" {
            assert!(read(&mut Cursor::new(&[0x7f; 9]), opcode).is_err(), "{opcode:#04x}");
        }
    }
}
