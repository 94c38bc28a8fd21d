//! A reader of binary numbers that never leaves its bytes and knows its offset.

use crate::error::{Error, Result};

/// The unread rest of some bytes.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes not yet read.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// The next byte, unread.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    /// A complaint about what stands at the current offset.
    pub(crate) fn complaint(&self, message: impl std::fmt::Display) -> Error {
        Error::malformed(format_args!("offset {}", self.offset), message)
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.offset..];
        let Some(taken) = rest.get(..count) else {
            return Err(self.complaint(format_args!("expected {count} bytes, {} are left", rest.len())));
        };
        self.offset += count;
        Ok(taken)
    }

    /// The next `count` bytes, where the count was read from the file.
    pub(crate) fn take_counted(&mut self, count: u64) -> Result<&'a [u8]> {
        match usize::try_from(count) {
            Ok(count) => self.take(count),
            Err(_) => Err(self.complaint(format_args!("a length of {count} bytes is longer than the file"))),
        }
    }

    /// What stands before the next `end`, which is consumed but not returned.
    pub(crate) fn take_until(&mut self, end: u8) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.offset..];
        let Some(length) = rest.iter().position(|&byte| byte == end) else {
            return Err(self.complaint(format_args!("expected byte {end:#04x} before the end of the file")));
        };
        self.offset += length + 1;
        Ok(&rest[..length])
    }

    /// What stands before the first byte that is not `wanted`.
    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.bytes[self.offset..];
        let length = rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
        self.offset += length;
        &rest[..length]
    }

    /// The next `N` bytes by value.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16_little(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn i32_little(&mut self) -> Result<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn u32_little(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64_little(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn f32_little(&mut self) -> Result<f32> {
        self.array().map(f32::from_le_bytes)
    }

    /// `count` little-endian floats, where the count was read from the file.
    pub(crate) fn f32s_little(&mut self, count: u64) -> Result<Vec<f32>> {
        let (floats, _) = self.take_counted(count.saturating_mul(4))?.as_chunks();
        Ok(floats.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_order() {
        let mut cursor = Cursor::new(&[1, 2, 0, 0xff, 0xff, 0xff, 0xff, b'a', b'\n', 9]);
        assert_eq!(cursor.u8().unwrap(), 1);
        assert_eq!(cursor.u16_little().unwrap(), 2);
        assert_eq!(cursor.i32_little().unwrap(), -1);
        assert_eq!(cursor.take_until(b'\n').unwrap(), b"a");
        assert_eq!((cursor.offset(), cursor.remaining(), cursor.peek()), (9, 1, Some(9)));
    }

    #[test]
    fn a_count_beyond_the_end_is_refused_with_its_offset() {
        let mut cursor = Cursor::new(&[0; 9]);
        cursor.u8().unwrap();
        let error = cursor.f32s_little(u64::MAX).unwrap_err();
        assert_eq!(error.place(), "offset 1");
        assert_eq!(cursor.f32s_little(2).unwrap(), [0.0, 0.0]);
    }
}
