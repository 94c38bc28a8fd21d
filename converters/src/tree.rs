//! One decision tree, checked.

use std::collections::BTreeMap;
use std::ops::Deref;

use crate::error::{Error, Result};

/// The number that stands for "no child": such a node is a leaf.
pub const NO_CHILD: u32 = u32::MAX;

/// Categories are smaller than this, so that each is a whole `f32`.
pub const CATEGORIES_MAX: u32 = 1 << 24;

/// The nodes of a tree as one array a property, all of the same length; node 0 is the root.
///
/// Nodes that nothing leads to (pruned ones) may stand between the others and keep the numbering of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Nodes {
    /// The node to go to when the split holds, or [`NO_CHILD`] in a leaf.
    pub left: Vec<u32>,
    /// The node to go to when the split does not hold.
    pub right: Vec<u32>,
    /// The column that the split asks.
    pub feature: Vec<u32>,
    /// Whether a missing value goes left.
    pub default_left: Vec<bool>,
    /// The threshold of a numeric split (smaller goes left), or the value of a leaf of a tree with one value a leaf.
    pub condition: Vec<f32>,
    /// The categories that go right, ascending, for each node that splits a category.
    pub categories: BTreeMap<u32, Vec<u32>>,
    /// Empty where a leaf has one value; otherwise `values_per_leaf` values for each node.
    pub leaf_vectors: Vec<f32>,
    /// How many values a leaf has: 1, or as many as the booster has targets.
    pub values_per_leaf: usize,
    /// The sum of hessians of the training rows that reached each node; empty where the file does not say.
    pub cover: Vec<f32>,
    /// The target that a leaf's single value is added to; 0 in a tree of leaf vectors.
    pub target: u32,
    /// What leaf values are multiplied with (dart), 1 otherwise.
    pub weight: f32,
}

/// A tree that ends: every path from the root leads to a leaf, no node has two parents, and every feature, category and
/// target is within its bounds. Its arrays are read through [`Nodes`].
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Nodes,
    features: usize,
    reachable: Vec<u32>,
}

impl Tree {
    /// Checks `nodes` against a booster of so many features and targets.
    ///
    /// # Errors
    ///
    /// Malformed, with the array and the node, where one of the promises of [`Tree`] is broken.
    pub fn new(nodes: Nodes, features: usize, targets: usize) -> Result<Self> {
        check_lengths(&nodes, targets)?;
        check_categories(&nodes)?;
        let (features, reachable) = check_shape(&nodes, features)?;
        Ok(Self { nodes, features, reachable })
    }

    /// How many columns a row must have for this tree to ask none that it lacks.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Whether `node` is a leaf.
    #[must_use]
    pub fn is_leaf(&self, node: usize) -> bool {
        self.nodes.left[node] == NO_CHILD
    }

    /// The value number `part` of the leaf `node`, multiplied with the tree's weight; `part` is below `values_per_leaf`.
    #[must_use]
    pub fn leaf_value(&self, node: usize, part: usize) -> f32 {
        let value = match self.nodes.leaf_vectors.as_slice() {
            [] => self.nodes.condition[node],
            vectors => vectors[node * self.nodes.values_per_leaf + part],
        };
        self.nodes.weight * value
    }

    /// All values of the leaf `node`: one, or one for each target.
    pub fn leaf_values(&self, node: usize) -> impl Iterator<Item = f32> + '_ {
        (0..self.nodes.values_per_leaf).map(move |part| self.leaf_value(node, part))
    }

    /// The nodes that the root leads to, parents before children, left before right.
    #[must_use]
    pub fn reachable(&self) -> &[u32] {
        &self.reachable
    }
}

impl Deref for Tree {
    type Target = Nodes;

    fn deref(&self) -> &Nodes {
        &self.nodes
    }
}

fn check_lengths(nodes: &Nodes, targets: usize) -> Result<()> {
    let count = nodes.left.len();
    if count == 0 || count >= NO_CHILD as usize {
        return Err(Error::malformed("left_children", "expected at least one node and fewer than 2^32"));
    }
    let expect = |name: &str, length: usize, expected: usize| {
        if length == expected {
            return Ok(());
        }
        Err(Error::malformed(name, format_args!("expected {expected} entries, found {length}")))
    };
    expect("right_children", nodes.right.len(), count)?;
    expect("split_indices", nodes.feature.len(), count)?;
    expect("default_left", nodes.default_left.len(), count)?;
    expect("split_conditions", nodes.condition.len(), count)?;
    if !nodes.cover.is_empty() {
        expect("sum_hessian", nodes.cover.len(), count)?;
    }
    if nodes.leaf_vectors.is_empty() {
        expect("values per leaf", nodes.values_per_leaf, 1)?;
    } else {
        expect("values per leaf", nodes.values_per_leaf, targets)?;
        expect("target of a tree of leaf vectors", nodes.target as usize, 0)?;
        expect("leaf weights", nodes.leaf_vectors.len(), count.saturating_mul(targets))?;
    }
    if nodes.target as usize >= targets {
        return Err(Error::malformed("target", format_args!("{} is not below {targets}", nodes.target)));
    }
    Ok(())
}

fn check_categories(nodes: &Nodes) -> Result<()> {
    for (&node, categories) in &nodes.categories {
        let place = format_args!("categories of node {node}").to_string();
        if node as usize >= nodes.left.len() {
            return Err(Error::malformed(place, "the tree has no such node"));
        }
        if categories.last().is_some_and(|&greatest| greatest >= CATEGORIES_MAX) {
            return Err(Error::malformed(place, format_args!("expected categories below {CATEGORIES_MAX}")));
        }
        if !categories.is_sorted_by(|one, next| one < next) {
            return Err(Error::malformed(place, "expected ascending categories"));
        }
    }
    Ok(())
}

/// Walks from the root with its own stack: a node met twice would be a cycle or shared. Returns how many columns the tree
/// asks, and the nodes that were met.
fn check_shape(nodes: &Nodes, features: usize) -> Result<(usize, Vec<u32>)> {
    let mut asked = 0;
    let mut is_met = vec![false; nodes.left.len()];
    let mut met = Vec::with_capacity(nodes.left.len());
    let mut ahead = vec![0];
    while let Some(node) = ahead.pop() {
        let at = node as usize;
        let Some(is_met) = is_met.get_mut(at) else {
            return Err(Error::malformed(format_args!("node {node}"), "a child that the tree does not have"));
        };
        if std::mem::replace(is_met, true) {
            return Err(Error::malformed(format_args!("node {node}"), "more than one way leads here"));
        }
        met.push(node);
        if nodes.left[at] == NO_CHILD {
            continue;
        }
        if nodes.feature[at] as usize >= features {
            let message = format_args!("feature {} is not below {features}", nodes.feature[at]).to_string();
            return Err(Error::malformed(format_args!("split_indices[{node}]"), message));
        }
        check_split(nodes, at)?;
        asked = asked.max(nodes.feature[at] as usize + 1);
        ahead.extend([nodes.right[at], nodes.left[at]]);
    }
    Ok((asked, met))
}

/// XGBoost takes the node behind the left child for the right one where a number decides, and ends the process over a split
/// by no category: no version has written either.
fn check_split(nodes: &Nodes, at: usize) -> Result<()> {
    let (left, right) = (nodes.left[at], nodes.right[at]);
    match nodes.categories.get(&u32::try_from(at).unwrap_or(NO_CHILD)) {
        Some(set) if set.is_empty() => {
            Err(Error::malformed(format_args!("categories of node {at}"), "expected at least one"))
        }
        None if right != left.wrapping_add(1) => {
            let message = format!("expected {}, the node behind the left child, found {right}", left.wrapping_add(1));
            Err(Error::malformed(format_args!("right_children[{at}]"), message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stump() -> Nodes {
        Nodes {
            left: vec![1, NO_CHILD, NO_CHILD],
            right: vec![2, NO_CHILD, NO_CHILD],
            feature: vec![0; 3],
            default_left: vec![true; 3],
            condition: vec![0.5, -1.0, 1.0],
            values_per_leaf: 1,
            weight: 1.0,
            ..Nodes::default()
        }
    }

    fn place_of(change: impl FnOnce(&mut Nodes)) -> String {
        let mut nodes = stump();
        change(&mut nodes);
        Tree::new(nodes, 2, 2).unwrap_err().place().to_owned()
    }

    #[test]
    fn a_right_tree_is_accepted() {
        let tree = Tree::new(stump(), 1, 1).unwrap();
        assert_eq!(tree.reachable(), [0, 1, 2]);
        assert_eq!(tree.leaf_values(2).collect::<Vec<_>>(), [1.0]);
    }

    #[test]
    fn broken_trees_are_refused_where_they_break() {
        assert_eq!(place_of(|nodes| (nodes.left[0], nodes.right[0]) = (0, 1)), "node 0");
        assert_eq!(place_of(|nodes| nodes.left[0] = 2), "right_children[0]");
        assert_eq!(place_of(|nodes| nodes.right[0] = 3), "right_children[0]");
        assert_eq!(place_of(|nodes| (nodes.left[0], nodes.right[0]) = (2, 3)), "node 3");
        assert_eq!(place_of(|nodes| (nodes.left[2], nodes.right[2]) = (1, 2)), "node 1");
        assert_eq!(place_of(|nodes| nodes.right[0] = NO_CHILD), "right_children[0]");
        assert_eq!(place_of(|nodes| nodes.categories = [(0, Vec::new())].into()), "categories of node 0");
        assert_eq!(place_of(|nodes| nodes.feature[0] = 2), "split_indices[0]");
        assert_eq!(place_of(|nodes| nodes.target = 2), "target");
        assert_eq!(place_of(|nodes| nodes.condition.truncate(2)), "split_conditions");
        assert_eq!(place_of(|nodes| nodes.categories = [(0, vec![1 << 24])].into()), "categories of node 0");
        assert_eq!(place_of(|nodes| nodes.categories = [(3, vec![1])].into()), "categories of node 3");
        assert_eq!(place_of(|nodes| nodes.values_per_leaf = 2), "values per leaf");
        assert_eq!(place_of(|nodes| nodes.leaf_vectors = vec![0.0; 6]), "values per leaf");
    }
}
