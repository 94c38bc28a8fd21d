//! `thicket predict`: a file of rows through one model.

use std::{fs, io::Write};

use ndarray::Axis;
use thicket_engine::{Predictions, offline};

use super::{about, file, output};
use crate::{
    arguments::Predict,
    columns::Columns,
    configuration, csv,
    error::{Error, Result},
    matrix::Matrix,
    number,
};

/// How many rows are predicted before they are printed: their answers may be larger than they are.
const ROWS_AT_ONCE: usize = 256;

/// Prints a line for each row.
pub(super) fn run(options: &Predict) -> Result<()> {
    let libraries = configuration::libraries_from_environment(&options.runtimes);
    let reading = configuration::reading_from_environment(&options.reading)?;
    let model = offline::open_with(&options.artifact, reading, &libraries).map_err(about(&options.artifact))?;
    let rows = rows(options, Columns::of(&model))?;
    let mut stdout = std::io::stdout().lock();
    for rows in rows.view().axis_chunks_iter(Axis(0), ROWS_AT_ONCE) {
        let predictions = model.predict(rows, options.output.into()).map_err(about(&options.artifact))?;
        stdout.write_all(&lines(&predictions)).map_err(output)?;
    }
    Ok(())
}

fn rows(options: &Predict, columns: Columns<'_>) -> Result<Matrix> {
    let body = fs::read(&options.input).map_err(file(&options.input))?;
    let mut rows = Matrix::default();
    let named = |error: Error| Error::caused(error.kind(), options.input.display().to_string(), error);
    csv::read_for(&body, columns, true, &mut rows).map_err(named)?;
    Ok(rows)
}

/// One line for each row, its numbers separated by commas, each the shortest decimal that gives it back.
fn lines(predictions: &Predictions) -> Vec<u8> {
    let mut lines = Vec::new();
    for row in predictions.iter() {
        for (column, value) in row.iter().enumerate() {
            if column > 0 {
                lines.push(b',');
            }
            number::push_shortest(&mut lines, *value);
        }
        lines.push(b'\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_a_line_of_shortest_decimals() {
        let predictions = Predictions { columns: 2, values: vec![0.1, 16_777_216.0, f32::NAN, -1e-7] };
        assert_eq!(String::from_utf8(lines(&predictions)).unwrap(), "0.1,16777216.0\nnan,-1e-7\n");
    }
}
