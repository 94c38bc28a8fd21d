//! Rows of a body that is still arriving.

use std::mem;

use super::{delimiter, is_text, read_cells, text_end};
use crate::matrix::Matrix;

/// No more is read at once. Where a line is longer, it and what follows are left until the body is whole.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// The lines of a body that are complete whatever still arrives, as far as they were read. Such a line is followed by something
/// that is no white space.
#[derive(Debug, Default)]
pub struct Partial {
    /// What the first line tells, once it is complete.
    delimiter: Option<u8>,
    /// White space at the start, and then lines that are in the matrix.
    bytes_read: usize,
    bytes_seen: usize,
    /// Where the text that was seen ends.
    text_end: usize,
    is_over: bool,
    matrix: Matrix,
}

impl Partial {
    /// How many bytes have been looked at.
    #[must_use]
    pub fn bytes_seen(&self) -> usize {
        self.bytes_seen
    }

    /// Whether the rest is left until the body is whole.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads the lines that are complete in `arrived`, all of the body so far. The matrix becomes as large as so many numbers
    /// only where `grants` allows it.
    ///
    /// `false` where there is anything odd: then this is of no use, and the whole body is to be read and complained of.
    #[must_use]
    pub fn read_on(&mut self, arrived: &[u8], grants: impl FnOnce(usize) -> bool) -> bool {
        let Some(end) = self.last_line_end(arrived).filter(|_| !self.is_over) else { return true };
        if self.delimiter.is_none() {
            let start = arrived.iter().position(|&byte| is_text(byte)).filter(|&start| start < end);
            let Some(start) = start else { return true };
            (self.bytes_read, self.delimiter) = (start, delimiter::of(&arrived[start..end]));
        }
        let Some(delimiter) = self.delimiter else { return false };
        let lines = &arrived[self.bytes_read..end];
        self.is_over = lines.len() > PIECE_BYTES_MAX || !self.has_room(lines.len() + 1, grants);
        if self.is_over {
            return true;
        }
        self.bytes_read = end + 1;
        read_cells(lines, delimiter, 1, &mut self.matrix).is_ok()
    }

    /// Reads the rest of `body`, which is whole now, and puts all its rows into `matrix`; `false` where the whole body is to be
    /// read.
    #[must_use]
    pub fn finish(mut self, body: &[u8], matrix: &mut Matrix) -> bool {
        let rest = body.get(self.bytes_read..text_end(body));
        let (Some(delimiter), Some(rest)) = (self.delimiter, rest) else { return false };
        let is_read = read_cells(rest, delimiter, 1, &mut self.matrix).is_ok();
        if is_read {
            mem::swap(matrix, &mut self.matrix);
        }
        is_read
    }

    /// The last line feed in `arrived` that has text behind it, if there is one among what was not seen before.
    fn last_line_end(&mut self, arrived: &[u8]) -> Option<usize> {
        let before = self.text_end;
        let fresh = arrived.get(self.bytes_seen..)?;
        if let Some(last) = fresh.iter().rposition(|&byte| is_text(byte)) {
            self.text_end = self.bytes_seen + last + 1;
        }
        self.bytes_seen = arrived.len();
        let end = arrived[before..self.text_end].iter().rposition(|&byte| byte == b'\n')?;
        Some(before + end)
    }

    /// Whether the matrix has a place for so many numbers more, which it takes where that is granted.
    fn has_room(&mut self, numbers: usize, grants: impl FnOnce(usize) -> bool) -> bool {
        let values = &mut self.matrix.values;
        let wanted = values.len() + numbers;
        if wanted <= values.capacity() {
            return true;
        }
        let capacity = wanted.max(2 * values.capacity());
        let is_granted = grants(capacity);
        if is_granted {
            values.reserve_exact(capacity - values.len());
        }
        is_granted
    }
}

#[cfg(test)]
mod tests;
