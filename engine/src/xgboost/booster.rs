//! A model in `XGBoost`'s library.

use std::sync::Arc;

use ndarray::ArrayView2;
use thicket_converters::{Objective, arithmetic};

use super::{XgboostLibrary, handle::Owned};
use crate::{
    error::{Error, ErrorKind, Result},
    predictions::{Output, Predictions},
    verify::{PROBES, Probes, is_same},
};

#[cfg(test)]
mod tests;

/// A booster, ready to predict from any number of threads at once.
#[derive(Debug)]
pub(crate) struct Booster {
    owned: Owned,
    features: usize,
    targets: usize,
    objective: Objective,
    has_trees: bool,
}

impl Booster {
    /// Loads a model from the bytes of its file: JSON, UBJSON, the older binary format, or what a pickle holds of it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArtifact`] when the bytes are no well-formed model, and [`ErrorKind::Unsupported`] when the
    /// library refuses it, or would answer otherwise than the version that wrote it.
    pub(crate) fn load(library: &Arc<XgboostLibrary>, bytes: &[u8]) -> Result<Self> {
        let read = thicket_converters::read_booster(bytes)
            .map_err(|error| Error::caused(ErrorKind::InvalidArtifact, "not a model that XGBoost can load", error))?;
        library.reads_rightly(&read)?;
        let owned = Owned::load(library, bytes)?;
        let features = owned.features()?;
        if features != read.features {
            return Err(owned.odd(format!("{features} features for a model of {}", read.features)));
        }
        let (targets, objective) = (read.targets, read.objective);
        let booster = Self { owned, features, targets, objective, has_trees: !read.trees().is_empty() };
        booster
            .verify(&read)
            .map_err(|error| Error::caused(ErrorKind::Unsupported, "the model does not verify", error))?;
        Ok(booster)
    }

    /// Compares the library's answers with those of `read`'s own arithmetic.
    fn verify(&self, read: &thicket_converters::Booster) -> Result<()> {
        let mut probes = Probes::new(read);
        for probe in 0..PROBES {
            let row = probes.next_row();
            let found = self
                .predict(
                    ArrayView2::from_shape((1, row.len()), row).expect("a row is a matrix of one row"),
                    Output::Value,
                )?
                .values;
            let mut expected = Vec::with_capacity(found.len());
            arithmetic::values(read, row, &mut expected);
            if !is_same(&expected, &found) {
                let message =
                    format!("on probe row {probe} the library answers {found:?}, the model's own version {expected:?}");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        }
        Ok(())
    }

    /// How many columns a row must have.
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// What it was trained for.
    pub(crate) fn objective(&self) -> Objective {
        self.objective
    }

    /// How many margins a row has.
    pub(crate) fn targets(&self) -> usize {
        self.targets
    }

    /// Predicts each of `rows` (shape `[rows, features]`, NaN = missing) with all of the model's trees.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the rows are not as wide as the model, or the library refuses them, and
    /// [`ErrorKind::Unsupported`] for leaves of a linear model.
    pub(crate) fn predict(&self, rows: ArrayView2<'_, f32>, output: Output) -> Result<Predictions> {
        if rows.ncols() != self.features {
            let message = format!("rows have {} columns, and the model has {} features", rows.ncols(), self.features);
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        if output == Output::Leaf && !self.has_trees {
            return Err(Error::new(ErrorKind::Unsupported, "a linear model has no leaves"));
        }
        if rows.is_empty() {
            return Ok(Predictions { columns: 1, values: Vec::new() });
        }
        self.owned.predict(rows, output)
    }
}
