//! Reads delimited rows straight from the received bytes into a [`Matrix`]: no string and no row is made on the way.
//!
//! The grammar is that of AWS's `XGBoost` container: the first line tells the delimiter, cells are what stands between
//! delimiters (there is no quoting), an empty cell is missing, everything else is a Python float, read as a double and
//! then narrowed.

use crate::{
    columns::Columns,
    complaint,
    error::{Error, Result},
    matrix::Matrix,
};

mod cell;
mod decimal;
mod delimiter;
mod header;
mod partial;
#[cfg(target_arch = "x86_64")]
mod vector;
#[cfg(not(target_arch = "x86_64"))]
#[path = "csv/vectorless.rs"]
mod vector;

use cell::{Cell, Fault};
use vector::Vectors;

pub use partial::Partial;

/// What stands between cells unless told otherwise.
pub const COMMA: u8 = b',';

/// One of the ways in which rows are read, which all come to the same.
#[derive(Clone, Copy, Debug)]
pub struct Way(Option<Vectors>);

impl Way {
    /// The fastest that the processor can.
    #[must_use]
    pub fn fastest() -> Self {
        Self(Vectors::largest())
    }

    /// All that the processor can.
    pub fn all() -> impl Iterator<Item = Self> {
        Vectors::kinds().map(Some).chain([None]).map(Self)
    }
}

/// Reads the rows in `body`, whose first line tells the delimiter, into `matrix`, whose former rows are forgotten.
///
/// With `beyond_aws`, what AWS's container refuses is looked at again: the first line may hold the names of `columns` in
/// any order, and one column of numbers is not split where its first number has a sign.
///
/// # Errors
/// As [`read`], and when the first line names other columns than the model has.
pub fn read_for(body: &[u8], columns: Columns<'_>, beyond_aws: bool, matrix: &mut Matrix) -> Result<()> {
    let body = rows_of(body, matrix)?;
    let delimiter = delimiter::of(body);
    let read = match delimiter {
        Some(delimiter) => read_cells(body, delimiter, 1, matrix),
        None => Err(complaint::invalid("row 1: Could not determine delimiter")),
    };
    let Err(refused) = read else { return Ok(()) };
    if !beyond_aws {
        return Err(refused);
    }
    if !delimiter.is_some_and(delimiter::is_usual) {
        matrix.clear();
        return read_cells(body, COMMA, 1, matrix).map_err(|_| refused);
    }
    header::read(body, delimiter::first_line(body), delimiter.unwrap_or(COMMA), columns, matrix).unwrap_or(Err(refused))
}

/// Reads the rows in `body` into `matrix`, whose former rows are forgotten.
///
/// White space around the whole body is not read; lines end in LF or CRLF. The delimiter is anything but a digit.
///
/// # Errors
/// [`ErrorKind::EmptyBody`](crate::error::ErrorKind::EmptyBody) for no bytes at all;
/// [`ErrorKind::InvalidRows`](crate::error::ErrorKind::InvalidRows), with the place (counted from 1) and the text found
/// there, for a cell that is no number or does not fit an `f32`, and for rows that differ in length.
pub fn read(body: &[u8], delimiter: u8, matrix: &mut Matrix) -> Result<()> {
    read_in(Way::fastest(), body, delimiter, matrix)
}

/// Reads as [`read`], in a given way.
///
/// # Errors
/// As [`read`].
pub fn read_in(way: Way, body: &[u8], delimiter: u8, matrix: &mut Matrix) -> Result<()> {
    read_cells_in(way, rows_of(body, matrix)?, delimiter, 1, matrix)
}

/// The body without the white space around it. Python's includes the vertical tab.
fn rows_of<'a>(body: &'a [u8], matrix: &mut Matrix) -> Result<&'a [u8]> {
    matrix.clear();
    if body.is_empty() {
        return Err(complaint::empty());
    }
    let Some(start) = body.iter().position(|&byte| is_text(byte)) else {
        return Err(complaint::invalid("the body holds white space and no rows"));
    };
    Ok(&body[start..text_end(body)])
}

/// Where the white space at the end begins.
fn text_end(body: &[u8]) -> usize {
    body.iter().rposition(|&byte| is_text(byte)).map_or(0, |last| last + 1)
}

fn is_text(byte: u8) -> bool {
    !matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Appends all lines of `body`, the first of which is `row`.
fn read_cells(body: &[u8], delimiter: u8, row: usize, matrix: &mut Matrix) -> Result<()> {
    read_cells_in(Way::fastest(), body, delimiter, row, matrix)
}

fn read_cells_in(way: Way, body: &[u8], delimiter: u8, row: usize, matrix: &mut Matrix) -> Result<()> {
    if way.0.is_some_and(|vectors| vectors.read(body, delimiter, matrix)) {
        return Ok(());
    }
    read_each(body, delimiter, row, matrix)
}

/// Reads as [`read_cells`], one cell after the other.
fn read_each(body: &[u8], delimiter: u8, mut row: usize, matrix: &mut Matrix) -> Result<()> {
    let (mut at, mut column) = (0, 1);
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
    if matrix.columns == 0 {
        matrix.columns = columns;
    }
    if matrix.columns == columns { Ok(()) } else { Err(complaint::ragged(row, columns, matrix.columns)) }
}

fn complain(fault: Fault, row: usize, column: usize, text: &[u8]) -> Error {
    let place = format!("row {row}, column {column}");
    match fault {
        Fault::NoNumber if text == b"\r" => complaint::no_number(
            format!("{place}, where an empty cell ends the line, expected nan or lines that end in LF alone"),
            text,
        ),
        Fault::NoNumber => complaint::no_number(place, text.strip_suffix(b"\r").unwrap_or(text)),
        Fault::TooLarge => complaint::too_large(place, text.strip_suffix(b"\r").unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests;
