//! All trees of a booster as the attributes of one `TreeEnsemble` (`ai.onnx.ml`, version 5).
//!
//! A leaf of that operator adds to one target, so a tree of leaf vectors becomes one tree for each target. A tree that is
//! one leaf becomes a split both of whose ways lead to it.

use super::{
    AttributeProto, DataType, INPUT, ML_DOMAIN, NodeProto, SUMS, floats, integer_attribute, integers_attribute,
    operator, tensor, tensor_attribute,
};
use crate::error::{Error, Result};
use crate::tree::Tree;

/// `nodes_modes`: the left way where the value is smaller.
const BRANCH_LESS: u8 = 1;
/// `nodes_modes`: the true way where the value is in the node's set.
const BRANCH_MEMBER: u8 = 6;

/// `aggregate_function`.
const SUM: i64 = 1;
/// `post_transform`.
const NONE: i64 = 0;

/// The operator's attributes while they grow.
#[derive(Debug, Default)]
pub(super) struct Ensemble {
    targets: i64,
    roots: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<u8>,
    splits: Vec<f32>,
    missing_is_true: Vec<i64>,
    true_ways: Ways,
    false_ways: Ways,
    members: Vec<f32>,
    split_covers: Vec<f32>,
    leaf_targets: Vec<i64>,
    leaf_weights: Vec<f32>,
    leaf_covers: Vec<f32>,
    leaf_numbers: Vec<u32>,
    has_covers: bool,
}

/// One way out of each split: the number of a split, or of a leaf.
#[derive(Debug, Default)]
struct Ways {
    numbers: Vec<i64>,
    are_leaves: Vec<i64>,
}

impl Ways {
    fn push(&mut self, number: i64, is_leaf: bool) {
        self.numbers.push(number);
        self.are_leaves.push(i64::from(is_leaf));
    }
}

impl Ensemble {
    pub(super) fn new(trees: &[Tree], targets: usize) -> Result<Self> {
        let has_covers = trees.iter().all(|tree| !tree.cover.is_empty());
        let mut ensemble = Self { targets: super::signed(targets), has_covers, ..Self::default() };
        ensemble.reserve(trees);
        for (at, tree) in trees.iter().enumerate() {
            let place = |error: Error| error.within(format_args!("trees[{at}]"));
            for part in 0..tree.values_per_leaf {
                ensemble.add(tree, part).map_err(place)?;
            }
        }
        Ok(ensemble)
    }

    /// Makes room for `trees`, half of whose nodes are leaves: growing would copy everything again and again.
    fn reserve(&mut self, trees: &[Tree]) {
        let leaves = trees.iter().map(|tree| (tree.left.len() / 2 + 1) * tree.values_per_leaf).sum();
        for numbers in [&mut self.features, &mut self.missing_is_true, &mut self.leaf_targets] {
            numbers.reserve(leaves);
        }
        for ways in [&mut self.true_ways, &mut self.false_ways] {
            ways.numbers.reserve(leaves);
            ways.are_leaves.reserve(leaves);
        }
        for numbers in [&mut self.splits, &mut self.split_covers, &mut self.leaf_weights, &mut self.leaf_covers] {
            numbers.reserve(leaves);
        }
        self.modes.reserve(leaves);
        self.leaf_numbers.reserve(leaves);
    }

    /// Adds the values number `part` of a tree's leaves, parents before children.
    fn add(&mut self, tree: &Tree, part: usize) -> Result<()> {
        let order = Order::new(tree, self.features.len(), self.leaf_weights.len());
        self.roots.push(super::signed(self.features.len()));
        for &leaf in &order.leaves {
            self.add_leaf(tree, leaf, part);
        }
        for &split in &order.splits {
            self.add_split(tree, split, &order.numbers)?;
        }
        if order.splits.is_empty() {
            self.add_split_to_leaf();
        }
        Ok(())
    }

    fn add_leaf(&mut self, tree: &Tree, node: u32, part: usize) {
        let target = if tree.values_per_leaf == 1 { tree.target as usize } else { part };
        self.leaf_targets.push(super::signed(target));
        self.leaf_weights.push(tree.leaf_value(node as usize, part));
        self.leaf_covers.extend(tree.cover.get(node as usize));
        self.leaf_numbers.push(node);
    }

    /// A numeric split's left way is the true one; a split of categories is true for those that go right.
    fn add_split(&mut self, tree: &Tree, node: u32, numbers: &[usize]) -> Result<()> {
        let at = node as usize;
        let (left, right) = (tree.left[at] as usize, tree.right[at] as usize);
        let (truth, falsehood) = match tree.categories.get(&node) {
            None => {
                self.modes.push(BRANCH_LESS);
                (left, right)
            }
            Some(set) => {
                self.add_members(node, set)?;
                self.modes.push(BRANCH_MEMBER);
                (right, left)
            }
        };
        self.features.push(i64::from(tree.feature[at]));
        self.splits.push(if truth == left { tree.condition[at] } else { 0.0 });
        self.missing_is_true.push(i64::from(tree.default_left[at] == (truth == left)));
        self.true_ways.push(super::signed(numbers[truth]), tree.is_leaf(truth));
        self.false_ways.push(super::signed(numbers[falsehood]), tree.is_leaf(falsehood));
        self.split_covers.extend(tree.cover.get(at));
        Ok(())
    }

    /// The sets of all nodes stand one behind the other, each ended by NaN.
    #[expect(clippy::cast_precision_loss, reason = "categories are below 2^24")]
    fn add_members(&mut self, node: u32, set: &[u32]) -> Result<()> {
        if set.is_empty() {
            let place = format_args!("categories of node {node}").to_string();
            return Err(Error::unsupported(place, "ONNX has no split by an empty set"));
        }
        self.members.extend(set.iter().map(|&category| category as f32));
        self.members.push(f32::NAN);
        Ok(())
    }

    /// A split whose ways both lead to the last leaf.
    fn add_split_to_leaf(&mut self) {
        let leaf = super::signed(self.leaf_weights.len()) - 1;
        self.features.push(0);
        self.modes.push(BRANCH_LESS);
        self.splits.push(0.0);
        self.missing_is_true.push(1);
        self.true_ways.push(leaf, true);
        self.false_ways.push(leaf, true);
        self.split_covers.extend(self.leaf_covers.last());
    }

    /// The covers of all leaves, where all trees know theirs.
    pub(super) fn leaf_covers(&self) -> Option<&[f32]> {
        self.has_covers.then_some(&self.leaf_covers)
    }

    /// The numbers of all leaves' nodes in their trees.
    pub(super) fn leaf_numbers(&self) -> &[u32] {
        &self.leaf_numbers
    }

    pub(super) fn node(self) -> NodeProto {
        let mut attributes = vec![
            integer_attribute("aggregate_function", SUM),
            integer_attribute("post_transform", NONE),
            integer_attribute("n_targets", self.targets),
            integers_attribute("tree_roots", self.roots),
            integers_attribute("nodes_featureids", self.features),
            bytes_attribute("nodes_modes", self.modes),
            floats_attribute("nodes_splits", &self.splits),
            integers_attribute("nodes_truenodeids", self.true_ways.numbers),
            integers_attribute("nodes_trueleafs", self.true_ways.are_leaves),
            integers_attribute("nodes_falsenodeids", self.false_ways.numbers),
            integers_attribute("nodes_falseleafs", self.false_ways.are_leaves),
            integers_attribute("nodes_missing_value_tracks_true", self.missing_is_true),
            integers_attribute("leaf_targetids", self.leaf_targets),
            floats_attribute("leaf_weights", &self.leaf_weights),
        ];
        if !self.members.is_empty() {
            attributes.push(floats_attribute("membership_values", &self.members));
        }
        if self.has_covers {
            attributes.push(floats_attribute("nodes_hitrates", &self.split_covers));
        }
        NodeProto { domain: ML_DOMAIN.to_owned(), ..operator("TreeEnsemble", &[INPUT], SUMS, attributes) }
    }
}

/// The order in which a tree's nodes are written.
struct Order {
    splits: Vec<u32>,
    leaves: Vec<u32>,
    /// By a node's place in the file: its number among the splits or among the leaves of the whole ensemble.
    numbers: Vec<usize>,
}

impl Order {
    /// The order of a tree whose first split and first leaf get these numbers.
    fn new(tree: &Tree, first_split: usize, first_leaf: usize) -> Self {
        // A tree has one leaf more than it has splits.
        let count = tree.reachable().len() / 2 + 1;
        let (mut splits, mut leaves) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut numbers = vec![0; tree.left.len()];
        for &node in tree.reachable() {
            let (kind, first) =
                if tree.is_leaf(node as usize) { (&mut leaves, first_leaf) } else { (&mut splits, first_split) };
            numbers[node as usize] = first + kind.len();
            kind.push(node);
        }
        let mut order = Self { splits, leaves, numbers };
        order.part_siblings(tree, first_leaf);
        order
    }

    /// ONNX Runtime takes a split for a lone leaf if both its ways have one number, though one leads to a split and the
    /// other to a leaf. Such a leaf changes places with another: no other leaf has a split of that number beside it.
    fn part_siblings(&mut self, tree: &Tree, first_leaf: usize) {
        for &split in &self.splits {
            let (left, right) = (tree.left[split as usize] as usize, tree.right[split as usize] as usize);
            if self.numbers[left] != self.numbers[right] || tree.is_leaf(left) == tree.is_leaf(right) {
                continue;
            }
            let place = self.numbers[left] - first_leaf;
            let other = (place + 1) % self.leaves.len();
            self.leaves.swap(place, other);
            for at in [place, other] {
                self.numbers[self.leaves[at] as usize] = first_leaf + at;
            }
        }
    }
}

fn floats_attribute(name: &str, values: &[f32]) -> AttributeProto {
    tensor_attribute(name, floats(name, values))
}

fn bytes_attribute(name: &str, bytes: Vec<u8>) -> AttributeProto {
    tensor_attribute(name, tensor(name, DataType::Uint8, bytes.len(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{NO_CHILD, Nodes};

    /// A split whose left way is a leaf and whose right way is a split of two leaves.
    fn lopsided() -> Tree {
        let nodes = Nodes {
            left: vec![1, NO_CHILD, 3, NO_CHILD, NO_CHILD],
            right: vec![2, NO_CHILD, 4, NO_CHILD, NO_CHILD],
            feature: vec![0; 5],
            default_left: vec![false; 5],
            condition: vec![0.0, 1.0, 2.0, 3.0, 4.0],
            values_per_leaf: 1,
            weight: 1.0,
            ..Nodes::default()
        };
        Tree::new(nodes, 1, 1).unwrap()
    }

    #[test]
    fn no_split_has_a_leaf_and_a_split_of_one_number() {
        for (first_split, first_leaf) in [(0, 0), (0, 1), (4, 5), (5, 4)] {
            let order = Order::new(&lopsided(), first_split, first_leaf);
            assert_ne!(order.numbers[1], order.numbers[2], "{first_split} {first_leaf}");
            let mut leaves = [1, 3, 4].map(|leaf: usize| order.numbers[leaf]);
            leaves.sort_unstable();
            assert_eq!(leaves, [first_leaf, first_leaf + 1, first_leaf + 2]);
            assert_eq!(order.leaves.iter().position(|&leaf| leaf == 1), Some(order.numbers[1] - first_leaf));
        }
    }

    #[test]
    fn a_lone_leaf_becomes_a_split_to_itself() {
        let nodes = Nodes {
            left: vec![NO_CHILD],
            right: vec![NO_CHILD],
            feature: vec![0],
            default_left: vec![false],
            condition: vec![2.5],
            values_per_leaf: 1,
            weight: 2.0,
            ..Nodes::default()
        };
        let ensemble = Ensemble::new(&[Tree::new(nodes, 1, 1).unwrap()], 1).unwrap();
        assert_eq!((ensemble.true_ways.numbers, ensemble.false_ways.numbers), (vec![0], vec![0]));
        assert_eq!((ensemble.true_ways.are_leaves, ensemble.false_ways.are_leaves), (vec![1], vec![1]));
        assert_eq!(ensemble.leaf_weights, [5.0]);
    }
}
