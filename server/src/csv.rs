//! Reads delimited rows straight from the received bytes into a [`Matrix`]: no string and no row is made on the way.
//!
//! The grammar is that of AWS's `XGBoost` container: cells are what stands between delimiters (there is no quoting and no
//! header), an empty cell is missing, everything else is a Python float, read as a double and then narrowed.

use crate::{
    error::{Error, ErrorKind, Result},
    matrix::Matrix,
};

mod cell;

use cell::{Cell, Fault};

/// What stands between cells unless told otherwise.
pub const COMMA: u8 = b',';

/// How much of a cell that cannot be read is shown, in characters.
const SHOWN_CHARACTERS_MAX: usize = 32;

/// Reads the rows in `body` into `matrix`, whose former rows are forgotten.
///
/// White space around the whole body is not read; lines end in LF or CRLF.
///
/// # Errors
/// [`ErrorKind::EmptyBody`] for no bytes at all; [`ErrorKind::InvalidRows`], with the place (counted from 1) and the text
/// found there, for a cell that is no number or does not fit an `f32`, and for rows that differ in length.
pub fn read(body: &[u8], delimiter: u8, matrix: &mut Matrix) -> Result<()> {
    matrix.clear();
    if body.is_empty() {
        return Err(Error::new(ErrorKind::EmptyBody, "the body is empty"));
    }
    let body = body.trim_ascii();
    if body.is_empty() {
        return Err(Error::new(ErrorKind::InvalidRows, "the body holds white space and no rows"));
    }
    read_cells(body, delimiter, matrix)
}

fn read_cells(body: &[u8], delimiter: u8, matrix: &mut Matrix) -> Result<()> {
    let (mut at, mut row, mut column) = (0, 1, 1);
    loop {
        let Cell { value, bytes } = cell::read(&body[at..], delimiter);
        let end = at + bytes;
        let value = value.map_err(|fault| complain(fault, row, column, &body[at..end]))?;
        matrix.values.push(value);
        match body.get(end) {
            Some(&byte) if byte != b'\n' => column += 1,
            next => {
                end_row(matrix, row, column)?;
                if next.is_none() {
                    return Ok(());
                }
                (row, column) = (row + 1, 1);
            }
        }
        at = end + 1;
    }
}

fn end_row(matrix: &mut Matrix, row: usize, columns: usize) -> Result<()> {
    if row == 1 {
        matrix.columns = columns;
    }
    if matrix.columns == columns {
        return Ok(());
    }
    let message = format!("row {row} has {columns} columns, expected {} as in row 1", matrix.columns);
    Err(Error::new(ErrorKind::InvalidRows, message))
}

fn complain(fault: Fault, row: usize, column: usize, text: &[u8]) -> Error {
    let text = shown(text.strip_suffix(b"\r").unwrap_or(text));
    let message = match fault {
        Fault::NoNumber => format!("row {row}, column {column}: could not convert string to float: '{text}'"),
        Fault::TooLarge => {
            format!("row {row}, column {column}: '{text}' is infinite or too large, expected a 32-bit float")
        }
    };
    Error::new(ErrorKind::InvalidRows, message)
}

fn shown(text: &[u8]) -> String {
    let bytes_max = SHOWN_CHARACTERS_MAX * 4;
    let text = String::from_utf8_lossy(&text[..text.len().min(bytes_max)]);
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
