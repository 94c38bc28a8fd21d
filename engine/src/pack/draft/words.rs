//! Lays trees out in blocks of three levels each, as words; those of one tree lie together.

use super::{Block, Draft, Node, WordBlock, index};

/// A node that a block begins with, below so many levels of splits that lead to it either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Top {
    node: u32,
    padding: u32,
}

/// Blocks in the making.
struct Plan<'a> {
    nodes: &'a [Node],
    words: &'a [u32],
    blocks: Vec<WordBlock>,
    /// What the present tree's blocks begin with.
    ahead: Vec<Top>,
}

/// Trees laid out.
pub(super) struct Laid {
    pub(super) blocks: Vec<WordBlock>,
    pub(super) roots: Vec<u32>,
    pub(super) leaf_values: Vec<f32>,
}

/// Lays the trees of `draft` out whose ways all lead through as many blocks, and how many these are. Nothing, where trees are too
/// high for that, or where it takes more memory than their nodes do. `words` are those of the nodes' splits.
pub(super) fn lay_even(draft: &Draft, words: &[u32]) -> Option<(Laid, usize)> {
    let heights = heights(&draft.nodes);
    let height_of = |root: u32| heights[root as usize].max(1) as usize;
    let height = draft.trees.iter().map(|tree| height_of(tree.root)).max().unwrap_or(0);
    let levels = height.div_ceil(Block::DEPTH);
    let mut plan = Plan { nodes: &draft.nodes, words, blocks: Vec::new(), ahead: Vec::new() };
    let tops = draft.trees.iter().map(|tree| {
        let padding = levels * Block::DEPTH - height_of(tree.root);
        Top { node: tree.root, padding: index(padding) }
    });
    let roots = if levels <= Block::LEVELS_MAX { plan.lay_even(tops, levels)? } else { return None };
    Some((Laid { blocks: plan.blocks, roots, leaf_values: Vec::new() }, levels))
}

/// Lays the trees of `draft` out in as few blocks of three levels as they need.
pub(super) fn lay_uneven(draft: &Draft, words: &[u32]) -> Laid {
    let mut plan = Plan { nodes: &draft.nodes, words, blocks: Vec::new(), ahead: Vec::new() };
    let (roots, leaf_values) = plan.lay_uneven(draft.trees.iter().map(|tree| tree.root));
    Laid { blocks: plan.blocks, roots, leaf_values }
}

/// How many splits are on the longest way down from each node. Children lie behind their parents.
fn heights(nodes: &[Node]) -> Vec<u32> {
    let mut heights = vec![0; nodes.len()];
    for (index, node) in nodes.iter().enumerate().rev().filter(|(_, node)| !node.is_leaf()) {
        let below = heights[node.next as usize].max(heights[node.next as usize + 1]);
        heights[index] = below + 1;
    }
    heights
}

impl Plan<'_> {
    /// Lays trees out whose ways all lead through one block of each level: where their roots lie. Nothing, where that takes
    /// more memory than their nodes do.
    fn lay_even(&mut self, tops: impl ExactSizeIterator<Item = Top>, levels: usize) -> Option<Vec<u32>> {
        let blocks_max = size_of_val(self.nodes) / size_of::<WordBlock>() + tops.len();
        let mut roots = Vec::with_capacity(tops.len());
        for top in tops {
            let (first, mut at) = (self.blocks.len(), 0);
            roots.push(index(first));
            self.ahead.clear();
            self.ahead.push(top);
            for level in 0..levels {
                let tops = at..self.ahead.len();
                at = tops.end;
                for top in tops {
                    let (mut block, exits) = self.block(self.ahead[top]);
                    self.lead_on(&mut block, &exits, |plan, exit| {
                        if level + 1 == levels {
                            return plan.nodes[exit.node as usize].value.to_bits();
                        }
                        plan.ahead.push(exit);
                        index(first + plan.ahead.len() - 1)
                    });
                    self.blocks.push(block);
                }
                if self.blocks.len() > blocks_max {
                    self.blocks.clear();
                    return None;
                }
            }
        }
        Some(roots)
    }

    /// Lays trees out in as few blocks as they need: where their roots lie, and the values of their leaves.
    fn lay_uneven(&mut self, roots: impl Iterator<Item = u32>) -> (Vec<u32>, Vec<f32>) {
        let mut values = Vec::new();
        let roots = roots.map(|root| self.lay_tree(root, &mut values)).collect();
        (roots, values)
    }

    /// Where the tree below `root` begins.
    fn lay_tree(&mut self, root: u32, values: &mut Vec<f32>) -> u32 {
        let first = self.blocks.len();
        self.ahead.clear();
        let mut exit_to = |plan: &mut Self, exit: Top| {
            let node = plan.nodes[exit.node as usize];
            if node.is_leaf() {
                values.push(node.value);
                return WordBlock::LEAF | index(values.len() - 1);
            }
            plan.ahead.push(exit);
            index(first + plan.ahead.len() - 1)
        };
        let begin = exit_to(self, Top { node: root, padding: 0 });
        while let Some(&top) = self.ahead.get(self.blocks.len() - first) {
            let (mut block, exits) = self.block(top);
            self.lead_on(&mut block, &exits, &mut exit_to);
            self.blocks.push(block);
        }
        begin
    }

    /// Lets the exits of `block` lead to what they should, those that lead to the same to the same.
    fn lead_on(&mut self, block: &mut WordBlock, exits: &[Top; 8], mut exit_to: impl FnMut(&mut Self, Top) -> u32) {
        for (at, exit) in exits.iter().enumerate() {
            let same = exits[..at].iter().position(|other| other == exit);
            block.0[WordBlock::EXITS + at] = match same {
                Some(same) => block.0[WordBlock::EXITS + same],
                None => exit_to(self, *exit),
            };
        }
    }

    /// The block below `top`, and what its exits lead to.
    fn block(&self, top: Top) -> (WordBlock, [Top; 8]) {
        let mut block = WordBlock([0; 16]);
        let mut slots = [top; 16];
        for slot in 1..WordBlock::EXITS {
            let Top { node, padding } = slots[slot];
            let split = self.nodes[node as usize];
            let is_split = padding == 0 && !split.is_leaf();
            block.0[slot] = if is_split { self.words[node as usize] } else { WordBlock::NO_SPLIT };
            let below = |side| {
                if is_split {
                    return Top { node: split.next + side, padding: 0 };
                }
                Top { node, padding: padding.saturating_sub(1) }
            };
            (slots[2 * slot], slots[2 * slot + 1]) = (below(0), below(1));
        }
        (block, std::array::from_fn(|exit| slots[WordBlock::EXITS + exit]))
    }
}
