//! A model in memory, whatever runs it: rows in, predictions out.

use ndarray::{ArrayView1, ArrayView2};

use crate::{
    cache::{Entry, Form, unseal},
    error::{Error, ErrorKind, Result},
    kernel,
    map::Map,
    onnxruntime::Session,
    pack::{Pack, Sections},
    predictions::{Output, Predictions},
    runtimes::Runtimes,
    xgboost::Booster,
};

/// What runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Runtime {
    /// Our kernels, on a mapped pack.
    Forest,
    /// ONNX Runtime.
    OnnxRuntime,
    /// `XGBoost`'s own library.
    Xgboost,
}

impl Runtime {
    /// The runtime's name in logs and listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forest => "forest",
            Self::OnnxRuntime => "onnxruntime",
            Self::Xgboost => "xgboost",
        }
    }
}

/// A model that is ready to predict, from any number of threads at once.
#[derive(Debug)]
pub struct Model(Runner);

#[derive(Debug)]
enum Runner {
    Forest(Pack),
    OnnxRuntime(Session),
    Xgboost(Booster),
}

impl Model {
    /// Opens a published conversion.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArtifact`] when it is damaged, [`ErrorKind::LibraryMissing`] when what would run it is not
    /// there, [`ErrorKind::Unsupported`] when that refuses it.
    pub(crate) fn open(entry: &Entry, runtimes: &Runtimes) -> Result<Self> {
        if entry.form == Form::Forest {
            return Pack::open(&entry.path).map(Self::forest);
        }
        let map = Map::file(&entry.path)
            .map_err(|error| Error::caused(ErrorKind::Io, format!("cannot map {}", entry.path.display()), error))?;
        Self::foreign(entry.form, unseal(&map)?, runtimes)
    }

    /// A model of our own kernels.
    pub(crate) fn forest(pack: Pack) -> Self {
        Self(Runner::Forest(pack))
    }

    /// A model that another engine runs.
    pub(crate) fn foreign(form: Form, bytes: &[u8], runtimes: &Runtimes) -> Result<Self> {
        match form {
            Form::Forest => Pack::from_bytes(bytes).map(Self::forest),
            Form::Onnx => Ok(Self(Runner::OnnxRuntime(Session::open(&*runtimes.onnxruntime()?, bytes)?))),
            Form::Booster => Ok(Self(Runner::Xgboost(Booster::load(&runtimes.xgboost()?, bytes)?))),
        }
    }

    /// How many columns a row must have; `None` when the model takes rows of any width.
    #[must_use]
    pub fn features(&self) -> Option<usize> {
        match &self.0 {
            Runner::Forest(pack) => Some(pack.sections().forest.features as usize),
            Runner::OnnxRuntime(session) => session.features(),
            Runner::Xgboost(booster) => Some(booster.features()),
        }
    }

    /// What runs the model.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        match &self.0 {
            Runner::Forest(_) => Runtime::Forest,
            Runner::OnnxRuntime(_) => Runtime::OnnxRuntime,
            Runner::Xgboost(_) => Runtime::Xgboost,
        }
    }

    /// How many trees a forest walks for each row; `None` for models of other engines.
    #[must_use]
    pub fn trees(&self) -> Option<usize> {
        match &self.0 {
            Runner::Forest(pack) => Some(pack.sections().trees.len()),
            Runner::OnnxRuntime(_) | Runner::Xgboost(_) => None,
        }
    }

    /// What the model says of itself, as a JSON object: `writer`, `form`, `objective`, `feature_names` and so on. Nothing
    /// for models of other engines.
    #[must_use]
    pub fn properties(&self) -> Option<&str> {
        match &self.0 {
            Runner::Forest(pack) => Some(pack.sections().properties),
            Runner::OnnxRuntime(_) | Runner::Xgboost(_) => None,
        }
    }

    /// Predicts each of `rows` (shape `[rows, features]`, NaN = missing).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the rows are not as wide as the model's [`features`](Self::features), and
    /// [`ErrorKind::Unsupported`] when the model has no such output.
    pub fn predict(&self, rows: ArrayView2<'_, f32>, output: Output) -> Result<Predictions> {
        if let Some(features) = self.features().filter(|&features| features != rows.ncols()) {
            let message = format!("rows have {} columns, and the model has {features} features", rows.ncols());
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        match &self.0 {
            Runner::Forest(pack) => Ok(predict_forest(pack, rows, output)),
            Runner::Xgboost(booster) => booster.predict(rows, output),
            Runner::OnnxRuntime(session) if output == Output::Value => session.predict(rows),
            Runner::OnnxRuntime(_) => {
                Err(Error::new(ErrorKind::Unsupported, "only boosters have margins, and this model is another graph"))
            }
        }
    }
}

fn predict_forest(pack: &Pack, rows: ArrayView2<'_, f32>, output: Output) -> Predictions {
    let forest = pack.sections();
    let mut margins = vec![0.0; forest.base.len()];
    match output {
        Output::Margin => each_row(&forest, rows, &mut margins, forest.base.len(), |margins, values| {
            values.extend_from_slice(margins);
        }),
        Output::Value => {
            let link = pack.link();
            let columns = link.columns(margins.len());
            each_row(&forest, rows, &mut margins, columns, |margins, values| link.apply(margins, values))
        }
    }
}

/// Lets `finish` append `columns` numbers for the margins of each row.
fn each_row(
    forest: &Sections<'_>,
    rows: ArrayView2<'_, f32>,
    margins: &mut [f32],
    columns: usize,
    finish: impl Fn(&[f32], &mut Vec<f32>),
) -> Predictions {
    let mut values = Vec::with_capacity(rows.nrows() * columns);
    let mut copy = Vec::new();
    for row in rows.rows() {
        kernel::margins(forest, contiguous(row, &mut copy), margins);
        finish(margins, &mut values);
    }
    Predictions { columns, values }
}

/// The row as it lies in memory, or a copy of it where its columns lie apart.
fn contiguous<'a>(row: ArrayView1<'a, f32>, copy: &'a mut Vec<f32>) -> &'a [f32] {
    if let Some(row) = row.to_slice() {
        return row;
    }
    copy.clear();
    copy.extend(row);
    copy
}
