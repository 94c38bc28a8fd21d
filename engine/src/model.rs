//! A model in memory, whatever runs it: rows in, predictions out.

mod ensemble;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    slice,
};

use ndarray::ArrayView2;
use thicket_converters::onnx::metadata;

use crate::{
    bundle::Bundle,
    cache::{Entry, Form, unseal},
    contributions::Contributions,
    error::{Error, ErrorKind, Result},
    kernel,
    map::Map,
    onnxruntime::Session,
    pack::{Pack, Sections},
    predictions::{Output, Predictions},
    runtimes::Runtimes,
    xgboost::Booster,
};

/// The most numbers that an answer may have that is larger than the rows it is for.
const NUMBERS_MAX: usize = 1 << 22;

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
    Ensemble(Bundle),
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
        if entry.form == Form::Bundle {
            return Bundle::open(&entry.path).map(Self::ensemble);
        }
        let map = Map::file(&entry.path)
            .map_err(|error| Error::caused(ErrorKind::Io, format!("cannot map {}", entry.path.display()), error))?;
        let model = Self::foreign(entry.form, unseal(&map)?, runtimes);
        if map.is_damaged() { Err(damaged(ErrorKind::InvalidArtifact)) } else { model }
    }

    /// Opens what a published conversion holds, without its file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn of_file(form: Form, file: &[u8], runtimes: &Runtimes) -> Result<Self> {
        match form {
            Form::Forest | Form::Bundle => Self::foreign(form, file, runtimes),
            Form::Onnx | Form::Booster => Self::foreign(form, unseal(file)?, runtimes),
        }
    }

    /// A model of our own kernels.
    pub(crate) fn forest(pack: Pack) -> Self {
        Self(Runner::Forest(pack))
    }

    /// An ensemble on our own kernels.
    fn ensemble(bundle: Bundle) -> Self {
        Self(Runner::Ensemble(bundle))
    }

    /// A model of any form.
    pub(crate) fn foreign(form: Form, bytes: &[u8], runtimes: &Runtimes) -> Result<Self> {
        match form {
            Form::Forest => Pack::from_bytes(bytes).map(Self::forest),
            Form::Bundle => Bundle::from_bytes(bytes).map(Self::ensemble),
            Form::Onnx => Ok(Self(Runner::OnnxRuntime(Session::open(&*runtimes.onnxruntime()?, bytes)?))),
            Form::Booster => Ok(Self(Runner::Xgboost(Booster::load(&runtimes.xgboost()?, bytes)?))),
        }
    }

    /// What our own kernels run: a forest's pack, or those of an ensemble.
    fn packs(&self) -> &[Pack] {
        match &self.0 {
            Runner::Forest(pack) => slice::from_ref(pack),
            Runner::Ensemble(bundle) => bundle.members(),
            Runner::OnnxRuntime(_) | Runner::Xgboost(_) => &[],
        }
    }

    /// How many columns a row must have; `None` when the model takes rows of any width.
    #[must_use]
    pub fn features(&self) -> Option<usize> {
        match &self.0 {
            Runner::Forest(_) | Runner::Ensemble(_) => self.packs().first().map(Pack::features),
            Runner::OnnxRuntime(session) => session.features(),
            Runner::Xgboost(booster) => Some(booster.features()),
        }
    }

    /// Whether the model file, or the first of an ensemble, was a pickle. Never for models of other engines, which do not
    /// tell.
    #[must_use]
    pub fn is_pickled(&self) -> bool {
        let form = self.packs().first().and_then(|pack| property(pack, "form"));
        form.is_some_and(|form| form.ends_with(metadata::PICKLED))
    }

    /// Whether the model's file was cut short while it was in use. What the model said before this is asked may be wrong then;
    /// [`Engine::renew`](crate::Engine::renew) helps.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.packs().iter().any(Pack::is_damaged)
    }

    /// What runs the model.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        match &self.0 {
            Runner::Forest(_) | Runner::Ensemble(_) => Runtime::Forest,
            Runner::OnnxRuntime(_) => Runtime::OnnxRuntime,
            Runner::Xgboost(_) => Runtime::Xgboost,
        }
    }

    /// How many trees a forest walks for each row; `None` for models of other engines.
    #[must_use]
    pub fn trees(&self) -> Option<usize> {
        let packs = self.packs();
        (!packs.is_empty()).then(|| packs.iter().map(|pack| pack.sections().trees.len()).sum())
    }

    /// What the model says of itself, as a JSON object: `writer`, `form`, `objective`, `feature_names` and so on. Nothing
    /// for ensembles and for models of other engines.
    #[must_use]
    pub fn properties(&self) -> Option<&str> {
        match &self.0 {
            Runner::Forest(pack) => Some(pack.sections().properties()),
            Runner::Ensemble(_) | Runner::OnnxRuntime(_) | Runner::Xgboost(_) => None,
        }
    }

    /// The objective that the model was trained for, by its name in `XGBoost`; of an ensemble that of its first member,
    /// and nothing for graphs of others.
    #[must_use]
    pub fn objective(&self) -> Option<String> {
        match &self.0 {
            Runner::Forest(_) | Runner::Ensemble(_) => {
                self.packs().first().and_then(|pack| property(pack, "objective"))
            }
            Runner::OnnxRuntime(_) => None,
            Runner::Xgboost(booster) => Some(booster.objective().to_string()),
        }
    }

    /// How many margins a row has: the number of classes where there are several. Nothing for graphs of others.
    #[must_use]
    pub fn targets(&self) -> Option<usize> {
        match &self.0 {
            Runner::Forest(_) | Runner::Ensemble(_) => self.packs().first().map(|pack| pack.sections().base.len()),
            Runner::OnnxRuntime(_) => None,
            Runner::Xgboost(booster) => Some(booster.targets()),
        }
    }

    /// Predicts the value of each of `rows` as [`predict`](Self::predict) does, but where the members of an ensemble
    /// answer classes: there it is the class that most of them answer, and of several such the smallest.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn vote(&self, rows: ArrayView2<'_, f32>) -> Result<Predictions> {
        match &self.0 {
            Runner::Ensemble(bundle) if ensemble::answers_classes(bundle) => {
                self.undamaged(rows, || ensemble::vote(bundle, rows))
            }
            _ => self.predict(rows, Output::Value),
        }
    }

    /// Predicts each of `rows` (shape `[rows, features]`, NaN = missing).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the rows are not as wide as the model's [`features`](Self::features), or are so
    /// many that their leaves or contributions would be more than 4,194,304 numbers, [`ErrorKind::Unsupported`] when
    /// the model has no such output, and [`ErrorKind::Damaged`] when its file was cut short.
    pub fn predict(&self, rows: ArrayView2<'_, f32>, output: Output) -> Result<Predictions> {
        self.undamaged(rows, || self.run(rows, output))
    }

    /// What `work` makes of `rows`, if the model's file was there as long as it went on. Where a file is cut short meanwhile,
    /// work may even panic.
    fn undamaged(&self, rows: ArrayView2<'_, f32>, work: impl FnOnce() -> Result<Predictions>) -> Result<Predictions> {
        let whole = || if self.is_damaged() { Err(damaged(ErrorKind::Damaged)) } else { self.check_width(rows) };
        let outcome = catch_unwind(AssertUnwindSafe(|| whole().and_then(|()| work())));
        if self.is_damaged() {
            return Err(damaged(ErrorKind::Damaged));
        }
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn run(&self, rows: ArrayView2<'_, f32>, output: Output) -> Result<Predictions> {
        match &self.0 {
            Runner::Forest(pack) => predict_forest(pack, rows, output),
            Runner::Ensemble(bundle) if output == Output::Value => ensemble::mean(bundle, rows),
            Runner::Ensemble(_) => {
                Err(Error::new(ErrorKind::Unsupported, "an ensemble averages values and has nothing but these"))
            }
            Runner::Xgboost(booster) => booster.predict(rows, output),
            Runner::OnnxRuntime(session) if output == Output::Value => session.predict(rows),
            Runner::OnnxRuntime(_) => {
                let message = "only boosters have margins, leaves and contributions, and this model is another graph";
                Err(Error::new(ErrorKind::Unsupported, message))
            }
        }
    }

    fn check_width(&self, rows: ArrayView2<'_, f32>) -> Result<()> {
        let Some(features) = self.features().filter(|&features| features != rows.ncols()) else { return Ok(()) };
        let message = format!("rows have {} columns, and the model has {features} features", rows.ncols());
        Err(Error::new(ErrorKind::InvalidInput, message))
    }
}

fn damaged(kind: ErrorKind) -> Error {
    Error::new(kind, "the model's file in the cache was cut short")
}

/// A text among what a pack says of its model.
fn property(pack: &Pack, name: &str) -> Option<String> {
    let properties: serde_json::Value = serde_json::from_str(pack.sections().properties()).ok()?;
    Some(properties.get(name)?.as_str()?.to_owned())
}

fn predict_forest(pack: &Pack, rows: ArrayView2<'_, f32>, output: Output) -> Result<Predictions> {
    let forest = pack.sections();
    Ok(match output {
        Output::Margin if !forest.finish().is_link() => {
            let message = "the model has no margins: another tool's graph answers with what it makes of its sums";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Output::Margin => each_row(forest, rows, forest.base.len(), |margins, values| {
            values.extend_from_slice(margins);
        }),
        Output::Value => {
            let finish = forest.finish();
            let columns = finish.columns(forest.base.len());
            each_row(forest, rows, columns, |margins, values| finish.apply(margins, values))
        }
        Output::Leaf => leaves(forest, rows)?,
        Output::Contributions => {
            let columns = (forest.forest.features as usize + 1) * forest.base.len();
            let mut contributions = Contributions::new(*forest)?;
            let mut values = answer(rows.nrows(), columns)?;
            contributions.append(rows, &mut values);
            Predictions { columns, values }
        }
    })
}

fn leaves(forest: &Sections<'_>, rows: ArrayView2<'_, f32>) -> Result<Predictions> {
    let values_per_leaf = forest.forest.values_per_leaf as usize;
    if values_per_leaf == 0 {
        return Err(Error::new(ErrorKind::Unsupported, "the model does not say which numbers its leaves have"));
    }
    let columns = forest.trees.len().div_ceil(values_per_leaf);
    let (mut values, mut copy) = (answer(rows.nrows(), columns)?, Vec::new());
    for row in rows.rows() {
        kernel::leaves(forest, kernel::contiguous(row, &mut copy), &mut values);
    }
    Ok(Predictions { columns, values })
}

/// Room for an answer that is larger than its rows.
fn answer(rows: usize, columns: usize) -> Result<Vec<f32>> {
    let numbers = rows.saturating_mul(columns);
    if numbers > NUMBERS_MAX {
        let message =
            format!("{rows} rows with {columns} numbers for each are more than {NUMBERS_MAX} numbers at once");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(Vec::with_capacity(numbers))
}

/// Lets `finish` append `columns` numbers for the margins of each row.
fn each_row(
    forest: &Sections<'_>,
    rows: ArrayView2<'_, f32>,
    columns: usize,
    finish: impl Fn(&[f32], &mut Vec<f32>),
) -> Predictions {
    let mut values = Vec::with_capacity(rows.nrows() * columns);
    kernel::each_margins(forest, rows, |margins| finish(margins, &mut values));
    Predictions { columns, values }
}
