//! Tree ensembles of ONNX that other tools write: read into one form, evaluated plainly, laid out as a pack.
//!
//! Understood is a graph whose answer is one ensemble's, perhaps by way of operators that change no number. What ONNX
//! Runtime answers is right: where the standard leaves room, or ONNX Runtime does not follow it, the graph is left there.

mod attributes;
mod trees;
mod ensemble;
mod flat;
mod layout;
mod path;
mod regressor;
mod classifier;

use thicket_converters::onnx::{GraphProto, ModelProto, ValueInfoProto};

pub(crate) use ensemble::Ensemble;

use crate::{compile::Reason, pack::draft::Draft};

/// The domain of the operators of trees.
const ML_DOMAIN: &str = "ai.onnx.ml";
/// The newest version of that domain whose operators are known here.
const ML_VERSION_MAX: i64 = 5;

/// What a graph computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    Single,
    Double,
}

/// Reads the ensemble that answers for `model`.
///
/// # Errors
/// Why it is none that can be understood.
pub(crate) fn read(model: &ModelProto) -> Result<Ensemble, Reason> {
    let graph = model.graph.as_ref().ok_or_else(|| Reason::new("the model has no graph"))?;
    let newer = model.opset_import.iter().find(|opset| opset.domain == ML_DOMAIN && opset.version > ML_VERSION_MAX);
    if let Some(opset) = newer {
        return Err(Reason::new(format!("the graph uses version {} of {ML_DOMAIN}", opset.version)));
    }
    let path = path::Path::of(graph)?;
    let ensemble = match path.ensemble.op_type.as_str() {
        "TreeEnsembleClassifier" => classifier::read(&path)?,
        "TreeEnsembleRegressor" => regressor::read(&path)?,
        _ => flat::read(&path)?,
    };
    ensemble.check_features()?;
    path.check_columns(ensemble.columns())?;
    Ok(ensemble)
}

/// Reads the ensemble that stands first in `model`, as if the graph ended there.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_first(model: &ModelProto) -> Result<Ensemble, Reason> {
    let graph = model.graph.as_ref().and_then(|graph| Some((graph, graph.node.first()?, graph.output.first()?)));
    let (graph, first, output) = graph.ok_or_else(|| Reason::new("the model has no graph"))?;
    let sums = ValueInfoProto { name: first.output.first().cloned().unwrap_or_default(), ..output.clone() };
    let graph = GraphProto {
        node: vec![first.clone()],
        input: graph.input.clone(),
        output: vec![sums],
        ..GraphProto::default()
    };
    read(&ModelProto { opset_import: model.opset_import.clone(), graph: Some(graph), ..ModelProto::default() })
}

/// Lays `ensemble`, which was read from `model`, out as a pack.
///
/// # Errors
/// That it would become far larger than it is.
pub(crate) fn compile(ensemble: &Ensemble, model: &ModelProto) -> Result<Draft, Reason> {
    let properties = serde_json::json!({ "writer": writer(model), "form": "ONNX" });
    layout::draft(ensemble, properties.to_string())
}

/// The program that wrote `model`, as far as the model says.
pub(crate) fn writer(model: &ModelProto) -> String {
    format!("{} {}", model.producer_name, model.producer_version).trim().to_owned()
}
