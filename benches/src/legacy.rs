//! Where what lies in a booster of XGBoost's legacy form.

use std::ops::Range;

/// Bytes of the parameter blocks, of a node, and of its statistics.
const LEARNER_BYTES: usize = 136;
const FOREST_BYTES: usize = 160;
const TREE_BYTES: usize = 148;
const NODE_BYTES: usize = 20;
const STATISTICS_BYTES: usize = 16;

/// Where a node says which node is its left one, and where a leaf has its value.
const LEFT: usize = 4;
const VALUE: usize = 16;

/// Offsets in the bytes of a booster.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Where the forest's parameters begin: first how many trees there are.
    pub(crate) forest: usize,
    /// Where each tree lies.
    pub(crate) trees: Vec<Range<usize>>,
    /// Behind the last tree.
    pub(crate) end: usize,
}

impl Layout {
    /// The layout of a fixture.
    ///
    /// # Panics
    /// When the bytes are something else.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut at = if bytes.starts_with(b"binf") { 4 } else { 0 } + LEARNER_BYTES;
        for _text in ["objective", "booster"] {
            at += 8 + word(bytes, at);
        }
        let forest = at;
        let mut end = forest + FOREST_BYTES;
        let trees = (0..word(bytes, forest)).map(|_| {
            let start = end;
            end += TREE_BYTES + word(bytes, start + 4) * (NODE_BYTES + STATISTICS_BYTES);
            start..end
        });
        let trees = trees.collect();
        Self { forest, trees, end }
    }

    /// Where each leaf of each tree has its value, an `f32`.
    pub(crate) fn leaves(&self, bytes: &[u8]) -> Vec<usize> {
        let nodes = |tree: &Range<usize>| {
            let start = tree.start;
            (0..word(bytes, start + 4)).map(move |node| start + TREE_BYTES + node * NODE_BYTES)
        };
        let is_leaf = |node: &usize| bytes[node + LEFT..node + LEFT + 4] == [0xff; 4];
        self.trees.iter().flat_map(nodes).filter(is_leaf).map(|node| node + VALUE).collect()
    }
}

fn word(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}
