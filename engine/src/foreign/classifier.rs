//! Reads a `TreeEnsembleClassifier` (`ai.onnx.ml`, versions 1 and 3).

use super::{
    attributes::Attributes,
    ensemble::{Aggregate, Ensemble, Transform},
    path::Path,
    trees::{Node, Trees},
};
use crate::{
    compile::Reason,
    finish::{Finish, PostTransform},
};

pub(super) fn read(path: &Path<'_>) -> Result<Ensemble, Reason> {
    let attributes = Attributes::of(path.ensemble);
    let transform = Transform::from_name(attributes.text("post_transform", "NONE"))?;
    let trees = Trees::read(attributes, "class", path.precision)?;
    let base = attributes.floats("base_values", path.precision)?;
    let classes = classes(attributes)?;
    if classes > 2 {
        return of_classes(path, trees, classes, &base, transform);
    }
    if classes < 2 {
        return Err(Reason::new("the ensemble knows one class"));
    }
    if trees.weights.iter().all(|weight| weight.target == 0) {
        return of_one_column(path, trees, &base, transform);
    }
    let names_both =
        |node: &Node| matches!(node, Node::Split { .. }) || matches!(node, Node::Leaf(both) if both.len() == 2);
    if base.is_empty() && trees.nodes.iter().all(names_both) {
        return of_classes(path, trees, classes, &base, transform);
    }
    Err(Reason::new("the ensemble's leaves name the two classes in no way that has one meaning"))
}

fn classes(attributes: Attributes<'_>) -> Result<usize, Reason> {
    let (integers, texts) = (attributes.integers("classlabels_int64s"), attributes.texts("classlabels_strings"));
    if integers.is_empty() == texts.is_empty() {
        return Err(Reason::new("the ensemble names its classes twice or not at all"));
    }
    Ok(integers.len() + texts.len())
}

/// A score for each class.
fn of_classes(
    path: &Path<'_>,
    trees: Trees,
    classes: usize,
    base: &[f32],
    transform: Transform,
) -> Result<Ensemble, Reason> {
    let classes = i64::try_from(classes).map_err(|_| Reason::new("the ensemble has too many classes"))?;
    Ensemble::of_targets(path, trees, classes, base, Aggregate::Sum, transform)
}

/// Two classes, and one score that tells them apart.
///
/// ONNX Runtime takes the score for the second class's probability where no weight is negative, and otherwise for a
/// number whose sign decides.
fn of_one_column(path: &Path<'_>, trees: Trees, base: &[f32], transform: Transform) -> Result<Ensemble, Reason> {
    let is_probability = !trees.weights.iter().any(|weight| weight.value < 0.0);
    let pair = match (is_probability, transform) {
        (true, Transform::None) => PostTransform::Complement,
        (false, Transform::Logistic) => PostTransform::LogisticPair,
        _ => return Err(Reason::new("ONNX Runtime and the standard do not agree on the post_transform of one score")),
    };
    let mut ensemble = Ensemble::of_targets(path, trees, 1, base, Aggregate::Sum, Transform::None)?;
    ensemble.finish = Finish::PostTransform(pair);
    Ok(ensemble)
}
