//! What a model answers: one row of numbers for each row it was given.

use ndarray::{Array2, ArrayView2};

/// Which of a model's outputs a caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// The objective's own scale: a price, a probability, a class.
    #[default]
    Value,
    /// The sum of the leaves and the base score, before the objective's link function.
    Margin,
    /// For each tree the number of the leaf that the row reaches, as its node is numbered in the trainer's file.
    Leaf,
    /// What each column adds to the margin (Shapley values over the training rows), and the bias that stands for no
    /// column: `features + 1` numbers for each margin, whose sum is that margin.
    Contributions,
}

/// A model's answer, row-major: `columns` numbers for each row of the input.
///
/// With more than one column it is a matrix by nature (class probabilities, several targets); with one it is a vector,
/// as `XGBoost` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// Numbers per row; at least 1.
    pub columns: usize,
    /// `rows × columns` numbers.
    pub values: Vec<f32>,
}

impl Predictions {
    /// How many rows were answered.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    /// The answer of each row, in the order of the input.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns.max(1))
    }

    /// The answer as a borrowed matrix of shape `[rows, columns]`.
    ///
    /// # Panics
    /// Never for what a model answered: its values are a whole number of rows.
    #[must_use]
    pub fn view(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.rows(), self.columns.max(1)), &self.values).expect("values are whole rows")
    }

    /// The answer as an owned matrix of shape `[rows, columns]`.
    #[must_use]
    pub fn into_array(self) -> Array2<f32> {
        self.view().to_owned()
    }
}
