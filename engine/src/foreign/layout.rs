//! Lays an ensemble out as a pack: every split becomes "less than", every leaf a number for one target.

use std::collections::{BTreeSet, VecDeque};

use super::{
    ensemble::{Aggregate, Ensemble},
    trees::{Mode, Node, Weight},
};
use crate::{
    compile::Reason,
    pack::{
        draft::{Draft, SecondForm},
        format::{self, Forest},
    },
};

/// How many nodes a pack may have for each node and weight of its ensemble. A tree whose leaves all add to the same
/// targets becomes a tree for each, which is fewer.
const GROWTH_MAX: usize = 4;

pub(super) fn draft(ensemble: &Ensemble, properties: String) -> Result<Draft, Reason> {
    let mut draft = Draft {
        forest: Forest {
            features: ensemble.features,
            targets: u32::try_from(ensemble.targets()).map_err(|_| too_large())?,
            sum_order: 1,
            link: ensemble.finish.code(),
            values_per_leaf: 0,
            ..Forest::default()
        },
        base: ensemble.base.clone(),
        trees: Vec::new(),
        nodes: Vec::new(),
        category_sets: Vec::new(),
        category_bits: Vec::new(),
        properties,
        weights: Vec::new(),
        covers: Vec::new(),
        second_form: SecondForm::default(),
    };
    let nodes_max = (ensemble.trees.nodes.len() + ensemble.trees.weights.len()) * GROWTH_MAX;
    for &root in &ensemble.trees.roots {
        for target in targets(ensemble, root) {
            place(ensemble, root, target, &mut draft, nodes_max)?;
        }
    }
    Ok(draft)
}

/// The targets that the leaves below `root` add to.
fn targets(ensemble: &Ensemble, root: usize) -> BTreeSet<u32> {
    let mut targets = BTreeSet::new();
    let mut ahead = vec![root];
    while let Some(at) = ahead.pop() {
        match ensemble.trees.nodes[at] {
            Node::Split { truth, falsehood, .. } => ahead.extend([truth, falsehood]),
            Node::Leaf(ref range) => targets.extend(ensemble.trees.weights[range.clone()].iter().map(|one| one.target)),
        }
    }
    targets
}

/// Places what the tree below `root` adds to `target`: level by level, siblings side by side.
fn place(ensemble: &Ensemble, root: usize, target: u32, draft: &mut Draft, nodes_max: usize) -> Result<(), Reason> {
    draft.trees.push(format::Tree { root: word(draft.nodes.len())?, target });
    let mut ahead = VecDeque::from([(draft.nodes.len(), root)]);
    draft.nodes.push(format::Node::default());
    while let Some((place, at)) = ahead.pop_front() {
        draft.nodes[place] = match ensemble.trees.nodes[at] {
            Node::Leaf(ref range) => {
                let value = leaf_value(ensemble, &ensemble.trees.weights[range.clone()], target);
                format::Node { tag: format::Node::LEAF, next: 0, value }
            }
            Node::Split { feature, mode, threshold, missing_is_true, truth, falsehood } => {
                let children = draft.nodes.len();
                let (value, true_is_left) = as_less(mode, threshold);
                let [left, right] = if true_is_left { [truth, falsehood] } else { [falsehood, truth] };
                let missing = if missing_is_true == true_is_left { format::Node::MISSING_LEFT } else { 0 };
                ahead.extend([(children, left), (children + 1, right)]);
                draft.nodes.extend([format::Node::default(); 2]);
                format::Node { tag: feature | missing, next: word(children)?, value }
            }
        };
        if draft.nodes.len() > nodes_max {
            return Err(too_large());
        }
    }
    Ok(())
}

/// What a leaf of those weights adds to `target`; a tree's share of an average is scaled here, once and for all.
#[expect(clippy::cast_precision_loss, reason = "an ensemble has far fewer trees than f32 can count")]
fn leaf_value(ensemble: &Ensemble, weights: &[Weight], target: u32) -> f32 {
    let value = weights.iter().find(|weight| weight.target == target).map_or(0.0, |weight| weight.value);
    match ensemble.aggregate {
        Aggregate::Sum => value,
        Aggregate::Average => value / ensemble.tree_count() as f32,
    }
}

/// The number `v` for which `x < v` says the same of every `x` that is there as the mode does of `threshold`, or the
/// contrary; and whether it says the same.
///
/// There is no number between one `f32` and the next, so `x <= t` is `x < next_up(t)`. Nothing is less than NaN.
fn as_less(mode: Mode, threshold: f32) -> (f32, bool) {
    let is_greatest = threshold == f32::INFINITY;
    match mode {
        Mode::Less => (threshold, true),
        Mode::AtMost if is_greatest => (f32::NAN, false),
        Mode::AtMost => (threshold.next_up(), true),
        Mode::AtLeast if threshold.is_nan() => (f32::NAN, true),
        Mode::AtLeast => (threshold, false),
        Mode::More if is_greatest || threshold.is_nan() => (f32::NAN, true),
        Mode::More => (threshold.next_up(), false),
    }
}

fn word(number: usize) -> Result<u32, Reason> {
    u32::try_from(number).map_err(|_| too_large())
}

fn too_large() -> Reason {
    Reason::new("the ensemble's trees would become far more as trees of one target each")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_is_a_less_than() {
        let edges = [0.0, -0.0, 1.5, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::from_bits(1)];
        let values = edges.iter().flat_map(|edge| [edge.next_down(), *edge, edge.next_up()]);
        for (threshold, value) in edges.iter().flat_map(|edge| values.clone().map(move |value| (*edge, value))) {
            for mode in [Mode::AtMost, Mode::Less, Mode::AtLeast, Mode::More] {
                let (less, is_same) = as_less(mode, threshold);
                let found = (value < less) == is_same;
                let expected = mode.holds(value, threshold);
                assert!(value.is_nan() || found == expected, "{value} {mode:?} {threshold}");
            }
        }
    }
}
