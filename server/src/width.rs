//! Whether rows are as wide as their model, or only so short that AWS's container fills them up.

use ndarray::Array2;
use thicket_engine::{Model, Output, Predictions};

use crate::{
    configuration::Compat,
    failure::{Class, Failure},
    matrix::Matrix,
};

/// Numbers that are filled up at once: what bounds the memory of many short rows for a wide model.
const NUMBERS_MAX: usize = 1 << 20;

/// What a model answers for rows that may be too short for it.
///
/// # Errors
/// [`Class::BadPayload`] with both numbers when the rows are too long or too short, and whatever makes a prediction fail.
pub(crate) fn predict(model: &Model, rows: &Matrix, output: Output, compat: Compat) -> Result<Predictions, Failure> {
    let Some(features) = model.features().filter(|&features| features != rows.columns) else {
        return model.predict(rows.view(), output).map_err(|error| Failure::prediction(&error));
    };
    if compat.is_strict() && is_filled(rows.columns, features, model.is_pickled()) {
        return predict_filled(model, rows, features, output);
    }
    Err(mismatch(rows.columns, features))
}

/// AWS's container fills up every row of a saved model that is too short, and of a pickled one if only the last is missing.
fn is_filled(columns: usize, features: usize, is_pickled: bool) -> bool {
    (1..features).contains(&columns) && (!is_pickled || columns + 1 == features)
}

/// Fills the rows up with missing values, some at a time.
fn predict_filled(model: &Model, rows: &Matrix, features: usize, output: Output) -> Result<Predictions, Failure> {
    let at_once = (NUMBERS_MAX / features).max(1);
    let mut all = Predictions::default();
    for block in rows.values.chunks(at_once * rows.columns.max(1)) {
        let filled = filled(block, rows.columns, features);
        let predictions = model.predict(filled.view(), output).map_err(|error| Failure::prediction(&error))?;
        all.columns = predictions.columns;
        all.values.extend(predictions.values);
    }
    Ok(all)
}

fn filled(values: &[f32], columns: usize, features: usize) -> Array2<f32> {
    let mut filled = Array2::from_elem((values.len().checked_div(columns).unwrap_or(0), features), f32::NAN);
    for (mut wide, short) in filled.rows_mut().into_iter().zip(values.chunks(columns.max(1))) {
        wide.iter_mut().zip(short).for_each(|(wide, short)| *wide = *short);
    }
    filled
}

fn mismatch(sent: usize, trained: usize) -> Failure {
    let message = format!(
        "Unable to evaluate payload provided: Feature size of inference data {sent} is not consistent with feature size \
         of trained model {trained}."
    );
    Failure::new(Class::BadPayload, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_fills_saved_models_and_the_last_column_of_pickled_ones() {
        let check =
            |columns, is_pickled, expected| assert_eq!(is_filled(columns, 4, is_pickled), expected, "{columns}");
        for columns in 1..4 {
            check(columns, false, true);
        }
        check(0, false, false);
        check(3, true, true);
        check(2, true, false);
        check(5, false, false);
        check(5, true, false);
    }

    #[test]
    fn what_is_missing_is_nan() {
        let filled = filled(&[1.0, 2.0, 3.0, 4.0], 2, 3);
        assert_eq!(filled.dim(), (2, 3));
        assert_eq!((filled[[1, 0]], filled[[1, 1]]), (3.0, 4.0));
        assert!(filled[[0, 2]].is_nan() && filled[[1, 2]].is_nan());
    }

    #[test]
    fn a_mismatch_names_both_numbers() {
        let text = "Unable to evaluate payload provided: Feature size of inference data 3 is not consistent with feature \
                    size of trained model 4.";
        assert_eq!(mismatch(3, 4).story(), text);
    }
}
