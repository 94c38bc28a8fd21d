//! Reads a `TreeEnsembleRegressor` (`ai.onnx.ml`, versions 1 and 3).

use super::{
    attributes::Attributes,
    ensemble::{Aggregate, Ensemble, Transform},
    path::Path,
    trees::Trees,
};
use crate::compile::Reason;

pub(super) fn read(path: &Path<'_>) -> Result<Ensemble, Reason> {
    let attributes = Attributes::of(path.ensemble);
    let aggregate = match attributes.text("aggregate_function", "SUM") {
        b"SUM" => Aggregate::Sum,
        b"AVERAGE" => Aggregate::Average,
        _ => return Err(Aggregate::unknown()),
    };
    let transform = Transform::from_name(attributes.text("post_transform", "NONE"))?;
    let trees = Trees::read(attributes, "target", path.precision)?;
    let base = attributes.floats("base_values", path.precision)?;
    Ensemble::of_targets(path, trees, attributes.integer("n_targets", 0), &base, aggregate, transform)
}
