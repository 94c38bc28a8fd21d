//! A linear booster in ONNX's own operators: missing values count nothing, the others are multiplied with their weights.

use super::{INPUT, NodeProto, SUMS, TensorProto, floats, operator, signed};
use crate::booster::{Booster, Linear};
use crate::error::{Error, Result};

const ABSENT: &str = "absent";
const IS_MISSING: &str = "is_missing";
const PRESENT: &str = "present";
const WEIGHTS: &str = "weights";

/// The weights of `linear` (for each feature one a target) and where its sums start: the bias and the base margin.
pub(super) fn split(booster: &Booster, linear: &Linear) -> Result<(Vec<f32>, Vec<f32>)> {
    let (weights, biases) = linear.weights.split_at(booster.features * booster.targets);
    if let Some(at) = weights.iter().position(|weight| !weight.is_finite()) {
        let message = format_args!("ONNX has no sum that leaves out a missing value times {}", weights[at]).to_string();
        return Err(Error::unsupported(format_args!("weights[{at}]"), message));
    }
    let starts = biases.iter().zip(&booster.base_margins).map(|(bias, base)| bias + base).collect();
    Ok((weights.to_vec(), starts))
}

/// The nodes that make [`SUMS`] of [`INPUT`], and the constants they need, the weights last.
pub(super) fn products(weights: &[f32], targets: usize) -> (Vec<NodeProto>, [TensorProto; 2]) {
    let features = weights.len().checked_div(targets).unwrap_or(0);
    let weights = TensorProto { dims: vec![signed(features), signed(targets)], ..floats(WEIGHTS, weights) };
    let nodes = vec![
        operator("IsNaN", &[INPUT], IS_MISSING, Vec::new()),
        operator("Where", &[IS_MISSING, ABSENT, INPUT], PRESENT, Vec::new()),
        operator("MatMul", &[PRESENT, WEIGHTS], SUMS, Vec::new()),
    ];
    (nodes, [floats(ABSENT, &[0.0]), weights])
}
