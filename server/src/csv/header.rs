//! A first line of names: which columns follow, in which order.

use super::read_cells;
use crate::{
    columns::{Columns, Names},
    complaint::{invalid, shown},
    error::Result,
    matrix::Matrix,
    python,
};

/// Reads the rows below `line`, the first of `body`, and puts their columns into the model's order; `None` when the line is
/// no header, which names at least one column and has no numbers.
pub(super) fn read(
    body: &[u8],
    line: &[u8],
    delimiter: u8,
    columns: Columns<'_>,
    matrix: &mut Matrix,
) -> Option<Result<()>> {
    let names = names(line, delimiter)?;
    let rows = body.get(line.len() + 1..);
    Some(read_named(&names, rows, delimiter, columns, matrix))
}

fn read_named(
    names: &[&str],
    rows: Option<&[u8]>,
    delimiter: u8,
    columns: Columns<'_>,
    matrix: &mut Matrix,
) -> Result<()> {
    let order = order(names, columns.names().as_ref())?;
    let rows = rows.ok_or_else(|| invalid("row 1 is a header, expected rows below it"))?;
    matrix.clear();
    matrix.columns = names.len();
    read_cells(rows, delimiter, 2, matrix)?;
    reorder(matrix, &order);
    Ok(())
}

/// The names on a line, without quotes and what a spreadsheet puts before them.
fn names(line: &[u8], delimiter: u8) -> Option<Vec<&str>> {
    let line = std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}');
    let cells: Vec<_> = line.split(char::from(delimiter)).map(|cell| unquoted(cell.trim())).collect();
    let is_header = cells.iter().any(|cell| !cell.is_empty()) && cells.iter().all(|cell| python::float(cell).is_none());
    is_header.then_some(cells)
}

fn unquoted(cell: &str) -> &str {
    let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
    inner.unwrap_or(cell)
}

/// Where in the model's order each named column stands.
fn order(names: &[&str], known: Option<&Names>) -> Result<Vec<usize>> {
    let Some(known) = known else {
        let first = shown(names[0].as_bytes());
        let why = "and the model does not know the names of its features, expected rows of numbers without a header";
        return Err(invalid(format!("row 1, column 1: could not convert string to float: '{first}', {why}")));
    };
    let mut order = Vec::with_capacity(names.len());
    let mut is_named = vec![false; known.len()];
    for (at, name) in names.iter().enumerate() {
        let place = || format!("row 1, column {}: '{}'", at + 1, shown(name.as_bytes()));
        let column = known.column(name).ok_or_else(|| invalid(format!("{} is no feature of the model", place())))?;
        if std::mem::replace(&mut is_named[column], true) {
            return Err(invalid(format!("{} is named a second time", place())));
        }
        order.push(column);
    }
    match known.iter().zip(is_named).find(|(_, is_named)| !is_named) {
        Some((name, _)) => Err(invalid(format!("row 1 lacks the feature '{}' of the model", shown(name.as_bytes())))),
        None => Ok(order),
    }
}

fn reorder(matrix: &mut Matrix, order: &[usize]) {
    if order.is_sorted() {
        return;
    }
    let mut sent = Vec::with_capacity(order.len());
    for row in matrix.values.chunks_exact_mut(order.len()) {
        sent.clear();
        sent.extend_from_slice(row);
        order.iter().zip(&sent).for_each(|(&column, &value)| row[column] = value);
    }
}

#[cfg(test)]
mod tests {
    use crate::{columns::Columns, csv::read_for, error::ErrorKind, matrix::Matrix};

    const NAMED: &str = r#"{"feature_names": ["sqft", "beds", "a b"]}"#;

    fn outcome(body: &str, properties: &str) -> Result<(usize, Vec<f32>), String> {
        let mut matrix = Matrix::default();
        let read = read_for(body.as_bytes(), Columns::new(3, properties), true, &mut matrix);
        let text = |error: crate::error::Error| {
            assert_eq!(error.kind(), ErrorKind::InvalidRows);
            error.to_string()
        };
        read.map_err(text)?;
        Ok((matrix.columns, matrix.values))
    }

    #[test]
    fn columns_are_put_into_the_models_order() {
        let expected = Ok((3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        for body in [
            "sqft,beds,a b\n1,2,3\n4,5,6",
            "beds,a b,sqft\r\n2,3,1\r\n5,6,4\r\n",
            "\u{feff}\"a b\", \"sqft\" ,beds\n3,1,2\n6,4,5\n",
            "a b;beds;sqft\n3;2;1\n6;5;4",
        ] {
            assert_eq!(outcome(body, NAMED), expected, "{body:?}");
        }
    }

    #[test]
    fn names_that_are_not_the_models_are_told() {
        for (body, message) in [
            ("sqft,beds,x\n1,2,3", "row 1, column 3: 'x' is no feature of the model"),
            ("sqft,beds,\n1,2,3", "row 1, column 3: '' is no feature of the model"),
            ("sqft,beds,sqft\n1,2,3", "row 1, column 3: 'sqft' is named a second time"),
            ("sqft,beds\n1,2", "row 1 lacks the feature 'a b' of the model"),
            ("sqft,beds,a b", "row 1 is a header, expected rows below it"),
            ("sqft,beds,a b\n1,2", "row 2 has 2 columns, expected 3 as in row 1"),
            ("sqft,beds,a b\n1,2,x", "row 2, column 3: could not convert string to float: 'x'"),
            ("sqft,2,a b\n1,2,3", "row 1, column 1: could not convert string to float: 'sqft'"),
        ] {
            assert_eq!(outcome(body, NAMED).unwrap_err(), message, "{body:?}");
        }
    }

    #[test]
    fn a_model_without_names_takes_no_header() {
        let message = "row 1, column 1: could not convert string to float: 'sqft', and the model does not know the names of \
                       its features, expected rows of numbers without a header";
        assert_eq!(outcome("sqft,beds,a b\n1,2,3", "{}").unwrap_err(), message);
    }

    #[test]
    fn a_line_of_numbers_is_a_row() {
        let named = r#"{"feature_names": ["2", "1", "0"]}"#;
        assert_eq!(outcome("0,1,2\n1,2,3", named), Ok((3, vec![0.0, 1.0, 2.0, 1.0, 2.0, 3.0])));
    }
}
