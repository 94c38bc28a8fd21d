//! An ONNX graph in ONNX Runtime.
#![allow(unsafe_code)]

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
};

use ndarray::ArrayView2;
use ort::{
    AsPointer, ErrorCode,
    session::{HasSelectedOutputs, OutputSelector, RunOptions, SessionInputValue, builder::SessionBuilder},
    value::{DynMapValueType, DynValue, IntoTensorElementType, PrimitiveTensorElementType, Tensor, TensorRef},
};
use thicket_converters::onnx::{self, GraphProto};

use super::{
    OnnxRuntime,
    signature::{Input, Number, Output, OutputKind},
};
use crate::{
    error::{Error, ErrorKind, Result},
    predictions::Predictions,
};

/// A graph, ready to predict from any number of threads, one at a time.
#[derive(Debug)]
pub(crate) struct Session {
    input: Input,
    output: Output,
    /// `ort` asks for exclusive use: it trusts ONNX Runtime's promise of concurrent runs no more than that.
    graph: Mutex<Graph>,
}

struct Graph {
    session: ort::session::Session,
    /// Asks for the one output, so that what only others need is not computed.
    options: RunOptions<HasSelectedOutputs>,
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}

impl Session {
    /// Opens the ONNX model `bytes`, which are copied as far as they are needed later.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArtifact`] when the bytes are no sound model, [`ErrorKind::Unsupported`] when ONNX Runtime
    /// cannot run it, or its inputs and outputs are not a matrix and an answer a row.
    pub(crate) fn open(runtime: &OnnxRuntime, bytes: &[u8]) -> Result<Self> {
        let mut builder = builder(runtime)
            .map_err(|error| Error::caused(ErrorKind::Internal, "ONNX Runtime takes no settings", error))?;
        let bytes = self_contained(bytes)?;
        // `ort` panics over types of inputs and outputs that it does not know.
        let session = catch_unwind(AssertUnwindSafe(|| builder.commit_from_memory(&bytes)))
            .map_err(|_| Error::new(ErrorKind::Unsupported, "the graph has an input or output of an unknown type"))?
            .map_err(refused)?;
        let (input, output) = (Input::new(session.inputs())?, Output::choose(session.outputs())?);
        let options = RunOptions::new()
            .map_err(|error| Error::caused(ErrorKind::Internal, "ONNX Runtime takes no options", error))?
            .with_outputs(OutputSelector::no_default().with(&output.name));
        Ok(Self { input, output, graph: Mutex::new(Graph { session, options }) })
    }

    /// How many columns a row must have; `None` when the graph does not say.
    pub(crate) fn features(&self) -> Option<usize> {
        self.input.features
    }

    /// Predicts each of `rows` (shape `[rows, features]`).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the rows are not as wide as the graph says, hold a number that it cannot take, or
    /// do not run; [`ErrorKind::Unsupported`] when the answer is not one number or row of numbers for each.
    pub(crate) fn predict(&self, rows: ArrayView2<'_, f32>) -> Result<Predictions> {
        let (height, width) = rows.dim();
        if let Some(features) = self.input.features.filter(|&features| features != width) {
            let message = format!("rows have {width} columns, and the model has {features} features");
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        if rows.is_empty() {
            return Ok(Predictions { columns: 1, values: Vec::new() });
        }
        let layout = rows.as_standard_layout();
        let cells = layout.as_slice().expect("rows in standard layout are one slice");
        if !self.input.is_single {
            return self.run(0, [height, width], cells);
        }
        let mut all = Predictions::default();
        for (row, cells) in cells.chunks_exact(width).enumerate() {
            let one = self.run(row, [1, width], cells)?;
            if row > 0 && one.columns != all.columns {
                return Err(self.odd(&format!("{} numbers for row {row}, {} before", one.columns, all.columns)));
            }
            all.columns = one.columns;
            all.values.extend(one.values);
        }
        Ok(all)
    }

    /// Runs the graph on `cells`, whose first row is the caller's row `first`.
    fn run(&self, first: usize, shape: [usize; 2], cells: &[f32]) -> Result<Predictions> {
        let failed =
            |error| Error::caused(ErrorKind::InvalidInput, "ONNX Runtime cannot run the graph on the rows", error);
        let input: SessionInputValue<'_> = match self.input.number {
            Number::Float32 => TensorRef::from_array_view((shape, cells)).map_err(failed)?.into(),
            Number::Float64 => Tensor::from_array((shape, wide(cells))).map_err(failed)?.into(),
            Number::Int64 => Tensor::from_array((shape, whole(first, shape[1], cells)?)).map_err(failed)?.into(),
        };
        let mut graph = self.graph.lock().unwrap_or_else(PoisonError::into_inner);
        let Graph { session, options } = &mut *graph;
        let outputs = session.run_with_options([input], options).map_err(failed)?;
        let answer = outputs.get(&self.output.name).ok_or_else(|| self.odd("nothing"))?;
        self.read(answer, shape[0])
    }

    fn read(&self, answer: &DynValue, rows: usize) -> Result<Predictions> {
        match self.output.kind {
            OutputKind::Tensor(Number::Float32) => self.read_tensor(answer, rows, |&number: &f32| number),
            OutputKind::Tensor(Number::Float64) => self.read_tensor(answer, rows, |&number: &f64| narrow(number)),
            OutputKind::Tensor(Number::Int64) => self.read_tensor(answer, rows, |&label: &i64| nearest(label)),
            OutputKind::MapsOfInt64 => self.read_maps::<i64>(answer, rows),
            OutputKind::MapsOfText => self.read_maps::<String>(answer, rows),
        }
    }

    fn read_tensor<T>(&self, answer: &DynValue, rows: usize, number: impl Fn(&T) -> f32) -> Result<Predictions>
    where
        T: PrimitiveTensorElementType,
    {
        let (shape, numbers) = answer.try_extract_tensor::<T>().map_err(|error| self.odd(&error.to_string()))?;
        // A graph of one row may give its numbers without a dimension for rows.
        let columns = match shape[..] {
            [] if rows == 1 => 1,
            [height] if i64::try_from(rows) == Ok(height) => 1,
            [_] if rows == 1 => numbers.len(),
            [height, _] if i64::try_from(rows) == Ok(height) => numbers.len() / rows,
            _ => 0,
        };
        if columns == 0 || columns.checked_mul(rows) != Some(numbers.len()) {
            return Err(self.odd(&format!("shape {:?} for {rows} rows", &shape[..])));
        }
        Ok(Predictions { columns, values: numbers.iter().map(number).collect() })
    }

    /// Reads the values of one map a row, in the order of the keys.
    fn read_maps<K>(&self, answer: &DynValue, rows: usize) -> Result<Predictions>
    where
        K: IntoTensorElementType + Clone + std::hash::Hash + Ord,
    {
        let unread = |error: ort::Error| self.odd(&error.to_string());
        let maps = answer.try_extract_sequence::<DynMapValueType>().map_err(unread)?;
        let mut predictions = Predictions::default();
        for map in &maps {
            let mut pairs = map.try_extract_key_values::<K, f32>().map_err(unread)?;
            pairs.sort_by(|one, other| one.0.cmp(&other.0));
            predictions.values.extend(pairs.iter().map(|pair| pair.1));
            predictions.columns = pairs.len();
        }
        let is_matrix = predictions.columns > 0 && predictions.columns * rows == predictions.values.len();
        if maps.len() != rows || !is_matrix {
            return Err(self.odd(&format!(
                "{} maps of {} numbers for {rows} rows",
                maps.len(),
                predictions.values.len()
            )));
        }
        Ok(predictions)
    }

    fn odd(&self, what: &str) -> Error {
        let message = format!("the graph's output `{}` gives {what}, not one answer a row", self.output.name);
        Error::new(ErrorKind::Unsupported, message)
    }
}

/// The model as ONNX Runtime gets it: written anew from what was read of it, so that nothing unread is left in it to name
/// a file, as numbers can be.
///
/// # Errors
/// [`ErrorKind::InvalidArtifact`] when the bytes are no ONNX model, [`ErrorKind::Unsupported`] when it names files.
fn self_contained(bytes: &[u8]) -> Result<Vec<u8>> {
    let model = onnx::decode(bytes)
        .map_err(|error| Error::caused(ErrorKind::InvalidArtifact, "not a sound ONNX model", error))?;
    let mut graphs: Vec<&GraphProto> = model.graph.iter().collect();
    while let Some(graph) = graphs.pop() {
        let attributes = || graph.node.iter().flat_map(|node| &node.attribute);
        let constants = attributes().flat_map(|attribute| attribute.t.as_deref().into_iter().chain(&attribute.tensors));
        let mut tensors = graph.initializer.iter().chain(constants);
        if let Some(tensor) = tensors.find(|tensor| tensor.data_location != 0 || !tensor.external_data.is_empty()) {
            let message = format!("the numbers of `{}` lie in another file; export the model as one file", tensor.name);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        graphs.extend(attributes().flat_map(|attribute| attribute.g.as_deref().into_iter().chain(&attribute.graphs)));
    }
    Ok(onnx::encode(&model))
}

/// Settings for thousands of small sessions in one process: no threads, and no memory kept between runs.
fn builder(runtime: &OnnxRuntime) -> ort::Result<SessionBuilder> {
    let mut builder = ort::session::Session::builder(&runtime.environment)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_memory_pattern(false)?;
    let disable_arena = ort::api().DisableCpuMemArena;
    // SAFETY: the builder's own options, not used by anything else meanwhile.
    let status = unsafe { disable_arena(builder.ptr_mut()) };
    // SAFETY: the status that the call above gave, not used again.
    unsafe { ort::Error::result_from_status(status) }?;
    Ok(builder)
}

fn refused(error: ort::Error) -> Error {
    match error.code() {
        ErrorCode::InvalidProtobuf | ErrorCode::InvalidGraph | ErrorCode::NoModel => {
            Error::caused(ErrorKind::InvalidArtifact, "not a sound ONNX model", error)
        }
        _ => Error::caused(ErrorKind::Unsupported, "ONNX Runtime cannot run the graph", error),
    }
}

fn wide(cells: &[f32]) -> Vec<f64> {
    cells.iter().map(|&cell| f64::from(cell)).collect()
}

/// The cells as the whole numbers that they are.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers within the bounds of i64 stay what they are")]
fn whole(first: usize, width: usize, cells: &[f32]) -> Result<Vec<i64>> {
    // 2^63 as f32: the first that is too large.
    const END: f32 = 9_223_372_036_854_775_808.0;
    let number = |(place, &cell): (usize, &f32)| {
        if cell.fract() == 0.0 && (-END..END).contains(&cell) {
            return Ok(cell as i64);
        }
        let (row, column) = (first + place / width, place % width);
        let message = format!("row {row}, column {column} holds {cell}, and the graph takes whole numbers");
        Err(Error::new(ErrorKind::InvalidInput, message))
    };
    cells.iter().enumerate().map(number).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "answers are f32: the nearest one is meant")]
fn narrow(number: f64) -> f32 {
    number as f32
}

#[expect(clippy::cast_precision_loss, reason = "labels are small; for others the nearest f32 is meant")]
fn nearest(label: i64) -> f32 {
    label as f32
}

#[cfg(test)]
mod tests;
