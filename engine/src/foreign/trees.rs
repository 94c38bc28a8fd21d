//! The trees of an ensemble in one form, whichever operator they come from, and the reader of the older two operators.

use std::{collections::HashMap, ops::Range};

use super::{Precision, attributes::Attributes};
use crate::compile::Reason;

/// When a split's true way is taken; never for a missing value, unless the split says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    AtMost,
    Less,
    AtLeast,
    More,
}

/// One node of a tree.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Split {
        feature: u32,
        mode: Mode,
        threshold: f32,
        missing_is_true: bool,
        truth: usize,
        falsehood: usize,
    },
    /// A range of the weights.
    Leaf(Range<usize>),
}

/// What a leaf adds to one target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    pub(super) target: u32,
    pub(super) value: f32,
}

/// Trees whose walks end: no split has more than one parent.
#[derive(Clone, Debug)]
pub(super) struct Trees {
    pub(super) nodes: Vec<Node>,
    pub(super) weights: Vec<Weight>,
    /// In the order of summation.
    pub(super) roots: Vec<usize>,
}

impl Mode {
    /// The mode of that number: its place in the standard's list.
    pub(super) fn from_number(number: u8) -> Option<Self> {
        [Self::AtMost, Self::Less, Self::AtLeast, Self::More].get(usize::from(number)).copied()
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        const NAMES: [&[u8]; 4] = [b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_GTE", b"BRANCH_GT"];
        let number = NAMES.iter().position(|known| *known == name)?;
        Self::from_number(u8::try_from(number).ok()?)
    }

    /// Whether `value`, if it is there, takes the true way.
    pub(super) fn holds(self, value: f32, threshold: f32) -> bool {
        match self {
            Self::AtMost => value <= threshold,
            Self::Less => value < threshold,
            Self::AtLeast => value >= threshold,
            Self::More => value > threshold,
        }
    }
}

impl Trees {
    /// Checks what the walks and the layout rely on.
    pub(super) fn new(nodes: Vec<Node>, weights: Vec<Weight>, roots: Vec<usize>) -> Result<Self, Reason> {
        let trees = Self { nodes, weights, roots };
        if trees.roots.is_empty() {
            return Err(Reason::new("the ensemble has no trees"));
        }
        let mut is_seen = vec![false; trees.nodes.len()];
        let mut ahead = trees.roots.clone();
        while let Some(at) = ahead.pop() {
            if let Node::Split { truth, falsehood, .. } = trees.nodes[at] {
                if std::mem::replace(&mut is_seen[at], true) {
                    return Err(Reason::new(format!("node {at} has more than one parent")));
                }
                ahead.extend([truth, falsehood]);
            }
        }
        Ok(trees)
    }

    /// Reads the trees of a `TreeEnsembleRegressor` (whose weights are `target`s) or `TreeEnsembleClassifier` (`class`).
    pub(super) fn read(attributes: Attributes<'_>, weights: &str, precision: Precision) -> Result<Self, Reason> {
        let (numbers, roots) = numbers(attributes)?;
        let (weights, ranges) = leaf_weights(attributes, weights, precision, &numbers)?;
        let splits = Splits::read(attributes, precision, numbers.len())?;
        let nodes = ranges.into_iter().enumerate().map(|(at, range)| splits.node(at, range, &numbers));
        Self::new(nodes.collect::<Result<_, _>>()?, weights, roots)
    }
}

/// A node's name: its tree and its number there.
type Name = (i64, i64);

/// The place of each node, and the places of the roots: the first node of each tree is its root.
fn numbers(attributes: Attributes<'_>) -> Result<(HashMap<Name, usize>, Vec<usize>), Reason> {
    let (trees, ids) = (attributes.integers("nodes_treeids"), attributes.integers("nodes_nodeids"));
    same_length(&[trees.len(), ids.len()])?;
    let is_number = |number: &i64| (0..i64::from(i32::MAX)).contains(number);
    if !trees.iter().chain(ids).all(is_number) {
        return Err(Reason::new("the ensemble counts its nodes beyond bounds"));
    }
    let mut places = HashMap::with_capacity(ids.len());
    let mut roots = Vec::new();
    let mut first_of_tree = HashMap::new();
    for (at, (&tree, &id)) in trees.iter().zip(ids).enumerate() {
        if places.insert((tree, id), at).is_some() {
            return Err(Reason::new(format!("the ensemble has node {id} of tree {tree} twice")));
        }
        if at == 0 || trees[at - 1] != tree {
            roots.push(at);
            if first_of_tree.insert(tree, at).is_some() {
                return Err(Reason::new(format!("the nodes of tree {tree} do not stand together")));
            }
        }
    }
    Ok((places, roots))
}

/// What the leaves add, leaf by leaf, and the range of each node.
fn leaf_weights(
    attributes: Attributes<'_>,
    prefix: &str,
    precision: Precision,
    numbers: &HashMap<Name, usize>,
) -> Result<(Vec<Weight>, Vec<Range<usize>>), Reason> {
    let integers = |name: &str| attributes.integers(&format!("{prefix}_{name}"));
    let (trees, ids, targets) = (integers("treeids"), integers("nodeids"), integers("ids"));
    let values = attributes.floats(&format!("{prefix}_weights"), precision)?;
    same_length(&[trees.len(), ids.len(), targets.len(), values.len()])?;
    let mut placed = Vec::with_capacity(values.len());
    for ((name, &target), &value) in trees.iter().zip(ids).zip(targets).zip(&*values) {
        let name = (*name.0, *name.1);
        let place = numbers.get(&name);
        let place = place.ok_or_else(|| Reason::new(format!("a weight names node {} of tree {}", name.1, name.0)))?;
        let target = u32::try_from(target).map_err(|_| Reason::new(format!("a weight names target {target}")))?;
        placed.push((*place, Weight { target, value }));
    }
    placed.sort_by_key(|(place, weight)| (*place, weight.target));
    let mut ranges = vec![0..0; numbers.len()];
    for (at, (place, weight)) in placed.iter().enumerate() {
        if at > 0 && placed[at - 1].0 == *place && placed[at - 1].1.target == weight.target {
            return Err(Reason::new(format!("node {place} adds to one target twice")));
        }
        let start = if ranges[*place].is_empty() { at } else { ranges[*place].start };
        ranges[*place] = start..at + 1;
    }
    Ok((placed.into_iter().map(|(_, weight)| weight).collect(), ranges))
}

/// The attributes of splits, one for each node.
struct Splits<'a> {
    trees: &'a [i64],
    features: &'a [i64],
    modes: &'a [Vec<u8>],
    values: std::borrow::Cow<'a, [f32]>,
    truths: &'a [i64],
    falsehoods: &'a [i64],
    /// Empty where no missing value takes a true way.
    missing_is_true: &'a [i64],
}

impl<'a> Splits<'a> {
    fn read(attributes: Attributes<'a>, precision: Precision, nodes: usize) -> Result<Self, Reason> {
        let splits = Self {
            trees: attributes.integers("nodes_treeids"),
            features: attributes.integers("nodes_featureids"),
            modes: attributes.texts("nodes_modes"),
            values: attributes.floats("nodes_values", precision)?,
            truths: attributes.integers("nodes_truenodeids"),
            falsehoods: attributes.integers("nodes_falsenodeids"),
            missing_is_true: attributes.integers("nodes_missing_value_tracks_true"),
        };
        let Self { features, modes, values, truths, falsehoods, missing_is_true, .. } = &splits;
        same_length(&[nodes, features.len(), modes.len(), values.len(), truths.len(), falsehoods.len()])?;
        if !missing_is_true.is_empty() {
            same_length(&[nodes, missing_is_true.len()])?;
        }
        Ok(splits)
    }

    /// Node `at`, whose weights are `range`.
    fn node(&self, at: usize, range: Range<usize>, numbers: &HashMap<Name, usize>) -> Result<Node, Reason> {
        let is_leaf = self.modes[at] == b"LEAF";
        if is_leaf == range.is_empty() {
            return Err(Reason::new(format!("node {at} is a split with a weight or a leaf without one")));
        }
        if is_leaf {
            return Ok(Node::Leaf(range));
        }
        let way = |number: i64| {
            let place = numbers.get(&(self.trees[at], number)).copied();
            place.ok_or_else(|| Reason::new(format!("node {at} leads to {number}, which is no node of its tree")))
        };
        Ok(Node::Split {
            feature: feature(at, self.features[at])?,
            mode: Mode::from_name(&self.modes[at]).ok_or_else(|| unordered(at))?,
            threshold: self.values[at],
            missing_is_true: self.missing_is_true.get(at) == Some(&1),
            truth: way(self.truths[at])?,
            falsehood: way(self.falsehoods[at])?,
        })
    }
}

/// The feature that node `at` asks.
pub(super) fn feature(at: usize, feature: i64) -> Result<u32, Reason> {
    u32::try_from(feature).map_err(|_| Reason::new(format!("node {at} asks feature {feature}")))
}

/// The complaint about a mode that is no comparison of order.
pub(super) fn unordered(at: usize) -> Reason {
    Reason::new(format!("node {at} asks for something other than <=, <, >= or >"))
}

pub(super) fn same_length(lengths: &[usize]) -> Result<(), Reason> {
    if lengths.iter().all(|length| *length == lengths[0]) {
        return Ok(());
    }
    Err(Reason::new("the ensemble's attributes have different lengths"))
}
