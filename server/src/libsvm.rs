//! Reads rows of `index:value` pairs, as AWS's `XGBoost` container reads libsvm.
//!
//! A line is a row, and its words are separated by single spaces. Words with a colon are features, whatever else a colon
//! separates from them, and all others mean nothing: labels, comments. A feature that a row does not have is missing,
//! features that it has several times are summed, and rows at the end that have none are dropped.

use std::str;

use crate::{
    columns::Columns,
    complaint::{self, invalid, shown, unfit},
    error::Result,
    matrix::{Matrix, narrow},
    python,
};

/// Which index the first column has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstIndex {
    /// 0, as in every released container up to `XGBoost` 3.0.
    #[default]
    Zero,
    /// 1 when no feature of the request has index 0, else 0, as in the container of `XGBoost` 3.2.
    Auto,
}

/// Reads the rows in `body` into `matrix`, whose former rows are forgotten: rows as wide as the model takes them.
///
/// # Errors
/// [`ErrorKind::EmptyBody`](crate::error::ErrorKind::EmptyBody) for no bytes at all;
/// [`ErrorKind::InvalidRows`](crate::error::ErrorKind::InvalidRows), with the row and the word (counted from 1), for an
/// index or a value that is no number, and for a body without features;
/// [`ErrorKind::UnfitRows`](crate::error::ErrorKind::UnfitRows) for an index that the model has no column for, and for more
/// numbers than are held at once.
pub fn read(body: &[u8], columns: Columns<'_>, first_index: FirstIndex, matrix: &mut Matrix) -> Result<()> {
    matrix.clear();
    let text = text(body)?;
    let first = match first_index {
        FirstIndex::Zero => 0,
        FirstIndex::Auto => indices(text)?.0.min(1),
    };
    matrix.columns = match columns.count() {
        Some(count) => count,
        None => indices(text)?.1 - first + 1,
    };
    let mut rows_without_features = 0;
    let mut pairs = Vec::new();
    for (row, line) in (1..).zip(text.split('\n')) {
        gather(line, row, &mut pairs)?;
        if pairs.is_empty() {
            rows_without_features += 1;
            continue;
        }
        for _ in 0..rows_without_features {
            matrix.push_missing_row()?;
        }
        rows_without_features = 0;
        set(&mut pairs, row, first, matrix)?;
    }
    if matrix.values.is_empty() { Err(featureless()) } else { Ok(()) }
}

/// The body as text, without the white space around it.
fn text(body: &[u8]) -> Result<&str> {
    if body.is_empty() {
        return Err(complaint::empty());
    }
    let text = str::from_utf8(body)
        .map_err(|error| invalid(format!("byte {}: the body is no text in UTF-8", error.valid_up_to() + 1)))?;
    Ok(text.trim_matches(|character: char| matches!(character, ' ' | '\t'..='\r')))
}

fn featureless() -> crate::error::Error {
    invalid("no row has a feature, expected words such as 0:1.5")
}

/// One `index:value`.
struct Pair {
    /// Where it stands in its line, counted from 1.
    word: usize,
    index: usize,
    value: f64,
}

/// The pairs of a line, put into the place of those before.
fn gather(line: &str, row: usize, pairs: &mut Vec<Pair>) -> Result<()> {
    pairs.clear();
    for (word, text) in (1..).zip(line.split(' ')) {
        let Some((index, value)) = text.split_once(':') else { continue };
        let place = || format!("row {row}, word {word}");
        let value = value.split(':').next().unwrap_or_default();
        let number = python::float(value).ok_or_else(|| complaint::no_number(place(), value.as_bytes()))?;
        pairs.push(Pair { word, index: self::index(index, place)?, value: number });
    }
    Ok(())
}

fn index(text: &str, place: impl Fn() -> String) -> Result<usize> {
    let refused = || {
        let found = shown(text.as_bytes());
        invalid(format!(
            "{}: '{found}' is no index, expected an integer from 0 on, and single spaces between words",
            place()
        ))
    };
    python::integer(text).and_then(|index| usize::try_from(index).ok()).ok_or_else(refused)
}

/// The smallest and the largest index.
fn indices(text: &str) -> Result<(usize, usize)> {
    let (mut smallest, mut largest, mut pairs) = (usize::MAX, 0, Vec::new());
    for (row, line) in (1..).zip(text.split('\n')) {
        gather(line, row, &mut pairs)?;
        for Pair { index, .. } in &pairs {
            (smallest, largest) = (smallest.min(*index), largest.max(*index));
        }
    }
    if smallest == usize::MAX { Err(featureless()) } else { Ok((smallest, largest)) }
}

/// Appends a row of these features: in the order of their indices, so that those of equal ones are summed as doubles.
fn set(pairs: &mut [Pair], row: usize, first: usize, matrix: &mut Matrix) -> Result<()> {
    let columns = matrix.columns;
    if let Some(pair) = pairs.iter().find(|pair| pair.index - first >= columns) {
        let (word, index, last) = (pair.word, pair.index, (columns + first).saturating_sub(1));
        return Err(unfit(format!(
            "row {row}, word {word}: index {index} is beyond the model's {columns} features, which have indices {first} to \
             {last}"
        )));
    }
    let values = matrix.push_missing_row()?;
    pairs.sort_by_key(|pair| pair.index);
    for same in pairs.chunk_by(|one, other| one.index == other.index) {
        let sum = same.iter().skip(1).fold(same[0].value, |sum, pair| sum + pair.value);
        let place = || format!("row {row}, word {}", same[0].word);
        values[same[0].index - first] =
            narrow(sum).ok_or_else(|| complaint::too_large(place(), format!("{sum:e}").as_bytes()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
