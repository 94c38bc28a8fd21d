//! Lays trees out in pieces of up to seven splits that hang together, of any shape, each in a block.
//!
//! Of all ways to cut a tree into such pieces the one is taken where rows come through the fewest blocks on their way, with
//! a view to how many blocks there are: what a tree's rows cost is found out from its leaves up.

#![allow(clippy::cast_possible_truncation, reason = "splits of a piece are few")]
#![allow(clippy::cast_precision_loss, reason = "a share need not be exact")]

use super::{Block, Draft, index};

/// The most splits of a piece.
const SPLITS_MAX: usize = Block::SLOTS - 1;
/// What a block costs that no row comes to, in blocks that every row comes to: it takes memory.
const BLOCK_COST: f32 = 1.0 / 64.0;

/// What is known of a node.
struct Place {
    node: u32,
    /// Index of the left child's place, the right one's is next; 0 for leaves.
    below: u32,
    /// Which part of the tree's rows comes here.
    share: f32,
    /// What is below costs so much if so many splits from here on belong to the piece that the parent belongs to. If none does,
    /// this is a leaf, or here begins a piece.
    cost: [f32; SPLITS_MAX + 1],
    /// How many of these are on the left, by how many there are.
    left: [u8; SPLITS_MAX + 1],
    /// How many splits a piece has that begins here.
    splits: u8,
}

/// The blocks of the trees of `draft`, and where each tree begins. `words` are those of the nodes' splits.
pub(super) fn lay(draft: &Draft, words: &[u32]) -> (Vec<Block>, Vec<u32>) {
    let (mut blocks, mut roots, mut places) = (Vec::new(), Vec::with_capacity(draft.trees.len()), Vec::new());
    for tree in &draft.trees {
        find_places(draft, tree.root, &mut places);
        weigh(&mut places);
        roots.push(index(blocks.len()));
        lay_tree(draft, words, &places, &mut blocks);
    }
    (blocks, roots)
}

/// The nodes below `root`, each behind its parent, with the parts of rows that come to them.
fn find_places(draft: &Draft, root: u32, places: &mut Vec<Place>) {
    let place = |node| Place {
        node,
        below: 0,
        share: 0.0,
        cost: [f32::INFINITY; SPLITS_MAX + 1],
        left: [0; SPLITS_MAX + 1],
        splits: 0,
    };
    places.clear();
    places.push(place(root));
    let mut at = 0;
    while at < places.len() {
        let node = draft.nodes[places[at].node as usize];
        if !node.is_leaf() {
            places[at].below = index(places.len());
            places.extend([place(node.next), place(node.next + 1)]);
        }
        at += 1;
    }
    let all = draft.covers.get(root as usize).copied().unwrap_or(0.0);
    if all > 0.0 && all.is_finite() {
        // Covers are what a file says: any number.
        for place in places {
            let share = draft.covers[place.node as usize] / all;
            place.share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        }
        return;
    }
    let leaves = 1.0 / (places.len() / 2 + 1) as f32;
    for at in (0..places.len()).rev() {
        let below = places[at].below as usize;
        places[at].share = if below == 0 { leaves } else { places[below].share + places[below + 1].share };
    }
}

/// Finds out what places cost.
fn weigh(places: &mut [Place]) {
    for at in (0..places.len()).rev() {
        let below = places[at].below as usize;
        if below == 0 {
            places[at].cost[0] = 0.0;
            continue;
        }
        let (mut cost, mut left) = ([f32::INFINITY; SPLITS_MAX + 1], [0; SPLITS_MAX + 1]);
        for on_left in 0..SPLITS_MAX {
            for on_right in 0..SPLITS_MAX - on_left {
                let (splits, sum) =
                    (on_left + on_right + 1, places[below].cost[on_left] + places[below + 1].cost[on_right]);
                if sum < cost[splits] {
                    (cost[splits], left[splits]) = (sum, on_left as u8);
                }
            }
        }
        let place = &mut places[at];
        let splits = (1..=SPLITS_MAX).min_by(|one, other| cost[*one].total_cmp(&cost[*other])).unwrap_or(1);
        cost[0] = cost[splits] + place.share + BLOCK_COST;
        (place.cost, place.left, place.splits) = (cost, left, splits as u8);
    }
}

/// Appends the blocks of a tree, each behind the one that leads to it.
fn lay_tree(draft: &Draft, words: &[u32], places: &[Place], blocks: &mut Vec<Block>) {
    let mut begin = vec![0_usize];
    let first = blocks.len();
    while let Some(&at) = begin.get(blocks.len() - first) {
        let mut piece =
            Piece { words, places, block: Block::default(), splits: 0, exits: Vec::with_capacity(Block::SLOTS) };
        piece.put(at, usize::from(places[at].splits));
        let Piece { mut block, mut exits, .. } = piece;
        let last = exits[exits.len() - 1];
        let leaf = |place: &Place| (place.below == 0).then(|| draft.nodes[place.node as usize].value.to_bits());
        let reached = exits.len();
        exits.resize(Block::SLOTS, last);
        for (exit, to) in exits.into_iter().enumerate() {
            block.exits[exit] = match leaf(&places[to]) {
                Some(bits) => {
                    block.high[0] |= 1 << exit;
                    bits
                }
                // Nobody leaves by those that only fill the block up.
                None if exit >= reached => block.exits[exit - 1],
                None => {
                    begin.push(to);
                    index(first + begin.len() - 1)
                }
            };
        }
        blocks.push(block);
    }
}

/// A piece of a tree that becomes a block.
struct Piece<'a> {
    words: &'a [u32],
    places: &'a [Place],
    block: Block,
    splits: usize,
    /// Places that its exits lead to, from left to right.
    exits: Vec<usize>,
}

impl Piece<'_> {
    /// Puts so many splits into the piece from a place on, and exits to what is below them.
    fn put(&mut self, at: usize, splits: usize) {
        if splits == 0 {
            return self.exits.push(at);
        }
        let place = &self.places[at];
        let (below, on_left) = (place.below as usize, usize::from(place.left[splits]));
        self.splits += 1;
        let (slot, first) = (self.splits, self.exits.len());
        self.block.set_split(slot, self.words[place.node as usize]);
        self.put(below, on_left);
        self.block.ruled_out[slot] = (first..self.exits.len()).fold(0, |exits, exit| exits | 1 << exit);
        self.put(below + 1, splits - 1 - on_left);
    }
}
