//! One cell: from bytes to a number, by Python's grammar and with its rounding.

use super::decimal;
use crate::{matrix::narrow, python};

/// Powers of ten that a double holds exactly, as far as [`quick`] needs them.
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Digits whose number a double always holds exactly.
const EXACT_DIGITS_MAX: usize = 15;

/// What stood at the start of some bytes.
#[derive(Debug)]
pub(super) struct Cell {
    /// The number, NaN when it is missing.
    pub(super) value: Result<f32, Fault>,
    /// How many bytes the cell takes, without the delimiter or line feed after it.
    pub(super) bytes: usize,
}

/// What is wrong with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no Python float.
    NoNumber,
    /// It is infinite, or would be once narrowed.
    TooLarge,
}

/// Reads the cell at the start of `bytes`.
#[inline]
pub(super) fn read(bytes: &[u8], delimiter: u8) -> Cell {
    match quick(bytes, delimiter) {
        Some((value, bytes)) => Cell { value: narrow(value).ok_or(Fault::TooLarge), bytes },
        None => thorough(bytes, delimiter),
    }
}

/// Plain decimals of few digits, which are most of all cells: the digits as an integer, divided by a power of ten.
///
/// Both are exact doubles, so the one division rounds as a correct parser does.
#[inline]
fn quick(bytes: &[u8], delimiter: u8) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-') && delimiter != b'-';
    let (mut at, mut digits, mut count, mut point) = (usize::from(negative), 0_u64, 0, None);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' if count < EXACT_DIGITS_MAX => {
                digits = digits * 10 + u64::from(byte - b'0');
                count += 1;
            }
            _ if byte == delimiter || byte == b'\n' => break,
            b'.' if point.is_none() => point = Some(count),
            b'\r' if ends_line(bytes, at + 1) => break,
            _ => return None,
        }
        at += 1;
    }
    let fraction_digits = point.map_or(0, |point| count - point);
    let ends_in_cr = usize::from(bytes.get(at) == Some(&b'\r'));
    (count > 0).then(|| (signed(magnitude(digits) / POWERS[fraction_digits], negative), at + ends_in_cr))
}

#[expect(clippy::cast_precision_loss, reason = "fifteen digits fit the 53 bits of a double")]
fn magnitude(digits: u64) -> f64 {
    digits as f64
}

fn signed(magnitude: f64, negative: bool) -> f64 {
    if negative { -magnitude } else { magnitude }
}

fn ends_line(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at), None | Some(b'\n'))
}

/// Every other cell: missing, padded, long, with an exponent, or no number.
#[cold]
fn thorough(bytes: &[u8], delimiter: u8) -> Cell {
    let end = bytes.iter().position(|&byte| byte == delimiter || byte == b'\n').unwrap_or(bytes.len());
    Cell { value: number(&bytes[..end]), bytes: end }
}

/// The number that a whole cell is.
pub(super) fn number(text: &[u8]) -> Result<f32, Fault> {
    if text.is_empty() {
        return Ok(f32::NAN);
    }
    decimal::read(text.strip_suffix(b"\r").unwrap_or(text)).map_or_else(|| any_number(text), Ok)
}

/// The number that a text is, as Python has it.
fn any_number(text: &[u8]) -> Result<f32, Fault> {
    let number = std::str::from_utf8(text).ok().and_then(python::float).ok_or(Fault::NoNumber)?;
    narrow(number).ok_or(Fault::TooLarge)
}
