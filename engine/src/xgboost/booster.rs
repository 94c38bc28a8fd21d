//! A model in `XGBoost`'s library.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use super::{XgboostLibrary, handle::Owned};
use crate::{
    error::{Error, ErrorKind, Result},
    predictions::{Output, Predictions},
};

#[cfg(test)]
mod tests;

/// A booster, ready to predict from any number of threads at once.
#[derive(Debug)]
pub(crate) struct Booster {
    owned: Owned,
    features: usize,
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
        let booster = Self { owned, features };
        let tried = booster.predict(Array2::from_elem((1, features), f32::NAN).view(), Output::Value);
        tried.map_err(|error| Error::caused(ErrorKind::Unsupported, "the model cannot predict", error))?;
        Ok(booster)
    }

    /// How many columns a row must have.
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// Predicts each of `rows` (shape `[rows, features]`, NaN = missing) with all of the model's trees.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the rows are not as wide as the model, or the library refuses them.
    pub(crate) fn predict(&self, rows: ArrayView2<'_, f32>, output: Output) -> Result<Predictions> {
        if rows.ncols() != self.features {
            let message = format!("rows have {} columns, and the model has {} features", rows.ncols(), self.features);
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        if rows.is_empty() {
            return Ok(Predictions { columns: 1, values: Vec::new() });
        }
        self.owned.predict(rows, output)
    }
}
