//! The rows of one request: a row-major matrix in a buffer that one request leaves to the next.

use ndarray::ArrayView2;

use crate::{complaint, error::Result};

/// The most numbers that rows may have which say only some of theirs: 64 MiB of them.
///
/// Other rows need no such bound: each of their numbers takes at least a byte of the body.
const SPARSE_VALUES_MAX: usize = 16 << 20;

/// Rows of features, row-major; NaN is a missing value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Features per row.
    pub columns: usize,
    /// `rows × columns` features.
    pub values: Vec<f32>,
}

impl Matrix {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Forgets the rows and keeps their buffer.
    pub fn clear(&mut self) {
        self.columns = 0;
        self.values.clear();
    }

    /// Appends a row whose values are all missing, for those that are not to be set.
    ///
    /// # Errors
    /// [`ErrorKind::UnfitRows`](crate::error::ErrorKind::UnfitRows) before more memory is taken than rows may have.
    pub fn push_missing_row(&mut self) -> Result<&mut [f32]> {
        let start = self.values.len();
        let end = start.saturating_add(self.columns);
        if end > SPARSE_VALUES_MAX {
            let (rows, columns) = (self.rows(), self.columns);
            let message =
                format!("{rows} rows of {columns} columns and more, expected at most {SPARSE_VALUES_MAX} numbers");
            return Err(complaint::unfit(message));
        }
        self.values.resize(end, f32::NAN);
        Ok(&mut self.values[start..])
    }

    /// The rows as a borrowed matrix of shape `[rows, columns]`.
    ///
    /// # Panics
    /// When the values are no whole number of rows, which no reader of this crate leaves behind.
    #[must_use]
    pub fn view(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.rows(), self.columns), &self.values).expect("readers leave whole rows")
    }
}

/// A double as the 32-bit float that `XGBoost`'s matrix makes of it; that refuses what becomes infinite.
#[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is what is asked for")]
pub(crate) fn narrow(value: f64) -> Option<f32> {
    Some(value as f32).filter(|narrowed| !narrowed.is_infinite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_say_little_are_bounded() {
        let mut matrix = Matrix { columns: SPARSE_VALUES_MAX / 2, values: Vec::new() };
        matrix.push_missing_row().unwrap()[1] = 5.0;
        assert!(matrix.push_missing_row().unwrap()[1].is_nan());
        let error = matrix.push_missing_row().unwrap_err().to_string();
        assert_eq!(error, "2 rows of 8388608 columns and more, expected at most 16777216 numbers");
        let mut wide = Matrix { columns: usize::MAX, values: Vec::new() };
        assert!(wide.push_missing_row().is_err() && wide.values.capacity() == 0);
    }

    #[test]
    fn doubles_become_floats_unless_they_are_too_large() {
        assert_eq!(narrow(f64::from(f32::MAX)), Some(f32::MAX));
        assert_eq!(narrow(1e-46), Some(0.0));
        assert!(narrow(f64::NAN).unwrap().is_nan());
        assert_eq!((narrow(1e39), narrow(f64::NEG_INFINITY)), (None, None));
    }

    #[test]
    fn a_view_has_the_shape_of_the_rows() {
        let matrix = Matrix { columns: 2, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        assert_eq!(matrix.view().dim(), (3, 2));
        assert_eq!(matrix.view().row(2).to_vec(), [5.0, 6.0]);
        assert_eq!(Matrix::default().view().dim(), (0, 0));
    }
}
