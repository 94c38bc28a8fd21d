//! The rows of one request: a row-major matrix in a buffer that one request leaves to the next.

use ndarray::ArrayView2;

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

    /// The rows as a borrowed matrix of shape `[rows, columns]`.
    ///
    /// # Panics
    /// When the values are no whole number of rows, which no reader of this crate leaves behind.
    #[must_use]
    pub fn view(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.rows(), self.columns), &self.values).expect("readers leave whole rows")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_has_the_shape_of_the_rows() {
        let matrix = Matrix { columns: 2, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        assert_eq!(matrix.view().dim(), (3, 2));
        assert_eq!(matrix.view().row(2).to_vec(), [5.0, 6.0]);
        assert_eq!(Matrix::default().view().dim(), (0, 0));
    }
}
