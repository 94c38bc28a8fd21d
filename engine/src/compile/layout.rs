//! Lays the nodes of an ensemble out as a pack has them: tree by tree, level by level, siblings side by side.

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
        let splits = attributes.features.len();
        // Each split is placed once, with its children, and each root.
        layout.nodes.reserve(2 * splits + attributes.roots.len());
        let mut placing = Placing { attributes, origins, sets, is_placed: vec![false; splits], ahead: Vec::new() };
        for &root in attributes.roots {
            let tree = layout.place(&mut placing, index(root, splits)?)?;
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
    fn place(&mut self, placing: &mut Placing<'_>, root: usize) -> Result<Tree, Reason> {
        let first = self.nodes.len();
        let (mut target, mut placed) = (None, 0);
        placing.ahead.clear();
        placing.ahead.push(Target::Split(root));
        while let Some(&what) = placing.ahead.get(placed) {
            placed += 1;
            let node = match placing.collapse(what)? {
                Place::Leaf(leaf) => {
                    let leaf_target = placing.attributes.leaf_targets[leaf];
                    if *target.get_or_insert(leaf_target) != leaf_target {
                        return Err(Reason::new("the leaves of one tree add to different targets"));
                    }
                    self.covers.extend(placing.origins.leaf_covers.get(leaf));
                    placing.leaf(leaf)
                }
                Place::Split(split, ways) => {
                    self.covers.extend(placing.origins.split_covers.get(split));
                    placing.split(split, ways, first)?
                }
            };
            self.nodes.push(node);
        }
        let target = target.and_then(|target| u32::try_from(target).ok());
        let target = target.ok_or_else(|| Reason::new("a tree adds to no target"))?;
        Ok(Tree { root: word(first)?, target })
    }
}

/// What nodes are placed by.
struct Placing<'a> {
    attributes: &'a Attributes<'a>,
    origins: &'a Origins,
    /// For each split, the index of its set.
    sets: Vec<u32>,
    is_placed: Vec<bool>,
    /// The nodes of the present tree, in the order of their places.
    ahead: Vec<Target>,
}

/// What a node of the pack is made of.
enum Place {
    Leaf(usize),
    /// A split, and where its true and its false way lead.
    Split(usize, [Target; 2]),
}

impl Placing<'_> {
    /// A split both of whose ways lead to one leaf is that leaf: ONNX has no other way to say a tree of one leaf.
    fn collapse(&self, target: Target) -> Result<Place, Reason> {
        let split = match target {
            Target::Leaf(leaf) => return Ok(Place::Leaf(leaf)),
            Target::Split(split) => split,
        };
        let attributes = self.attributes;
        let ways = [way(attributes, attributes.true_ways, split)?, way(attributes, attributes.false_ways, split)?];
        Ok(match ways {
            [Target::Leaf(one), Target::Leaf(other)] if one == other => Place::Leaf(one),
            _ => Place::Split(split, ways),
        })
    }

    fn leaf(&self, leaf: usize) -> Node {
        Node { tag: Node::LEAF, next: self.origins.leaf_number(leaf), value: self.attributes.leaf_weights[leaf] }
    }

    /// The node for a split of the tree that begins at `first`; its children are next to be placed.
    fn split(&mut self, split: usize, [truth, falsehood]: [Target; 2], first: usize) -> Result<Node, Reason> {
        if std::mem::replace(&mut self.is_placed[split], true) {
            return Err(Reason::new(format!("split {split} has more than one parent")));
        }
        let attributes = self.attributes;
        let feature = u32::try_from(attributes.features[split]).ok().filter(|&feature| feature <= Node::FEATURE);
        let feature = feature.ok_or_else(|| Reason::new(format!("split {split} asks no feature")))?;
        let missing_is_true = attributes.missing_is_true[split] != 0;
        let (flags, value, missing_is_left, ways) = match attributes.modes[split] {
            BRANCH_LESS => (0, attributes.splits[split], missing_is_true, [truth, falsehood]),
            BRANCH_MEMBER => (Node::CATEGORIES, f32::from_bits(self.sets[split]), !missing_is_true, [falsehood, truth]),
            mode => {
                return Err(Reason::new(format!("split {split} has mode {mode}, which is neither < nor membership")));
            }
        };
        let missing = if missing_is_left { Node::MISSING_LEFT } else { 0 };
        let next = word(first + self.ahead.len())?;
        self.ahead.extend(ways);
        Ok(Node { tag: feature | flags | missing, next, value })
    }
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
