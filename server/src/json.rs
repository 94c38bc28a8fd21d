//! Reads rows from JSON and JSON lines straight from the received bytes: no tree is made, and nothing is nested deeper than
//! a row is.
//!
//! A row is an array of numbers, the same as the member `features` of an object, or an object of numbers by the names of the
//! model's features. `null` and `NaN` are missing.

use std::str;

use crate::{
    columns::{Columns, Names},
    complaint::{self, invalid, shown},
    error::Result,
    matrix::{Matrix, narrow},
};

mod scanner;

use scanner::Scanner;

/// The member that holds the rows.
const INSTANCES: &str = "instances";

/// The member of a row that holds its numbers.
const FEATURES: &str = "features";

/// Reads the rows in `body`, one JSON text, into `matrix`, whose former rows are forgotten: `{"instances": […]}`, an array
/// of rows, or one row.
///
/// # Errors
/// [`ErrorKind::EmptyBody`](crate::error::ErrorKind::EmptyBody) for no bytes at all;
/// [`ErrorKind::InvalidRows`](crate::error::ErrorKind::InvalidRows), with the row and the column or the byte (counted from
/// 1), for what is no such text, for infinite numbers, rows that differ in length and names that the model does not have;
/// [`ErrorKind::UnfitRows`](crate::error::ErrorKind::UnfitRows) for more numbers than are held at once.
pub fn read(body: &[u8], columns: Columns<'_>, matrix: &mut Matrix) -> Result<()> {
    let mut reader = Reader::new(body, columns, matrix)?;
    let mut scanner = Scanner::new(body, 0..body.len());
    match scanner.peek() {
        Some(b'[') => reader.array_or_rows(&mut scanner)?,
        _ => reader.object_or_instances(&mut scanner)?,
    }
    scanner.end()?;
    if reader.row == 0 { Err(invalid("there are no rows")) } else { Ok(()) }
}

/// Reads the rows in `body`, one JSON text a line, into `matrix`, whose former rows are forgotten.
///
/// # Errors
/// As [`read`].
pub fn read_lines(body: &[u8], columns: Columns<'_>, matrix: &mut Matrix) -> Result<()> {
    let mut reader = Reader::new(body, columns, matrix)?;
    let rows = &body[..body.trim_ascii_end().len()];
    let mut start = 0;
    for line in rows.split(|&byte| byte == b'\n') {
        let end = start + line.len();
        let mut scanner = Scanner::new(body, start..end);
        reader.row(&mut scanner)?;
        scanner.end()?;
        start = end + 1;
    }
    Ok(())
}

/// Where rows go and what they are held against.
struct Reader<'a> {
    matrix: &'a mut Matrix,
    columns: Columns<'a>,
    names: Option<Names>,
    /// Which columns the row at hand has named.
    is_named: Vec<bool>,
    /// How many rows were begun.
    row: usize,
}

impl<'a> Reader<'a> {
    fn new(body: &[u8], columns: Columns<'a>, matrix: &'a mut Matrix) -> Result<Self> {
        matrix.clear();
        if body.is_empty() {
            return Err(complaint::empty());
        }
        Ok(Self { matrix, columns, names: None, is_named: Vec::new(), row: 0 })
    }

    /// An array of rows, or of numbers, which is one row.
    fn array_or_rows(&mut self, scanner: &mut Scanner<'_>) -> Result<()> {
        let mut ahead = scanner.clone();
        ahead.expect(b'[')?;
        if matches!(ahead.peek(), Some(b'[' | b'{')) { self.rows(scanner) } else { self.row(scanner) }
    }

    /// An object with rows, or one row.
    fn object_or_instances(&mut self, scanner: &mut Scanner<'_>) -> Result<()> {
        let mut ahead = scanner.clone();
        if !ahead.take(b'{') || ahead.peek() != Some(b'"') || ahead.name()? != INSTANCES {
            return self.row(scanner);
        }
        self.rows(&mut ahead)?;
        ahead.expect(b'}')?;
        *scanner = ahead;
        Ok(())
    }

    fn rows(&mut self, scanner: &mut Scanner<'_>) -> Result<()> {
        scanner.expect(b'[')?;
        if scanner.take(b']') {
            return Ok(());
        }
        loop {
            self.row(scanner)?;
            if !scanner.goes_on(b']')? {
                return Ok(());
            }
        }
    }

    fn row(&mut self, scanner: &mut Scanner<'_>) -> Result<()> {
        self.row += 1;
        match scanner.peek() {
            Some(b'[') => self.array(scanner),
            Some(b'{') => self.object(scanner),
            _ => Err(scanner.complain(&format!("row {}, an array or an object", self.row))),
        }
    }

    fn array(&mut self, scanner: &mut Scanner<'_>) -> Result<()> {
        scanner.expect(b'[')?;
        let mut columns = 0;
        if !scanner.take(b']') {
            loop {
                columns += 1;
                let value = self.number(scanner, |row| format!("row {row}, column {columns}"))?;
                self.matrix.values.push(value);
                if !scanner.goes_on(b']')? {
                    break;
                }
            }
        }
        self.end_row(columns)
    }

    fn end_row(&mut self, columns: usize) -> Result<()> {
        if columns == 0 {
            return Err(invalid(format!("row {} has no numbers", self.row)));
        }
        if self.row == 1 {
            self.matrix.columns = columns;
        }
        let expected = self.matrix.columns;
        if expected == columns { Ok(()) } else { Err(complaint::ragged(self.row, columns, expected)) }
    }

    fn object(&mut self, scanner: &mut Scanner<'_>) -> Result<()> {
        let mut ahead = scanner.clone();
        ahead.expect(b'{')?;
        if ahead.peek() == Some(b'"') && ahead.name()? == FEATURES && ahead.peek() == Some(b'[') {
            self.array(&mut ahead)?;
            ahead.expect(b'}')?;
            *scanner = ahead;
            return Ok(());
        }
        self.named(scanner)
    }

    /// A row by names.
    fn named(&mut self, scanner: &mut Scanner<'_>) -> Result<()> {
        let columns = self.names()?.len();
        self.is_named.clear();
        self.is_named.resize(columns, false);
        self.end_row(columns)?;
        let start = self.matrix.values.len();
        self.matrix.push_missing_row()?;
        scanner.expect(b'{')?;
        if scanner.take(b'}') {
            return Ok(());
        }
        loop {
            let name = scanner.name()?;
            let column = self.column(&name)?;
            let value = self.number(scanner, |row| format!("row {row}, '{}'", shown(name.as_bytes())))?;
            self.matrix.values[start + column] = value;
            if !scanner.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    /// The names of the model's features.
    fn names(&mut self) -> Result<&Names> {
        if self.names.is_none() {
            self.names = self.columns.names();
        }
        let row = self.row;
        self.names.as_ref().ok_or_else(|| {
            let expected = "expected an array of numbers, or an object whose only member 'features' is one";
            invalid(format!("row {row}: the model does not know the names of its features, {expected}"))
        })
    }

    /// The column of that name, which the row has not named before.
    fn column(&mut self, name: &str) -> Result<usize> {
        let row = self.row;
        let place = || format!("row {row}: '{}'", shown(name.as_bytes()));
        let column =
            self.names()?.column(name).ok_or_else(|| invalid(format!("{} is no feature of the model", place())))?;
        if std::mem::replace(&mut self.is_named[column], true) {
            return Err(invalid(format!("{} is named a second time", place())));
        }
        Ok(column)
    }

    fn number(&self, scanner: &mut Scanner<'_>, place: impl Fn(usize) -> String) -> Result<f32> {
        let text = scanner.scalar();
        let number = match text {
            b"null" | b"NaN" => f64::NAN,
            b"Infinity" | b"-Infinity" => f64::INFINITY,
            _ => {
                let number = str::from_utf8(text).ok().filter(|_| scanner::is_number(text));
                let number = number.and_then(|text| text.parse().ok());
                number.ok_or_else(|| scanner.complain(&format!("{}, a number or null", place(self.row))))?
            }
        };
        let narrowed = narrow(number).ok_or_else(|| complaint::too_large(place(self.row), text))?;
        scanner.pass(text);
        Ok(narrowed)
    }
}

#[cfg(test)]
mod tests;
