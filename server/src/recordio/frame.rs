//! `RecordIO`'s frames: a magic number, a length and that many bytes, filled up to a multiple of four.

use std::fmt;

use super::{
    tensor::{self, Tensor},
    wire::Broken,
};
use crate::{complaint::invalid, error::Result};

/// What every frame starts with.
pub(super) const MAGIC: u32 = 0xced7_230a;

/// The bytes of the smallest frame: a magic number and a length of 0.
pub const FRAME_BYTES_MIN: usize = 8;

/// The frames of a body that are not read yet.
pub(super) struct Frames<'a> {
    body: &'a [u8],
    at: usize,
    rows: usize,
}

/// A record and where it lies.
pub(super) struct Record<'a> {
    bytes: &'a [u8],
    start: usize,
    /// Its number, from 1 on.
    pub(super) row: usize,
}

impl<'a> Frames<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0, rows: 0 }
    }

    /// The next record. Bytes at the end that are too few for a frame are none.
    pub(super) fn next(&mut self) -> Result<Option<Record<'a>>> {
        let Some((magic, rest)) = self.body[self.at..].split_first_chunk() else { return Ok(None) };
        let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
        if u32::from_le_bytes(*magic) != MAGIC {
            return Err(invalid(format!("Invalid RecordIO magic at offset {}", self.at)));
        }
        let start = self.at + size_of_val(magic) + size_of_val(length);
        let length = u32::from_le_bytes(*length) as usize;
        let filled = length.next_multiple_of(4);
        if filled > rest.len() {
            let found = rest.len();
            return Err(invalid(format!("Truncated record at offset {start}: expected {filled} bytes, found {found}")));
        }
        self.at = start + filled;
        self.rows += 1;
        Ok(Some(Record { bytes: &rest[..length], start, row: self.rows }))
    }
}

impl<'a> Record<'a> {
    /// The tensor that is the row.
    pub(super) fn tensor(&self) -> Result<Tensor<'a>> {
        let tensor = self.placed(tensor::of_record(self.bytes))?;
        self.placed(tensor.ok_or("a feature 'values' with a tensor of float32, float64 or int32"))
    }

    /// The outcome with this record's place in its error.
    pub(super) fn placed<T>(&self, outcome: Result<T, Broken>) -> Result<T> {
        outcome.map_err(|expected| invalid(format!("{self}: expected {expected}")))
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} at offset {}", self.row, self.start)
    }
}
