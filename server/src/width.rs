//! Whether rows are as wide as their model, or only so short that AWS's container fills them up.

use ndarray::{Array2, ArrayView2, Axis};
use thicket_engine::{Model, Predictions};

use crate::{
    configuration::Compat,
    failure::{Class, Failure},
    matrix::Matrix,
};

/// Numbers that are filled up at once: what bounds the memory of many short rows for a wide model.
const NUMBERS_MAX: usize = 1 << 20;

/// What `answer` of a model says to rows that may be too short for it.
///
/// # Errors
/// [`Class::BadPayload`] with both numbers when the rows are too long or too short, and whatever makes a prediction fail.
pub(crate) fn predict(
    model: &Model,
    rows: &Matrix,
    compat: Compat,
    answer: impl Fn(ArrayView2<'_, f32>) -> thicket_engine::Result<Predictions>,
) -> Result<Predictions, Failure> {
    let answer = |rows: ArrayView2<'_, f32>| answer(rows).map_err(|error| Failure::prediction(&error));
    let Some(features) = model.features().filter(|&features| features != rows.columns) else {
        return answer(rows.view());
    };
    if compat.is_strict() && is_filled(rows.columns, features, model.is_pickled()) {
        return answer_filled(rows, features, answer);
    }
    Err(mismatch(rows.columns, features))
}

/// AWS's container fills up every row of a saved model that is too short, and of a pickled one if only the last is missing.
fn is_filled(columns: usize, features: usize, is_pickled: bool) -> bool {
    (1..features).contains(&columns) && (!is_pickled || columns + 1 == features)
}

/// Fills the rows up with missing values, some at a time: those are written once, so that a row costs its own numbers only.
fn answer_filled(
    rows: &Matrix,
    features: usize,
    answer: impl Fn(ArrayView2<'_, f32>) -> Result<Predictions, Failure>,
) -> Result<Predictions, Failure> {
    let at_once = (NUMBERS_MAX / features).min(rows.rows()).max(1);
    let mut wide = Array2::from_elem((at_once, features), f32::NAN);
    let mut all = Predictions::default();
    for block in rows.values.chunks(at_once * rows.columns) {
        let predictions = answer(fill(&mut wide, block, rows.columns))?;
        all.columns = predictions.columns;
        all.values.extend(predictions.values);
    }
    Ok(all)
}

/// Puts `block`, rows of `columns` numbers, at the left of as many rows of `wide`.
fn fill<'a>(wide: &'a mut Array2<f32>, block: &[f32], columns: usize) -> ArrayView2<'a, f32> {
    for (mut wide, short) in wide.rows_mut().into_iter().zip(block.chunks(columns)) {
        wide.iter_mut().zip(short).for_each(|(wide, short)| *wide = *short);
    }
    wide.view().split_at(Axis(0), block.len() / columns).0
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
    fn what_is_missing_stays_nan_from_block_to_block() {
        let mut wide = Array2::from_elem((2, 3), f32::NAN);
        let check = |filled: ArrayView2<'_, f32>, expected: &[[f32; 2]]| {
            assert_eq!(filled.dim(), (expected.len(), 3));
            for (row, expected) in filled.rows().into_iter().zip(expected) {
                assert_eq!(row.to_vec()[..2], expected[..]);
                assert!(row[2].is_nan());
            }
        };
        check(fill(&mut wide, &[1.0, 2.0, 3.0, 4.0], 2), &[[1.0, 2.0], [3.0, 4.0]]);
        check(fill(&mut wide, &[5.0, 6.0], 2), &[[5.0, 6.0]]);
    }

    #[test]
    fn a_mismatch_names_both_numbers() {
        let text = "Unable to evaluate payload provided: Feature size of inference data 3 is not consistent with feature \
                    size of trained model 4.";
        assert_eq!(mismatch(3, 4).story(), text);
    }
}
