//! Reads a `TreeEnsemble` (`ai.onnx.ml`, version 5), whose splits and leaves are counted through all trees.

use super::{
    attributes::Attributes,
    ensemble::{Aggregate, Ensemble, Transform},
    path::Path,
    trees::{Mode, Node, Trees, Weight, feature, same_length, unordered},
};
use crate::compile::Reason;

pub(super) fn read(path: &Path<'_>) -> Result<Ensemble, Reason> {
    let attributes = Attributes::of(path.ensemble);
    let aggregate = match attributes.integer("aggregate_function", 1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        _ => return Err(Aggregate::unknown()),
    };
    let transform = match attributes.integer("post_transform", 0) {
        0 => Transform::None,
        3 => Transform::SoftmaxZero,
        4 => Transform::Probit,
        number => {
            let words = format!("ONNX Runtime and the standard do not agree on post_transform {number}");
            return Err(Reason::new(words));
        }
    };
    let targets = attributes.integer("n_targets", 0);
    Ensemble::of_targets(path, trees(attributes, path)?, targets, &[], aggregate, transform)
}

fn trees(attributes: Attributes<'_>, path: &Path<'_>) -> Result<Trees, Reason> {
    let integers = |name: &str| attributes.integers(name);
    let weights = weights(attributes, path)?;
    let features = integers("nodes_featureids");
    let modes = attributes.bytes("nodes_modes").ok_or_else(|| Reason::new("the ensemble has no nodes_modes"))?;
    let thresholds = attributes.tensor("nodes_splits", path.precision)?;
    let ways = [("nodes_truenodeids", "nodes_trueleafs"), ("nodes_falsenodeids", "nodes_falseleafs")];
    let [truths, falsehoods] = ways.map(|(numbers, leaves)| Ways {
        numbers: integers(numbers),
        are_leaves: integers(leaves),
        splits: features.len(),
        leaves: weights.len(),
    });
    let missing_is_true = integers("nodes_missing_value_tracks_true");
    same_length(&[features.len(), modes.len(), thresholds.len(), truths.length()?, falsehoods.length()?])?;
    if !missing_is_true.is_empty() {
        same_length(&[features.len(), missing_is_true.len()])?;
    }
    let split = |at: usize| {
        Ok(Node::Split {
            feature: feature(at, features[at])?,
            mode: Mode::from_number(modes[at]).ok_or_else(|| unordered(at))?,
            threshold: thresholds[at],
            missing_is_true: missing_is_true.get(at) == Some(&1),
            truth: truths.node(at)?,
            falsehood: falsehoods.node(at)?,
        })
    };
    let splits = (0..features.len()).map(split);
    let nodes = splits.chain((0..weights.len()).map(|leaf| Ok(Node::Leaf(leaf..leaf + 1))));
    let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
    let root = |&root: &i64| {
        let at = index(root, features.len())?;
        // ONNX Runtime compares the numbers alone, and takes such a tree for one leaf.
        if truths.numbers[at] == falsehoods.numbers[at] && truths.are_leaves[at] != falsehoods.are_leaves[at] {
            return Err(Reason::new(format!("ONNX Runtime misreads root {root}, a leaf and a split of one number")));
        }
        Ok(at)
    };
    let roots = integers("tree_roots").iter().map(root).collect::<Result<_, _>>()?;
    Trees::new(nodes, weights, roots)
}

fn weights(attributes: Attributes<'_>, path: &Path<'_>) -> Result<Vec<Weight>, Reason> {
    let values = attributes.tensor("leaf_weights", path.precision)?;
    let targets = attributes.integers("leaf_targetids");
    same_length(&[values.len(), targets.len()])?;
    let weight = |(&target, value)| {
        let target = u32::try_from(target).map_err(|_| Reason::new(format!("a leaf names target {target}")))?;
        Ok(Weight { target, value })
    };
    targets.iter().zip(values).map(weight).collect()
}

/// One way out of each split: the number of a split, or of a leaf.
struct Ways<'a> {
    numbers: &'a [i64],
    are_leaves: &'a [i64],
    splits: usize,
    leaves: usize,
}

impl Ways<'_> {
    fn length(&self) -> Result<usize, Reason> {
        same_length(&[self.numbers.len(), self.are_leaves.len()])?;
        Ok(self.numbers.len())
    }

    /// The node that the way out of split `at` leads to; leaves stand behind splits.
    fn node(&self, at: usize) -> Result<usize, Reason> {
        if self.are_leaves[at] == 0 {
            return index(self.numbers[at], self.splits);
        }
        index(self.numbers[at], self.leaves).map(|leaf| self.splits + leaf)
    }
}

fn index(number: i64, length: usize) -> Result<usize, Reason> {
    let index = usize::try_from(number).ok().filter(|&index| index < length);
    index.ok_or_else(|| Reason::new(format!("the ensemble leads to node {number} of {length}")))
}
