//! Lays the nodes of an ensemble out as a pack has them: tree by tree, level by level, siblings side by side.

use std::collections::VecDeque;

use super::{
    Reason,
    attributes::{Attributes, Ways},
    origins::Origins,
};
use crate::pack::format::{CategorySet, Node, Tree};

/// `nodes_modes`: the true way is for smaller values.
const BRANCH_LESS: u8 = 1;
/// `nodes_modes`: the true way is for members of the node's set.
pub(super) const BRANCH_MEMBER: u8 = 6;
/// Categories are smaller than this.
const CATEGORIES_MAX: f32 = 16_777_216.0;

/// The node sections of a pack.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) trees: Vec<Tree>,
    pub(super) nodes: Vec<Node>,
    pub(super) category_sets: Vec<CategorySet>,
    pub(super) category_bits: Vec<u32>,
    /// One for each node, or nothing.
    pub(super) covers: Vec<f32>,
    /// How many trees are one tree of the trainer's file, 0 where leaves have no numbers.
    pub(super) values_per_leaf: u32,
}

/// A split or a leaf of the ensemble, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Split(usize),
    Leaf(usize),
}

impl Layout {
    pub(super) fn of(attributes: &Attributes<'_>, origins: &Origins) -> Result<Self, Reason> {
        let mut layout = Self { values_per_leaf: origins.values_per_leaf(), ..Self::default() };
        let sets = layout.category_sets(attributes)?;
        let mut is_placed = vec![false; attributes.features.len()];
        for &root in attributes.roots {
            let root = index(root, attributes.features.len())?;
            let tree = layout.place(attributes, origins, &sets, &mut is_placed, root)?;
            layout.trees.push(tree);
        }
        if u32::try_from(layout.nodes.len()).is_err() {
            return Err(Reason::new("the ensemble has more than 2^32 nodes"));
        }
        Ok(layout)
    }

    /// Reads the sets of all nodes that have one, in the order of the nodes: each node's set index.
    fn category_sets(&mut self, attributes: &Attributes<'_>) -> Result<Vec<u32>, Reason> {
        let mut sets = attributes.members.split(|member| member.is_nan());
        let mut indices = vec![0; attributes.modes.len()];
        for (index, _) in indices.iter_mut().zip(&*attributes.modes).filter(|(_, mode)| **mode == BRANCH_MEMBER) {
            let members =
                sets.next().ok_or_else(|| Reason::new("the ensemble has fewer sets than nodes that ask them"))?;
            *index =
                u32::try_from(self.category_sets.len()).map_err(|_| Reason::new("the ensemble has too many sets"))?;
            self.add_set(members)?;
        }
        Ok(indices)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "categories are checked first")]
    fn add_set(&mut self, members: &[f32]) -> Result<(), Reason> {
        let mut greatest = 0;
        for &member in members {
            if !(0.0..CATEGORIES_MAX).contains(&member) || member.fract() != 0.0 {
                return Err(Reason::new(format!("the ensemble asks for {member}, which is no category")));
            }
            greatest = greatest.max(member as u32);
        }
        let first_word = u32::try_from(self.category_bits.len()).map_err(|_| Reason::new("the sets are too large"))?;
        let words = greatest / 32 + 1;
        self.category_bits.resize(first_word as usize + words as usize, 0);
        for &member in members {
            self.category_bits[(first_word + member as u32 / 32) as usize] |= 1 << (member as u32 % 32);
        }
        self.category_sets.push(CategorySet { first_word, words });
        Ok(())
    }

    /// Places the tree below the split `root`.
    fn place(
        &mut self,
        attributes: &Attributes<'_>,
        origins: &Origins,
        sets: &[u32],
        is_placed: &mut [bool],
        root: usize,
    ) -> Result<Tree, Reason> {
        let place_of_root = self.nodes.len();
        let mut target = None;
        let mut ahead = VecDeque::from([(place_of_root, Target::Split(root))]);
        self.nodes.push(Node::default());
        while let Some((place, what)) = ahead.pop_front() {
            match collapse(attributes, what)? {
                Target::Leaf(leaf) => {
                    if *target.get_or_insert(attributes.leaf_targets[leaf]) != attributes.leaf_targets[leaf] {
                        return Err(Reason::new("the leaves of one tree add to different targets"));
                    }
                    self.nodes[place] =
                        Node { tag: Node::LEAF, next: origins.leaf_number(leaf), value: attributes.leaf_weights[leaf] };
                    self.covers.extend(origins.leaf_covers.get(leaf));
                }
                Target::Split(split) => {
                    if std::mem::replace(&mut is_placed[split], true) {
                        return Err(Reason::new(format!("split {split} has more than one parent")));
                    }
                    let children = self.nodes.len();
                    self.nodes.extend([Node::default(); 2]);
                    let (node, [left, right]) = split_node(attributes, sets, split, children)?;
                    self.nodes[place] = node;
                    self.covers.extend(origins.split_covers.get(split));
                    ahead.extend([(children, left), (children + 1, right)]);
                }
            }
        }
        let target = target.and_then(|target| u32::try_from(target).ok());
        let target = target.ok_or_else(|| Reason::new("a tree adds to no target"))?;
        Ok(Tree { root: word(place_of_root)?, target })
    }
}

/// A split both of whose ways lead to one leaf is that leaf: ONNX has no other way to say a tree of one leaf.
fn collapse(attributes: &Attributes<'_>, target: Target) -> Result<Target, Reason> {
    let Target::Split(split) = target else { return Ok(target) };
    let truth = way(attributes, attributes.true_ways, split)?;
    let falsehood = way(attributes, attributes.false_ways, split)?;
    Ok(if truth == falsehood && matches!(truth, Target::Leaf(_)) { truth } else { target })
}

/// The node for a split whose children are placed at `children`, and what these are.
fn split_node(
    attributes: &Attributes<'_>,
    sets: &[u32],
    split: usize,
    children: usize,
) -> Result<(Node, [Target; 2]), Reason> {
    let feature = u32::try_from(attributes.features[split]).ok().filter(|&feature| feature <= Node::FEATURE);
    let feature = feature.ok_or_else(|| Reason::new(format!("split {split} asks no feature")))?;
    let truth = way(attributes, attributes.true_ways, split)?;
    let falsehood = way(attributes, attributes.false_ways, split)?;
    let missing_is_true = attributes.missing_is_true[split] != 0;
    let (flags, value, missing_is_left, ways) = match attributes.modes[split] {
        BRANCH_LESS => (0, attributes.splits[split], missing_is_true, [truth, falsehood]),
        BRANCH_MEMBER => (Node::CATEGORIES, f32::from_bits(sets[split]), !missing_is_true, [falsehood, truth]),
        mode => return Err(Reason::new(format!("split {split} has mode {mode}, which is neither < nor membership"))),
    };
    let missing = if missing_is_left { Node::MISSING_LEFT } else { 0 };
    Ok((Node { tag: feature | flags | missing, next: word(children)?, value }, ways))
}

fn way(attributes: &Attributes<'_>, ways: Ways<'_>, split: usize) -> Result<Target, Reason> {
    if ways.are_leaves[split] != 0 {
        return index(ways.numbers[split], attributes.leaf_weights.len()).map(Target::Leaf);
    }
    index(ways.numbers[split], attributes.features.len()).map(Target::Split)
}

fn index(number: i64, length: usize) -> Result<usize, Reason> {
    let index = usize::try_from(number).ok().filter(|&index| index < length);
    index.ok_or_else(|| Reason::new(format!("the ensemble leads to node {number} of {length}")))
}

fn word(number: usize) -> Result<u32, Reason> {
    u32::try_from(number).map_err(|_| Reason::new("the ensemble has more than 2^32 nodes"))
}
