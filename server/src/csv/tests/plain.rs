//! The plain reader of rows, with which the fast ones are compared: lines, cells, one number after the other.

use super::super::{Fault, complain, end_row, rows_of};
use crate::{error::Result, matrix::Matrix, matrix::narrow, python};

/// Reads the rows in `body` into `matrix`, as [`read`](super::super::read) should.
pub(super) fn read(body: &[u8], delimiter: u8, matrix: &mut Matrix) -> Result<()> {
    let body = rows_of(body, matrix)?;
    for (line, row) in body.split(|&byte| byte == b'\n').zip(1..) {
        let mut columns = 0;
        for cell in line.split(|&byte| byte == delimiter) {
            columns += 1;
            matrix.values.push(number(cell).map_err(|fault| complain(fault, row, columns, cell))?);
        }
        end_row(matrix, row, columns)?;
    }
    Ok(())
}

fn number(cell: &[u8]) -> Result<f32, Fault> {
    if cell.is_empty() {
        return Ok(f32::NAN);
    }
    let double = str::from_utf8(cell).ok().and_then(python::float).ok_or(Fault::NoNumber)?;
    narrow(double).ok_or(Fault::TooLarge)
}
